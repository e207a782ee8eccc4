//! The generated code.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use super::fields::{local, register, where_clause};
use super::parse::Input;
use super::shape;

/// For a struct with a plain, a dropped and a classified field this is
///
/// ```text
/// impl ::audited::__private::Sensitive for Transfer {
///     fn write(&self, __encoder: &mut ::audited::__private::Encoder<'_>) {
///         __encoder.object(|__object| {
///             __object.value::<u64>("cents", &self.cents);
///             let _ = &self.memo;
///             __object.redacted("memo");
///             __object.plain::<String>("currency", &self.currency);
///         })
///     }
/// }
/// ::audited::__private::inventory::submit! { ::audited::__private::SensitiveType::new(…) }
/// ```
pub(crate) fn expand(private: &TokenStream, input: &Input<'_>) -> TokenStream {
    let (ident, encoder) = (input.ident, local("__encoder"));
    let fields = input.fields();
    let clause = where_clause(private, ident, input.generics, fields.iter().map(|(_, fields)| *fields));
    let registered = register(private, ident, fields.iter().copied());
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let body = shape::body(input);
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Sensitive for #ident #ty_generics #clause {
            fn write(&self, #encoder: &mut #private::Encoder<'_>) {
                #body
            }
        }
        #registered
    }
}

/// With a mistake in it the type still counts as classified, so that the user sees that mistake and not what
/// follows from it. It shows nothing.
pub(crate) fn fallback(private: &TokenStream, input: &DeriveInput, error: &syn::Error) -> TokenStream {
    let (ident, encoder, errors) = (&input.ident, local("__encoder"), error.to_compile_error());
    let (impl_generics, ty_generics, clause) = input.generics.split_for_impl();
    quote! {
        #errors
        #[automatically_derived]
        impl #impl_generics #private::Sensitive for #ident #ty_generics #clause {
            fn write(&self, #encoder: &mut #private::Encoder<'_>) {
                #encoder.redacted();
            }
        }
    }
}
