//! Several callers, one write.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use audit_core::__private::{Inline, Ticket};
use audit_core::{AuditSink, Durability, Record, SinkError};

use super::lane::Gather;
use super::ledger::MemberStats;
use super::member::Member;
use super::seat::Seat;

/// How many records a [`Batch`] writes at once.
pub const DEFAULT_BATCH_RECORDS: usize = 512;

/// How many bytes a [`Batch`] writes at once.
pub const DEFAULT_BATCH_BYTES: usize = 1 << 20;

/// How long a [`Batch`] waits for more.
pub const DEFAULT_BATCH_DELAY: Duration = Duration::from_millis(5);

/// Collects what callers write, and writes it at once: when there are so many records or bytes, or when the first has
/// waited so long.
///
/// All callers of one write are answered together, with what the sink says; none before. They share their fate: when
/// one record cannot be written, all of that write are unacknowledged. A flush writes at once what is there.
///
/// What waits is bounded by the queue of the [`Member`]. The batches of one caller are never torn apart.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use std::time::Duration;
/// use audited::{AuditSink, Batch, MemorySink};
///
/// let batch = Batch::builder(MemorySink::new()).records(100).delay(Duration::from_millis(2)).build();
/// assert_eq!(batch.describe(), "batch(memory)");
/// ```
#[derive(Clone)]
pub struct Batch(Arc<Seat>);

impl Batch {
    /// Takes a sink, with the defaults.
    pub fn new(sink: impl Into<Member>) -> Self {
        Self::builder(sink).build()
    }

    /// Takes a sink, to be set up further.
    pub fn builder(sink: impl Into<Member>) -> BatchBuilder {
        BatchBuilder {
            member: sink.into(),
            records: DEFAULT_BATCH_RECORDS,
            bytes: DEFAULT_BATCH_BYTES,
            delay: DEFAULT_BATCH_DELAY,
        }
    }

    /// What became of the records.
    pub fn stats(&self) -> MemberStats {
        self.0.stats()
    }
}

#[async_trait]
impl AuditSink for Batch {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let (ticket, receipt) = Ticket::new();
        self.submit_batch(batch, ticket);
        receipt.await
    }

    /// Writes what is there, and flushes the sink.
    async fn flush(&self) -> Result<(), SinkError> {
        self.0.flush().await
    }

    fn durability(&self) -> Durability {
        self.0.durability()
    }

    fn describe(&self) -> String {
        format!("batch({})", self.0.description())
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for Batch {
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

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// Builds a [`Batch`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct BatchBuilder {
    member: Member,
    records: usize,
    bytes: usize,
    delay: Duration,
}

impl BatchBuilder {
    /// Sets how many records are enough. A caller's own batch may be larger.
    pub const fn records(mut self, records: usize) -> Self {
        self.records = records;
        self
    }

    /// Sets how many bytes of JSON, with 1 KiB for each record, are enough.
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets how long the first waits for more.
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Builds it. Its thread is started when it is first needed.
    pub fn build(self) -> Batch {
        let Self { member, records, bytes, delay } = self;
        Batch(Arc::new(Seat::gathering(member, Gather { records, bytes, delay })))
    }
}
