//! What becomes of the body of an answer. Nothing here knows which framework it is.

use audit_core::RecordId;

use super::handled::{Handled, LostReason};

/// The account of a body that is given away piece by piece. Dropping it before its end is recorded.
#[derive(Debug)]
pub(crate) struct Delivery {
    handled: Handled,
    /// The record that says how the request ended; without one there is nothing to add to.
    record: Option<RecordId>,
    status: u16,
    given: u64,
    /// How much there will be, where that is known.
    length: Option<u64>,
}

impl Delivery {
    pub(super) fn new(handled: Handled, record: Option<RecordId>, status: u16, length: Option<u64>) -> Self {
        let mut delivery = Self { handled, record, status, given: 0, length };
        delivery.given(0);
        delivery
    }

    /// Runs a part of the body's own code within the request.
    pub(crate) fn enter<R>(&self, inside: impl FnOnce() -> R) -> R {
        self.handled.scope().enter(inside)
    }

    /// So much more was given away.
    pub(crate) fn given(&mut self, bytes: u64) {
        self.given += bytes;
        if self.length.is_some_and(|length| self.given >= length) {
            self.over();
        }
    }

    /// All was given away.
    pub(crate) fn over(&mut self) {
        self.record = None;
    }

    /// The rest is not to come.
    pub(crate) fn lost(&mut self, reason: LostReason) {
        if let Some(record) = self.record.take() {
            self.handled.lost(record, reason, Some(self.status), self.given);
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.lost(LostReason::Dropped);
    }
}
