//! The JSON Schema of what a record shows of a type: `#[sensitive(schema)]`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;

use super::bounds::where_schema;
use super::fields::local;
use super::parse::{Data, Field, Fields, Input, Skip, Style, Variant};
use super::serde::Tagging;
use crate::mode::Mode;

/// For a struct with a classified, a dropped and a plain field this is
///
/// ```text
/// ::audited::__private::schema! {
///     impl SensitiveSchema for Transfer { type Recorded = Derived<Self>; }
///     impl DeriveSchema for Transfer {
///         const NAME: &'static str = "Transfer";
///         fn schema(__generator: &mut SchemaGenerator) -> Schema {
///             use ::audited::__private::{self as __private, schema::{IsKnown as _, …}};
///             object(__generator, &[
///                 Member::Always("cents", |__generator| (&&Of::<u64>::NEW).typed(__generator)),
///                 Member::Always("memo", |__generator| left_by(__generator, Mode::Drop)),
///                 Member::Always("currency", |__generator| (&&&&Of::<String>::NEW).plain(__generator)),
///             ])
///         }
///     }
/// }
/// ```
pub(super) fn expand(input: &Input<'_>) -> Option<TokenStream> {
    input.container.schema.as_ref()?;
    let (ident, private, generator) = (input.ident, &input.container.private, local("__generator"));
    let clause = where_schema(private, input);
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let name = input.names.rename.clone().unwrap_or_else(|| ident.unraw().to_string());
    let (body, imports) = (of_type(input), imports(private));
    Some(quote! {
        #private::schema! {
            #[automatically_derived]
            impl #impl_generics #private::schema::SensitiveSchema for #ident #ty_generics #clause {
                type Recorded = #private::schema::Derived<Self>;
            }
            #[automatically_derived]
            impl #impl_generics #private::schema::DeriveSchema for #ident #ty_generics #clause {
                const NAME: &'static #private::core::primitive::str = #name;

                fn schema(#generator: &mut #private::schema::SchemaGenerator) -> #private::schema::Schema {
                    #imports
                    #body
                }
            }
        }
    })
}

/// What the expressions below need in scope.
pub(crate) fn imports(private: &TokenStream) -> TokenStream {
    let short = local("__private");
    quote! {
        #[allow(unused_imports)]
        use #private::{
            self as #short,
            schema::{
                IsClassified as _, IsDescribed as _, IsInAnyParts as _, IsInParts as _, IsKnown as _, IsNotKnown as _,
                IsOpaque as _, IsUnknown as _,
            },
        };
    }
}

/// The schema of an object with these fields.
pub(crate) fn object<'f, 'a: 'f>(fields: impl Iterator<Item = &'f Field<'a>>) -> TokenStream {
    object_of(fields.filter_map(member))
}

