//! Texts as columns hold them.
//!
//! A text of PostgreSQL cannot hold U+0000, and an index no long one. So U+0001 escapes: `U+0001 0` is U+0000, `U+0001 1`
//! is itself. Of a long text the start stands, `U+0001 2`, and a digest of all of it. No two texts become one, and what a
//! text begins with, it begins with after that, too.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

const ESCAPE: char = '\u{1}';
/// The most bytes of a text in a column; an index takes 2,700 for all of its columns.
const MAX_BYTES: usize = 512;
/// How many bytes of a longer one stand there.
const CUT_BYTES: usize = 400;
/// Between the kind of a subject and its id.
const WITHIN: &str = "\u{1}s";
/// Between subjects.
pub(super) const BETWEEN: &str = "\u{1},";

/// A text as a column holds it.
pub(super) fn column(text: &str) -> Cow<'_, str> {
    let escaped = escape(text);
    if escaped.len() <= MAX_BYTES {
        return escaped;
    }
    let end = (0..=CUT_BYTES).rev().find(|end| escaped.is_char_boundary(*end));
    let mut cut = escaped[..end.unwrap_or_default()].to_owned();
    if cut.ends_with(ESCAPE) {
        cut.pop();
    }
    cut.push_str("\u{1}2");
    for byte in Sha256::digest(text) {
        let _ = write!(cut, "{byte:02x}");
    }
    Cow::Owned(cut)
}

/// The same of a text that is given away: hardly one is not held as it is.
pub(super) fn held(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => column(text),
        Cow::Owned(text) => {
            let other = match column(&text) {
                Cow::Borrowed(_) => None,
                Cow::Owned(other) => Some(other),
            };
            Cow::Owned(other.unwrap_or(text))
        }
    }
}

/// A subject as a column holds it.
pub(super) fn subject(kind: &str, id: &str) -> String {
    format!("{}{WITHIN}{}", column(kind), column(id))
}

/// From where to where texts stand in a column that begin so; the end is open, and absent where there is none. `None`
/// where columns hold too little of them.
pub(super) fn range(prefix: &str) -> Option<(String, Option<String>)> {
    let low = escape(prefix).into_owned();
    (low.len() <= CUT_BYTES - 4).then(|| (low.clone(), successor(low)))
}

fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(ESCAPE, "\u{1}1").replace('\0', "\u{1}0"))
}

/// The least text that is greater than all that begin so.
fn successor(mut text: String) -> Option<String> {
    while let Some(last) = text.pop() {
        let next = (last..=char::MAX).nth(1);
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hostile() -> impl Strategy<Value = String> {
        let char = prop_oneof![Just('\0'), Just('\u{1}'), Just('0'), Just('1'), Just('2'), Just('s'), any::<char>()];
        prop_oneof![
            proptest::collection::vec(char.clone(), 0..6).prop_map(String::from_iter),
            proptest::collection::vec(char, 380..640).prop_map(String::from_iter),
        ]
    }

    proptest! {
        #[test]
        fn no_two_texts_become_one(a in hostile(), b in hostile()) {
            prop_assert_eq!(a == b, column(&a) == column(&b));
            prop_assert!(!column(&a).contains('\0') && column(&a).len() <= MAX_BYTES);
        }

        #[test]
        fn what_begins_so_is_in_the_range_and_nothing_else(text in hostile(), other in hostile(), at in 0..8_usize) {
            let prefix: String = text.chars().take(at).collect();
            let (low, high) = range(&prefix).unwrap();
            for text in [text, other] {
                let held = column(&text);
                let inside = *held >= *low && high.as_ref().is_none_or(|high| *held < **high);
                prop_assert_eq!(inside, text.starts_with(&prefix), "{:?} {:?}", text, prefix);
            }
        }
    }

    #[test]
    fn a_prefix_that_columns_cut_has_no_range() {
        assert!(range(&"x".repeat(CUT_BYTES)).is_none());
        assert_eq!(range("\u{10ffff}"), Some(("\u{10ffff}".into(), None)));
        assert_eq!(range("\u{d7ff}").unwrap().1.as_deref(), Some("\u{e000}"), "no surrogates");
    }
}
