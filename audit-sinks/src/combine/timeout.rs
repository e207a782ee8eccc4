//! A sink with a deadline.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use audit_core::__private::{Inline, Ticket};
use audit_core::{AuditSink, Durability, Record, SinkError};

use super::lane::Late;
use super::ledger::MemberStats;
use super::member::Member;
use super::seat::Seat;

/// Answers [`SinkError::Deadline`] when a sink has not answered in time, also where the sink blocks its thread.
///
/// The sink's future is dropped then, and what waits behind it is not begun. Whether the records were written, nobody
/// knows: an error is not a promise that they were not. A sink that takes records on its caller's thread (a journal) may
/// still write what it has. One that does not come back from a poll keeps its thread; after twice the deadline it is
/// asked no more until it does.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use std::time::Duration;
/// use audited::{AuditSink, MemorySink, Timeout};
///
/// let timeout = Timeout::new(MemorySink::new(), Duration::from_millis(200));
/// assert_eq!(timeout.describe(), "timeout(memory)");
/// ```
#[derive(Clone)]
pub struct Timeout(Arc<Seat>);

impl Timeout {
    /// Gives a sink so long to answer.
    pub fn new(sink: impl Into<Member>, deadline: Duration) -> Self {
        Self(Arc::new(Seat::new(sink.into().deadline(deadline), Late::Abandon)))
    }

    /// What became of the records.
    pub fn stats(&self) -> MemberStats {
        self.0.stats()
    }
}

#[async_trait]
impl AuditSink for Timeout {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let (ticket, receipt) = Ticket::new();
        self.submit_batch(batch, ticket);
        receipt.await
    }

    /// Flushes the sink within the deadline.
    async fn flush(&self) -> Result<(), SinkError> {
        self.0.flush().await
    }

    fn durability(&self) -> Durability {
        self.0.durability()
    }

    fn describe(&self) -> String {
        format!("timeout({})", self.0.description())
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for Timeout {
    fn submit(&self, record: Record, ticket: Ticket) {
        self.0.submit(&Arc::from([record]), move |result| ticket.settle(result));
    }

    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        if batch.is_empty() {
            return ticket.settle(Ok(()));
        }
        self.0.submit(&Arc::from(batch), move |result| ticket.settle(result));
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}
