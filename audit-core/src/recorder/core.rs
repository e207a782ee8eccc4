//! The recorder's inside: from a draft to a ticket.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lane::{Lane, block_on};
use super::loss::{self, Losses, PendingGap};
use super::slots::{Place, Slot, Slots};
use super::watch::Watch;
use crate::context::AuditContext;
use crate::id::RecordId;
use crate::record::{Draft, Record, Stamp, encode};
use crate::sensitive::KeyRing;
use crate::sink::{AuditSink, Durability, SinkError};
use crate::ticket::{Account, Receipt, Slip, Ticket};
use crate::timestamp::Timestamp;

pub(crate) struct Core {
    pub(super) sink: Arc<dyn AuditSink>,
    pub(super) durability: Durability,
    pub(super) lane: Option<Lane>,
    pub(super) keys: Option<KeyRing>,
    pub(super) deadline: Duration,
    pub(super) allow_weak: bool,
    pub(super) slots: Arc<Slots>,
    pub(super) losses: Losses,
    pub(super) watch: Arc<Watch>,
}

impl Core {
    pub(crate) fn keys(&self) -> Option<&KeyRing> {
        self.keys.as_ref()
    }

    /// Whether a `fail_closed` call may rely on this recorder.
    pub(crate) fn can_fail_closed(&self) -> bool {
        self.allow_weak || self.durability >= Durability::Disk
    }

    pub(crate) fn try_slot(&self) -> Option<Slot> {
        self.slots.try_take()
    }

    /// A place in the queue for a slot.
    pub(crate) fn queue_for_slot(self: &Arc<Self>) -> Place {
        self.slots.queue(Box::new(Waiting(self.clone())), self.deadline)
    }

    /// Encodes a draft and hands it to the sink. Without a slot it is lost, and counted.
    pub(crate) fn submit(
        self: &Arc<Self>,
        draft: &Draft,
        context: Option<&AuditContext>,
        id: RecordId,
        occurred_at: Timestamp,
        slot: Option<Slot>,
    ) -> Receipt {
        let stamp = Stamp { id, occurred_at, recorded_at: Timestamp::now() };
        let record = encode(draft, context, &stamp, self.keys());
        let entry = Entry { core: self.clone(), record: record.clone(), _slot: slot };
        let room = entry._slot.is_some();
        let (ticket, receipt) = Ticket::with_account(Some(Box::new(entry)));
        if room {
            self.hand_over(record, ticket);
        } else {
            ticket.settle(Err(SinkError::Full));
        }
        receipt.within(self.deadline)
    }

    /// Submits what the framework says about itself.
    pub(crate) fn submit_system(self: &Arc<Self>, draft: &Draft) -> Receipt {
        let now = Timestamp::now();
        self.submit(draft, None, RecordId::at(now), now, self.try_slot())
    }

    /// Flushes the sink, on a thread that may be left behind should the sink hang.
    pub(super) fn flush_sink(&self, within: Duration) -> Result<(), SinkError> {
        let (ticket, receipt) = Ticket::new();
        let sink = self.sink.clone();
        std::thread::Builder::new().name("audited-flush".into()).spawn(move || {
            let flushed = catch_unwind(AssertUnwindSafe(|| block_on(sink.flush(), within)));
            ticket.settle(flushed.unwrap_or(Err(SinkError::Panicked)));
        })?;
        receipt.within(within).wait()
    }

    fn hand_over(&self, record: Record, ticket: Ticket) {
        match (&self.lane, self.sink.inline()) {
            (Some(lane), _) => lane.submit(record, ticket),
            (None, Some(inline)) => {
                // A ticket that a panic drops answers for itself.
                let _ = catch_unwind(AssertUnwindSafe(|| inline.submit(record, ticket)));
            }
            (None, None) => ticket.settle(Err(SinkError::Closed)),
        }
    }

    /// Writes what was lost into the stream, if anything was.
    pub(super) fn write_gap(self: &Arc<Self>) {
        let Some(gap) = self.losses.begin_gap() else { return };
        let now = Timestamp::now();
        let stamp = Stamp { id: RecordId::at(now), occurred_at: now, recorded_at: now };
        let record = encode(&gap.draft(), None, &stamp, self.keys());
        let account = GapEntry { core: self.clone(), gap };
        let (ticket, receipt) = Ticket::with_account(Some(Box::new(account)));
        drop(receipt);
        self.hand_over(record, ticket);
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.watch.close();
    }
}

/// The account of a record.
struct Entry {
    core: Arc<Core>,
    record: Record,
    /// Held until the sink has answered.
    _slot: Option<Slot>,
}

impl Account for Entry {
    fn settled(&self, result: &Result<(), SinkError>, late: bool) {
        match result {
            Ok(()) => {
                if self.core.losses.acknowledged(late) {
                    self.core.watch.gap_due(&self.core);
                }
            }
            Err(error) => {
                self.core.losses.lost(&loss::action_of(&self.record), error.reason(), late);
                self.core.watch.gap_due(&self.core);
                self.log("audit record lost", error.reason());
            }
        }
    }

    fn expired(&self) {
        self.core.losses.expired();
        self.log("audit record not acknowledged in time", SinkError::Deadline.reason());
    }

    fn watch(&self, slip: &Arc<Slip>, deadline: Instant) {
        self.core.watch.at(&self.core, deadline, slip);
    }
}

impl Entry {
    fn log(&self, what: &'static str, reason: &'static str) {
        // The subscriber is foreign code.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            tracing::error!(
                target: "audited::loss",
                action = &*self.record.action(),
                correlation_id = self.record.correlation_id().as_deref(),
                id = self.record.get("id").map(|id| id.trim_matches('"')),
                reason,
                "{what}"
            );
        }));
    }
}

/// The account of a gap record: until it is in the stream, it is tried again.
struct GapEntry {
    core: Arc<Core>,
    gap: PendingGap,
}

impl Account for GapEntry {
    fn settled(&self, result: &Result<(), SinkError>, _late: bool) {
        let back = result.is_err().then(|| self.gap.clone());
        if self.core.losses.end_gap(back) {
            self.core.watch.gap_due(&self.core);
        }
    }

    fn expired(&self) {}

    fn watch(&self, _slip: &Arc<Slip>, _deadline: Instant) {}
}

/// The account of a call that waits for a slot.
struct Waiting(Arc<Core>);

impl Account for Waiting {
    fn settled(&self, _result: &Result<(), SinkError>, _late: bool) {}

    fn expired(&self) {}

    fn watch(&self, slip: &Arc<Slip>, deadline: Instant) {
        self.0.watch.at(&self.0, deadline, slip);
    }
}
