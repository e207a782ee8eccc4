//! The payload-free kind beside the enum.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::parse::Input;
use crate::sensitive::fields::local;

/// The name of the kind. It lies where the enum's name lies, but belongs to the derive, so that lints on the user's
/// code leave it alone.
pub(super) fn ident(input: &Input<'_>) -> Ident {
    format_ident!("{}Kind", input.ident, span = Span::call_site().located_at(input.ident.span()))
}

/// For `UserEvent` with the prefix `user` this is
///
/// ```text
/// pub enum UserEventKind { Created, Deleted }
/// impl UserEventKind { pub const ALL; pub const fn as_str(self); }
/// impl EventKind for UserEventKind { const ALL; fn action(self); }
/// impl Display, FromStr, Serialize, Deserialize for UserEventKind
/// ```
pub(super) fn expand(input: &Input<'_>) -> TokenStream {
    let definition = definition(input);
    let names = names(input);
    let text = text(input);
    quote!(#definition #names #text)
}

/// The same where the actions are wrong: the names are there, and nothing is said about them.
pub(super) fn fallback(input: &Input<'_>) -> TokenStream {
    let (definition, text, kind) = (definition(input), text(input), ident(input));
    let (private, vis) = (&input.private, input.vis);
    let core = quote!(#private::core);
    quote! {
        #definition
        impl #kind {
            /// Every kind.
            #vis const ALL: &'static [Self] = &[];
            /// The action.
            #vis const fn as_str(self) -> &'static #core::primitive::str { "" }
        }
        impl #private::EventKind for #kind {
            const ALL: &'static [Self] = &[];
            fn action(self) -> #private::Action { loop {} }
        }
        impl #core::str::FromStr for #kind {
            type Err = #private::UnknownAction;
            fn from_str(name: &#core::primitive::str) -> #core::result::Result<Self, #private::UnknownAction> {
                #core::result::Result::Err(#private::UnknownAction::new(name))
            }
        }
        #text
    }
}

fn definition(input: &Input<'_>) -> TokenStream {
    let (kind, private, vis, non_exhaustive) = (ident(input), &input.private, input.vis, input.non_exhaustive);
    let core = quote!(#private::core);
    let about = format!("What kind of [`{}`] it is: the action without the payload.", input.ident);
    let variants = input.variants.iter().map(|variant| {
        let (ident, docs, action) = (variant.ident, &variant.docs, format!("The action `{}`.", variant.action));
        // A blank line, so that the user's first line stays the summary.
        let blank = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
        quote!(#(#docs)* #blank #[doc = #action] #ident)
    });
    quote! {
        #[doc = #about]
        #[derive(
            #core::clone::Clone, #core::marker::Copy, #core::fmt::Debug, #core::cmp::PartialEq, #core::cmp::Eq,
            #core::hash::Hash, #core::cmp::PartialOrd, #core::cmp::Ord
        )]
        #non_exhaustive
        #vis enum #kind { #(#variants),* }
    }
}

/// The way from a kind to its action, and back from that or from what it was called before.
fn names(input: &Input<'_>) -> TokenStream {
    let (kind, private, vis, name) = (ident(input), &input.private, input.vis, local("__name"));
    let core = quote!(#private::core);
    let variants: Vec<_> = input.variants.iter().map(|variant| variant.ident).collect();
    let actions: Vec<_> = input.variants.iter().map(|variant| &variant.action).collect();
    let formers = input.variants.iter().map(|variant| {
        let formers = &variant.about.was;
        quote!(#(| #formers)*)
    });
    quote! {
        #[automatically_derived]
        impl #kind {
            /// Every kind, in the order of the source.
            #vis const ALL: &'static [Self] = &[#(Self::#variants),*];

            /// The action.
            #[must_use]
            #vis const fn as_str(self) -> &'static #core::primitive::str {
                match self { #(Self::#variants => #actions,)* }
            }
        }
        #[automatically_derived]
        impl #private::EventKind for #kind {
            const ALL: &'static [Self] = Self::ALL;

            fn action(self) -> #private::Action {
                match self { #(Self::#variants => const { #private::Action::new(#actions) },)* }
            }
        }
        #[automatically_derived]
        impl #core::str::FromStr for #kind {
            type Err = #private::UnknownAction;

            fn from_str(#name: &#core::primitive::str) -> #core::result::Result<Self, #private::UnknownAction> {
                match #name {
                    #(#actions #formers => #core::result::Result::Ok(Self::#variants),)*
                    _ => #core::result::Result::Err(#private::UnknownAction::new(#name)),
                }
            }
        }
    }
}

/// The kind as text, for people and for serde.
fn text(input: &Input<'_>) -> TokenStream {
    let (kind, private) = (ident(input), &input.private);
    let (core, serde) = (quote!(#private::core), quote!(#private::serde));
    let (formatter, to, from) = (local("__formatter"), local("__serializer"), local("__deserializer"));
    quote! {
        #[automatically_derived]
        impl #core::fmt::Display for #kind {
            fn fmt(&self, #formatter: &mut #core::fmt::Formatter<'_>) -> #core::fmt::Result {
                #formatter.pad(self.as_str())
            }
        }
        #[automatically_derived]
        impl #serde::Serialize for #kind {
            fn serialize<__S: #serde::Serializer>(&self, #to: __S) -> #core::result::Result<__S::Ok, __S::Error> {
                #serde::Serializer::serialize_str(#to, self.as_str())
            }
        }
        #[automatically_derived]
        impl<'de> #serde::Deserialize<'de> for #kind {
            fn deserialize<__D: #serde::Deserializer<'de>>(#from: __D) -> #core::result::Result<Self, __D::Error> {
                #private::deserialize_kind(#from)
            }
        }
    }
}
