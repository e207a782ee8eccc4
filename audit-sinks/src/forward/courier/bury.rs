//! What the sink does not take: out of the way, onto the disk, and back when somebody asks for it.

use std::time::Instant;

use audit_core::__private::contained;
use audit_core::SinkError;

use super::Courier;
use crate::forward::alarm;
use crate::forward::error::DeadLetterError;
use crate::forward::letter::{DeadLetter, DeadReason};
use crate::forward::shared::Command;
use crate::forward::source::link_of;

impl Courier {
    pub(super) fn bury_front(&mut self, reason: DeadReason, error: &SinkError) {
        let Some(letter) = self.backlog.front().map(|record| DeadLetter::of(record, reason)) else { return };
        if self.bury(&letter, Some(error))
            && let Some(last) = self.backlog.done(1)
        {
            self.panics = 0;
            self.moved_to(link_of(&last), 0);
        }
    }

    /// Says whether it is on the disk; only then may the cursor go on.
    pub(super) fn bury(&mut self, letter: &DeadLetter, error: Option<&SinkError>) -> bool {
        let envelope = letter.envelope(&self.settings.name).map_err(|invalid| invalid.to_string());
        let deadline = self.settings.deadline;
        let written = envelope.and_then(|record| self.dead.write(record, deadline).map_err(|error| error.to_string()));
        let (seq, reason) = (letter.seq, letter.reason.as_str());
        if let Err(error) = written {
            alarm(|| {
                tracing::error!(target: "audited::forward", seq, error, "a dead letter could not be kept; delivery waits for it");
            });
            self.patience.failed(Instant::now());
            return false;
        }
        self.patience.answered();
        let is_conflict = letter.reason == DeadReason::Conflict;
        let (sink, stream) = (self.sink.description(), letter.stream);
        alarm(|| {
            tracing::error!(target: "audited::forward", sink, %stream, seq, reason, "a record is not delivered: it is a dead letter now");
        });
        self.shared.note(|state| {
            state.stats.dead_letters += 1;
            state.stats.conflicts += u64::from(is_conflict);
            state.unresolved.insert(letter.key());
        });
        let conflict = self.settings.on_conflict.iter().filter(|_| is_conflict);
        for told in conflict.chain(&self.settings.on_dead_letter) {
            contained(|| told(letter, error));
        }
        true
    }

    pub(super) fn obey(&self, command: Command) {
        let Command::Redeliver { key, original, resolution, reply } = command;
        let delivered = self.write(&[original]).map_err(DeadLetterError::Sink);
        let result = delivered.and_then(|()| self.dead.write(resolution, self.settings.deadline));
        if result.is_ok() {
            self.shared.resolved(&key);
        }
        // Whoever asked may have given up.
        let _ = reply.try_send(result);
    }
}