fn object_of(members: impl IntoIterator<Item = TokenStream>) -> TokenStream {
    let members = members.into_iter();
    let (private, generator) = (local("__private"), local("__generator"));
    quote!(#private::schema::object(#generator, &[#(#members),*]))
}

fn of_type(input: &Input<'_>) -> TokenStream {
    let (private, generator) = (local("__private"), local("__generator"));
    if let Some(target) = &input.names.into {
        return quote!((&&#private::schema::Of::<#target>::NEW).typed(#generator));
    }
    match &input.data {
        Data::Struct(_) if input.transparent_field().is_some() => input.transparent_field().map(of_field),
        Data::Struct(fields) => Some(match (fields.style, &input.names.tagging) {
            (Style::Named, Tagging::Internal { tag }) => {
                let name = input.names.rename.clone().unwrap_or_else(|| input.ident.unraw().to_string());
                tagged(tag, &name, fields)
            }
            _ => content(fields),
        }),
        Data::Enum(variants) => {
            let dropped = || left_by(&quote!(#private::Mode::Drop));
            let mut schemas: Vec<_> = variants
                .iter()
                .map(|variant| if variant.names.skipped { dropped() } else { of_variant(input, variant) })
                .collect();
            if input.names.remote.is_some() && input.non_exhaustive {
                schemas.push(dropped());
            }
            let makes = schemas.iter().map(make);
            Some(quote!(#private::schema::any_of(#generator, &[#(#makes),*])))
        }
    }
    .unwrap_or_default()
}

fn of_variant(input: &Input<'_>, variant: &Variant<'_>) -> TokenStream {
    let (fields, name, unit) = (&variant.fields, &variant.name, variant.fields.style == Style::Unit);
    match &input.names.tagging {
        _ if variant.names.untagged => content(fields),
        Tagging::Untagged => content(fields),
        Tagging::External if unit => constant(name),
        Tagging::External => object_of([always(name, &content(fields))]),
        Tagging::Internal { tag } if fields.style == Style::Newtype => {
            let content = flattened(&fields.list[0]);
            object_of([always(tag, &constant(name))].into_iter().chain(content))
        }
        Tagging::Internal { tag } => tagged(tag, name, fields),
        Tagging::Adjacent { tag, .. } if unit => object_of([always(tag, &constant(name))]),
        Tagging::Adjacent { tag, content: key } => {
            object_of([always(tag, &constant(name)), always(key, &content(fields))])
        }
    }
}

/// An object whose first field is the tag.
fn tagged(tag: &str, name: &str, fields: &Fields<'_>) -> TokenStream {
    let members = fields.written().filter_map(member);
    object_of([always(tag, &constant(name))].into_iter().chain(members))
}

/// The fields alone.
fn content(fields: &Fields<'_>) -> TokenStream {
    let (private, generator) = (local("__private"), local("__generator"));
    match fields.style {
        Style::Unit => quote!(#private::schema::null()),
        Style::Newtype => of_field(&fields.list[0]),
        Style::Named => object(fields.written()),
        Style::Tuple => {
            let items = fields.written().map(|field| make(&of_field(field)));
            let option = quote!(#private::core::option::Option);
            let items = if fields.written().any(|field| matches!(field.skip, Skip::If(_))) {
                quote!(#option::None)
            } else {
                quote!(#option::Some(&[#(#items),*]))
            };
            quote!(#private::schema::array(#generator, #items))
        }
    }
}

/// A field of an object; none of which nothing is known.
fn member(field: &Field<'_>) -> Option<TokenStream> {
    if field.names.flatten { flattened(field) } else { Some(one(field)) }
}

/// A field whose own fields stand among the others; none where they may be left out.
fn flattened(field: &Field<'_>) -> Option<TokenStream> {
    let private = local("__private");
    let make = match field.skip {
        Skip::If(_) => None,
        Skip::Never | Skip::Always => Some(make(&of_field(field))),
    };
    let flat = |make| quote!(#private::schema::Member::Flat(#make));
    match field.mode() {
        None | Some(Mode::Plain) => make.map(flat),
        // What describes a foreign type writes its fields; any other redactor whatever it likes.
        Some(Mode::With(redactor)) => {
            let (ty, one) = (field.ty, one(field));
            let flat = flat(make.unwrap_or_else(|| quote!(|_| #private::schema::Schema::default())));
            Some(quote!(if <#redactor as #private::Redactor<#ty>>::REMOTE { #flat } else { #one }))
        }
        Some(_) => Some(one(field)),
    }
}

/// A field that is one value.
fn one(field: &Field<'_>) -> TokenStream {
    always_or_maybe(&field.skip, &field.key, &of_field(field))
}

/// The schema of what is written of a field.
fn of_field(field: &Field<'_>) -> TokenStream {
    let (private, generator, ty) = (local("__private"), local("__generator"), field.ty);
    let of = quote!(#private::schema::Of::<#ty>::NEW);
    match field.mode() {
        None => quote!((&&#of).typed(#generator)),
        Some(Mode::With(redactor)) => quote!((&&#private::schema::Of::<#redactor>::NEW).typed(#generator)),
        Some(Mode::Plain) if field.names.with.is_none() => quote!((&&&&#of).plain(#generator)),
        Some(mode @ (Mode::Mask { .. } | Mode::Truncate(_))) if field.names.with.is_none() => {
            let mode = mode.in_core(&quote!(#private));
            quote!((&&#of).part(#generator, #mode))
        }
        Some(mode) => left_by(&mode.in_core(&quote!(#private))),
    }
}

fn left_by(mode: &TokenStream) -> TokenStream {
    let (private, generator) = (local("__private"), local("__generator"));
    quote!(#private::schema::left_by(#generator, #mode))
}

fn constant(text: &str) -> TokenStream {
    let private = local("__private");
    quote!(#private::schema::constant(#text))
}

fn always(key: &str, schema: &TokenStream) -> TokenStream {
    always_or_maybe(&Skip::Never, key, schema)
}

fn always_or_maybe(skip: &Skip, key: &str, schema: &TokenStream) -> TokenStream {
    let (private, make) = (local("__private"), make(schema));
    let presence = if matches!(skip, Skip::If(_)) { "Maybe" } else { "Always" };
    let presence = Ident::new(presence, proc_macro2::Span::mixed_site());
    quote!(#private::schema::Member::#presence(#key, #make))
}

/// A function that makes it.
fn make(schema: &TokenStream) -> TokenStream {
    let generator = local("__generator");
    quote!(|#generator| #schema)
}
