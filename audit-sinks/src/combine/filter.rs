//! Some records here, the others there.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use audit_core::__private::{Ticket, contained};
use audit_core::{AuditSink, Durability, Record, SinkError};

use super::lane::Late;
use super::ledger::MemberStats;
use super::member::Member;
use super::poll::join;
use super::seat::Seat;

type Predicate = dyn Fn(&Record) -> bool + Send + Sync;

/// Writes the records for which a predicate holds to one sink and the others to another, each in their order.
///
/// There is no way to leave out what does not match but by a sink that says so: [`DiscardCounted`](super::DiscardCounted).
/// Both ways are written at once, each within its deadline, and a batch is acknowledged once both have acknowledged
/// their part. A predicate that panics fails the batch before anything of it is written.
///
/// `Ok` promises the lesser of what the two promise. Cloning it copies a handle.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use audited::{AuditSink, DiscardCounted, Filter, MemorySink, Severity};
///
/// let grave = |record: &audited::Record| record.severity() >= Some(Severity::Warning);
/// let filter = Filter::new(grave, MemorySink::new(), DiscardCounted::new());
/// assert_eq!(filter.describe(), "filter(memory, else: discard_counted)");
/// ```
#[derive(Clone)]
pub struct Filter(Arc<Inner>);

struct Inner {
    predicate: Box<Predicate>,
    matching: Seat,
    rest: Seat,
}

impl Filter {
    /// Writes to `matching` those for which the predicate holds, and the others to `rest`.
    pub fn new<P>(predicate: P, matching: impl Into<Member>, rest: impl Into<Member>) -> Self
    where
        P: Fn(&Record) -> bool + Send + Sync + 'static,
    {
        let [matching, rest] = [matching.into(), rest.into()].map(|member| Seat::new(member, Late::Finish));
        Self(Arc::new(Inner { predicate: Box::new(predicate), matching, rest }))
    }

    /// What became of the records that match, and of the others.
    pub fn stats(&self) -> [MemberStats; 2] {
        [self.0.matching.stats(), self.0.rest.stats()]
    }
}

#[async_trait]
impl AuditSink for Filter {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let Inner { predicate, matching, rest } = &*self.0;
        let ways = contained(|| batch.iter().cloned().partition::<Vec<_>, _>(|record| predicate(record)));
        let (matched, others) = ways.ok_or(SinkError::Panicked)?;
        // Both are under way before either is awaited.
        let receipts = [(matching, matched), (rest, others)].map(|(seat, records)| {
            let (ticket, receipt) = Ticket::new();
            if records.is_empty() {
                ticket.settle(Ok(()));
            } else {
                seat.submit(&Arc::from(records), move |result| ticket.settle(result));
            }
            receipt
        });
        join(receipts).await
    }

    /// Flushes both at once, each within its deadline; an error when either has one.
    async fn flush(&self) -> Result<(), SinkError> {
        join([&self.0.matching, &self.0.rest].map(Seat::flush)).await
    }

    fn durability(&self) -> Durability {
        self.0.matching.durability().min(self.0.rest.durability())
    }

    fn describe(&self) -> String {
        format!("filter({}, else: {})", self.0.matching.description(), self.0.rest.description())
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}
