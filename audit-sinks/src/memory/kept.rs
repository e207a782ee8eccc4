//! What a store in memory holds, and its indexes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{self, Excluded, Included, Unbounded};

use audit_core::{AnyOf, Condition, Order, RecordId, Row, Selection, SinkError, SortKey, StoredRecord};
use thiserror::Error;
use uuid::Uuid;

/// The records in the order in which they arrived, and indexes into it.
#[derive(Default)]
pub(super) struct Kept {
    entries: Vec<Entry>,
    known: Known,
    by_time: BTreeMap<SortKey, usize>,
    by_tenant: HashMap<String, BTreeMap<SortKey, usize>>,
}

struct Entry {
    record: StoredRecord,
    key: SortKey,
    /// Of an intent, the id of the call's final record.
    call: Option<RecordId>,
}

/// By what a record is known that comes again.
#[derive(Default)]
pub(super) struct Known {
    by_id: HashMap<RecordId, Mark>,
    by_place: HashMap<Place, RecordId>,
}

/// A stream, and a position in it.
type Place = (String, u64);

struct Mark {
    digest: [u8; 32],
    place: Option<Place>,
    /// How many had arrived before.
    at: usize,
}

impl Kept {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether a record is there; a conflict where another one has its place.
    pub(super) fn has(&self, row: &Row<'_>) -> Result<bool, SinkError> {
        self.known.has(row)
    }

    pub(super) fn add(&mut self, record: StoredRecord, row: &Row<'_>) {
        let at = self.entries.len();
        self.known.note(row, at);
        self.by_time.insert(row.sort_key, at);
        if let Some(tenant) = &row.tenant {
            self.by_tenant.entry(tenant.to_string()).or_default().insert(row.sort_key, at);
        }
        self.entries.push(Entry { record, key: row.sort_key, call: row.call });
    }

    /// Those that have arrived from a place on.
    pub(super) fn arrived(&self, from: usize) -> impl Iterator<Item = &StoredRecord> {
        self.entries.iter().skip(from).map(|entry| &entry.record)
    }

    /// The record of an arrival, unless it is an intent that counts as its call: as it was when so many had arrived.
    pub(super) fn shown(&self, at: usize, seen: usize) -> Option<&StoredRecord> {
        let entry = &self.entries[at];
        let ended = entry.call.and_then(|call| self.known.by_id.get(&call)).is_some_and(|end| end.at < seen);
        (at < seen && !ended).then_some(&entry.record)
    }

    /// Some of what a selection may find, in its order, from behind a place on: one record where its id is asked for,
    /// else the tenant's where there is one, of the time that is asked for.
    pub(super) fn candidates(
        &self,
        selection: &Selection,
        after: Option<SortKey>,
        most: usize,
    ) -> Vec<(SortKey, usize)> {
        let newest_first = selection.order() == Order::NewestFirst;
        let (start, end) = bounds(selection.conditions(), newest_first, after);
        let is_empty = match (start, end) {
            (Included(start) | Excluded(start), Excluded(end)) => start >= end,
            _ => false,
        };
        let ids = selection.conditions().iter().find_map(|condition| match condition {
            Condition::Id(id) => Some(id),
            _ => None,
        });
        if is_empty {
            return Vec::new();
        }
        if let Some(id) = ids {
            let found = self.known.by_id.get(id).map(|mark| (self.entries[mark.at].key, mark.at));
            return found.filter(|(key, _)| is_behind(*key, newest_first, after)).into_iter().collect();
        }
        let tenants = selection.conditions().iter().find_map(|condition| match condition {
            Condition::Tenant(any) => Some(AnyOf::texts(any)),
            _ => None,
        });
        let index = match tenants {
            Some([tenant]) => self.by_tenant.get(tenant),
            _ => Some(&self.by_time),
        };
        let found = index.map(|index| index.range((start, end)).map(|(key, at)| (*key, *at)));
        let found = found.into_iter().flatten();
        if newest_first { found.rev().take(most).collect() } else { found.take(most).collect() }
    }
}

fn is_behind(key: SortKey, newest_first: bool, after: Option<SortKey>) -> bool {
    after.is_none_or(|after| if newest_first { key < after } else { key > after })
}

/// Where in an index the conditions and a place leave something.
fn bounds(conditions: &[Condition], newest_first: bool, after: Option<SortKey>) -> (Bound<SortKey>, Bound<SortKey>) {
    let first = |micros| SortKey { micros, id: RecordId::from(Uuid::nil()) };
    let (mut from, mut until) = (None, None);
    for condition in conditions {
        match condition {
            Condition::From(moment) => from = from.max(Some(first(moment.as_unix_micros()))),
            Condition::Until(moment) => {
                let end = first(moment.as_unix_micros());
                until = Some(until.map_or(end, |until: SortKey| until.min(end)));
            }
            _ => {}
        }
    }
    let (mut start, mut end) = (from.map_or(Unbounded, Included), until.map_or(Unbounded, Excluded));
    if let Some(after) = after {
        if newest_first {
            end = Excluded(until.map_or(after, |until| until.min(after)));
        } else if from.is_none_or(|from| from <= after) {
            start = Excluded(after);
        }
    }
    (start, end)
}

impl Known {
    /// Whether a record is known; a conflict where another one has its place. One that was written without a place is
    /// the same in any.
    pub(super) fn has(&self, row: &Row<'_>) -> Result<bool, SinkError> {
        let place = place(row);
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

    pub(super) fn note(&mut self, row: &Row<'_>, at: usize) {
        let place = place(row);
        if let Some(place) = &place {
            self.by_place.insert(place.clone(), row.id);
        }
        self.by_id.insert(row.id, Mark { digest: row.digest, place, at });
    }
}

fn place(row: &Row<'_>) -> Option<Place> {
    row.position.as_ref().map(|(stream, seq)| (stream.to_string(), *seq))
}

/// Another record has the id, or the place in the stream.
#[derive(Debug, Error)]
#[error("the store has another record of that id, or in that place of the stream")]
struct Taken;
