//! What stands around a captured value and says what may be shown of it, such as `mask(value, first = 2)`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Token, Type, parenthesized};

use super::args::Captured;
use super::values::inside;
use crate::mode::Mode;

/// The words. Only the bare word is one: `self::len(value)` is the user's function.
const WORDS: [&str; 8] = ["plain", "hash", "drop", "mask", "truncate", "len", "present", "with"];

impl Parse for Captured {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let Some(wrapper) = wrapper(input) else {
            return Ok(Self { value: input.parse()?, mode: None, wrapper: None });
        };
        let content;
        parenthesized!(content in input);
        inside(&content, |content| {
            if content.is_empty() {
                return Err(Error::new(wrapper.span(), format!("`{wrapper}` takes a value: `{wrapper}(value)`")));
            }
            let value = content.parse()?;
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
            let mode = mode(&wrapper, content.parse()?)?;
            Ok(Self { value, mode: Some(mode), wrapper: Some(wrapper) })
        })
    }
}

/// Takes one of the words, if what is in its parentheses is all of the value.
fn wrapper(input: ParseStream<'_>) -> Option<Ident> {
    // Most captured values are names alone, and to compare a name is dear.
    if !input.peek2(syn::token::Paren) {
        return None;
    }
    let ahead = input.fork();
    let word = ahead.call(Ident::parse_any).ok()?.to_string();
    let list = WORDS.contains(&&*word) && ahead.parse::<TokenTree>().is_ok();
    let whole = list && (ahead.is_empty() || ahead.peek(Token![,]));
    whole.then(|| input.call(Ident::parse_any).ok()).flatten()
}

/// The mode of such a word, with what follows the value.
fn mode(word: &Ident, rest: TokenStream) -> syn::Result<Mode> {
    let mode = match word.to_string().as_str() {
        "hash" if !rest.is_empty() => return Mode::hash(word, rest),
        "hash" => return Ok(Mode::Hash { scope: None }),
        "mask" => return Mode::mask(word, rest),
        "truncate" => return Mode::truncate(word, rest),
        "with" => return redactor(word, rest),
        "plain" => Mode::Plain,
        "len" => Mode::Len,
        "present" => Mode::Present,
        _ => Mode::Drop,
    };
    if rest.is_empty() {
        Ok(mode)
    } else {
        Err(Error::new_spanned(rest, format!("`{word}` takes one value: `{word}(value)`")))
    }
}

fn redactor(word: &Ident, rest: TokenStream) -> syn::Result<Mode> {
    const FORM: &str = "`with` takes a value and the type that redacts it: `with(value, path::Type)`";
    if rest.is_empty() {
        return Err(Error::new(word.span(), FORM));
    }
    let ty: Type = syn::parse2(rest.clone()).map_err(|_| Error::new_spanned(rest, FORM))?;
    Mode::with(&ty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Captured {
        syn::parse_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn only_the_bare_word_around_all_of_the_value_is_a_wrapper() {
        for text in ["plain(x)", "len(x.y(),)", "mask(a + b, first = 1)", "with(x, Tail<4>)", "hash(x, scope = \"s\")"]
        {
            assert!(parse(text).mode.is_some(), "{text}");
        }
        for text in ["self::len(x)", "len(x) + 1", "drop", "x", "plain(x).len()", "other(x)"] {
            assert!(parse(text).mode.is_none(), "{text}");
        }
    }

    #[test]
    fn what_a_wrapper_needs_is_asked_for() {
        for text in ["plain()", "plain(x, y)", "mask(x)", "mask(x, first = 0)", "truncate(x)", "with(x)", "with(x, 5)"]
        {
            assert!(syn::parse_str::<Captured>(text).is_err(), "{text}");
        }
    }
}
