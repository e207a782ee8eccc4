//! Where dead letters go, and who is told of them.

use std::sync::Arc;
use std::time::Duration;

use audit_core::__private::contained;
use audit_core::SinkError;

use super::alarm;
use super::dead::DeadLetters;
use super::letter::{DeadLetter, DeadReason};

/// Told of a dead letter, and of the error that made it one; `None` where there is none.
pub(crate) type OnDeadLetter = dyn Fn(&DeadLetter, Option<&SinkError>) + Send + Sync;

pub(crate) struct Grave {
    pub(crate) dead: Arc<DeadLetters>,
    /// Whose letters they are.
    pub(crate) name: String,
    pub(crate) deadline: Duration,
    pub(crate) on_conflict: Option<Arc<OnDeadLetter>>,
    pub(crate) on_dead_letter: Option<Arc<OnDeadLetter>>,
}

impl Grave {
    /// Says whether it is on the disk; only then may delivery go on.
    pub(crate) fn bury(&self, letter: &DeadLetter, sink: &str) -> bool {
        let envelope = letter.envelope(&self.name).map_err(|invalid| invalid.to_string());
        let written =
            envelope.and_then(|record| self.dead.write(record, self.deadline).map_err(|error| error.to_string()));
        let (seq, reason, stream) = (letter.seq, letter.reason.as_str(), letter.stream);
        if let Err(error) = written {
            alarm(|| {
                tracing::error!(target: "audited::forward", seq, error, "a dead letter could not be kept; delivery waits for it");
            });
            return false;
        }
        alarm(|| {
            tracing::error!(target: "audited::forward", sink, %stream, seq, reason, "a record is not delivered: it is a dead letter now");
        });
        true
    }

    /// Tells whoever wants to know.
    pub(crate) fn tell(&self, letter: &DeadLetter, error: Option<&SinkError>) {
        let conflict = self.on_conflict.iter().filter(|_| letter.reason == DeadReason::Conflict);
        for told in conflict.chain(&self.on_dead_letter) {
            contained(|| told(letter, error));
        }
    }
}
