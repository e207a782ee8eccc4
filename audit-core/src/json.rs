//! JSON on one line, whatever the text: the only place that escapes.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::ser::{Formatter, Serializer};

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

/// Appends an integer.
pub(crate) fn push_integer(out: &mut String, number: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Why a value could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// Its serializer failed, or what it wrote is not one JSON value.
    Invalid,
    /// It nests deeper than there is room for.
    TooDeep,
}

/// Appends what `value`'s own serializer writes, as one JSON value on one line that nests at most `depth` deep;
/// otherwise nothing is left behind.
///
/// A serializer is foreign code and can lie: a map entry without its key, a raw value that closes what it did not
/// open. That is why the result is read again.
pub(crate) fn push_serialized<T: Serialize + ?Sized>(
    out: &mut String,
    value: &T,
    depth: usize,
) -> Result<(), Unwritten> {
    let start = out.len();
    let too_deep = Cell::new(false);
    let formatter = OneLine { depth: 0, most: depth, too_deep: &too_deep };
    let written = value.serialize(&mut Serializer::with_formatter(Utf8(out), formatter));
    let result = match written {
        Ok(()) => check(&out[start..], depth),
        Err(_) if too_deep.get() => Err(Unwritten::TooDeep),
        Err(_) => Err(Unwritten::Invalid),
    };
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn check(json: &str, depth: usize) -> Result<(), Unwritten> {
    let one_line = !json.bytes().any(|byte| byte < b' ');
    if !one_line || serde_json::from_str::<IgnoredAny>(json).is_err() {
        return Err(Unwritten::Invalid);
    }
    if nesting(json) > depth {
        return Err(Unwritten::TooDeep);
    }
    // Half a surrogate pair is a string by the grammar, but no text: only reading it tells.
    let may_be_half = json.contains("\\ud") || json.contains("\\uD");
    if may_be_half && serde_json::from_str::<serde_json::Value>(json).is_err() {
        return Err(Unwritten::Invalid);
    }
    Ok(())
}

/// How deep valid JSON nests.
fn nesting(json: &str) -> usize {
    let (mut depth, mut most, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                most = most.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Characters that a terminal or a log viewer may act on, although JSON allows them in a string: line and
/// paragraph separators, C1 controls, bidirectional overrides.
const fn is_treacherous(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn push_fragment(out: &mut String, text: &str) {
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

/// `serde_json`'s compact form, less what could break a line or fool a reader, and no deeper than allowed: the stack
/// of a serializer that nests for ever is the caller's.
struct OneLine<'a> {
    depth: usize,
    most: usize,
    too_deep: &'a Cell<bool>,
}

impl OneLine<'_> {
    fn open(&mut self) -> io::Result<()> {
        if self.depth == self.most {
            self.too_deep.set(true);
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.depth += 1;
        Ok(())
    }
}

impl Formatter for OneLine<'_> {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open()?;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"]")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open()?;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"}")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() && !fragment.contains('\u{7f}') {
            return writer.write_all(fragment.as_bytes());
        }
        let mut escaped = String::with_capacity(fragment.len());
        push_fragment(&mut escaped, fragment);
        writer.write_all(escaped.as_bytes())
    }

    /// A `RawValue` is written as it stands, and may be pretty-printed: its line breaks are white space. A
    /// treacherous character can only stand in a string, where it may be escaped.
    fn write_raw_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut raw = String::with_capacity(fragment.len());
        for c in fragment.chars() {
            match c {
                '\n' | '\r' | '\t' => raw.push(' '),
                _ if is_treacherous(c) => push_escaped(&mut raw, c),
                _ => raw.push(c),
            }
        }
        writer.write_all(raw.as_bytes())
    }
}

/// A string as an `io::Write`. `serde_json` writes whole characters; anything else is an error.
struct Utf8<'a>(&'a mut String);

impl io::Write for Utf8<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.push_str(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
            let mut serialized = String::new();
            push_serialized(&mut serialized, &text, 0).unwrap();
            assert_eq!(serialized, json);
        }
    }

    #[test]
    fn harmless_text_is_what_serde_json_writes() {
        for text in ["", "plain", "q\"b\\s/", "tab\tnl\n", "grüße 東京 🦀", "\u{1}\u{1f}"] {
            assert_eq!(ours(text), serde_json::to_string(text).unwrap());
        }
    }

    fn raw(json: &str) -> Box<serde_json::value::RawValue> {
        serde_json::value::RawValue::from_string(json.into()).unwrap()
    }

    #[test]
    fn a_pretty_raw_value_stays_on_one_line() {
        let mut out = String::new();
        push_serialized(&mut out, &raw("{\n  \"a\":\t\"\u{2028}\"\r\n}"), 1).unwrap();
        assert_eq!(out, "{   \"a\": \"\\u2028\"  }");
    }

    #[test]
    fn what_is_no_text_and_what_is_too_deep_leaves_nothing_behind() {
        let mut out = String::from("kept");
        assert_eq!(push_serialized(&mut out, &raw(r#""\ud800""#), 1), Err(Unwritten::Invalid));
        assert_eq!(push_serialized(&mut out, &raw(r#"[["]"],{}]"#), 1), Err(Unwritten::TooDeep));
        assert_eq!(push_serialized(&mut out, &[[1]], 1), Err(Unwritten::TooDeep));
        assert_eq!(out, "kept");
        push_serialized(&mut out, &raw(r#"[["\"]]\ud83e\udd80"]]"#), 2).unwrap();
        assert_eq!(out, r#"kept[["\"]]\ud83e\udd80"]]"#);
    }
}
