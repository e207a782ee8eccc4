//! The forms in which a secret can leave.

use std::fmt;

use super::secret::{PART, Secret};

/// How a secret, or a part of it, was written where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// As it is, in whatever case.
    Raw,
    /// As in a JSON string, or in the `Debug` of a string.
    JsonEscaped,
    /// As in a URL or a form.
    UrlEscaped,
    /// The hex digits of its bytes, or of the number.
    Hex,
    /// The numbers of its bytes, as in the `Debug` of bytes.
    ByteList,
    /// Base64, of the standard or the URL-safe alphabet, wherever in the encoded text it begins.
    Base64,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::JsonEscaped => "JSON-escaped",
            Self::UrlEscaped => "URL-escaped",
            Self::Hex => "hex",
            Self::ByteList => "a list of bytes",
            Self::Base64 => "base64",
        })
    }
}

/// A secret in one form, in units: what stands for a character, in base64 a digit.
#[derive(Debug)]
pub(super) struct Needle {
    /// Which secret.
    pub(super) secret: usize,
    pub(super) form: Form,
    /// In lower case, unless the case tells.
    pub(super) text: Vec<u8>,
    pub(super) units: Vec<Unit>,
    /// How many units in a row are a part of at least [`PART`] characters.
    pub(super) least: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// Where it stands in the text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Which characters of the secret it tells of.
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Needle {
    /// Whether upper and lower case differ.
    pub(super) const fn is_exact(&self) -> bool {
        matches!(self.form, Form::Base64)
    }

    /// How many units from this one on stand in `output`, from its beginning on, and in how many bytes.
    pub(super) fn matched(&self, unit: usize, output: &[u8]) -> (usize, usize) {
        let start = self.units[unit].start;
        let same = self.text[start..].iter().zip(output).take_while(|(mine, theirs)| mine == theirs).count();
        let units = self.units[unit..].iter().take_while(|unit| unit.end - start <= same).count();
        (units, self.units[unit..][..units].last().map_or(0, |unit| unit.end - start))
    }
}

/// Every form of a secret, the plainest first.
pub(super) fn needles(at: usize, secret: &Secret) -> Vec<Needle> {
    let text = &secret.text;
    let by_character = |form, separator: &str, encode: &dyn Fn(char) -> String| {
        let mut needle = Needle { secret: at, form, text: Vec::new(), units: Vec::new(), least: PART };
        for (character, encoded) in text.chars().map(encode).enumerate() {
            if character > 0 {
                needle.text.extend(separator.bytes());
            }
            needle.push(encoded.as_bytes(), character, character);
        }
        needle
    };
    let mut all = vec![
        by_character(Form::Raw, "", &|c| c.into()),
        by_character(Form::JsonEscaped, "", &|c| if matches!(c, '"' | '\\') { format!("\\{c}") } else { c.into() }),
        by_character(Form::JsonEscaped, "", &json_in_ascii),
        by_character(Form::UrlEscaped, "", &|c| percent(c, "%20")),
        by_character(Form::UrlEscaped, "", &|c| percent(c, "+")),
        by_character(Form::UrlEscaped, "", &|c| each_byte(c, |byte| format!("%{byte:02x}"), "")),
        by_character(Form::Hex, "", &|c| each_byte(c, |byte| format!("{byte:02x}"), "")),
        by_character(Form::ByteList, ",", &|c| each_byte(c, |byte| byte.to_string(), ",")),
        by_character(Form::ByteList, ", ", &|c| each_byte(c, |byte| byte.to_string(), ", ")),
    ];
    all.extend(hex_of_number(at, text));
    for alphabet in [STANDARD, URL_SAFE] {
        all.extend((0..3).map(|before| base64(at, text, before, alphabet)));
    }
    let mut distinct: Vec<Needle> = Vec::new();
    for needle in all {
        if !distinct.iter().any(|known| known.text == needle.text) {
            distinct.push(needle);
        }
    }
    distinct
}

impl Needle {
    fn push(&mut self, encoded: &[u8], first: usize, last: usize) {
        let start = self.text.len();
        self.text.extend_from_slice(encoded);
        if !self.is_exact() {
            self.text[start..].make_ascii_lowercase();
        }
        self.units.push(Unit { start, end: self.text.len(), first, last });
    }
}

fn each_byte(c: char, write: impl Fn(u8) -> String, separator: &str) -> String {
    c.encode_utf8(&mut [0; 4]).bytes().map(write).collect::<Vec<_>>().join(separator)
}

fn percent(c: char, space: &str) -> String {
    match c {
        ' ' => space.to_owned(),
        'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '_' | '.' | '~' => c.into(),
        _ => each_byte(c, |byte| format!("%{byte:02x}"), ""),
    }
}

/// With all that JSON may escape, but need not.
fn json_in_ascii(c: char) -> String {
    match c {
        '"' | '\\' | '/' => format!("\\{c}"),
        _ if c.is_ascii() => c.into(),
        _ => c.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |all, unit| format!("{all}\\u{unit:04x}")),
    }
}

