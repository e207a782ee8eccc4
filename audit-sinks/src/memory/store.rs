//! Records in memory, to be found again.

use std::fmt;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use audit_core::__private::{Inline, Ticket};
use audit_core::{
    Arrived, AuditSink, AuditStore, CursorKey, Durability, InvalidCursor, Position, Record, Row, Selection, SinkError,
    SortKey, StoreError, StoredRecord,
};
use event_listener::Event;
use thiserror::Error;

use super::DEFAULT_MEMORY_RECORDS;
use super::kept::{Kept, Known};

/// Keeps records in memory, up to a bound, and finds them again.
///
/// When it is full it refuses ([`SinkError::Full`]): nothing is ever overwritten or removed. Its indexes are by time, by
/// tenant and by id; all else is looked through. Cloning it shares what it holds.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use audited::{Action, AuditStore, Query, Recorder, TenantId, AuditContext, record_action, with_recorder};
/// use audited::MemoryStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let recorder = Recorder::builder().sink(store.clone()).build()?;
/// with_recorder(recorder, async {
///     let acme = AuditContext::new().tenant(TenantId::plain("acme"));
///     record_action(Action::new("door.open")).context(acme).await?;
///
///     let page = store.tenant("acme").page(&Query::new().action_prefix("door.")).await?;
///     assert_eq!(page.records.len(), 1);
///     let reads = store.global("example").count(&Query::new().action("audit.read")).await?;
///     assert_eq!(reads, 1, "reading is recorded, too");
///     Ok(())
/// })
/// .await
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Shared>);

struct Shared {
    capacity: usize,
    kept: RwLock<Kept>,
    grown: Event,
    key: Option<CursorKey>,
}

/// How many records are looked at while nothing can be written.
const LOOK: usize = 256;

impl MemoryStore {
    /// Makes one that holds [`DEFAULT_MEMORY_RECORDS`].
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_MEMORY_RECORDS)
    }

    /// Makes one that holds at most `records`. Memory is taken as they come.
    pub fn with_capacity(records: usize) -> Self {
        // Without random bytes there are no cursors; what is written needs none.
        let key = CursorKey::random().ok();
        Self(Arc::new(Shared { capacity: records, kept: RwLock::default(), grown: Event::new(), key }))
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A batch is taken whole or not at all.
    fn add(&self, batch: &[Record]) -> Result<(), SinkError> {
        let rows = batch.iter().map(|record| Row::of(record).map(|row| (record, row)).ok_or(Nameless));
        let rows: Vec<_> = rows.collect::<Result<_, _>>().map_err(SinkError::rejected)?;
        {
            let mut kept = self.write_lock();
            let (mut fresh, mut among) = (Vec::with_capacity(rows.len()), Known::default());
            for (record, row) in rows {
                if !kept.has(&row)? && !among.has(&row)? {
                    among.note(&row, 0);
                    fresh.push((record, row));
                }
            }
            if self.0.capacity.saturating_sub(kept.len()) < fresh.len() {
                return Err(SinkError::Full);
            }
            for (record, row) in fresh {
                kept.add(record.clone().into(), &row);
            }
        }
        self.0.grown.notify(usize::MAX);
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.0.kept.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write_lock(&self) -> RwLockWriteGuard<'_, Kept> {
        self.0.kept.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Goes through what a selection finds, in its order: of what was there when it began. While a record is read, others
/// can be written.
struct Walk<'a> {
    store: &'a MemoryStore,
    selection: &'a Selection,
    /// How many records there were.
    seen: usize,
    after: Option<SortKey>,
    found: std::vec::IntoIter<StoredRecord>,
    is_done: bool,
}

impl<'a> Walk<'a> {
    fn new(store: &'a MemoryStore, selection: &'a Selection, after: Option<SortKey>) -> Self {
        Self { store, selection, seen: store.len(), after, found: Vec::new().into_iter(), is_done: false }
    }

    fn look(&mut self) {
        let kept = self.store.read();
        let candidates = kept.candidates(self.selection, self.after, LOOK);
        self.is_done = candidates.len() < LOOK;
        self.after = candidates.last().map(|(key, _)| *key).or(self.after);
        let found: Vec<_> = candidates.iter().filter_map(|(_, at)| kept.shown(*at, self.seen)).cloned().collect();
        self.found = found.into_iter();
    }
}

impl Iterator for Walk<'_> {
    type Item = StoredRecord;

    fn next(&mut self) -> Option<StoredRecord> {
        loop {
            if let Some(record) = self.found.find(|record| self.selection.matches(record)) {
                return Some(record);
            }
            if self.is_done {
                return None;
            }
            self.look();
        }
    }
}

#[async_trait]
impl AuditStore for MemoryStore {
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        let found = Walk::new(self, selection, selection.after());
        Ok(found.skip(selection.offset()).take(selection.limit()).collect())
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        Ok(Walk::new(self, selection, None).count() as u64)
    }

    async fn arrived(&self, selection: &Selection, after: &Position) -> Result<Arrived, StoreError> {
        let start = place(after)?;
        let (looked, len): (Vec<_>, _) = {
            let kept = self.read();
            (kept.arrived(start).take(LOOK).cloned().collect(), kept.len())
        };
        if start > len {
            return Err(InvalidCursor.into());
        }
        let (mut records, mut next) = (Vec::new(), start);
        for record in looked {
            if records.len() >= selection.limit() {
                break;
            }
            next += 1;
            if selection.matches(&record) {
                records.push((record, position(next)));
            }
        }
        Ok(Arrived::new(records, position(next), next < len))
    }

    async fn position(&self) -> Result<Position, StoreError> {
        Ok(position(self.len()))
    }

    async fn grown(&self, after: &Position) -> Result<(), StoreError> {
        let seen = place(after)?;
        loop {
            let grown = self.0.grown.listen();
            if self.len() > seen {
                return Ok(());
            }
            grown.await;
        }
    }

    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        self.0.key.clone().ok_or_else(|| std::io::Error::other("no random bytes").into())
    }
}

/// A position is how many records arrived before.
fn position(records: usize) -> Position {
    Position::from_bytes((records as u64).to_be_bytes())
}

fn place(position: &Position) -> Result<usize, StoreError> {
    let bytes = position.as_bytes();
    if bytes.is_empty() {
        return Ok(0);
    }
    let bytes = bytes.try_into().map_err(|_| InvalidCursor)?;
    usize::try_from(u64::from_be_bytes(bytes)).map_err(|_| InvalidCursor.into())
}

#[async_trait]
impl AuditSink for MemoryStore {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.add(batch)
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "memory store".into()
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for MemoryStore {
    fn submit(&self, record: Record, ticket: Ticket) {
        ticket.settle(self.add(&[record]));
    }

    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        ticket.settle(self.add(batch));
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("records", &self.len()).field("capacity", &self.0.capacity).finish()
    }
}

/// A record has no id.
#[derive(Debug, Error)]
#[error("a record without an id")]
struct Nameless;
