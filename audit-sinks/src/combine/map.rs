//! Copies that show less.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use audit_core::__private::{Guarded, Inline, InvalidPath, Omission, Ticket};
use audit_core::{AuditSink, Durability, Record, SinkError};
use thiserror::Error;

use super::poll::guarded;

/// Gives a sink copies of the records in which some values are `"<redacted>"`.
///
/// It can only take away: what is stricter for one sink never touches another, nor the record itself. A copy keeps its
/// id, action, times, kind, stage, decision and outcome, and says in `redacted` what it does not show. What is
/// taken from `source` or an identity is taken as well where a caller claims another one.
///
/// A digest that the record carries of a value that was too large stays with that value: it goes where the value goes.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use audited::{AuditSink, Map, MemorySink};
///
/// let elsewhere = Map::builder(MemorySink::new()).drop("detail.email").drop("source.ip").build()?;
/// assert_eq!(elsewhere.describe(), "map(memory)");
/// assert!(Map::builder(MemorySink::new()).drop("action").build().is_err());
/// # Ok::<(), audited::InvalidPath>(())
/// ```
#[derive(Clone)]
pub struct Map(Arc<Inner>);

struct Inner {
    sink: Guarded,
    omission: Omission,
}

impl Map {
    /// Starts with copies that show everything.
    pub fn builder(sink: impl AuditSink) -> MapBuilder {
        MapBuilder { sink: Arc::new(sink), omission: Omission::default(), invalid: None }
    }

    fn copies(&self, batch: &[Record]) -> Result<Vec<Record>, SinkError> {
        let copies: Option<Vec<_>> = batch.iter().map(|record| self.0.omission.apply(record)).collect();
        copies.ok_or_else(|| SinkError::failed(NotCopied))
    }
}

#[async_trait]
impl AuditSink for Map {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let copies = self.copies(batch)?;
        guarded(&self.0.sink, |sink| sink.write(&copies)).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        guarded(&self.0.sink, |sink| sink.flush()).await
    }

    fn durability(&self) -> Durability {
        self.0.sink.durability()
    }

    fn describe(&self) -> String {
        format!("map({})", self.0.sink.description())
    }

    fn inline(&self) -> Option<&dyn Inline> {
        self.0.sink.is_inline().then_some(self as &dyn Inline)
    }
}

impl Inline for Map {
    fn submit(&self, record: Record, ticket: Ticket) {
        self.submit_batch(&[record], ticket);
    }

    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        match self.copies(batch) {
            Ok(copies) => self.0.sink.submit_batch_inline(&copies, ticket),
            Err(error) => ticket.settle(Err(error)),
        }
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// Builds a [`Map`].
#[must_use = "a builder does nothing until `build`"]
pub struct MapBuilder {
    sink: Arc<dyn AuditSink>,
    omission: Omission,
    invalid: Option<InvalidPath>,
}

impl MapBuilder {
    /// Leaves out what stands at a path, with everything below: `detail.body.email`, `source.ip`, `subjects[].id`,
    /// `roles`. A record that has nothing there stays as it is.
    pub fn drop(mut self, path: &str) -> Self {
        if let Err(invalid) = self.omission.add(path) {
            self.invalid.get_or_insert(invalid);
        }
        self
    }

    /// Leaves out the payload: `detail` is the text `"<redacted>"` then.
    pub fn drop_detail(self) -> Self {
        self.drop("detail")
    }

    /// Builds it.
    ///
    /// # Errors
    ///
    /// [`InvalidPath`] for the first path that no record has, or that a record needs.
    pub fn build(self) -> Result<Map, InvalidPath> {
        match self.invalid {
            Some(invalid) => Err(invalid),
            None => Ok(Map(Arc::new(Inner { sink: Guarded::new(self.sink), omission: self.omission }))),
        }
    }
}

impl fmt::Debug for MapBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapBuilder").field("omission", &self.omission).finish_non_exhaustive()
    }
}

/// What cannot be read cannot be shown in part.
#[derive(Debug, Error)]
#[error("a record could not be copied without what is to be left out")]
struct NotCopied;
