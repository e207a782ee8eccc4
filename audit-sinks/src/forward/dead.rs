//! The journal of the dead letters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use audit_core::__private::block_on;
use audit_core::{AuditSink as _, Record};

use super::cursor::dead_letters_of;
use super::error::{DeadLetterError, ForwarderError};
use super::letter::{BURIED, DeadLetter, RESOLVED, resolved};
use crate::journal::{Journal, JournalError, JournalOptions};

/// The dead letters are few: a service that has none has no file for them.
const SEGMENT_BYTES: u64 = 1 << 20;

/// Opened when the first record is written.
pub(crate) struct DeadLetters {
    path: PathBuf,
    journal: Mutex<Option<Journal>>,
}

impl DeadLetters {
    pub(super) fn new(journal: &Path, forwarder: &str) -> Self {
        Self::at(dead_letters_of(journal, forwarder))
    }

    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, journal: Mutex::new(None) }
    }

    pub(crate) fn unresolved(&self) -> Result<Vec<DeadLetter>, ForwarderError> {
        unresolved(&self.path)
    }

    /// Writes a record, and returns once it is on the disk.
    pub(crate) fn write(&self, record: Record, within: Duration) -> Result<(), DeadLetterError> {
        let journal = self.open()?;
        block_on(journal.write(&[record]), within).map_err(DeadLetterError::NotRecorded)
    }

    fn open(&self) -> Result<Journal, JournalError> {
        // Two would be in each other's way, so that the lock is held while one is opened, once in its life.
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(journal) = &*journal {
            return Ok(journal.clone());
        }
        let options = JournalOptions::new().segment_bytes(SEGMENT_BYTES).preallocate(0).reserve_bytes(0);
        let opened = options.open(&self.path)?;
        *journal = Some(opened.clone());
        Ok(opened)
    }
}

/// The letters in a directory that nobody has resolved.
pub(super) fn unresolved(path: &Path) -> Result<Vec<DeadLetter>, ForwarderError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut letters = BTreeMap::new();
    for record in Journal::read(path)? {
        let record = record?;
        let no_letter = || ForwarderError::NoLetter { path: path.to_owned(), seq: record.seq().unwrap_or_default() };
        match &*record.action() {
            BURIED => {
                let letter = DeadLetter::read(&record).ok_or_else(no_letter)?;
                letters.entry(letter.key()).or_insert(letter);
            }
            RESOLVED => drop(letters.remove(&resolved(&record).ok_or_else(no_letter)?)),
            _ => {}
        }
    }
    Ok(letters.into_values().collect())
}
