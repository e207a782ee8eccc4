//! What is acknowledged in memory, and how the writer carries it into the file.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::ring::ahead::Ahead;
use super::{Source, Writer, wants_room};
use crate::shown::Shown;

impl Writer {
    /// Writes all that a process left in memory, before anything else.
    pub(in super::super) fn carry_over(&mut self, left: Ahead) -> io::Result<()> {
        self.ahead = Some(left);
        let carried = self.carry();
        self.ahead = None;
        carried
    }

    /// Looks there from now on for what is acknowledged.
    pub(in super::super) fn look_at(&mut self, ahead: Ahead) {
        self.ahead = Some(ahead);
    }

    /// Writes what has come there, unless that was tried in vain just before.
    pub(super) fn carry_what_is_due(&mut self) {
        self.leave_what_is_lost();
        if let Some(ahead) = self.ahead.as_ref().filter(|ahead| ahead.is_due()) {
            let (head, has_failed) = (ahead.head(), ahead.has_failed());
            let written = self.write(Source::Ahead(head), false);
            // It is tried again and again, and told once.
            if !has_failed {
                self.note_ahead(&written);
            }
            if written.is_err_and(|error| wants_room(&error)) {
                self.keeper.free_reserve();
            }
        }
    }

    /// Writes all that is acknowledged by now and in no file yet.
    pub(super) fn carry(&mut self) -> io::Result<()> {
        self.ahead.as_ref().map(Ahead::head).map_or(Ok(()), |head| self.carry_until(head))
    }

    pub(super) fn carry_until(&mut self, head: u64) -> io::Result<()> {
        while self.ahead.as_ref().is_some_and(|ahead| !ahead.is_done(head)) {
            self.write_with_reserve(Source::Ahead(head))?;
        }
        Ok(())
    }

    /// Writes what is left there, and gives the memory up once nothing is.
    pub(super) fn carry_at_last(&mut self) {
        let mut carried = self.carry();
        if carried.is_err() {
            // Another file may take it, and nobody asks again.
            carried = self.carry();
        }
        self.note_ahead(&carried);
        if let Some(ahead) = self.ahead.take() {
            ahead.end(self.keeper.disk());
        }
    }

    /// Has nothing more acknowledged in memory that whoever comes next would not find.
    pub(super) fn leave_what_is_lost(&self) {
        if let Some(ahead) = self.ahead.as_ref().filter(|ahead| ahead.closes_if_lost()) {
            note_lost(&self.name, ahead);
        }
    }

    /// As [`Self::note`], of what is acknowledged already.
    fn note_ahead(&self, result: &io::Result<()>) {
        self.note_that(result, "what is acknowledged stays in memory, and is written when the disk takes it");
    }
}

/// The memory is nobody's any more.
fn note_lost(journal: &str, ahead: &Ahead) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        tracing::error!(
            target: "audited::journal",
            journal,
            memory = %Shown(ahead.path()),
            "the memory of a journal was removed: records are acknowledged once they are in a file, until it is opened again"
        );
    }));
}
