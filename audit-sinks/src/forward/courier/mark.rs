//! How far the thread has come, and what the disk has of that.

use std::time::{Duration, Instant};

use audit_core::Timestamp;

use crate::forward::alarm;
use crate::forward::cursor::{CursorFile, ForwarderCursor};
use crate::forward::shared::Shared;
use crate::forward::source::Link;
use crate::moment::after;

/// How long to pause after the cursor could not be written, at least.
const CURSOR_RETRY: Duration = Duration::from_millis(100);

pub(super) struct Mark {
    cursor: ForwarderCursor,
    /// How often it is written at most.
    every: Duration,
    saved_seq: u64,
    save_at: Instant,
    /// With it goes the lock.
    file: CursorFile,
}

impl Mark {
    pub(super) fn new((cursor, file): (ForwarderCursor, CursorFile), every: Duration) -> Self {
        Self { saved_seq: cursor.seq, cursor, every, save_at: Instant::now(), file }
    }

    pub(super) const fn stream(&self) -> uuid::Uuid {
        self.cursor.stream
    }

    pub(super) fn move_to(&mut self, link: Link) {
        (self.cursor.seq, self.cursor.hash, self.cursor.end) = (link.seq, link.hash, None);
    }

    /// In how long it is to be written; `None` when the disk has it.
    pub(super) fn due_in(&self, now: Instant) -> Option<Duration> {
        (self.saved_seq != self.cursor.seq).then(|| self.save_at.saturating_duration_since(now))
    }

    /// Writes it where that is due, and has been for so long.
    pub(super) fn save_if_due(&mut self, shared: &Shared, since: Duration) {
        let then = Instant::now().checked_sub(since);
        if then.and_then(|then| self.due_in(then)).is_some_and(|left| left.is_zero()) {
            self.save(shared);
        }
    }

    pub(super) fn save(&mut self, shared: &Shared) {
        if self.saved_seq == self.cursor.seq {
            return;
        }
        self.cursor.updated_at = Timestamp::now();
        let mut pause = self.every;
        match self.file.write(&self.cursor) {
            Ok(()) => self.saved_seq = self.cursor.seq,
            Err(error) => {
                pause = pause.max(CURSOR_RETRY);
                shared.note(|state| state.stats.cursor_failures += 1);
                let error = error.kind();
                alarm(|| {
                    tracing::error!(target: "audited::forward", %error, "the cursor could not be written; a crash repeats what is delivered since");
                });
            }
        }
        self.save_at = after(Instant::now(), pause);
    }
}
