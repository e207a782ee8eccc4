//! Nowhere, but counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use audit_core::__private::{Inline, Ticket};
use audit_core::{AuditSink, Durability, Record, SinkError};

/// Throws records away, and counts them.
///
/// Its `Ok` promises nothing ([`Durability::None`]), and so does that of a combination in which it may be the only one
/// that has a record. Cloning it shares the count.
///
/// ```
/// # use audit_sinks as audited;
/// use audited::{DiscardCounted, Filter, MemorySink};
///
/// let discarded = DiscardCounted::new();
/// let filter = Filter::new(|record| record.action() != "cache.read", MemorySink::new(), discarded.clone());
/// assert_eq!(discarded.discarded(), 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct DiscardCounted(Arc<AtomicU64>);

impl DiscardCounted {
    /// Makes one that has discarded nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records it has thrown away.
    pub fn discarded(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn discard(&self, batch: &[Record]) {
        self.0.fetch_add(batch.len() as u64, Ordering::SeqCst);
    }
}

#[async_trait]
impl AuditSink for DiscardCounted {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.discard(batch);
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::None
    }

    fn describe(&self) -> String {
        "discard_counted".into()
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for DiscardCounted {
    fn submit(&self, record: Record, ticket: Ticket) {
        self.submit_batch(&[record], ticket);
    }

    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        self.discard(batch);
        ticket.settle(Ok(()));
    }
}
