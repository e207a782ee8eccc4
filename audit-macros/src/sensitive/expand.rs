//! The generated code.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Path, PathArguments, Type, WhereClause};

use super::bounds::{where_clause, where_into};
use super::fields::local;
use super::parse::Input;
use super::register::register;
use super::{schema, shape};

/// For a struct with a classified, a dropped, a plain and a hashed field this is
///
/// ```text
/// impl ::audited::__private::Sensitive for Transfer {
///     fn write(&self, __encoder: &mut ::audited::__private::Encoder<'_>) {
///         static __TYPE: ::audited::__private::SensitiveType = …;
///         ::audited::__private::inventory::submit! { ::audited::__private::RegisteredType(&__TYPE) }
///         let _ = &self.memo;
///         __encoder.members(&__TYPE, 0, 4, &[
///             &self.cents,
///             &::audited::__private::Declared::<String>(&self.currency).choose(),
///             &::audited::__private::Plain::<String>(&self.device),
///         ]);
///     }
/// }
/// ```
///
/// What is done to a field stands in `__TYPE`, and there alone.
pub(crate) fn expand(input: &Input<'_>) -> TokenStream {
    let (ident, private, names) = (input.ident, &input.container.private, &input.names);
    let fields = input.fields();
    let class = input.container.class.as_ref();
    let registered = register(private, ident, names.rename.as_ref(), class, &fields);
    let (clause, body) = if let Some(target) = &names.into {
        (where_into(private, input, target), converted(private, target))
    } else {
        let clause = where_clause(private, ident, input.generics, fields.iter().map(|(_, fields)| *fields));
        (clause, shape::body(input))
    };
    let implementation = implementation(input, &clause, &quote!(#registered #body));
    let (debug, schema) = (debug(input, &clause), schema::expand(input));
    quote!(#implementation #debug #schema)
}

/// With a mistake in it the type still counts as classified, so that the user sees that mistake and not what
/// follows from it. It shows nothing.
pub(crate) fn fallback(input: &Input<'_>, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    let empty = || WhereClause { where_token: <_>::default(), predicates: <_>::default() };
    let clause = input.generics.where_clause.clone().unwrap_or_else(empty);
    let encoder = local("__encoder");
    let implementation = implementation(input, &clause, &quote!(#encoder.redacted();));
    let debug = debug(input, &clause);
    quote!(#errors #implementation #debug)
}

/// The writer: of the type itself, or of the foreign type that it describes.
fn implementation(input: &Input<'_>, clause: &WhereClause, body: &TokenStream) -> TokenStream {
    let (ident, private, encoder) = (input.ident, &input.container.private, local("__encoder"));
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    if let Some(remote) = &input.names.remote {
        let this = shape::this(input);
        let described = described(remote, &quote!(#ty_generics));
        return quote! {
            #[automatically_derived]
            impl #impl_generics #private::Redactor<#described> for #ident #ty_generics #clause {
                const REMOTE: #private::core::primitive::bool = true;

                fn redact(#this: &#described, #encoder: &mut #private::Encoder<'_>) {
                    #body
                }
            }
        };
    }
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Sensitive for #ident #ty_generics #clause {
            fn write(&self, #encoder: &mut #private::Encoder<'_>) {
                #body
            }
        }
    }
}

/// The foreign type: as it is written, or with the parameters of what describes it.
fn described(remote: &Path, generics: &TokenStream) -> TokenStream {
    let mut remote = remote.clone();
    let last = remote.segments.last_mut().map(|last| &mut last.arguments);
    if let Some(PathArguments::AngleBracketed(arguments)) = last {
        arguments.colon2_token = None;
        quote!(#remote)
    } else {
        quote!(#remote #generics)
    }
}

/// Writes the type that serde would convert this one into.
fn converted(private: &TokenStream, target: &Type) -> TokenStream {
    let (written, encoder, at) = (local("__target"), local("__encoder"), target.span());
    let private_at = crate::private::at(private, at);
    let converted = quote_spanned!(at=> #private_at::core::convert::Into::into);
    let write = quote_spanned!(at=> <#target as #private_at::Sensitive>::write(&#written, #encoder););
    quote! {
        let #written: #target = #converted(#private::core::clone::Clone::clone(self));
        #write
    }
}

/// `Debug` as the record shows the value.
fn debug(input: &Input<'_>, clause: &WhereClause) -> Option<TokenStream> {
    input.container.debug.as_ref().filter(|_| input.names.remote.is_none())?;
    let (ident, private, formatter) = (input.ident, &input.container.private, local("__formatter"));
    let (core, name) = (quote!(#private::core), ident.unraw().to_string());
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    Some(quote! {
        #[automatically_derived]
        impl #impl_generics #core::fmt::Debug for #ident #ty_generics #clause {
            fn fmt(&self, #formatter: &mut #core::fmt::Formatter<'_>) -> #core::fmt::Result {
                #private::debug(self, #name, #formatter)
            }
        }
    })
}
