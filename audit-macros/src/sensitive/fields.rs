//! How fields are written.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::parse::{Field, Fields, Skip, Style};
use super::serde::With;
use crate::mode::Mode;
use crate::private;

/// A name that the user's code cannot see.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// A pattern for a variant's fields, and the name that each is bound to.
pub(crate) fn pattern(fields: &Fields<'_>) -> (TokenStream, Vec<Ident>) {
    let names: Vec<_> =
        (0..fields.list.len()).map(|at| format_ident!("__field{}", at, span = Span::mixed_site())).collect();
    let members = fields.list.iter().map(|field| &field.member);
    (quote!({ #(#members: #names),* }), names)
}

/// Statements that write every field among `__members`; `access` gives a reference to each.
pub(crate) fn write(private: &TokenStream, fields: &Fields<'_>, access: &dyn Fn(usize) -> TokenStream) -> TokenStream {
    let statements = fields.list.iter().enumerate().map(|(at, field)| {
        let value = access(at);
        if fields.style == Style::Unit || matches!(field.skip, Skip::Always) {
            return quote!(let _ = #value;);
        }
        let write = write_member(private, field, &value);
        match &field.skip {
            Skip::If(skip) => quote!(if !#skip(#value) { #write }),
            Skip::Never | Skip::Always => write,
        }
    });
    quote!(#(#statements)*)
}

/// A statement that writes one field among `__members`.
fn write_member(private: &TokenStream, field: &Field<'_>, value: &TokenStream) -> TokenStream {
    if field.names.flatten { write_flat(private, field, value) } else { write_value(private, field, value) }
}

fn write_value(private: &TokenStream, field: &Field<'_>, value: &TokenStream) -> TokenStream {
    let (at, members, ty) = (Literal::usize_unsuffixed(field.at), local("__members"), local("__TYPE"));
    match shown(private, field, value) {
        Shown::As(generics, value) => quote_spanned!(field.ty.span()=> #members.value #generics(&#ty, #at, #value);),
        // Looked at, so that a field which only `audited` drops is not called unread.
        Shown::Dropped => quote!(let _ = #value; #members.redacted(&#ty, #at);),
    }
}

/// The same for a field whose own fields stand among the others, unless its mode makes one value of it.
pub(crate) fn write_flat(private: &TokenStream, field: &Field<'_>, value: &TokenStream) -> TokenStream {
    let (at, members) = (Literal::usize_unsuffixed(field.at), local("__members"));
    let (described, ty) = (local("__TYPE"), field.ty);
    let one = write_value(private, field, value);
    match (field.mode(), shown(private, field, value)) {
        (None | Some(Mode::Plain), Shown::As(generics, value)) => {
            quote_spanned!(ty.span()=> #members.flatten #generics(&#described, #at, #value);)
        }
        // What describes a foreign type writes its fields; any other redactor whatever it likes.
        (Some(Mode::With(redactor)), Shown::As(_, value)) => quote! {
            if <#redactor as #private::Redactor<#ty>>::REMOTE {
                #members.flatten(&#described, #at, #value);
            } else {
                #one
            }
        },
        _ => one,
    }
}

/// A statement that writes one field as all of the value that is due.
pub(crate) fn write_only(private: &TokenStream, field: &Field<'_>, value: &TokenStream) -> TokenStream {
    let (at, encoder, ty) = (Literal::usize_unsuffixed(field.at), local("__encoder"), local("__TYPE"));
    match shown(private, field, value) {
        Shown::As(generics, value) => {
            quote_spanned!(field.ty.span()=> #encoder.only #generics(&#ty, #at, #value);)
        }
        Shown::Dropped => quote!(let _ = #value; #encoder.redacted();),
    }
}

/// What of a field is handed to the encoder.
enum Shown {
    /// The generic arguments of the call, and the value in whatever its mode asks for.
    As(TokenStream, TokenStream),
    Dropped,
}

fn shown(private: &TokenStream, field: &Field<'_>, value: &TokenStream) -> Shown {
    let (ty, mode) = (field.ty, field.mode());
    // Where the compiler shows that the type does not fit.
    let span = match (mode, &field.names.with) {
        (Some(Mode::With(redactor)), _) => redactor.span(),
        (Some(_), Some(with)) => with.function.span(),
        _ => ty.span(),
    };
    let (private, value) = (private::among_users(private, span), private::at(value, span));
    let shown = match (mode, &field.names.with) {
        (None, _) => return Shown::As(quote_spanned!(span=> ::<#ty>), value),
        (Some(Mode::Drop), _) => return Shown::Dropped,
        (Some(Mode::With(redactor)), _) => quote_spanned!(span=> &#private::Custom::<#redactor, #ty>::new(#value)),
        (Some(_), Some(With { function, .. })) => {
            let serializer = local("__serializer");
            quote_spanned! {span=>
                &#private::With(|#serializer: #private::PlainSerializer<'_, '_>| #function(#value, #serializer))
            }
        }
        (Some(Mode::Plain), None) => quote_spanned!(span=> &(&#private::Declared::<#ty>(#value)).choose()),
        (Some(_), None) => quote_spanned!(span=> &#private::Plain::<#ty>(#value)),
    };
    Shown::As(TokenStream::new(), shown)
}

/// The traits by which a plain value is written, where there is one: by its own type's word if it has any.
pub(crate) fn imports<'a>(private: &TokenStream, fields: impl Iterator<Item = &'a Fields<'a>>) -> Option<TokenStream> {
    let mut written = fields.flat_map(Fields::written);
    let chosen = written.any(|field| matches!(field.mode(), Some(Mode::Plain)) && field.names.with.is_none());
    chosen.then(|| {
        quote! {
            #[allow(unused_imports)]
            use #private::{ViaSensitive as _, ViaSerialize as _};
        }
    })
}
