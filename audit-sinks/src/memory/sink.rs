//! Records in memory, for tests.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use audit_core::__private::debug_as_display;
use audit_core::__private::{Inline, Ticket};
use audit_core::{AuditSink, Durability, Record, SinkError};
use thiserror::Error;

/// How many records a [`MemorySink`] holds, unless it is made with another capacity.
pub const DEFAULT_MEMORY_RECORDS: usize = 10_000;

/// Keeps records in memory, up to a bound, for tests to look at.
///
/// When it is full it refuses ([`SinkError::Full`]): nothing is ever overwritten or removed. Cloning it shares what
/// it holds.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use audited::{Action, MemorySink, Recorder, record_action, with_recorder_sync};
///
/// let memory = MemorySink::new();
/// let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build()?;
/// with_recorder_sync(recorder, || record_action(Action::new("door.open")).wait())?;
/// assert_eq!(memory.find("door.open").len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MemorySink(Arc<Shared>);

struct Shared {
    capacity: usize,
    records: Mutex<Vec<Record>>,
    grown: Condvar,
}

impl MemorySink {
    /// Makes one that holds [`DEFAULT_MEMORY_RECORDS`].
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_MEMORY_RECORDS)
    }

    /// Makes one that holds at most `records`. Memory is taken as they come.
    pub fn with_capacity(records: usize) -> Self {
        Self(Arc::new(Shared { capacity: records, records: Mutex::default(), grown: Condvar::new() }))
    }

    /// All records, the oldest first, those of the framework (`audit.started`) among them.
    pub fn records(&self) -> Vec<Record> {
        self.lock().clone()
    }

    /// The records of one action, the oldest first.
    pub fn find(&self, action: &str) -> Vec<Record> {
        of(&self.lock(), action).cloned().collect()
    }

    /// The newest record of one action.
    pub fn last(&self, action: &str) -> Option<Record> {
        of(&self.lock(), action).next_back().cloned()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Blocks the thread until at least `wanted` records of an action are there, and gives all of them.
    ///
    /// For records that nobody awaits, such as those of a call that was cancelled.
    ///
    /// # Errors
    ///
    /// [`StillMissing`] when there are fewer after `within`.
    pub fn wait_for(&self, action: &str, wanted: usize, within: Duration) -> Result<Vec<Record>, StillMissing> {
        let missing = |records: &mut Vec<Record>| of(records, action).count() < wanted;
        let records = self.0.grown.wait_timeout_while(self.lock(), within, missing);
        let found: Vec<_> = of(&records.unwrap_or_else(PoisonError::into_inner).0, action).cloned().collect();
        if found.len() < wanted {
            return Err(StillMissing { action: action.to_owned(), wanted, found: found.len() });
        }
        Ok(found)
    }

    /// A batch is taken whole or not at all.
    fn add(&self, batch: &[Record]) -> Result<(), SinkError> {
        {
            let mut records = self.lock();
            if self.0.capacity.saturating_sub(records.len()) < batch.len() {
                return Err(SinkError::Full);
            }
            records.extend_from_slice(batch);
        }
        self.0.grown.notify_all();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        self.0.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of<'a>(records: &'a [Record], action: &str) -> impl DoubleEndedIterator<Item = &'a Record> {
    records.iter().filter(move |record| record.action() == action)
}

impl Default for MemorySink {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemorySink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySink").field("records", &self.len()).field("capacity", &self.0.capacity).finish()
    }
}

#[async_trait]
impl AuditSink for MemorySink {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.add(batch)
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "memory".into()
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for MemorySink {
    fn submit(&self, record: Record, ticket: Ticket) {
        ticket.settle(self.add(&[record]));
    }

    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        ticket.settle(self.add(batch));
    }
}

/// Records that were waited for are not there.
#[derive(Error)]
#[error("{wanted} records of `{action}` were waited for, {found} are there")]
#[non_exhaustive]
pub struct StillMissing {
    /// The action.
    pub action: String,
    /// How many were waited for.
    pub wanted: usize,
    /// How many are there.
    pub found: usize,
}

debug_as_display!(StillMissing);
