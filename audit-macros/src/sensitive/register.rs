//! The static description of a type, registered with the linker.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::LitStr;
use syn::ext::IdentExt;

use super::fields::local;
use super::parse::{Field, Fields};
use crate::mode::Mode;

/// For a struct with one dropped field this is
///
/// ```text
/// static __TYPE: SensitiveType = SensitiveType::new("package", module_path!(), "Note", "Note", &[
///     SensitiveField::new(None, "memo", "memo", ",\"memo\":", Some(Mode::Drop)),
/// ]);
/// inventory::submit! { RegisteredType(&__TYPE) }
/// ```
///
/// It mentions no parameter, so that a generic type is registered once.
pub(crate) fn register<'a>(
    private: &TokenStream,
    ident: &Ident,
    serialized: Option<&String>,
    class: Option<&LitStr>,
    fields: impl Iterator<Item = (Option<&'a Ident>, &'a Fields<'a>)>,
) -> TokenStream {
    let (ty, name) = (local("__TYPE"), ident.unraw().to_string());
    let serialized = serialized.unwrap_or(&name);
    let entries = fields.flat_map(|(variant, fields)| {
        let variant = variant.map(|variant| variant.unraw().to_string());
        let variant = option(private, variant.map(|variant| quote!(#variant)));
        fields.written().map(move |field| entry(private, &variant, field, class))
    });
    quote! {
        static #ty: #private::SensitiveType = #private::SensitiveType::new(
            #private::core::env!("CARGO_PKG_NAME"),
            #private::core::module_path!(),
            #name,
            #serialized,
            &[#(#entries),*],
        );
        #private::inventory::submit! { #private::RegisteredType(&#ty) }
    }
}

fn entry(private: &TokenStream, variant: &TokenStream, field: &Field<'_>, class: Option<&LitStr>) -> TokenStream {
    let (name, key, json) = (&field.name, &field.key, json_key(&field.key));
    let mode = option(private, field.mode().map(|mode| mode.in_core(private)));
    let class = field.marks.class.as_ref().or(class).map(|class| quote!(.class(#class)));
    let scope = match field.mode() {
        Some(Mode::Hash { scope: Some(scope) }) => Some(quote!(.scope(#scope))),
        _ => None,
    };
    quote!(#private::SensitiveField::new(#variant, #name, #key, #json, #mode) #class #scope)
}

fn option(private: &TokenStream, value: Option<TokenStream>) -> TokenStream {
    let option = quote!(#private::core::option::Option);
    value.map_or_else(|| quote!(#option::None), |value| quote!(#option::Some(#value)))
}

/// A key as it stands after another field in JSON; empty where it has to be escaped.
fn json_key(key: &str) -> String {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if key.bytes().all(plain) { format!(",\"{key}\":") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_ready_for_json_unless_it_needs_escapes() {
        assert_eq!(json_key("user id"), ",\"user id\":");
        assert_eq!(json_key(""), ",\"\":");
        for odd in ["a\"b", "a\\b", "é", "\n", "\u{7f}"] {
            assert_eq!(json_key(odd), "", "{odd}");
        }
    }
}
