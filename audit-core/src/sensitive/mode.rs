//! What is done to a value.

use std::fmt;
use std::str::FromStr;

use crate::__private::debug_as_display;
use thiserror::Error;

/// What stands for the part of a value that a mask hides, whatever its length.
const HIDDEN: &str = "***";

/// What is done to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// The value is written as it is, as declared.
    Plain,
    /// Only the first and the last characters are kept, and `***` between them whatever their number: of a value with
    /// fewer than three times as many characters nothing is. In a list or a map each value, and each key, by itself.
    Mask {
        /// How many of the first characters are kept.
        first: u8,
        /// How many of the last characters are kept.
        last: u8,
    },
    /// Only the first characters are kept, at most a third of the value. In a list or a map each value, and each key,
    /// by itself.
    Truncate(u16),
    /// The value is replaced by its keyed hash, by which equal values can be found.
    Hash,
    /// Only the number of characters is kept; of a list or a map that of its entries; of a boolean, whose length is all
    /// of it, nothing but that there is one.
    Len,
    /// Only whether there is a value is kept.
    Present,
    /// A [`Redactor`](crate::Redactor), named here, decides.
    Custom(&'static str),
    /// The value is replaced by `"<redacted>"`.
    Drop,
}

impl Mode {
    /// The mode that shows nothing which either of the two hides. What has no such mode but the strictest gets that.
    ///
    /// ```
    /// # use audit_core as audited;
    /// use audited::Mode;
    ///
    /// assert_eq!(Mode::Plain.tightened_by(Mode::Hash), Mode::Hash);
    /// assert_eq!(Mode::Hash.tightened_by(Mode::Plain), Mode::Hash);
    /// assert_eq!(Mode::Hash.tightened_by(Mode::Len), Mode::Drop);
    /// ```
    #[must_use]
    pub fn tightened_by(self, other: Self) -> Self {
        match (self, other) {
            (Self::Plain, mode) | (mode, Self::Plain) => mode,
            (Self::Truncate(one), Self::Truncate(other)) => Self::Truncate(one.min(other)),
            (Self::Len, Self::Present) | (Self::Present, Self::Len) => Self::Present,
            (one, other) if one == other => one,
            _ => Self::Drop,
        }
    }

    /// Whether nothing is taken away.
    pub(crate) fn shows_all(self) -> bool {
        matches!(self, Self::Plain | Self::Custom(_))
    }
}

impl fmt::Display for Mode {
    /// The mode as the attribute spells it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("plain"),
            Self::Mask { first, last: 0 } => write!(f, "mask(first = {first})"),
            Self::Mask { first: 0, last } => write!(f, "mask(last = {last})"),
            Self::Mask { first, last } => write!(f, "mask(first = {first}, last = {last})"),
            Self::Truncate(first) => write!(f, "truncate({first})"),
            Self::Hash => f.write_str("hash"),
            Self::Len => f.write_str("len"),
            Self::Present => f.write_str("present"),
            Self::Custom(redactor) => write!(f, "with = {redactor}"),
            Self::Drop => f.write_str("drop"),
        }
    }
}

/// A text is no mode that a policy can name.
#[derive(Clone, PartialEq, Eq, Error)]
#[error(
    "`{}` is no mode: there are `drop`, `hash`, `mask(first = 2, last = 2)`, `truncate(4)`, `len`, `present` and `plain`",
    text.escape_debug()
)]
pub struct InvalidMode {
    text: String,
}

debug_as_display!(InvalidMode);

impl FromStr for Mode {
    type Err = InvalidMode;

    /// Reads what [`Display`](fmt::Display) writes, but for [`Mode::Custom`], which only a type can name.
    fn from_str(text: &str) -> Result<Self, InvalidMode> {
        read(text).ok_or_else(|| InvalidMode { text: crate::text::start(text, 64).to_owned() })
    }
}

