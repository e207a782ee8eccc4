//! Reading a journal back.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use audit_core::StoredRecord;

use super::error::{JournalDamage, JournalError, JournalStep};
use super::line::{MAX_LINE_BYTES, Position};
use super::open;
use super::scan::{Found, Scan};

/// The records of a journal, the oldest first, in bounded memory; [`Journal::read`](super::Journal::read) gives one.
///
/// It takes no lock and reads a journal that is being written, too: a last line without its end ends the iteration,
/// and the last records it gives may not be acknowledged yet. After an error it ends.
pub struct JournalReader {
    path: PathBuf,
    scan: Scan<BufReader<File>>,
    position: Position,
    ended: bool,
}

impl JournalReader {
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let scan = Scan::new(BufReader::with_capacity(1 << 16, open::for_reading(path)?));
        Ok(Self { path: path.to_owned(), scan, position: Position::START, ended: false })
    }

    fn read(&mut self) -> Result<Option<StoredRecord>, JournalError> {
        let line = match self.scan.next().map_err(|error| JournalError::io(&self.path, JournalStep::Read, error))? {
            Found::Line(line) => self.position.advance(line),
            Found::TooLong => Err(JournalDamage::TooLong { max: MAX_LINE_BYTES }),
            Found::Unfinished(_) | Found::End => return Ok(None),
        };
        line.map(Some).map_err(|damage| JournalError::damaged(&self.path, self.scan.number(), damage))
    }
}

impl Iterator for JournalReader {
    type Item = Result<StoredRecord, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl fmt::Debug for JournalReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalReader")
            .field("path", &self.path)
            .field("line", &self.scan.number())
            .finish_non_exhaustive()
    }
}
