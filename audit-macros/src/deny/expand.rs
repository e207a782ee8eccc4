//! The generated code.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::check::Meaning;
use super::parse::{Data, Input};
use crate::sensitive::bounds::bounded;
use crate::sensitive::fields::local;

/// For an enum of a denial, a failure and an inner error this is
///
/// ```text
/// impl ::audited::__private::Deny for TransferError {
///     fn deny(&self) -> ::audited::__private::Verdict {
///         static __ERROR: ::audited::__private::ErrorType = …;
///         ::audited::__private::inventory::submit! { ::audited::__private::RegisteredError(&__ERROR) }
///         match self {
///             Self::MissingScope { .. } => ::audited::__private::Verdict::denied("missing_scope"),
///             Self::Ledger { .. } => ::audited::__private::Verdict::failure("ledger"),
///             Self::Limits { 0: __inner } => <LimitError as ::audited::__private::Deny>::deny(__inner),
///         }
///     }
///     fn detail(&self) -> Option<&dyn ::audited::__private::Sensitive> {
///         match (&::audited::__private::OfError(self)).detail() {
///             Some(__known) => Some(__known),
///             None => match self {
///                 Self::Limits { 0: __inner } => <LimitError as ::audited::__private::Deny>::detail(__inner),
///                 _ => None,
///             },
///         }
///     }
/// }
/// ```
pub(super) fn expand(input: &Input<'_>, cases: &[Meaning<'_>]) -> TokenStream {
    let private = &input.private;
    let body = match &input.data {
        Data::Struct(_) => {
            let arms = cases.iter().map(|meaning| arm(private, &quote!(Self), meaning));
            quote!(match self { #(#arms)* })
        }
        Data::Enum(variants) if variants.is_empty() => quote!(match *self {}),
        Data::Enum(variants) => {
            let arms = variants.iter().zip(cases).map(|(variant, meaning)| {
                let ident = variant.ident;
                arm(private, &quote!(Self::#ident), meaning)
            });
            quote!(match self { #(#arms)* })
        }
        Data::Nothing => TokenStream::new(),
    };
    let registered = registered(input, cases);
    implement(input, cases, &quote!(#registered #body))
}

/// The codes that the error itself gives, registered with the linker.
fn registered(input: &Input<'_>, cases: &[Meaning<'_>]) -> TokenStream {
    let (private, error, name) = (&input.private, local("__ERROR"), input.ident.unraw().to_string());
    let denied = cases.iter().filter_map(|meaning| if let Meaning::Denied(code) = meaning { Some(code) } else { None });
    let failed = cases.iter().filter_map(|meaning| if let Meaning::Failed(code) = meaning { Some(code) } else { None });
    quote! {
        static #error: #private::ErrorType = #private::ErrorType {
            package: #private::core::env!("CARGO_PKG_NAME"),
            module: #private::core::module_path!(),
            name: #name,
            reasons: &[#(#denied),*],
            codes: &[#(#failed),*],
        };
        #private::inventory::submit! { #private::RegisteredError(&#error) }
    }
}

/// With a mistake in it the type still counts as classified, so that the user sees that mistake and not what
/// follows from it.
pub(super) fn fallback(input: &Input<'_>, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    let implementation = implement(input, &[], &quote!(loop {}));
    quote!(#errors #implementation)
}

fn implement(input: &Input<'_>, cases: &[Meaning<'_>], body: &TokenStream) -> TokenStream {
    let (ident, private) = (input.ident, &input.private);
    let mut generics = input.generics.clone();
    for meaning in cases {
        if let Meaning::Inner { ty, .. } = meaning {
            for ty in bounded(ty, ident, input.generics) {
                generics.make_where_clause().predicates.push(syn::parse_quote!(#ty: #private::Deny));
            }
        }
    }
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let detail = detail(input, cases);
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Deny for #ident #ty_generics #clause {
            fn deny(&self) -> #private::Verdict {
                #body
            }

            fn detail(&self) -> #private::core::option::Option<&dyn #private::Sensitive> {
                #detail
            }
        }
    }
}

/// What may be shown of the error: all that its type shows, where that is classified, else what an inner error says.
fn detail(input: &Input<'_>, cases: &[Meaning<'_>]) -> TokenStream {
    let (private, inner) = (&input.private, local("__inner"));
    let paths: Vec<_> = match &input.data {
        Data::Struct(_) => vec![quote!(Self)],
        Data::Enum(variants) => {
            variants.iter().map(|variant| variant.ident).map(|ident| quote!(Self::#ident)).collect()
        }
        Data::Nothing => Vec::new(),
    };
    let arms = paths.iter().zip(cases).filter_map(|(path, meaning)| match meaning {
        Meaning::Inner { member, ty } => {
            let call = quote_spanned!(ty.span()=> <#ty as #private::Deny>::detail(#inner));
            Some(quote!(#path { #member: #inner } => #call,))
        }
        Meaning::Denied(_) | Meaning::Failed(_) => None,
    });
    let arms: Vec<_> = arms.collect();
    let all = paths.len() == arms.len();
    let others = (!all).then(|| quote!(_ => #private::core::option::Option::None,));
    let own = quote! {{
        #[allow(unused_imports)]
        use #private::{ErrorIsNot as _, ErrorIsSensitive as _};
        (&#private::OfError(self)).detail()
    }};
    if arms.is_empty() {
        return own;
    }
    let known = local("__known");
    quote! {
        match #own {
            #private::core::option::Option::Some(#known) => #private::core::option::Option::Some(#known),
            #private::core::option::Option::None => match self { #(#arms)* #others },
        }
    }
}

fn arm(private: &TokenStream, path: &TokenStream, meaning: &Meaning<'_>) -> TokenStream {
    match meaning {
        Meaning::Denied(code) => quote!(#path { .. } => #private::Verdict::denied(#code),),
        Meaning::Failed(code) => quote!(#path { .. } => #private::Verdict::failure(#code),),
        Meaning::Inner { member, ty } => {
            let inner = local("__inner");
            let call = quote_spanned!(ty.span()=> <#ty as #private::Deny>::deny(#inner));
            quote!(#path { #member: #inner } => #call,)
        }
    }
}
