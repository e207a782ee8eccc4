//! The generated code of the enum itself.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::describe::described;
use super::nested::Inner;
use super::parse::Input;
use super::{kind, schema, verdict, view};
use crate::sensitive::bounds::where_clause;
use crate::sensitive::fields::{Writes, bound, local, pattern, unread};
use crate::sensitive::register::register;

/// Beside the kind, for a vocabulary of two this is, in a block of its own with what the linker collects,
///
/// ```text
/// static __TYPE: ::audited::__private::SensitiveType = …;
/// static __EVENT: ::audited::__private::EventType = …;
/// impl ::audited::__private::EventKind for UserEventKind { … }
/// impl ::audited::__private::AuditEvent for UserEvent {
///     type Kind = UserEventKind;
///     fn kind(&self) -> UserEventKind {
///         match self { Self::Created { .. } => UserEventKind::Created, … }
///     }
///     fn write_fields(&self, __fields: &mut ::audited::__private::Object<'_, '_>) {
///         match self {
///             Self::Created { id: __field0, name: __field1 } => {
///                 let mut __members = __fields.members(&__TYPE, 0);
///                 let _ = __field1;
///                 __members.values(2, &[__field0]);
///             }
///             …
///         }
///     }
/// }
/// ```
pub(super) fn expand(input: &Input<'_>) -> TokenStream {
    let (ident, private, kind) = (input.ident, &input.private, kind::ident(input));
    let (object, members, ty) = (local("__fields"), local("__members"), local("__TYPE"));
    let fields = || input.variants.iter().map(|variant| &variant.fields);
    let clause = where_clause(private, ident, input.generics, fields());
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let kinds = input.variants.iter().map(|variant| {
        let ident = variant.ident;
        match variant.inner() {
            None => quote!(Self::#ident { .. } => #kind::#ident,),
            Some(Inner { member, ty, .. }) => {
                let inner = local("__inner");
                let of = quote_spanned!(ty.span()=> #private::AuditEvent::kind(#inner));
                quote!(Self::#ident { #member: #inner } => #kind::#ident(#of),)
            }
        }
    });
    let writes = input.variants.iter().map(|variant| {
        if let Some(passed) = variant.passes_on(private, "write_fields", &quote!(, #object)) {
            return passed;
        }
        let (pattern, bindings) = pattern(&variant.fields);
        let access = |at: usize| bound(&bindings[at], &variant.fields.list[at]);
        let (ident, fields) = (variant.ident, &variant.fields);
        let unread = unread(fields, &access);
        let writes = fields.written().next().is_some().then(|| {
            let (first, writes) = (fields.first(), Writes::of(private, fields, &access).among());
            quote!(let mut #members = #object.members(&#ty, #first); #writes)
        });
        quote!(Self::#ident #pattern => { #unread #writes })
    });
    let of_variants: Vec<_> = input.variants.iter().map(|variant| (Some(variant.ident), &variant.fields)).collect();
    let registered = register(private, ident, None, input.class.as_ref(), &of_variants);
    let (definition, described, said) = (kind::expand(input), described(input), verdict::methods(input));
    let event_kind = kind::event_kind(input);
    let (view, schema, anywhere) = (view::expand(input), schema::expand(input), anywhere(input));
    quote! {
        #definition
        const _: () = {
            #registered
            #described
            #event_kind
            #anywhere
            #[automatically_derived]
            impl #impl_generics #private::AuditEvent for #ident #ty_generics #clause {
                type Kind = #kind;

                fn kind(&self) -> #kind {
                    match self { #(#kinds)* }
                }

                fn write_fields(&self, #object: &mut #private::Object<'_, '_>) {
                    match self { #(#writes)* }
                }

                #said
            }
        };
        #view
        #schema
    }
}

/// That it may be recorded without the token of a surface: unless it is bound to one, or a vocabulary in it is.
fn anywhere(input: &Input<'_>) -> Option<TokenStream> {
    if input.defaults.only_from.is_some() {
        return None;
    }
    let (ident, private, mut generics) = (input.ident, &input.private, input.generics.clone());
    let nested: Vec<_> = input.variants.iter().filter_map(|variant| Some(variant.inner()?.ty)).collect();
    if !nested.is_empty() {
        // At the nested type, where it is shown that it is bound.
        let predicates = nested.iter().map(|ty| {
            let private = crate::private::at(private, ty.span());
            let predicate = quote_spanned!(ty.span()=> #ty: #private::Anywhere);
            syn::parse_quote!(#predicate)
        });
        let predicates: Vec<syn::WherePredicate> = predicates.collect();
        generics.make_where_clause().predicates.extend(predicates);
    }
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    Some(quote! {
        #[automatically_derived]
        impl #impl_generics #private::Anywhere for #ident #ty_generics #clause {}
    })
}

/// With a mistake in it the enum still counts as an event with its kind, so that the user sees that mistake and not
/// what follows from it.
pub(super) fn fallback(input: &Input<'_>, error: &syn::Error) -> TokenStream {
    let (ident, private, kind, errors) = (input.ident, &input.private, kind::ident(input), error.to_compile_error());
    let (impl_generics, ty_generics, clause) = input.generics.split_for_impl();
    let (definition, view) = (kind::fallback(input), view::fallback(input));
    let object = local("__fields");
    quote! {
        #errors
        #definition
        #[automatically_derived]
        impl #impl_generics #private::AuditEvent for #ident #ty_generics #clause {
            type Kind = #kind;
            fn kind(&self) -> #kind { loop {} }
            fn write_fields(&self, #object: &mut #private::Object<'_, '_>) {}
        }
        impl #impl_generics #private::Anywhere for #ident #ty_generics #clause {}
        #view
    }
}
