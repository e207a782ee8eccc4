//! Legal holds: what must not be removed, whatever a retention says.

use std::fs;
use std::io;
use std::path::Path;

use audit_core::{AuditSink as _, SinkError};
use thiserror::Error;

use super::Journal;
use super::error::{JournalError, JournalStep};
use super::replace::replace;
use crate::hold::LegalHold;
use audit_core::__private::debug_as_display;

/// The file of a journal's directory that has its holds.
const FILE: &str = "holds.json";

/// A hold was not placed or not lifted.
#[derive(Error)]
#[non_exhaustive]
pub enum HoldError {
    /// There is one of that name, or none.
    #[error("{0}")]
    Name(&'static str),
    /// The file of the holds cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The record of it could not be written.
    #[error("the record of it could not be written")]
    Record(#[source] SinkError),
}

debug_as_display!(HoldError);

impl Journal {
    /// The holds that are placed.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when their file cannot be read, or is none.
    pub fn holds(&self) -> Result<Vec<LegalHold>, JournalError> {
        holds(self.path())
    }

    /// Places a hold, and records it as `audit.hold_placed`. It stays when the journal is closed.
    ///
    /// # Errors
    ///
    /// [`HoldError`]. When only the record could not be written, the hold is placed all the same.
    pub async fn place_hold(&self, hold: LegalHold) -> Result<(), HoldError> {
        let record = hold.record("audit.hold_placed");
        {
            let _one_at_a_time = self.changing_holds();
            let mut holds = holds(self.path())?;
            if holds.iter().any(|placed| placed.name() == hold.name()) {
                return Err(HoldError::Name("a hold of that name is placed already: lift it, or take another name"));
            }
            holds.push(hold);
            store(self.path(), &holds)?;
        }
        self.write(&[record]).await.map_err(HoldError::Record)
    }

    /// Lifts a hold, and records it as `audit.hold_lifted` before.
    ///
    /// # Errors
    ///
    /// [`HoldError`]; the hold is then still placed.
    pub async fn lift_hold(&self, name: &str, reason: &str) -> Result<(), HoldError> {
        let missing = || HoldError::Name("no hold of that name is placed");
        let placed = holds(self.path())?.into_iter().find(|hold| hold.name() == name).ok_or_else(missing)?;
        let lifted = placed.because(reason);
        self.write(&[lifted.record("audit.hold_lifted")]).await.map_err(HoldError::Record)?;
        let _one_at_a_time = self.changing_holds();
        let mut holds = holds(self.path())?;
        holds.retain(|hold| hold.name() != name);
        Ok(store(self.path(), &holds)?)
    }
}

/// The holds of a directory.
pub(super) fn holds(directory: &Path) -> Result<Vec<LegalHold>, JournalError> {
    let path = directory.join(FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(JournalError::io(&path, JournalStep::Read, error)),
    };
    serde_json::from_slice(&text).map_err(|error| JournalError::io(&path, JournalStep::Read, io::Error::from(error)))
}

fn store(directory: &Path, holds: &[LegalHold]) -> Result<(), JournalError> {
    let path = directory.join(FILE);
    let text = serde_json::to_vec_pretty(holds).unwrap_or_default();
    replace(&path, &text).map_err(|error| JournalError::io(&path, JournalStep::Write, error))
}
