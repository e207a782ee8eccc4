//! Records in memory, to be found again.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use audit_core::__private::{Inline, Ticket};
use audit_core::{
    AnyOf, Arrived, AuditSink, AuditStore, Condition, CursorKey, Durability, Intents, InvalidCursor, Order, Position,
    Record, RecordId, Row, Selection, SinkError, SortKey, StoreError, StoredRecord,
};
use event_listener::Event;
use thiserror::Error;

use super::DEFAULT_MEMORY_RECORDS;

/// Keeps records in memory, up to a bound, and finds them again.
///
/// When it is full it refuses ([`SinkError::Full`]): nothing is ever overwritten or removed. Its indexes are by time, by
/// tenant and by id; all else is looked through. Cloning it shares what it holds.
///
/// ```
/// use audit_core::{Action, AuditStore, Query, Recorder, TenantId, AuditContext, record_action, with_recorder};
/// use audit_sinks::MemoryStore;
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

/// The records in the order in which they arrived, and indexes into it.
#[derive(Default)]
struct Kept {
    records: Vec<StoredRecord>,
    known: Known,
    by_time: BTreeMap<SortKey, usize>,
    by_tenant: HashMap<String, BTreeMap<SortKey, usize>>,
}

/// By what a record is known that comes again.
#[derive(Default)]
struct Known {
    by_id: HashMap<RecordId, Mark>,
    by_place: HashMap<InStream, RecordId>,
}

/// A stream, and a position in it.
type InStream = (String, u64);

struct Mark {
    digest: [u8; 32],
    place: Option<InStream>,
}

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
        self.read().records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A batch is taken whole or not at all.
    fn add(&self, batch: &[Record]) -> Result<(), SinkError> {
        let rows: Vec<_> = batch.iter().filter_map(|record| Some((record, Row::of(record)?))).collect();
        {
            let mut kept = self.write_lock();
            let (mut fresh, mut among) = (Vec::with_capacity(rows.len()), Known::default());
            for (record, row) in rows {
                if !kept.known.has(&row)? && !among.has(&row)? {
                    among.note(&row);
                    fresh.push((record, row));
                }
            }
            if self.0.capacity.saturating_sub(kept.records.len()) < fresh.len() {
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

impl Known {
    /// Whether a record is known; a conflict where another one has its place. One that was written without a place is
    /// the same in any.
    fn has(&self, row: &Row<'_>) -> Result<bool, SinkError> {
        let place = in_stream(row);
        let occupied = place.as_ref().and_then(|place| self.by_place.get(place)).is_some_and(|id| *id != row.id);
        match self.by_id.get(&row.id) {
            None if !occupied => Ok(false),
            Some(mark) if mark.digest == row.digest => {
                let moved = mark.place.is_some() && place.is_some() && mark.place != place;
                if moved || occupied { Err(SinkError::conflict(Taken)) } else { Ok(true) }
            }
            _ => Err(SinkError::conflict(Taken)),
        }
    }

    fn note(&mut self, row: &Row<'_>) {
        let place = in_stream(row);
        if let Some(place) = &place {
            self.by_place.insert(place.clone(), row.id);
        }
        self.by_id.insert(row.id, Mark { digest: row.digest, place });
    }
}

fn in_stream(row: &Row<'_>) -> Option<InStream> {
    row.position.as_ref().map(|(stream, seq)| (stream.to_string(), *seq))
}

impl Kept {
    fn add(&mut self, record: StoredRecord, row: &Row<'_>) {
        let at = self.records.len();
        self.known.note(row);
        self.by_time.insert(row.sort_key, at);
        if let Some(tenant) = &row.tenant {
            self.by_tenant.entry(tenant.to_string()).or_default().insert(row.sort_key, at);
        }
        self.records.push(record);
    }

    /// Whether a record is in a selection, as far as that does not depend on its place.
    fn is_selected(&self, record: &StoredRecord, selection: &Selection) -> bool {
        Row::of(record).is_some_and(|row| selection.holds(&row, record) && !self.has_ended(&row, selection.intents()))
    }

    /// Whether a record is an intent that counts as its call.
    fn has_ended(&self, row: &Row<'_>, intents: Intents) -> bool {
        intents != Intents::Hidden && row.call.is_some_and(|call| self.known.by_id.contains_key(&call))
    }

    /// What of the indexes a selection has to be looked for in: a tenant's records where there is one, all otherwise.
    fn candidates<'a>(&'a self, selection: &Selection) -> impl Iterator<Item = &'a StoredRecord> {
        let tenants = selection.conditions().iter().find_map(|condition| match condition {
            Condition::Tenant(any) => Some(any),
            _ => None,
        });
        let within = match tenants.map(AnyOf::texts) {
            Some([tenant]) => self.by_tenant.get(tenant),
            _ => Some(&self.by_time),
        };
        let bounds = match (selection.after(), selection.order()) {
            (None, _) => (Bound::Unbounded, Bound::Unbounded),
            (Some(key), Order::NewestFirst) => (Bound::Unbounded, Bound::Excluded(key)),
            (Some(key), Order::OldestFirst) => (Bound::Excluded(key), Bound::Unbounded),
        };
        let mut found = within.map(|within| within.range(bounds));
        let newest_first = selection.order() == Order::NewestFirst;
        std::iter::from_fn(move || {
            let found = found.as_mut()?;
            if newest_first { found.next_back() } else { found.next() }
        })
        .map(|(_, at)| &self.records[*at])
    }
}

#[async_trait]
impl AuditStore for MemoryStore {
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        let kept = self.read();
        let found = kept.candidates(selection).filter(|record| kept.is_selected(record, selection));
        Ok(found.skip(selection.offset()).take(selection.limit()).cloned().collect())
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        let kept = self.read();
        Ok(kept.records.iter().filter(|record| kept.is_selected(record, selection)).count() as u64)
    }

    async fn arrived(&self, selection: &Selection, after: &Position) -> Result<Arrived, StoreError> {
        let kept = self.read();
        let start = place(after)?;
        if start > kept.records.len() {
            return Err(InvalidCursor.into());
        }
        let (mut records, mut next) = (Vec::new(), start);
        for record in &kept.records[start..] {
            if records.len() >= selection.limit() {
                break;
            }
            next += 1;
            if selection.matches(record) {
                records.push((record.clone(), position(next)));
            }
        }
        Ok(Arrived::new(records, position(next), next < kept.records.len()))
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

/// Another record has the id, or the place in the stream.
#[derive(Debug, Error)]
#[error("the store has another record of that id, or in that place of the stream")]
struct Taken;
