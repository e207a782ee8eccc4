//! A sink, held so that its panics stay with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::lane::block_on;
use crate::__private::{Inline, Ticket};
use crate::contain::contained;
use crate::record::Record;
use crate::sink::{AuditSink, Durability, SinkError};

/// What a sink is called that panics when it is asked.
const NAMELESS: &str = "a sink that cannot describe itself";

/// A sink whose panics cost one answer each, and nothing else.
pub struct Guarded {
    /// Taken when it is dropped.
    sink: Option<Arc<dyn AuditSink>>,
    /// Asked once: what goes into records and logs later must not run foreign code.
    description: String,
    durability: Durability,
}

impl Guarded {
    /// Asks the sink once what it is.
    pub fn new(sink: Arc<dyn AuditSink>) -> Self {
        let description = contained(|| sink.describe()).unwrap_or_else(|| NAMELESS.to_owned());
        // A sink that cannot say what it promises promises nothing.
        let durability = contained(|| sink.durability()).unwrap_or(Durability::None);
        Self { sink: Some(sink), description, durability }
    }

    /// The same sink, for another thread.
    #[must_use]
    pub fn share(&self) -> Self {
        Self { sink: self.sink.clone(), description: self.description.clone(), durability: self.durability }
    }

    /// What the sink says that it is.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What the sink promises.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    pub(super) fn is_inline(&self) -> bool {
        self.inline().is_some()
    }

    /// Hands a record to a sink that takes it on the caller's thread. A ticket that a panic drops answers for itself.
    pub(super) fn submit_inline(&self, record: Record, ticket: Ticket) {
        match self.inline() {
            Some(inline) => drop(contained(|| inline.submit(record, ticket))),
            None => ticket.settle(Err(SinkError::Closed)),
        }
    }

    /// Polls a write on this thread.
    ///
    /// # Errors
    ///
    /// What the sink says, also where it says it by a panic or not in time.
    pub fn write(&self, batch: &[Record], within: Duration) -> Result<(), SinkError> {
        self.poll(|sink| block_on(sink.write(batch), within))
    }

    /// Polls a flush on this thread.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub fn flush(&self, within: Duration) -> Result<(), SinkError> {
        self.poll(|sink| block_on(sink.flush(), within))
    }

    fn poll(&self, poll: impl FnOnce(&dyn AuditSink) -> Result<(), SinkError>) -> Result<(), SinkError> {
        let Some(sink) = self.sink.as_deref() else { return Err(SinkError::Closed) };
        contained(|| poll(sink)).unwrap_or(Err(SinkError::Panicked))
    }

    fn inline(&self) -> Option<&dyn Inline> {
        let sink = self.sink.as_deref()?;
        contained(|| sink.inline()).flatten()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // The last record's caller may be the one who drops the sink.
        let sink = self.sink.take();
        contained(move || drop(sink));
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guarded({})", self.description)
    }
}
