//! The path of the one module that generated code names.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::quote;
use syn::Path;

/// The module, in the crate that `crate = path` names.
pub(crate) fn of(krate: Option<&Path>) -> TokenStream {
    krate.map_or_else(|| quote!(::audited::__private), |krate| quote!(#krate::__private))
}

/// The same tokens, shown at `span` should the compiler find something wrong with them.
pub(crate) fn at(tokens: &TokenStream, span: Span) -> TokenStream {
    let located = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            let mut inside = Group::new(group.delimiter(), at(&group.stream(), span));
            inside.set_span(group.span());
            token = inside.into();
        }
        token.set_span(token.span().located_at(span));
        token
    };
    tokens.clone().into_iter().map(located).collect()
}

/// The same where the tokens begin an expression whose other tokens are the user's: of two kinds of spans the compiler
/// would make one of the whole macro.
pub(crate) fn among_users(private: &TokenStream, span: Span) -> TokenStream {
    let set = |mut token: TokenTree| {
        // What `$crate` means hangs on its span.
        let of_macro = matches!(&token, TokenTree::Ident(ident) if ident == "$crate");
        token.set_span(if of_macro { token.span().located_at(span) } else { span });
        token
    };
    private.clone().into_iter().map(set).collect()
}
