//! Legal holds: what must not be removed, whatever a retention says.

use std::fs;
use std::io;
use std::path::Path;

use audit_core::{AuditSink as _, Record, SinkError, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::error::{JournalError, JournalStep};
use super::replace::replace;
use super::{Journal, system};

/// The file of a journal's directory that has its holds.
const FILE: &str = "holds.json";

/// Keeps records from being removed until it is lifted.
///
/// ```
/// use audit_sinks::LegalHold;
///
/// let all = LegalHold::new("case-17", "litigation, ask legal@");
/// assert_eq!(all.name(), "case-17");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a hold does nothing until `Journal::place_hold`"]
pub struct LegalHold {
    name: String,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

impl LegalHold {
    /// Holds every record, those to come among them. Name and reason are written into the journal as they are: no
    /// secrets in them.
    pub fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), reason: reason.into(), from: None, to: None }
    }

    /// Holds only what was recorded from a moment on.
    pub fn from(mut self, moment: Timestamp) -> Self {
        self.from = Some(moment.to_string());
        self
    }

    /// Holds only what was recorded up to a moment.
    pub fn to(mut self, moment: Timestamp) -> Self {
        self.to = Some(moment.to_string());
        self
    }

    /// Its name, by which it is lifted.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it was placed.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether it covers anything of a time. What is not known is covered.
    pub(super) fn covers(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
        let moment = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Timestamp>().ok());
        let before = moment(&self.from).zip(to).is_some_and(|(held, to)| to < held);
        let behind = moment(&self.to).zip(from).is_some_and(|(held, from)| from > held);
        !before && !behind
    }
}

/// A hold was not placed or not lifted.
#[derive(Debug, Error)]
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
        let record = about("audit.hold_placed", &hold);
        {
            let _one_at_a_time = self.changing_holds();
            let mut holds = holds(self.path())?;
            if holds.iter().any(|placed| placed.name == hold.name) {
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
        let placed = holds(self.path())?.into_iter().find(|hold| hold.name == name).ok_or_else(missing)?;
        let lifted = LegalHold { reason: reason.to_owned(), ..placed };
        self.write(&[about("audit.hold_lifted", &lifted)]).await.map_err(HoldError::Record)?;
        let _one_at_a_time = self.changing_holds();
        let mut holds = holds(self.path())?;
        holds.retain(|hold| hold.name != name);
        Ok(store(self.path(), &holds)?)
    }
}

fn about(action: &'static str, hold: &LegalHold) -> Record {
    let about = system::record(action).fields(|fields| {
        fields.plain("hold", &hold.name);
        fields.plain("reason", &hold.reason);
        for (key, moment) in [("from", &hold.from), ("to", &hold.to)] {
            if let Some(moment) = moment {
                fields.plain(key, moment);
            }
        }
    });
    about.build()
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
