//! What the sink does not take: out of the way, onto the disk, and back when somebody asks for it.

use std::time::Instant;

use audit_core::SinkError;

use super::Courier;
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
            self.hand.buried();
            self.moved_to(link_of(&last), 0);
        }
    }

    /// Says whether it is on the disk; only then may the cursor go on.
    pub(super) fn bury(&mut self, letter: &DeadLetter, error: Option<&SinkError>) -> bool {
        if !self.grave.bury(letter, self.hand.description()) {
            self.patience.failed(Instant::now());
            return false;
        }
        self.patience.answered();
        self.shared.note(|state| {
            state.stats.dead_letters += 1;
            state.stats.conflicts += u64::from(letter.reason == DeadReason::Conflict);
            state.unresolved.insert(letter.key());
        });
        self.grave.tell(letter, error);
        true
    }

    pub(super) fn obey(&self, command: Command) {
        let Command::Redeliver { key, original, resolution, reply } = command;
        let delivered = self.hand.write(&[original]).map_err(DeadLetterError::Sink);
        let result = delivered.and_then(|()| self.grave.dead.write(resolution, self.settings.deadline));
        if result.is_ok() {
            self.shared.resolved(&key);
        }
        // Whoever asked may have given up.
        let _ = reply.try_send(result);
    }
}
