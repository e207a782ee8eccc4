//! The lines of a journal: how one is written, and what makes one the next of its stream.
//!
//! A line is the record's own JSON with `stream` and `seq` in front of its fields.

use std::io::Write as _;

use audit_core::{Record, StoredRecord};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::error::JournalDamage;

/// The most bytes of a line. No record comes near; it bounds what a reader takes of a file that is none.
pub(super) const MAX_LINE_BYTES: usize = 16 << 20;

/// How every line begins, up to the stream's id.
const START: &str = "{\"stream\":\"";

/// Where in a stream the next line is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    /// Unknown until the first line is.
    pub(super) stream: Option<Uuid>,
    pub(super) next_seq: u64,
}

impl Position {
    pub(super) const START: Self = Self { stream: None, next_seq: 1 };

    /// Reads the line, without its end, that must be the next.
    pub(super) fn advance(&mut self, line: &[u8]) -> Result<StoredRecord, JournalDamage> {
        let text = std::str::from_utf8(line).map_err(|_| JournalDamage::NotUtf8)?;
        // Said here, since the parser's own message would quote a bare string.
        if !text.starts_with('{') {
            return Err(JournalDamage::NotAnObject);
        }
        let record = StoredRecord::parse(text)?;
        let stream = record.stream().and_then(|stream| stream.parse().ok()).ok_or(JournalDamage::NoStream)?;
        if self.stream.is_some_and(|known| known != stream) {
            return Err(JournalDamage::OtherStream);
        }
        if record.seq() != Some(self.next_seq) {
            return Err(JournalDamage::Seq { expected: self.next_seq, found: record.seq() });
        }
        *self = Self { stream: Some(stream), next_seq: self.next_seq + 1 };
        Ok(record)
    }

    /// Whether a tail without an end is what a write of the next line can leave behind.
    ///
    /// Zeros stand for blocks that did not reach the disk before the machine failed. Anything else was not written
    /// here, or was whole once, and is not ours to cut.
    pub(super) fn could_be_torn(&self, tail: &[u8]) -> bool {
        let head = match self.stream {
            Some(stream) => head(stream, self.next_seq),
            None => START.to_owned(),
        };
        let begins = tail.iter().zip(head.as_bytes()).all(|(found, expected)| found == expected || *found == 0);
        begins && !goes_on_after_its_end(tail)
    }
}

/// Whether more than zeros follow a whole JSON value: its line had an end, which was damaged later.
fn goes_on_after_its_end(tail: &[u8]) -> bool {
    let text = match std::str::from_utf8(tail) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&tail[..error.valid_up_to()]).unwrap_or_default(),
    };
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    matches!(values.next(), Some(Ok(_))) && tail[values.byte_offset()..].iter().any(|byte| *byte != 0)
}

/// Appends the line of a record, with its end.
pub(super) fn push_line(out: &mut Vec<u8>, stream: Uuid, seq: u64, record: &Record) {
    let json = record.json().as_bytes();
    debug_assert!(json.starts_with(b"{\"") && !json.contains(&b'\n'), "a record is one object on one line");
    // Writing to a vector cannot fail.
    let _ = write!(out, "{START}{stream}\",\"seq\":{seq},");
    out.extend_from_slice(&json[1..]);
    out.push(b'\n');
}

fn head(stream: Uuid, seq: u64) -> String {
    format!("{START}{stream}\",\"seq\":{seq},")
}

#[cfg(test)]
mod tests {
    use audit_core::Action;

    use super::*;

    fn line(stream: Uuid, seq: u64) -> Vec<u8> {
        let mut out = Vec::new();
        push_line(&mut out, stream, seq, &Record::builder(Action::new("door.open")).field("n", &1_u32).build());
        out
    }

    #[test]
    fn every_beginning_of_the_next_line_could_be_torn() {
        let stream = Uuid::now_v7();
        let line = line(stream, 7);
        for position in [Position { stream: Some(stream), next_seq: 7 }, Position::START] {
            for cut in 0..line.len() {
                assert!(position.could_be_torn(&line[..cut]), "{cut}");
            }
        }
    }

    #[test]
    fn zeros_could_be_torn_wherever_they_stand() {
        let stream = Uuid::now_v7();
        let position = Position { stream: Some(stream), next_seq: 7 };
        let mut line = line(stream, 7);
        line.pop();
        for end in 1..line.len() {
            let mut holed = line.clone();
            holed[..end].fill(0);
            assert!(position.could_be_torn(&holed), "{end}");
            line.push(0);
            assert!(position.could_be_torn(&line), "{end} at the end");
        }
    }

    #[test]
    fn what_was_whole_or_of_somebody_else_was_not_torn() {
        let stream = Uuid::now_v7();
        let position = Position { stream: Some(stream), next_seq: 7 };
        let mut flipped = line(stream, 7);
        let end = flipped.len() - 1;
        flipped[end] = 0x0b;
        assert!(!position.could_be_torn(&flipped), "a line's end that became something else");
        assert!(!position.could_be_torn(&line(stream, 8)), "not the next line");
        assert!(!position.could_be_torn(&line(Uuid::now_v7(), 7)), "another stream");
        assert!(!position.could_be_torn(b"dear diary"));
        assert!(!Position::START.could_be_torn(b"dear diary"));
    }
}
