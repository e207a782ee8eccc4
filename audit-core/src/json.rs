//! JSON on one line, whatever the text: the only place that escapes.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

/// Appends `text` as a JSON string.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    push_fragment(out, text);
    out.push('"');
}

/// Appends `"key":`, with a comma before it unless it comes first in its object.
pub(crate) fn push_key(out: &mut String, key: &str) {
    if !out.ends_with('{') && !out.is_empty() {
        out.push(',');
    }
    push_string(out, key);
    out.push(':');
}

/// What the JSON of a string stands for; anything else as it is.
pub(crate) fn content(json: &str) -> Cow<'_, str> {
    match json.strip_prefix('"').and_then(|json| json.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        _ => serde_json::from_str(json).map_or(Cow::Borrowed(json), Cow::Owned),
    }
}

/// Appends an integer.
pub(crate) fn push_integer(out: &mut String, number: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Appends an address, as it is displayed.
pub(crate) fn push_address(out: &mut String, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        let _ = write!(out, "{address}");
        return;
    };
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            out.push('.');
        }
        push_integer(out, octet);
    }
}

/// Characters that a terminal or a log viewer may act on, although JSON allows them in a string: line and
/// paragraph separators, C1 controls, bidirectional overrides.
const fn is_treacherous(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Appends what stands between the quotes.
#[inline]
pub(crate) fn push_fragment(out: &mut String, text: &str) {
    let harmless = harmless_bytes(text.as_bytes());
    if harmless == text.len() {
        return out.push_str(text);
    }
    // What is harmless is ASCII: a character ends there.
    out.push_str(&text[..harmless]);
    push_escaping(out, &text[harmless..]);
}

/// How many bytes at the start are ASCII that needs no escaping.
#[inline]
fn harmless_bytes(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let at = words.iter().position(|word| !is_harmless(*word)).map_or(bytes.len() - rest.len(), |word| word * 8);
    if bytes.len() - at < 8 && is_harmless(last_word(bytes)) {
        return bytes.len();
    }
    let rest = bytes[at..].iter().position(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\'));
    rest.map_or(bytes.len(), |rest| at + rest)
}

/// A word with the last bytes, which may have bytes before them; of a text that is shorter, with some of it twice.
#[inline]
fn last_word(bytes: &[u8]) -> [u8; 8] {
    if let Some(word) = bytes.last_chunk() {
        return *word;
    }
    let mut word = [b' '; 8];
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        word[..4].copy_from_slice(first);
        word[4..].copy_from_slice(last);
    } else if let [first, .., last] | [first @ last] = bytes {
        // Three bytes at most.
        (word[0], word[1], word[2]) = (*first, bytes[bytes.len() / 2], *last);
    }
    word
}

/// Whether all eight bytes need no escaping; at times it is not sure, and says no.
#[inline]
fn is_harmless(word: [u8; 8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES * 0x80;
    let word = u64::from_le_bytes(word);
    // The high bit of each byte that is one of: below a blank, a quote, a backslash, 0x7f, no ASCII.
    let zeroes = |word: u64| word.wrapping_sub(ONES);
    let low = word.wrapping_sub(ONES * 0x20);
    let quote = zeroes(word ^ (ONES * 0x22));
    let backslash = zeroes(word ^ (ONES * 0x5c));
    let delete = word.wrapping_add(ONES);
    // A borrow or a carry can only come from a byte that counts anyway: at worst one is looked at too closely.
    (low | quote | backslash | delete | word) & HIGH == 0
}

#[cold]
fn push_escaping(out: &mut String, text: &str) {
    let mut written = 0;
    for (at, c) in text.char_indices() {
        if (' '..'\u{7f}').contains(&c) && c != '"' && c != '\\' {
            continue;
        }
        let short = match c {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            _ if c < ' ' || is_treacherous(c) => None,
            _ => continue,
        };
        out.push_str(&text[written..at]);
        match short {
            Some(short) => out.push_str(short),
            None => push_escaped(out, c),
        }
        written = at + c.len_utf8();
    }
    out.push_str(&text[written..]);
}

/// Every treacherous character and control lies below U+10000: one `\u` is enough.
fn push_escaped(out: &mut String, c: char) {
    let _ = write!(out, "\\u{:04x}", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(text: &str) -> String {
        let mut out = String::new();
        push_string(&mut out, text);
        out
    }

    #[test]
    fn every_character_reads_back_and_none_breaks_the_line() {
        for c in (0..=0x0001_1000_u32).filter_map(char::from_u32) {
            let text = format!("a{c}b");
            let json = ours(&text);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert!(!json.chars().any(|c| c < ' ' || is_treacherous(c)), "{json:?}");
        }
    }

    #[test]
    fn harmless_text_is_what_serde_json_writes() {
        for text in ["", "plain", "q\"b\\s/", "tab\tnl\n", "grüße 東京 🦀", "\u{1}\u{1f}"] {
            assert_eq!(ours(text), serde_json::to_string(text).unwrap());
        }
    }
}
