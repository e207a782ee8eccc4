//! The JSON of a record, and where it lies.

use std::ops::Deref;

use arrayvec::ArrayString;

/// Up to this length, which few records pass, a text lies beside its index: the two are one piece of memory, of a size
/// that allocators have at hand.
const SHORT: usize = 724;

#[allow(clippy::large_enum_variant, reason = "the large one is the usual one")]
pub(super) enum Line {
    Short(ArrayString<SHORT>),
    Long(Box<str>),
}

impl From<&str> for Line {
    #[inline]
    fn from(json: &str) -> Self {
        ArrayString::from(json).map_or_else(|_| Self::Long(json.into()), Self::Short)
    }
}

impl From<String> for Line {
    fn from(json: String) -> Self {
        if json.len() > SHORT { Self::Long(json.into()) } else { Self::from(&*json) }
    }
}

impl Deref for Line {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Short(json) => json,
            Self::Long(json) => json,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::key::Index;

    #[test]
    fn a_text_reads_back_whatever_its_length() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 100_000] {
            let text = "x".repeat(length);
            assert_eq!((&*Line::from(&*text), &*Line::from(text.clone())), (&*text, &*text));
        }
    }

    #[test]
    fn a_short_one_and_its_index_fit_into_what_allocators_keep() {
        // What glibc keeps for a thread, less the counts of an `Arc`.
        assert!(size_of::<(Line, Index)>() <= 1032 - 16, "{}", size_of::<(Line, Index)>());
    }
}
