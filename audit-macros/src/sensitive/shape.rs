//! The shape of the JSON, as serde would write it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::fields::{local, pattern, write_array, write_object, write_value};
use super::parse::{Data, Fields, Input, Style, Variant};
use super::serde::Tagging;
use syn::ext::IdentExt;

/// The body of `write`.
pub(crate) fn body(input: &Input<'_>) -> TokenStream {
    match &input.data {
        Data::Struct(fields) => of_struct(input, fields),
        Data::Enum(variants) if variants.is_empty() => quote!(match *self {}),
        Data::Enum(variants) => {
            let arms = variants.iter().map(|variant| of_variant(variant, &input.names.tagging));
            quote!(match self { #(#arms)* })
        }
    }
}

fn of_struct(input: &Input<'_>, fields: &Fields<'_>) -> TokenStream {
    let encoder = local("__encoder");
    let access = |at: usize| {
        let field = &fields.list[at];
        let member = &field.member;
        // Where the type comes out of a macro, `self` must not: it would be another one.
        let (span, this) = (field.ty.span(), quote!(self));
        // A reference into a packed struct is not allowed: its fields are `Copy`, as for serde.
        if input.packed { quote_spanned!(span=> &{ #this.#member }) } else { quote_spanned!(span=> &#this.#member) }
    };
    if let Some(field) = input.transparent_field() {
        let at = fields.list.iter().position(|other| other.member == field.member).unwrap_or_default();
        return write_value(field, &encoder, &access(at));
    }
    match (fields.style, &input.names.tagging) {
        (Style::Named, Tagging::Internal { tag }) => {
            let name = input.names.rename.clone().unwrap_or_else(|| input.ident.unraw().to_string());
            tagged_object(fields, tag, &name, &access)
        }
        _ => content(fields, &access),
    }
}

fn of_variant(variant: &Variant<'_>, tagging: &Tagging) -> TokenStream {
    let (encoder, object, inner) = (local("__encoder"), local("__object"), local("__inner"));
    let ident = variant.ident;
    if variant.names.skipped {
        // Serde refuses to write it; a record is written nevertheless, and shows nothing.
        return quote!(Self::#ident { .. } => #encoder.redacted(),);
    }
    let (pattern, bindings) = pattern(&variant.fields);
    let access = |at: usize| {
        let binding = &bindings[at];
        quote!(#binding)
    };
    let name = &variant.name;
    let unit = variant.fields.style == Style::Unit;
    let content = content(&variant.fields, &access);
    // What was bound and is not written is looked at, so that it is not called unread.
    let look = if unit { write_object(&variant.fields, &object, &access) } else { TokenStream::new() };
    let write = match tagging {
        _ if variant.names.untagged => content,
        Tagging::Untagged => content,
        Tagging::External if unit => quote!(#encoder.name(#name)),
        Tagging::External => quote! {
            #encoder.object(|#object| #object.field(#name, |#encoder| #content))
        },
        Tagging::Internal { tag } => tagged_object(&variant.fields, tag, name, &access),
        Tagging::Adjacent { tag, .. } if unit => quote! {
            #encoder.object(|#object| #object.field(#tag, |#inner| #inner.name(#name)))
        },
        Tagging::Adjacent { tag, content: key } => quote! {
            #encoder.object(|#object| {
                #object.field(#tag, |#inner| #inner.name(#name));
                #object.field(#key, |#encoder| #content);
            })
        },
    };
    quote!(Self::#ident #pattern => { #look #write })
}

/// Named fields, with the tag before them.
fn tagged_object(fields: &Fields<'_>, tag: &str, name: &str, access: &dyn Fn(usize) -> TokenStream) -> TokenStream {
    let (encoder, object, inner) = (local("__encoder"), local("__object"), local("__inner"));
    let writes = write_object(fields, &object, access);
    quote! {
        #encoder.object(|#object| {
            #object.field(#tag, |#inner| #inner.name(#name));
            #writes
        })
    }
}

/// The fields alone.
fn content(fields: &Fields<'_>, access: &dyn Fn(usize) -> TokenStream) -> TokenStream {
    let (encoder, object, array) = (local("__encoder"), local("__object"), local("__array"));
    match fields.style {
        Style::Unit => quote!(#encoder.null()),
        Style::Newtype => write_value(&fields.list[0], &encoder, &access(0)),
        Style::Tuple if fields.list.is_empty() => quote!(#encoder.array(|_| ())),
        Style::Tuple => {
            let writes = write_array(fields, &array, access);
            quote!(#encoder.array(|#array| { #writes }))
        }
        Style::Named if fields.list.is_empty() => quote!(#encoder.object(|_| ())),
        Style::Named => {
            let writes = write_object(fields, &object, access);
            quote!(#encoder.object(|#object| { #writes }))
        }
    }
}
