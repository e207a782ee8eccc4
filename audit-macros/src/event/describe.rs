//! What the catalogue and the lock hear of a vocabulary.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;
use syn::ext::IdentExt;

use super::parse::Input;
use super::variant::Variant;
use crate::sensitive::fields::local;

/// The description of the vocabulary, registered with the linker. What `__private` and `__TYPE` are `register` says.
///
/// ```text
/// static __EVENT: __private::EventType = __private::EventType {
///     ty: &__TYPE, file: file!(), line: line!(), unlocked: false,
///     words: &[__private::Word { variant: "Created", action: "user.created", … }], nested: &[],
/// };
/// inventory::submit! { __private::RegisteredEvent(&__EVENT) }
/// ```
pub(super) fn described(input: &Input<'_>) -> TokenStream {
    let (private, ty, event, unlocked) = (local("__private"), local("__TYPE"), local("__EVENT"), input.unlocked);
    let words = input.own().map(|variant| word(input, variant));
    let nested = input.variants.iter().filter_map(|variant| {
        let (inner, name) = (variant.inner()?, variant.ident.unraw().to_string());
        let (prefix, of) = (inner.prefix.as_deref().unwrap_or_default(), inner.kind(&input.private));
        Some(quote! {
            #private::NestedType { variant: #name, prefix: #prefix, of: <#of as #private::EventKind>::vocabulary }
        })
    });
    quote! {
        static #event: #private::EventType = #private::EventType {
            ty: &#ty,
            file: #private::core::file!(),
            line: #private::core::line!(),
            unlocked: #unlocked,
            words: &[#(#words),*],
            nested: &[#(#nested),*],
        };
        #private::inventory::submit! { #private::RegisteredEvent(&#event) }
    }
}

fn word(input: &Input<'_>, variant: &Variant<'_>) -> TokenStream {
    let (private, about) = (local("__private"), &variant.about);
    let (name, action, doc) = (variant.ident.unraw().to_string(), &variant.action, &variant.doc);
    let (was, deprecated, shared) = (&about.was, about.deprecated, about.shared);
    let since = text(about.since.as_ref().or(input.defaults.since.as_ref()));
    let only_from = text(about.only_from.as_ref().or(input.defaults.only_from.as_ref()));
    let severity = text(variant.severity.as_ref());
    let verdict = variant.verdict.as_ref().map(|verdict| verdict.described(variant.ident)).unwrap_or_default();
    quote! {
        #private::Word {
            variant: #name,
            action: #action,
            doc: #doc,
            was: &[#(#was),*],
            since: #since,
            deprecated: #deprecated,
            shared: #shared,
            only_from: #only_from,
            severity: #severity,
            verdict: #verdict,
        }
    }
}

/// What is not said is empty.
fn text(text: Option<&LitStr>) -> String {
    text.map(LitStr::value).unwrap_or_default()
}
