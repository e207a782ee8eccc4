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