/// The hex digits of a number, which count as a whole: each of them tells of all of it.
fn hex_of_number(at: usize, text: &str) -> Option<Needle> {
    let digits = format!("{:x}", text.parse::<u64>().ok()?);
    let mut needle =
        Needle { secret: at, form: Form::Hex, text: Vec::new(), units: Vec::new(), least: digits.len().max(PART) };
    for digit in digits.chars() {
        needle.push(&[digit as u8], 0, text.chars().count() - 1);
    }
    Some(needle)
}

type Alphabet = &'static [u8; 64];
const STANDARD: Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The digits of base64 that are the same whatever stands before and after, with so many bytes before.
fn base64(at: usize, text: &str, before: usize, alphabet: Alphabet) -> Needle {
    // Six bytes are 48 bits: at whatever bit a digit begins, at least seven digits lie wholly within.
    let mut needle = Needle { secret: at, form: Form::Base64, text: Vec::new(), units: Vec::new(), least: PART + 1 };
    let characters: Vec<usize> =
        text.chars().enumerate().flat_map(|(at, c)| std::iter::repeat_n(at, c.len_utf8())).collect();
    let bit = |at: usize| text.as_bytes()[at / 8] >> (7 - at % 8) & 1;
    // The first digit begins where the bits of the bytes before end in the middle of one.
    let mut from = (6 - before * 8 % 6) % 6;
    while from + 6 <= text.len() * 8 {
        let value = (from..from + 6).fold(0, |value, at| value << 1 | bit(at));
        needle.push(&[alphabet[usize::from(value)]], characters[from / 8], characters[(from + 5) / 8]);
        from += 6;
    }
    needle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Needle> {
        needles(0, &Secret { path: String::new(), text: text.into(), shown: None })
    }

    fn texts(text: &str, form: Form) -> Vec<String> {
        let needles = all(text).into_iter().filter(|needle| needle.form == form);
        needles.map(|needle| String::from_utf8(needle.text).unwrap()).collect()
    }

    #[test]
    fn each_form_is_what_encoders_write() {
        let text = "G\"\\/ %ü";
        assert_eq!(texts(text, Form::Raw), ["g\"\\/ %ü"]);
        assert_eq!(texts(text, Form::JsonEscaped), ["g\\\"\\\\/ %ü", "g\\\"\\\\\\/ %\\u00fc"]);
        assert_eq!(
            texts(text, Form::UrlEscaped),
            ["g%22%5c%2f%20%25%c3%bc", "g%22%5c%2f+%25%c3%bc", "%47%22%5c%2f%20%25%c3%bc"]
        );
        assert_eq!(texts(text, Form::Hex), ["47225c2f2025c3bc"]);
        assert_eq!(texts(text, Form::ByteList), ["71,34,92,47,32,37,195,188", "71, 34, 92, 47, 32, 37, 195, 188"]);
        assert_eq!(texts("1234567890", Form::Hex), ["31323334353637383930", "499602d2"]);
    }

    #[test]
    fn base64_holds_at_every_alignment() {
        // The encodings of "abc?>~", "xabc?>~" and "xyabc?>~", less the digits that other bytes have a part in.
        assert_eq!(texts("abc?>~", Form::Base64), ["YWJjPz5+", "FiYz8+f", "hYmM/Pn", "YWJjPz5-", "FiYz8-f", "hYmM_Pn"]);
    }

    #[test]
    fn a_match_counts_whole_units() {
        let needle = all("G\"H").remove(1);
        assert_eq!(needle.matched(0, b"g\\\"h..."), (3, 4));
        assert_eq!(needle.matched(0, b"g\\..."), (1, 1));
        assert_eq!(needle.matched(1, b"\\\"x"), (1, 2));
        assert_eq!(needle.matched(2, b""), (0, 0));
    }
}
