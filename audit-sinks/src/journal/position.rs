//! Where a stream goes on, and what makes a line its next one.

use uuid::Uuid;

use super::chain::ChainHash;
use super::error::JournalDamage;
use super::line::{Head, Place};

/// What the next line must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) stream: Uuid,
    pub(super) next_seq: u64,
    pub(super) prev: ChainHash,
}

impl Position {
    /// Where a new stream begins.
    pub(super) fn start(stream: Uuid) -> Self {
        Self { stream, next_seq: 1, prev: ChainHash::of_stream(stream) }
    }

    /// Why a line is not the next one.
    pub(super) fn mismatch(self, found: Place) -> Option<JournalDamage> {
        if found.stream != self.stream {
            return Some(JournalDamage::OtherStream);
        }
        if found.seq != self.next_seq {
            return Some(JournalDamage::Seq { expected: self.next_seq, found: found.seq });
        }
        (found.prev != self.prev).then_some(JournalDamage::Chain)
    }
}

/// Goes along a stream, line by line.
#[derive(Clone, Default)]
pub(super) struct Walk {
    /// Unknown until the first line is.
    pub(super) next: Option<Position>,
    /// What the line before began with: most begin with the same.
    head: Option<Head>,
}

/// A line of a journal, in its place or not.
pub(super) struct Step {
    pub(super) place: Place,
    /// Why it is not the next line. The walk goes on behind it all the same.
    pub(super) damage: Option<JournalDamage>,
}

impl Walk {
    /// Takes a line without its end.
    ///
    /// An error says that it is no line of a journal; the walk does not know then what comes next but for the stream.
    pub(super) fn step(&mut self, line: &[u8]) -> Result<Step, JournalDamage> {
        if !self.head.as_ref().is_some_and(|head| head.begins(line)) {
            self.head = Head::of(line);
        }
        let head = self.head.as_ref().ok_or(JournalDamage::NotALine)?;
        let place = head.place(line).ok_or(JournalDamage::NotALine)?;
        let expected = self.next.or_else(|| (place.seq == 1).then(|| Position::start(place.stream)));
        let damage = expected.and_then(|expected| expected.mismatch(place));
        if let Some(JournalDamage::OtherStream) = damage {
            return Err(JournalDamage::OtherStream);
        }
        self.next = Some(Position { stream: place.stream, next_seq: place.seq + 1, prev: head.hash(line) });
        Ok(Step { place, damage })
    }
}
