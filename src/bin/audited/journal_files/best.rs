//! The records of a page, out of all lines of a journal.

use std::collections::{BTreeMap, HashMap};

use audited::__private::head_id;
use audited::{Intents, Order, RecordId, Selection, Sieve, SortKey, Stage, StoredRecord, Timestamp};

/// What is kept of a selection: as many records as it wants, of those that come first in its order.
pub(super) struct Best<'a> {
    selection: &'a Selection,
    sieve: Sieve,
    wanted: usize,
    kept: BTreeMap<SortKey, StoredRecord>,
    /// Intents whose call has not ended so far, by the call.
    open: HashMap<RecordId, StoredRecord>,
    /// Those of files of which what follows was read before.
    left: HashMap<RecordId, StoredRecord>,
}

impl<'a> Best<'a> {
    pub(super) fn of(selection: &'a Selection) -> Self {
        let wanted = selection.limit().saturating_add(selection.offset());
        let mut sieve = selection.sieve();
        if let Some(after) = selection.after() {
            match selection.order() {
                Order::NewestFirst => sieve.not_after(after.micros),
                Order::OldestFirst => sieve.not_before(after.micros),
            }
        }
        Self { selection, sieve, wanted, kept: BTreeMap::new(), open: HashMap::new(), left: HashMap::new() }
    }

    /// Whether there are as many as are wanted.
    pub(super) fn is_enough(&self) -> bool {
        self.kept.len() >= self.wanted
    }

    /// Whether it must [`see`](Self::see) the record of a line.
    pub(super) fn wants(&self, line: &[u8]) -> bool {
        let may_end = || !self.open.is_empty() && head_id(line).is_none_or(|id| self.open.contains_key(&id));
        self.sieve.may_match(line) || may_end()
    }

    /// Whether something that happened at two moments or between them may be among them.
    pub(super) fn may_hold(&self, oldest: Timestamp, newest: Timestamp) -> bool {
        self.sieve.may_hold(oldest, newest)
    }

    /// Goes to a file that stands before what was seen: what ends the calls that are open in this one was seen already, or
    /// is in a file that was left out.
    pub(super) fn go_back(&mut self) {
        for (call, intent) in self.open.drain() {
            // Of two, the one that stands behind counts, and was seen before.
            self.left.entry(call).or_insert(intent);
        }
    }

    /// Forgets the intents of this file.
    pub(super) fn forget_open(&mut self) {
        self.open.clear();
    }

    /// The position of the first intent of which it is not known whether its call has ended, of those that could be among
    /// them.
    pub(super) fn first_left(&mut self) -> Option<u64> {
        let (selection, sieve) = (self.selection, &self.sieve);
        self.left.retain(|_, intent| {
            sieve.may_match(intent.json().as_bytes()) && SortKey::of(intent).is_some_and(|key| selection.is_behind(key))
        });
        self.left.values().filter_map(|intent| intent.seq()).min()
    }

    /// Whether it must be told of the record of a line: it may end a call that was left open.
    pub(super) fn may_end(&self, line: &[u8]) -> bool {
        head_id(line).is_none_or(|id| self.left.contains_key(&id))
    }

    /// Is told of a record behind [`first_left`](Self::first_left); says whether more must be told.
    pub(super) fn end(&mut self, record: &StoredRecord) -> bool {
        if record.stage() != Some(Stage::Intent)
            && let Some(id) = record.id()
        {
            self.left.remove(&id);
        }
        !self.left.is_empty()
    }

    pub(super) fn see(&mut self, record: StoredRecord) {
        let Some(key) = SortKey::of(&record) else { return };
        if record.stage() == Some(Stage::Intent) {
            if self.selection.intents() != Intents::Hidden && self.selection.matches(&record) {
                self.open.insert(record.call().unwrap_or(key.id), record);
            }
            return;
        }
        self.open.remove(&key.id);
        if self.selection.is_behind(key) && self.selection.matches(&record) {
            self.keep(key, record);
        }
    }

    fn keep(&mut self, key: SortKey, record: StoredRecord) {
        self.kept.insert(key, record);
        if self.kept.len() > self.wanted {
            match self.selection.order() {
                Order::NewestFirst => self.kept.pop_first(),
                Order::OldestFirst => self.kept.pop_last(),
            };
        }
        if self.is_enough() {
            // What comes behind all of these is looked for no longer.
            match self.selection.order() {
                Order::NewestFirst => self.kept.first_key_value().map(|(key, _)| self.sieve.not_before(key.micros)),
                Order::OldestFirst => self.kept.last_key_value().map(|(key, _)| self.sieve.not_after(key.micros)),
            };
        }
    }

    pub(super) fn found(mut self) -> Vec<StoredRecord> {
        let (open, left) = (std::mem::take(&mut self.open), std::mem::take(&mut self.left));
        for (_, intent) in open.into_iter().chain(left) {
            if let Some(key) = SortKey::of(&intent)
                && self.selection.is_behind(key)
            {
                self.keep(key, intent);
            }
        }
        let offset = self.selection.offset();
        let kept = self.kept.into_values();
        match self.selection.order() {
            Order::NewestFirst => kept.rev().skip(offset).collect(),
            Order::OldestFirst => kept.skip(offset).collect(),
        }
    }
}
