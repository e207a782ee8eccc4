//! A member at work: it answers once, at its deadline at the latest, and blocks nobody.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use audit_core::__private::{Alarm, Guarded, Ticket};
use audit_core::{Durability, Record, SinkError};

use super::clock::{alarms, within};
use super::lane::{Gather, Lane, Late};
use super::ledger::{Ledger, MemberStats};
use super::member::Member;
use super::poll::guarded;
use super::room::{Held, Room};

pub(super) struct Seat {
    way: Way,
    description: String,
    durability: Durability,
    deadline: Duration,
    ledger: Arc<Ledger>,
}

enum Way {
    /// One of the framework's own, which blocks nobody.
    Inline(Guarded, Arc<Held>),
    /// Any other, on a thread of its own.
    Lane(Lane),
}

impl Seat {
    pub(super) fn new(member: Member, late: Late) -> Self {
        let (sink, room) = (Guarded::new(member.sink), Room { records: member.records, bytes: member.bytes });
        Self::with(sink, member.deadline, |sink, ledger| {
            if sink.is_inline() {
                Way::Inline(sink, Arc::new(Held::new(room)))
            } else {
                Way::Lane(Lane::new(sink, ledger, room, member.deadline, late, None))
            }
        })
    }

    /// One that collects what it writes, also where it need not be on a thread of its own.
    pub(super) fn gathering(member: Member, gather: Gather) -> Self {
        let room = Room { records: member.records.max(2 * gather.records), bytes: member.bytes.max(2 * gather.bytes) };
        let deadline = member.deadline;
        Self::with(Guarded::new(member.sink), deadline.saturating_add(gather.delay), |sink, ledger| {
            Way::Lane(Lane::new(sink, ledger, room, deadline, Late::Finish, Some(gather)))
        })
    }

    fn with(sink: Guarded, deadline: Duration, way: impl FnOnce(Guarded, Arc<Ledger>) -> Way) -> Self {
        let (description, durability) = (sink.description().to_owned(), sink.durability());
        let ledger = Arc::new(Ledger::new(&description));
        Self { way: way(sink, ledger.clone()), description, durability, deadline, ledger }
    }

    pub(super) fn description(&self) -> &str {
        &self.description
    }

    pub(super) fn durability(&self) -> Durability {
        self.durability
    }

    pub(super) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(super) fn stats(&self) -> MemberStats {
        self.ledger.stats()
    }

    /// Hands a batch over; `answer` is called once, on any thread, this one included.
    pub(super) fn submit(&self, batch: &Arc<[Record]>, answer: impl FnOnce(Result<(), SinkError>) + Send + 'static) {
        let pending = Arc::new(Pending {
            ledger: self.ledger.clone(),
            records: batch.len(),
            answer: Mutex::new(Some(Box::new(answer))),
        });
        let until = Instant::now().checked_add(self.deadline);
        match &self.way {
            Way::Inline(sink, held) => self.submit_inline((sink, held), batch, &pending),
            Way::Lane(lane) => {
                let pending = pending.clone();
                lane.write(batch.clone(), until, Ticket::answering(move |result| pending.settle(result)));
            }
        }
        // What has answered already needs no alarm.
        if let Some(until) = until
            && !pending.is_over()
        {
            alarms().at(until, &pending);
        }
    }

    /// What it has not answered for stays with it, whoever has given up waiting: that, too, is bounded.
    fn submit_inline(&self, (sink, held): (&Guarded, &Arc<Held>), batch: &[Record], pending: &Arc<Pending>) {
        let load = Room::of(batch);
        if !held.take(load) {
            self.ledger.dropped(batch.len());
            return pending.settle(Err(SinkError::Full));
        }
        let (held, pending) = (held.clone(), pending.clone());
        let ticket = Ticket::answering(move |result| {
            held.give_back(load);
            pending.settle(result);
        });
        sink.submit_batch_inline(batch, ticket);
    }

    /// Flushes it, after everything that was handed over before. The flush is under way once this returns.
    pub(super) fn flush(&self) -> impl Future<Output = Result<(), SinkError>> + Send {
        let (ticket, receipt) = alarms().ticket(self.deadline);
        let inline = match &self.way {
            Way::Inline(sink, _) => Some(sink),
            Way::Lane(lane) => {
                lane.flush(Instant::now().checked_add(self.deadline), ticket);
                None
            }
        };
        async move {
            match inline {
                Some(sink) => within(self.deadline, guarded(sink, |sink| sink.flush())).await,
                None => receipt.await,
            }
        }
    }
}

type Answer = dyn FnOnce(Result<(), SinkError>) + Send;

/// An answer that is awaited: whoever takes it, the sink or the alarm, gives it.
struct Pending {
    ledger: Arc<Ledger>,
    records: usize,
    /// Taken before the last handle goes, so that dropping that does nothing.
    answer: Mutex<Option<Box<Answer>>>,
}

impl Pending {
    fn take(&self) -> Option<Box<Answer>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn settle(&self, result: Result<(), SinkError>) {
        match self.take() {
            Some(answer) => {
                self.ledger.answered(self.records, &result);
                answer(result);
            }
            None if result.is_ok() => self.ledger.late(self.records),
            None => {}
        }
    }
}

impl Alarm for Pending {
    fn ring(&self) {
        if let Some(answer) = self.take() {
            self.ledger.answered(self.records, &Err(SinkError::Deadline));
            answer(Err(SinkError::Deadline));
        }
    }

    fn is_over(&self) -> bool {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}
