//! What a model must hold before code is made of it.

use super::marks::Mode;
use super::parse::{Data, Field, Fields, Input, Style, Variant};
use super::serde::{Tagging, UnsupportedKind};
use crate::ctxt::Ctxt;

/// Words that name what must not be in a record.
const SECRET_WORDS: [&str; 8] = ["password", "passwd", "token", "secret", "authorization", "cookie", "ssn", "card"];

/// Checks a whole type.
pub(crate) fn input(cx: &Ctxt, input: &Input<'_>) {
    match &input.data {
        Data::Struct(list) => {
            fields(cx, list);
            if input.names.transparent && input.transparent_field().is_none() {
                cx.error_spanned_by(input.ident, "`serde(transparent)` needs one field that is written");
            }
        }
        Data::Enum(variants) => {
            for variant in variants.iter().filter(|variant| !variant.names.skipped) {
                fields(cx, &variant.fields);
                if matches!(input.names.tagging, Tagging::Internal { .. }) {
                    internally_tagged(cx, variant);
                }
            }
        }
    }
}

/// Checks the fields of a struct or a variant that can be in a record.
pub(crate) fn fields(cx: &Ctxt, fields: &Fields<'_>) {
    for field in fields.written() {
        secret_name(cx, field);
        followed_attributes(cx, field);
    }
}

/// A name that tells of a secret needs a decision that a reviewer can read.
fn secret_name(cx: &Ctxt, field: &Field<'_>) {
    let names = [Some(&field.name), field.names.rename.as_ref()];
    let found = names.into_iter().flatten().find_map(|name| Some((name, words(name).find(|word| is_secret(word))?)));
    let Some((name, word)) = found else { return };
    match (field.mode, &field.reason) {
        (Mode::Own, _) => cx.error_spanned_by(
            &field.member,
            format!(
                "`{name}` is named like a secret (`{word}`): mark it `#[sensitive]` (dropped) or \
                 `#[sensitive(hash)]` (keyed hash), or say why it may be shown: \
                 `#[sensitive(plain, reason = \"…\")]`"
            ),
        ),
        (Mode::Plain, None) => cx.error_spanned_by(
            &field.member,
            format!(
                "`{name}` is named like a secret (`{word}`), and `plain` would show it: say why that is right, \
                 `#[sensitive(plain, reason = \"…\")]`, or mark it `#[sensitive]` or `#[sensitive(hash)]`"
            ),
        ),
        (Mode::Plain, Some(_)) | (Mode::Drop | Mode::Hash, _) => {}
    }
}

/// The words of a name in whatever case it is written.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars() {
        let separator = !c.is_alphanumeric();
        if separator || (c.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        if let (false, Some(word)) = (separator, words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase();
    }
    words.into_iter()
}

fn is_secret(word: &str) -> bool {
    let singular = word.strip_suffix('s').unwrap_or(word);
    SECRET_WORDS.iter().any(|secret| word == *secret || singular == *secret)
}

fn followed_attributes(cx: &Ctxt, field: &Field<'_>) {
    for unsupported in &field.names.unsupported {
        let key = &unsupported.key;
        let message = match unsupported.kind {
            UnsupportedKind::With if matches!(field.mode, Mode::Drop | Mode::Hash) => continue,
            UnsupportedKind::With => format!(
                "`serde({key})` writes something else than the field's type, which no classification covers: mark \
                 the field `#[sensitive]` or `#[sensitive(hash)]`"
            ),
            UnsupportedKind::Getter if field.mode == Mode::Drop => continue,
            UnsupportedKind::Getter => "`serde(getter)` belongs to a foreign type, which cannot be classified here: \
                 mark the field `#[sensitive]`"
                .to_owned(),
            UnsupportedKind::Flatten if matches!(field.mode, Mode::Drop | Mode::Hash) => {
                "a redacted field is one value and has no fields to flatten: remove `serde(flatten)`, or leave the \
                 field out with `serde(skip_serializing)`"
                    .to_owned()
            }
            UnsupportedKind::Flatten => "`serde(flatten)` is not followed: remove it, so that the field is written \
                 as an object of its own, or leave the field out with `serde(skip_serializing)`"
                .to_owned(),
        };
        cx.error_spanned_by(key, message);
    }
}

/// With the tag among the fields there is no place for a value that may be no object.
fn internally_tagged(cx: &Ctxt, variant: &Variant<'_>) {
    if variant.names.untagged || matches!(variant.fields.style, Style::Unit | Style::Named) {
        return;
    }
    cx.error_spanned_by(
        variant.ident,
        "with `serde(tag)` the tag is written among the variant's fields, and this variant names none: give it \
         named fields, or give the enum `serde(tag = \"…\", content = \"…\")`",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_every_case_and_not_inside_of_words() {
        let secret = |name: &str| words(name).any(|word| is_secret(&word));
        for name in
            ["password", "user_password", "authToken", "API_TOKEN", "Cookie", "session-cookie", "card_number", "tokens"]
        {
            assert!(secret(name), "{name}");
        }
        for name in ["discard", "tokenizer", "cardinal", "passwordless", "id", ""] {
            assert!(!secret(name), "{name}");
        }
    }
}
