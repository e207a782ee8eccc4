//! The user's tokens and comments as text.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of a path or a type, with spaces only where they are needed.
pub(crate) fn as_written(tokens: TokenStream) -> String {
    fn push(text: &mut String, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                        proc_macro2::Delimiter::Brace => ("{", "}"),
                        proc_macro2::Delimiter::Bracket => ("[", "]"),
                        proc_macro2::Delimiter::None => ("", ""),
                    };
                    text.push_str(open);
                    push(text, group.stream());
                    text.push_str(close);
                }
                TokenTree::Punct(punct) if punct.as_char() == ',' => text.push_str(", "),
                TokenTree::Punct(punct) => text.push(punct.as_char()),
                word => {
                    if text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                        text.push(' ');
                    }
                    text.push_str(&word.to_string());
                }
            }
        }
    }
    let mut text = String::new();
    push(&mut text, tokens);
    text
}

/// The first line of a doc comment; nothing where there is none.
pub(crate) fn summary(attrs: &[Attribute]) -> String {
    let mut lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    });
    let first = lines.find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.trim().lines().next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_as_it_was_written() {
        for path in ["Iban", "crate::redact::Iban", "Tail<4>", "a::Map<'a, K, Vec<[u8; 4]>>"] {
            assert_eq!(as_written(path.parse().unwrap()).replace("; ", ";"), path.replace("; ", ";"));
        }
    }

    #[test]
    fn the_summary_is_the_first_line_that_says_something() {
        let item: syn::ItemFn =
            syn::parse_str("#[doc = \"\"]#[inline]#[doc = \" First. \\n more\"]#[doc = \"x\"] fn f() {}").unwrap();
        assert_eq!(summary(&item.attrs), "First.");
        assert_eq!(summary(&[]), "");
    }
}
