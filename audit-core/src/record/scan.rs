//! Finding the reserved entries of a text that is a plain JSON object, in one pass that copies nothing.
//!
//! A reader parses every record that it hands out, and [`serde_json`] takes most of its time. What is found here is what
//! that finds; where this is in doubt, it finds nothing, and that decides: a text that is no JSON, a key with an escape
//! in it, one that stands twice, lists within lists within lists, more than one line.

use super::key::{Index, Key};

/// How deep lists and objects may lie within the object.
const MAX_LEVELS: usize = 32;

/// Finds where the values of the reserved keys lie.
pub(super) fn index(json: &str) -> Option<Index> {
    let mut index = Index::EMPTY;
    entries(json, |key, start, end| {
        let Some(key) = Key::parse(key) else { return true };
        let is_new = !index.has(key);
        index.set(key, start, end);
        is_new
    })?;
    Some(index)
}

/// Gives each entry to a function, key and place of the value, until that says to stop. `None` where it was stopped, and
/// where some were not found.
pub(crate) fn entries(json: &str, mut entry: impl FnMut(&str, usize, usize) -> bool) -> Option<()> {
    let mut scan = Scan { bytes: json.as_bytes(), at: 0 };
    scan.space();
    scan.expect(b'{')?;
    scan.space();
    let mut ended = scan.expect(b'}').is_some();
    while !ended {
        let key = scan.at + 1;
        scan.text(Escapes::Doubtful)?;
        let key = json.get(key..scan.at - 1)?;
        scan.colon()?;
        let start = scan.at;
        scan.value(MAX_LEVELS)?;
        if !entry(key, start, scan.at) {
            return None;
        }
        ended = scan.ends(b'}')?;
    }
    scan.space();
    (scan.at == json.len()).then_some(())
}

/// What to make of an escape in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Read,
    Doubtful,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn next(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// A line break is in doubt, too: a record has none, and within a text it would be no JSON.
    fn space(&mut self) {
        while matches!(self.next(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    /// What stands between a key and its value.
    fn colon(&mut self) -> Option<()> {
        self.space();
        self.expect(b':')?;
        self.space();
        Some(())
    }

    /// What stands behind an entry or an item: whether it was the last one.
    fn ends(&mut self, end: u8) -> Option<bool> {
        self.space();
        let byte = self.next()?;
        self.at += 1;
        if byte == b',' {
            self.space();
            return Some(false);
        }
        (byte == end).then_some(true)
    }

    fn value(&mut self, levels: usize) -> Option<()> {
        match self.next()? {
            b'"' => self.text(Escapes::Read),
            b'{' => {
                self.at += 1;
                self.space();
                if self.expect(b'}').is_some() {
                    return Some(());
                }
                let levels = levels.checked_sub(1)?;
                loop {
                    self.text(Escapes::Read)?;
                    self.colon()?;
                    self.value(levels)?;
                    if self.ends(b'}')? {
                        return Some(());
                    }
                }
            }
            b'[' => {
                self.at += 1;
                self.space();
                if self.expect(b']').is_some() {
                    return Some(());
                }
                let levels = levels.checked_sub(1)?;
                loop {
                    self.value(levels)?;
                    if self.ends(b']')? {
                        return Some(());
                    }
                }
            }
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.expect(b'-');
        if self.expect(b'0').is_none() {
            self.digits()?;
        }
        if self.expect(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.next(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.next(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.next().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// A text with its quotes.
    fn text(&mut self, escapes: Escapes) -> Option<()> {
        self.expect(b'"')?;
        loop {
            self.plain();
            match self.next()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' if escapes == Escapes::Read => self.escape()?,
                byte if byte < b' ' || byte == b'\\' => return None,
                _ => self.at += 1,
            }
        }
    }

    /// Goes on over whole words in which nothing has a meaning.
    fn plain(&mut self) {
        while let Some(word) = self.bytes[self.at..].first_chunk() {
            let special = special(u64::from_le_bytes(*word));
            if special != 0 {
                // The lowest one is never in error.
                self.at += special.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
    }

    fn escape(&mut self) -> Option<()> {
        self.at += 1;
        let escaped = self.next()?;
        self.at += 1;
        match escaped {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.bytes.get(self.at..self.at + 4)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }
}

/// Marks the bytes that are a quote, a backslash or a control character; those above a marked one may be marked in error.
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let zero = |of: u64| of.wrapping_sub(ONES) & !of;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let backslash = zero(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * u64::from(b' ')) & !word;
    (quote | backslash | control) & (ONES * 0x80)
}
