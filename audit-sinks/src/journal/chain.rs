//! The hash chain: what each line says about the one before.
//!
//! `sha256("audited.line.1\n" + line + "\n" + decimal length of the line in bytes + "\n")`, for the line without its
//! end. No line holds a line break, so that the frame is unambiguous; the length stands last, so that the hash of a
//! long line can be begun before its position is known.

use std::fmt;
use std::str::FromStr;

use audit_core::__private::debug_as_display;
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

const LINE: &[u8] = b"audited.line.1\n";
const STREAM: &[u8] = b"audited.stream.1\n";

/// The SHA-256 of a journal's line, as the next line's `prev` has it in hex.
///
/// With the `seq` of its line it is an anchor: kept elsewhere, it shows whether the journal still is what it was.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHash([u8; 32]);

impl ChainHash {
    /// What the first line of a stream has as its `prev`.
    pub(crate) fn of_stream(stream: Uuid) -> Self {
        let mut text = [0; 36];
        let text = stream.hyphenated().encode_lower(&mut text);
        let mut open = OpenHash(Sha256::new_with_prefix(STREAM), 0);
        open.push(text.as_bytes());
        open.close()
    }

    /// The hash of a line without its end.
    pub(crate) fn of_line(line: &[u8]) -> Self {
        let mut open = OpenHash::line();
        open.push(line);
        open.close()
    }

    /// Reads what stands in a line.
    pub(super) fn from_hex(hex: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        let (pairs, rest) = hex.as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        // Without a branch a digit: the digits of a hash are as random as can be, and each would be guessed wrong.
        let mut all = 0;
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let (high, low) = (NIBBLES[usize::from(*high)], NIBBLES[usize::from(*low)]);
            all |= high | low;
            *byte = high << 4 | low & 15;
        }
        (all < 16).then_some(Self(bytes))
    }

    pub(super) fn to_hex(self) -> [u8; 64] {
        let mut hex = [0; 64];
        for (pair, byte) in hex.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        }
        hex
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// What each digit is worth; what is none, more than 15.
const NIBBLES: [u8; 256] = {
    let (mut nibbles, mut value) = ([u8::MAX; 256], 0_u8);
    while value < 16 {
        nibbles[DIGITS[value as usize] as usize] = value;
        value += 1;
    }
    nibbles
};

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_hex().iter().try_for_each(|digit| fmt::Write::write_char(f, char::from(*digit)))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({self})")
    }
}

impl FromStr for ChainHash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        Self::from_hex(text.as_bytes()).ok_or(InvalidHash)
    }
}

/// A text is no hash of a line.
#[derive(Error)]
#[error("a hash is 64 digits of lower-case hex")]
pub struct InvalidHash;

debug_as_display!(InvalidHash);

/// The hash of a line whose end is not known yet.
#[derive(Clone)]
pub(super) struct OpenHash(Sha256, usize);

impl OpenHash {
    pub(super) fn line() -> Self {
        Self(Sha256::new_with_prefix(LINE), 0)
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
        self.1 += bytes.len();
    }

    pub(super) fn close(mut self) -> ChainHash {
        let mut frame = [b'\n'; 22];
        let start = frame.len() - 1;
        let digits = push_decimal_before(&mut frame, start, self.1 as u64);
        self.0.update(&frame[digits - 1..]);
        ChainHash(self.0.finalize().into())
    }
}

/// Writes a number so that it ends before `end`; gives where it begins.
pub(super) fn push_decimal_before(buffer: &mut [u8], end: usize, mut number: u64) -> usize {
    let mut at = end;
    loop {
        at -= 1;
        buffer[at] = DIGITS[usize::try_from(number % 10).unwrap_or_default()];
        number /= 10;
        if number == 0 {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(domain: &[u8], text: &[u8]) -> [u8; 32] {
        Sha256::digest([domain, text, format!("\n{}\n", text.len()).as_bytes()].concat()).into()
    }

    #[test]
    fn it_is_what_the_documentation_says() {
        for line in [&b""[..], b"a", b"{\"a\":1}", &[b'x'; 1000]] {
            assert_eq!(ChainHash::of_line(line).0, plain(LINE, line));
        }
        let stream = Uuid::now_v7();
        assert_eq!(ChainHash::of_stream(stream).0, plain(STREAM, stream.to_string().as_bytes()));
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        let hash = ChainHash::of_line(b"a");
        assert_eq!(hash.to_string().parse::<ChainHash>().unwrap(), hash);
        assert_eq!(hash.to_string().as_bytes(), hash.to_hex());
        for wrong in ["", "ab", &hash.to_string()[1..], &hash.to_string().to_uppercase(), &format!("{hash}0")] {
            assert!(wrong.parse::<ChainHash>().is_err(), "{wrong}");
        }
    }
}
