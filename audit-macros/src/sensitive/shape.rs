//! The shape of the JSON, as serde would write it.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Path, PathArguments};

use super::fields::{local, pattern, write, write_flat, write_only};
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
        // Where the type comes out of a macro, `self` must not: it would be another one.
        let span = ty.span();
        // A reference into a packed struct is not allowed: its fields are `Copy`, as for serde.
        if input.packed { quote_spanned!(span=> &{ #this.#member }) } else { quote_spanned!(span=> &#this.#member) }
    };
    if let Some(field) = input.transparent_field() {
        let at = fields.list.iter().position(|other| other.member == field.member).unwrap_or_default();
        return write_only(private, field, &access(at));
    }
    match (fields.style, &input.names.tagging) {
        (Style::Named, Tagging::Internal { tag }) => {
            let name = input.names.rename.clone().unwrap_or_else(|| input.ident.unraw().to_string());
            tagged(private, tag, &name, &write(private, fields, &access))
        }
        _ => content(private, fields, &access),
    }
}

fn of_variant(input: &Input<'_>, variant: &Variant<'_>) -> TokenStream {
    let (encoder, object, inner) = (local("__encoder"), local("__object"), local("__inner"));
    let (private, ident, ty) = (&input.container.private, variant.ident, of_patterns(input));
    if variant.names.skipped {
        // Serde refuses to write it; a record is written nevertheless, and shows nothing.
        return quote!(#ty::#ident { .. } => #encoder.redacted(),);
    }
    let (pattern, bindings) = pattern(&variant.fields);
    let access = |at: usize| {
        let binding = &bindings[at];
        quote!(#binding)
    };
    let (name, unit) = (&variant.name, variant.fields.style == Style::Unit);
    // What was bound and is not written is looked at, so that it is not called unread.
    let look = if unit { write(private, &variant.fields, &access) } else { TokenStream::new() };
    let content = || content(private, &variant.fields, &access);
    let write = match &input.names.tagging {
        _ if variant.names.untagged => content(),
        Tagging::Untagged => content(),
        Tagging::External if unit => quote!(#encoder.name(#name)),
        Tagging::External => {
            let content = content();
            quote!(#encoder.object(|#object| #object.variant(#name, |#encoder| { #content })))
        }
        Tagging::Internal { tag } if variant.fields.style == Style::Newtype => {
            tagged(private, tag, name, &write_flat(private, &variant.fields.list[0], &access(0)))
        }
        Tagging::Internal { tag } => tagged(private, tag, name, &write(private, &variant.fields, &access)),
        Tagging::Adjacent { tag, .. } if unit => tagged(private, tag, name, &TokenStream::new()),
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
    quote!(#ty::#ident #pattern => { #look #write })
}

/// An object whose first field is the tag.
fn tagged(private: &TokenStream, tag: &str, name: &str, writes: &TokenStream) -> TokenStream {
    let members = local("__members");
    opened(private, "open", &quote!(#members.tag(#tag, #name); #writes), true)
}

/// The fields alone.
fn content(private: &TokenStream, fields: &Fields<'_>, access: &dyn Fn(usize) -> TokenStream) -> TokenStream {
    let encoder = local("__encoder");
    let open = match fields.style {
        Style::Unit => return quote!(#encoder.null();),
        Style::Newtype => return write_only(private, &fields.list[0], &access(0)),
        Style::Tuple => "open_array",
        Style::Named => "open",
    };
    opened(private, open, &write(private, fields, access), fields.written().next().is_some())
}

/// Statements that write into what they open, `used` where there are any.
fn opened(private: &TokenStream, open: &str, writes: &TokenStream, used: bool) -> TokenStream {
    let (encoder, members, ty, open) = (local("__encoder"), local("__members"), local("__TYPE"), local(open));
    let mutable = used.then(|| quote!(mut));
    quote! {
        if let #private::core::option::Option::Some(#mutable #members) = #encoder.#open(&#ty) {
            #writes
            #members.end();
        }
    }
}
