//! The static description of a type, registered with the linker.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::LitStr;
use syn::ext::IdentExt;

use super::fields::local;
use super::parse::{Field, Fields};
use crate::mode::Mode;
use crate::written::as_written;

/// For a struct with a field that is typed, one that is dropped, and one that is renamed this is
///
/// ```text
/// use ::audited::__private::{self as __private, ViaSerialize as _};
/// static __TYPE: __private::SensitiveType = SensitiveType::new("package", module_path!(), "Note", "Note", &[
///     (" u64", ",\"id\":", Said::Typed),
///     (" String", ",\"memo\":\"<redacted>\"", Said::As(Mode::Drop)),
///     (" String", ",\"n\":", Said::More(&More { name: "note", key: "n", mode: Some(Mode::Plain), class: None, scope: None })),
/// ]);
/// inventory::submit! { RegisteredType(&__TYPE) }
/// ```
///
/// It mentions no parameter, so that a generic type is registered once. The trait is imported where a plain field may be
/// written by it.
pub(crate) fn register(
    private: &TokenStream,
    ident: &Ident,
    serialized: Option<&String>,
    class: Option<&LitStr>,
    lists: &[(Option<&Ident>, &Fields<'_>)],
) -> TokenStream {
    // A name of one segment costs the compiler less to resolve, and there are many.
    let (ty, name, short) = (local("__TYPE"), ident.unraw().to_string(), local("__private").to_token_stream());
    let serialized = serialized.unwrap_or(&name);
    let (mut entries, mut by_serde) = (Vec::new(), None);
    for (variant, fields) in lists {
        let variant = variant.map_or_else(String::new, |variant| variant.unraw().to_string());
        for field in fields.written() {
            entries.push(entry(&short, &variant, field, class));
            if matches!(field.mode(), Some(Mode::Plain)) && field.names.with.is_none() {
                by_serde = Some(quote!(ViaSerialize as _,));
            }
        }
    }
    quote! {
        #[allow(unused_imports)]
        use #private::{self as #short, #by_serde};
        static #ty: #short::SensitiveType = #short::SensitiveType::new(
            #short::core::env!("CARGO_PKG_NAME"),
            #short::core::module_path!(),
            #name,
            #serialized,
            &[#(#entries),*],
        );
        #short::inventory::submit! { #short::RegisteredType(&#ty) }
    }
}

fn entry(private: &TokenStream, variant: &str, field: &Field<'_>, class: Option<&LitStr>) -> TokenStream {
    let (name, key, json) = (&field.name, &field.key, json_key(&field.key));
    let class = field.marks.class.as_ref().or(class);
    let usual = name == key && !json.is_empty();
    let json = match field.mode() {
        // So that all of it is copied at once.
        Some(Mode::Drop) if usual && class.is_none() => json + "\"<redacted>\"",
        _ => json,
    };
    let said = said(private, (name, key), field.mode(), class, usual);
    let place = format!("{variant} {}", as_written(field.ty.to_token_stream()));
    quote!((#place, #json, #said))
}

/// What is said of a value: little, where it has one name, and that can stand in the record as it is, and neither a
/// class nor a scope.
fn said(
    private: &TokenStream,
    (name, key): (&str, &str),
    mode: Option<&Mode>,
    class: Option<&LitStr>,
    usual: bool,
) -> TokenStream {
    let scope = match mode {
        Some(Mode::Hash { scope }) => scope.as_ref(),
        _ => None,
    };
    let in_core = mode.map(|mode| mode.in_core(private));
    let said = match mode {
        _ if !usual || class.is_some() || scope.is_some() => {
            let mode = option(private, in_core);
            let [class, scope] = [class, scope].map(|word| option(private, word.map(|word| quote!(#word))));
            quote! {
                More(&#private::More { name: #name, key: #key, mode: #mode, class: #class, scope: #scope })
            }
        }
        None => quote!(Typed),
        Some(Mode::Plain) => quote!(PLAIN),
        Some(Mode::Drop) => quote!(DROPPED),
        Some(_) => quote!(As(#in_core)),
    };
    quote!(#private::Said::#said)
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
