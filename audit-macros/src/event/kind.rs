//! The payload-free kind beside the enum.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};

use super::nested;
use super::parse::Input;
use super::variant::Variant;
use crate::sensitive::fields::local;
use crate::written::as_written;

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
    let (names, text, distinct) = (names(input), text(input), nested::distinct(input));
    quote!(#definition #names #text #distinct)
}

/// The same where the actions are wrong: the names are there, and nothing is said about them.
pub(super) fn fallback(input: &Input<'_>) -> TokenStream {
    let (definition, text, kind) = (definition(input), text(input), ident(input));
    let (private, vis) = (&input.private, input.vis);
    let core = quote!(#private::core);
    // Never empty if that can be, for the sake of another vocabulary that this one is nested in.
    let known = input.variants.iter().filter(|variant| variant.inner().is_none()).map(|variant| variant.ident);
    let all = quote!(&[#(Self::#known),*]);
    quote! {
        #definition
        impl #kind {
            /// Every kind.
            #vis const ALL: &'static [Self] = #all;
            /// The action.
            #vis const fn as_str(self) -> &'static #core::primitive::str { "" }
        }
        impl #private::EventKind for #kind {
            const ALL: &'static [Self] = Self::ALL;
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
        let (ident, docs) = (variant.ident, &variant.docs);
        let inner = variant.inner().map(|inner| inner.kind(private));
        let action = match variant.inner() {
            None => format!("The action `{}`.", variant.action),
            Some(inner) => format!("The actions of `{}`.", as_written(inner.ty.to_token_stream())),
        };
        let inner = inner.map(|inner| quote!((#[doc = "Which of them."] #inner)));
        // A blank line, so that the user's first line stays the summary.
        let blank = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
        quote!(#(#docs)* #blank #[doc = #action] #ident #inner)
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
    let (kind, private, vis, inner) = (ident(input), &input.private, input.vis, local("__inner"));
    let core = quote!(#private::core);
    let variants = input.variants.iter().map(|variant| variant.ident);
    let all =
        if input.own().count() == input.variants.len() { quote!(&[#(Self::#variants),*]) } else { nested::all(input) };
    let as_strs = input.variants.iter().map(|variant| {
        let (ident, action) = (variant.ident, &variant.action);
        match variant.inner() {
            None => quote!(Self::#ident => #action,),
            Some(nested) => {
                let name = nested.prefix.as_ref().map(|prefix| nested::prefixed(private, nested, prefix));
                let name = name.unwrap_or_else(|| quote!(#inner.as_str()));
                quote!(Self::#ident(#inner) => #name,)
            }
        }
    });
    let parse = parse(input);
    quote! {
        #[automatically_derived]
        impl #kind {
            /// Every kind, in the order of the source.
            #vis const ALL: &'static [Self] = #all;

            /// The action.
            #[must_use]
            #vis const fn as_str(self) -> &'static #core::primitive::str {
                match self { #(#as_strs)* }
            }
        }
        #parse
    }
}

/// What the recorder and the catalogue ask of a kind; `__EVENT` is what `describe` says.
pub(super) fn event_kind(input: &Input<'_>) -> TokenStream {
    let (kind, private, [event, inner]) = (ident(input), &input.private, ["__EVENT", "__inner"].map(local));
    let option = quote!(#private::core::option::Option);
    let actions = input.variants.iter().map(|variant| {
        let (ident, action) = (variant.ident, &variant.action);
        match variant.inner() {
            None => quote!(Self::#ident => const { #private::Action::new(#action) },),
            Some(nested) if nested.prefix.is_some() => {
                quote!(Self::#ident(_) => #private::Action::new(Self::as_str(self)),)
            }
            Some(_) => quote!(Self::#ident(#inner) => #private::EventKind::action(#inner),),
        }
    });
    quote! {
        #[automatically_derived]
        impl #private::EventKind for #kind {
            const ALL: &'static [Self] = Self::ALL;

            fn action(self) -> #private::Action {
                match self { #(#actions)* }
            }

            fn vocabulary() -> #option<&'static #private::EventType> {
                #option::Some(&#event)
            }
        }
    }
}

/// A name that is an action is that action, whatever else was called so.
fn parse(input: &Input<'_>) -> TokenStream {
    let (kind, private, [name, inner]) = (ident(input), &input.private, ["__name", "__inner"].map(local));
    let core = quote!(#private::core);
    let ok = quote!(#core::result::Result::Ok);
    let arms = |names: &dyn Fn(&Variant<'_>) -> Option<TokenStream>| -> TokenStream {
        let arm = |variant: &Variant<'_>| {
            let (ident, names) = (variant.ident, names(variant)?);
            Some(quote!(#names => #ok(Self::#ident),))
        };
        input.own().filter_map(arm).collect()
    };
    let actions = arms(&|variant| Some(variant.action.to_token_stream()));
    let formers = arms(&|variant| {
        let was = &variant.about.was;
        (!was.is_empty()).then(|| quote!(#(#was)|*))
    });
    let unknown = quote!(_ => #core::result::Result::Err(#private::UnknownAction::new(#name)));
    let nested: Vec<_> = input
        .variants
        .iter()
        .filter_map(|variant| {
            let (ident, nested) = (variant.ident, variant.inner()?);
            let of = nested.kind(private);
            let read = quote! {
                if let #ok(#inner) = <#of as #core::str::FromStr>::from_str(#name) {
                    return #ok(Self::#ident(#inner));
                }
            };
            let Some(prefix) = &nested.prefix else { return Some(read) };
            let rest = quote!(#core::primitive::str::strip_prefix(#name, #prefix));
            Some(quote!(if let #core::option::Option::Some(#name) = #rest { #read }))
        })
        .collect();
    let found = if nested.is_empty() {
        quote!(match #name { #actions #formers #unknown })
    } else {
        quote!(match #name { #actions _ => { #(#nested)* match #name { #formers #unknown } } })
    };
    quote! {
        #[automatically_derived]
        impl #core::str::FromStr for #kind {
            type Err = #private::UnknownAction;

            fn from_str(#name: &#core::primitive::str) -> #core::result::Result<Self, #private::UnknownAction> {
                #found
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

#[cfg(test)]
mod tests {
    #[test]
    fn the_kind_is_as_exhaustive_as_the_enum() {
        let kind = |attr: &str| {
            let input = format!("#[event(prefix = \"user\")] {attr} pub enum UserEvent {{ Created }}");
            crate::event::derive(&syn::parse_str(&input).unwrap()).to_string().replace(' ', "")
        };
        assert!(kind("#[non_exhaustive]").contains("#[non_exhaustive]pubenumUserEventKind{"));
        assert!(kind("").contains("pubenumUserEventKind{") && !kind("").contains("non_exhaustive"));
    }
}
