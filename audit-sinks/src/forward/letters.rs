//! Resolving dead letters while no forwarder is at work.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use audit_core::__private::{Guarded, carried};
use audit_core::{AuditSink, Code};

use super::cursor::{CursorFile, is_name};
use super::dead::DeadLetters;
use super::error::{DeadLetterError, ForwarderError};
use super::letter::{DeadLetter, resolution};

/// The dead letters of a forwarder that is not at work: to look at them, to deliver them once more, to dismiss them.
///
/// While this is open no forwarder of that name can start. One that is at work resolves its letters itself:
/// [`Forwarder::redeliver`](crate::Forwarder::redeliver), [`Forwarder::dismiss`](crate::Forwarder::dismiss).
///
/// ```no_run
/// # use audit_sinks as audited;
/// use std::time::Duration;
///
/// use audited::{DeadLetterBox, MemorySink};
///
/// let letters = DeadLetterBox::open("audit", "store")?;
/// for letter in letters.unresolved()? {
///     if letters.redeliver(&letter, MemorySink::new(), Duration::from_secs(5)).is_err() {
///         letters.dismiss(&letter, "known_duplicate", Duration::from_secs(5))?;
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DeadLetterBox {
    journal: PathBuf,
    name: String,
    dead: DeadLetters,
    /// Dropped last: with it goes the lock.
    _lock: CursorFile,
}

impl DeadLetterBox {
    /// Opens those of a journal's forwarder, by its name.
    ///
    /// # Errors
    ///
    /// [`ForwarderError::Busy`] when a forwarder of that name is at work, and when there is no such name or directory.
    pub fn open(journal: impl AsRef<Path>, forwarder: &str) -> Result<Self, ForwarderError> {
        if !is_name(forwarder) {
            return Err(ForwarderError::Name);
        }
        let (journal, name) = (journal.as_ref().to_owned(), forwarder.to_owned());
        let lock = CursorFile::open(&journal, &name)?;
        let dead = DeadLetters::new(&journal, &name);
        Ok(Self { journal, name, dead, _lock: lock })
    }

    /// Reads those that nobody has resolved.
    ///
    /// # Errors
    ///
    /// [`ForwarderError`] when they cannot be read.
    pub fn unresolved(&self) -> Result<Vec<DeadLetter>, ForwarderError> {
        self.dead.unresolved()
    }

    /// Gives a letter to a sink once more, and where that takes it, records that it is resolved. It blocks the thread.
    ///
    /// # Errors
    ///
    /// [`DeadLetterError`] when the sink does not take it, or not in time.
    pub fn redeliver(
        &self,
        letter: &DeadLetter,
        sink: impl AuditSink,
        within: Duration,
    ) -> Result<(), DeadLetterError> {
        let original = letter.original.as_ref().map(carried).ok_or(DeadLetterError::Empty)?;
        let sink = Guarded::new(Arc::new(sink));
        sink.write_meanwhile(&[original], within, &mut || ()).map_err(DeadLetterError::Sink)?;
        self.dead.write(resolution(letter.key(), &self.name, "redelivered", None), within)
    }

    /// Records that a letter needs no delivery, and why, with the actor of the surrounding context. It blocks the thread.
    ///
    /// # Errors
    ///
    /// [`DeadLetterError`] when that could not be recorded in time.
    pub fn dismiss(
        &self,
        letter: &DeadLetter,
        reason: impl Into<Code>,
        within: Duration,
    ) -> Result<(), DeadLetterError> {
        self.dead.write(resolution(letter.key(), &self.name, "dismissed", Some(&reason.into())), within)
    }
}

impl fmt::Debug for DeadLetterBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { journal, name, .. } = self;
        f.debug_struct("DeadLetterBox").field("journal", journal).field("name", name).finish_non_exhaustive()
    }
}
