//! What a store is asked.

use sha2::{Digest, Sha256};

use super::scope::Scope;
use super::{Cursor, CursorKey, InvalidCursor, Sieve, StoreError};
use crate::id::RecordId;
use crate::query::{Condition, Intents, InvalidQuery, Order, Query, Row, SortKey};
use crate::record::Fields;
use crate::store::cursor::Mark;

/// What a store is asked: a query, within the scope of its reader.
///
/// Only a reader makes one, so that the scope is always among its [`conditions`](Self::conditions).
#[derive(Clone, Debug)]
pub struct Selection {
    conditions: Vec<Condition>,
    intents: Intents,
    order: Order,
    after: Option<SortKey>,
    offset: usize,
    limit: usize,
}

impl Selection {
    /// What must hold of a record, all of it.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Whether all [`conditions`](Self::conditions) hold of a record, and whether such an intent may be found at all.
    /// Whether its call has ended is for the store to say, and so is the place.
    pub fn matches(&self, record: &Fields) -> bool {
        self.intents.may_be(record.stage()) && self.conditions.iter().all(|condition| condition.holds(record))
    }

    /// As [`matches`](Self::matches), of a record that was read already.
    pub fn holds(&self, row: &Row<'_>, record: &Fields) -> bool {
        self.intents.may_be(row.stage) && self.conditions.iter().all(|condition| condition.holds(record))
    }

    /// What tells from the bytes of records that it does not find them, for a store that has no index.
    pub fn sieve(&self) -> Sieve {
        Sieve::of(&self.conditions, self.intents)
    }

    /// Which intents are found. Whether a call has its final record does not depend on the scope.
    pub fn intents(&self) -> Intents {
        self.intents
    }

    /// The order of what is found.
    pub fn order(&self) -> Order {
        self.order
    }

    /// The place in that order behind which is found.
    pub fn after(&self) -> Option<SortKey> {
        self.after
    }

    /// How many records are skipped from there.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// How many records are found at most. It may be one more than a page has.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Whether a place is behind [`after`](Self::after).
    pub fn is_behind(&self, key: SortKey) -> bool {
        self.after.is_none_or(|after| match self.order {
            Order::NewestFirst => key < after,
            Order::OldestFirst => key > after,
        })
    }

    /// Of a query within a scope; a cursor is not looked at yet.
    pub(super) fn new(scope: &Scope, query: &Query) -> Result<Self, StoreError> {
        query.check()?;
        Ok(Self {
            conditions: scope.condition()?.into_iter().chain(query.conditions()).collect(),
            intents: query.intents(),
            order: query.order(),
            after: None,
            offset: query.skipped(),
            limit: query.records(),
        })
    }

    /// Of what arrives: there is no order to choose, and whether a call will end is not known.
    pub(super) fn of_arrivals(scope: &Scope, query: &Query) -> Result<Self, StoreError> {
        let orphans = query.intents() == Intents::OrphansOnly;
        if orphans || query.order() != Order::default() || query.skipped() > 0 || query.cursor().is_some() {
            return Err(InvalidQuery::Stream.into());
        }
        Ok(Self { intents: Intents::Hidden, ..Self::new(scope, query)? })
    }

    /// Goes on behind a place: what is to be skipped lies before it.
    pub(super) fn behind(&mut self, key: SortKey) {
        self.after = Some(key);
        self.offset = 0;
    }

    /// Asks for one more, to know whether there is more.
    pub(super) fn look_ahead(&mut self) {
        self.limit += 1;
    }

    /// Leaves one record out.
    pub(super) fn hide(&mut self, id: Option<RecordId>) {
        self.conditions.extend(id.map(Condition::Not));
    }

    /// What a cursor is bound to: all that decides which records are found, and in which order.
    pub(super) fn fingerprint(&self) -> [u8; 16] {
        let asked = (&self.conditions, format!("{:?} {:?}", self.intents, self.order));
        let json = serde_json::to_vec(&asked).unwrap_or_else(|_| unreachable!("conditions are texts and numbers"));
        let digest = Sha256::new_with_prefix("audited/query/1").chain_update(json).finalize();
        std::array::from_fn(|at| digest[at])
    }

    /// What a cursor says, where it is one of this selection.
    pub(super) fn open(&self, key: &CursorKey, cursor: &Cursor) -> Result<Mark, InvalidCursor> {
        key.open(cursor).filter(|mark| mark.fingerprint == self.fingerprint()).ok_or(InvalidCursor)
    }
}
