//! Text, cut and put together.

/// The start of a text, at most so many bytes of it, and whole characters.
pub(crate) fn start(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Writes at `len` as much as there is room for, and gives where it ends.
pub(crate) const fn push(out: &mut [u8], mut len: usize, bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() && len < out.len() {
        out[len] = bytes[at];
        len += 1;
        at += 1;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stay_whole() {
        assert_eq!(["", "a", "aé", "aé🦀"].map(|text| start(text, 2)), ["", "a", "a", "a"]);
        assert_eq!((start("aé🦀", 3), start("aé🦀", 6), start("aé🦀", 7), start("🦀", 0)), ("aé", "aé", "aé🦀", ""));
    }
}
