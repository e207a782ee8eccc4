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
        let hex: &[u8; 64] = hex.try_into().ok()?;
        let mut bytes = [0; 32];
        let mut wrong = 0;
        for (four, eight) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(hex.as_chunks::<8>().0) {
            let (decoded, differing) = eight_digits(*eight);
            *four = decoded;
            wrong |= differing;
        }
        (wrong == 0).then_some(Self(bytes))
    }

    pub(super) fn to_hex(self) -> [u8; 64] {
        let mut hex = [0; 64];
        for (eight, four) in hex.as_chunks_mut::<8>().0.iter_mut().zip(self.0.as_chunks::<4>().0) {
            *eight = in_digits(*four);
        }
        hex
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// That byte in all eight places.
const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// How much further `a` is from `9` than digits are from each other.
const LETTERS: u64 = (b'a' - b'0' - 10) as u64;

/// Writes four bytes as eight digits, all at once: whatever is done for each line, all who wait for it wait for.
fn in_digits(bytes: [u8; 4]) -> [u8; 8] {
    let pairs = u64::from(u32::from_le_bytes(bytes));
    let pairs = (pairs | (pairs << 16)) & 0x0000_ffff_0000_ffff;
    let pairs = (pairs | (pairs << 8)) & 0x00ff_00ff_00ff_00ff;
    let values = ((pairs >> 4) | (pairs << 8)) & all(0x0f);
    let letters = ((values + all(0x10 - 10)) >> 4) & all(1);
    (values + all(b'0') + letters * LETTERS).to_le_bytes()
}

/// Reads eight digits, all at once: one by one they took an eighth as long as the hash of their line. With them comes what
/// is zero where all of them are digits.
fn eight_digits(digits: [u8; 8]) -> ([u8; 4], u64) {
    let digits = u64::from_le_bytes(digits);
    // Of digits and letters alike the low four bits count up; letters have the seventh bit, and are worth nine more.
    let letters = (digits >> 6) & all(1);
    let values = (digits & all(0x0f)) + letters * 9;
    let written = values + all(b'0') + letters * LETTERS;
    let above_nine = ((values + all(0x80 - 10)) >> 7) & all(1);
    let wrong = (digits ^ written) | (above_nine ^ letters) | (values & all(0xf0));
    let pairs = ((values << 4) | (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let pairs = (pairs | (pairs >> 8)) & 0x0000_ffff_0000_ffff;
    let [a, b, _, _, c, d, ..] = pairs.to_le_bytes();
    ([a, b, c, d], wrong)
}

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
    fn each_byte_is_two_digits() {
        for bytes in (0..=u8::MAX).map(|byte| [byte, 0, !byte, byte.rotate_left(3)]) {
            let [a, b, c, d] = bytes;
            assert_eq!(in_digits(bytes), format!("{a:02x}{b:02x}{c:02x}{d:02x}").as_bytes());
        }
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        let hash = ChainHash::of_line(b"a");
        assert_eq!(hash.to_string().parse::<ChainHash>().unwrap(), hash);
        assert_eq!(hash.to_string().as_bytes(), hash.to_hex());
        // Each byte that a file may hold, in the place of a digit.
        for (at, byte) in (0..64).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
            let mut hex = hash.to_hex();
            hex[at] = byte;
            let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            assert_eq!(ChainHash::from_hex(&hex).map(ChainHash::to_hex), is_digit.then_some(hex), "{byte} at {at}");
        }
        for wrong in ["", "ab", &hash.to_string()[1..], &hash.to_string().to_uppercase(), &format!("{hash}0")] {
            assert!(wrong.parse::<ChainHash>().is_err(), "{wrong}");
        }
    }
}
