//! The shape of the JSON, as serde would write it.

use proc_macro2::{Delimiter, Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Path, PathArguments};

use super::fields::{Writes, bound, local, pattern, reference, unread, write_only};
use super::parse::{Data, Fields, Input, Style, Variant};
use super::serde::Tagging;
use crate::private;

/// The body of `write`.
pub(crate) fn body(input: &Input<'_>) -> TokenStream {
    let (this, encoder) = (this(input), local("__encoder"));
    match &input.data {
        Data::Struct(fields) => of_struct(input, fields),
        Data::Enum(variants) if variants.is_empty() => quote!(match *#this {}),
        Data::Enum(variants) => {
            let arms = variants.iter().map(|variant| of_variant(input, variant));
            // A foreign type can get more variants than are described.
            let more = input.names.remote.is_some() && input.non_exhaustive;
            let others = more.then(|| quote!(_ => #encoder.redacted(),));
            quote!(match #this { #(#arms)* #others })
        }
    }
}

/// The value that is written.
pub(crate) fn this(input: &Input<'_>) -> Ident {
    if input.names.remote.is_some() { local("__this") } else { Ident::new("self", proc_macro2::Span::call_site()) }
}

/// The type that patterns name; its parameters are inferred.
fn of_patterns(input: &Input<'_>) -> Path {
    let mut path = input.names.remote.clone().unwrap_or_else(|| syn::parse_quote!(Self));
    if let Some(last) = path.segments.last_mut() {
        last.arguments = PathArguments::None;
    }
    path
}

fn of_struct(input: &Input<'_>, fields: &Fields<'_>) -> TokenStream {
    let (private, this) = (&input.container.private, this(input));
    let access = |at: usize| {
        let field = &fields.list[at];
        let (member, ty) = (&field.member, field.ty);
        if let (Some(getter), Some(_)) = (&field.names.getter, &input.names.remote) {
            let private = private::at(private, getter.span());
            return quote_spanned!(getter.span()=> #private::constrain::<#ty>(&#getter(#this)));
        }
        // A reference into a packed struct is not allowed: its fields are `Copy`, as for serde.
        let delimiter = if input.packed { Delimiter::Brace } else { Delimiter::Parenthesis };
        reference(delimiter, quote!(#this.#member), ty)
    };
    let unread = unread(fields, &access);
    let write = if let Some(field) = input.transparent_field() {
        let at = fields.list.iter().position(|other| other.member == field.member).unwrap_or_default();
        write_only(private, field, &access(at))
    } else {
        match (fields.style, &input.names.tagging) {
            (Style::Named, Tagging::Internal { tag }) => {
                let name = input.names.rename.clone().unwrap_or_else(|| input.ident.unraw().to_string());
                Writes::of(private, fields, &access).tagged(&fields.first(), tag, &name)
            }
            _ => content(private, fields, &access),
        }
    };
    quote!(#unread #write)
}

fn of_variant(input: &Input<'_>, variant: &Variant<'_>) -> TokenStream {
    let (encoder, object, inner) = (local("__encoder"), local("__object"), local("__inner"));
    let (private, ident, ty) = (&input.container.private, variant.ident, of_patterns(input));
    if variant.names.skipped {
        // Serde refuses to write it; a record is written nevertheless, and shows nothing.
        return quote!(#ty::#ident { .. } => #encoder.redacted(),);
    }
    let (pattern, bindings) = pattern(&variant.fields);
    let access = |at: usize| bound(&bindings[at], &variant.fields.list[at]);
    let (fields, name, unit) = (&variant.fields, &variant.name, variant.fields.style == Style::Unit);
    let unread = unread(fields, &access);
    let content = || content(private, fields, &access);
    let writes = || Writes::of(private, fields, &access);
    let write = match &input.names.tagging {
        _ if variant.names.untagged => content(),
        Tagging::Untagged => content(),
        Tagging::External if unit => quote!(#encoder.name(#name)),
        Tagging::External => {
            let content = content();
            quote!(#encoder.object(|#object| #object.variant(#name, |#encoder| { #content })))
        }
        Tagging::Internal { tag } if fields.style == Style::Newtype => {
            Writes::flat(private, &fields.list[0], access(0)).tagged(&fields.first(), tag, name)
        }
        Tagging::Internal { tag } => writes().tagged(&fields.first(), tag, name),
        Tagging::Adjacent { tag, .. } if unit => writes().tagged(&fields.first(), tag, name),
        Tagging::Adjacent { tag, content: key } => {
            let content = content();
            quote! {
                #encoder.object(|#object| {
                    #object.field(#tag, |#inner| #inner.name(#name));
                    #object.field(#key, |#encoder| { #content });
                })
            }
        }
    };
    quote!(#ty::#ident #pattern => { #unread #write })
}

/// The fields alone.
fn content(private: &TokenStream, fields: &Fields<'_>, access: &dyn Fn(usize) -> TokenStream) -> TokenStream {
    let (encoder, first) = (local("__encoder"), fields.first());
    let writes = || Writes::of(private, fields, access);
    match fields.style {
        Style::Unit => quote!(#encoder.null();),
        Style::Newtype => write_only(private, &fields.list[0], &access(0)),
        Style::Tuple => writes().array(&first),
        Style::Named => writes().object(&first),
    }
}