fn read(text: &str) -> Option<Mode> {
    let (word, inside) = match text.trim().split_once('(') {
        Some((word, rest)) => (word.trim(), Some(rest.strip_suffix(')')?)),
        None => (text.trim(), None),
    };
    match (word, inside) {
        ("plain", None) => Some(Mode::Plain),
        ("hash", None) => Some(Mode::Hash),
        ("len", None) => Some(Mode::Len),
        ("present", None) => Some(Mode::Present),
        ("drop", None) => Some(Mode::Drop),
        ("truncate", Some(first)) => first.trim().parse().ok().filter(|first| *first > 0).map(Mode::Truncate),
        ("mask", Some(parts)) => mask(parts),
        _ => None,
    }
}

fn mask(parts: &str) -> Option<Mode> {
    let (mut first, mut last) = (None, None);
    for part in parts.split(',') {
        let (name, number) = part.split_once('=')?;
        let place = match name.trim() {
            "first" => &mut first,
            "last" => &mut last,
            _ => return None,
        };
        if place.replace(number.trim().parse().ok()?).is_some() {
            return None;
        }
    }
    let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
    (first > 0 || last > 0).then_some(Mode::Mask { first, last })
}

/// The first and last characters, where they are no more than a third.
pub(super) fn masked(text: &str, first: u8, last: u8) -> String {
    let (first, last) = (usize::from(first), usize::from(last));
    // No more is counted than it takes: the text may be long.
    let enough = text.chars().nth(((first + last) * 3).saturating_sub(1)).is_some();
    if !enough {
        return HIDDEN.to_owned();
    }
    let start: String = text.chars().take(first).collect();
    let end: Vec<char> = text.chars().rev().take(last).collect();
    start + HIDDEN + &end.into_iter().rev().collect::<String>()
}

/// The first characters, no more than a third.
pub(super) fn truncated(text: &str, first: u16) -> String {
    let first = usize::from(first);
    let known = text.chars().take(first * 3).count();
    text.chars().take(first.min(known / 3)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_shows_a_third_at_most_and_hides_the_length() {
        assert_eq!(masked("4111111111111234", 0, 4), "***1234");
        assert_eq!(masked("4111111111111234", 2, 2), "41***34");
        assert_eq!(masked("12345678901", 0, 4), "***");
        assert_eq!(masked("123456789012", 0, 4), "***9012");
        assert_eq!(masked("", 1, 0), "***");
        assert_eq!(masked("äöüß€🦀", 1, 1), "ä***🦀");
        assert_eq!(masked("abcdefghijkl", 1, 1).chars().count(), masked(&"x".repeat(1000), 1, 1).chars().count());
    }

    #[test]
    fn a_cut_text_shows_a_third_at_most() {
        assert_eq!(truncated("abcdefghijkl", 3), "abc…");
        assert_eq!(truncated("abcdefgh", 3), "ab…");
        assert_eq!(truncated("ab", 3), "…");
        assert_eq!(truncated("", 3), "…");
        assert_eq!(truncated("äöüäöü", 9), "äö…");
    }

    #[test]
    fn a_mode_reads_back_from_its_text() {
        let modes = [
            Mode::Plain,
            Mode::Mask { first: 2, last: 3 },
            Mode::Mask { first: 2, last: 0 },
            Mode::Mask { first: 0, last: 4 },
            Mode::Truncate(4),
            Mode::Hash,
            Mode::Len,
            Mode::Present,
            Mode::Drop,
        ];
        for mode in modes {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        for text in ["", "dorp", "mask", "mask()", "mask(first = 0)", "mask(first=1,first=2)", "truncate(0)", "hash(1)"]
        {
            assert!(text.parse::<Mode>().is_err(), "{text}");
        }
    }

    #[test]
    fn neither_order_loosens() {
        let modes = [
            Mode::Plain,
            Mode::Mask { first: 2, last: 3 },
            Mode::Mask { first: 1, last: 0 },
            Mode::Truncate(4),
            Mode::Truncate(2),
            Mode::Hash,
            Mode::Len,
            Mode::Present,
            Mode::Custom("a"),
            Mode::Drop,
        ];
        for one in modes {
            assert_eq!(one.tightened_by(one), one);
            assert_eq!(one.tightened_by(Mode::Drop), Mode::Drop);
            for other in modes {
                let both = one.tightened_by(other);
                assert_eq!(both, other.tightened_by(one));
                assert_eq!(both.tightened_by(one), both, "{one} and {other}");
            }
        }
    }
}
