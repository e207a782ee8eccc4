//! The records of a page, out of all lines of a journal.

use std::collections::{BTreeMap, HashMap};

use audited::{Intents, Order, RecordId, Row, Selection, SortKey, Stage, StoredRecord};

/// What is kept of a selection: as many records as it wants, of those that come first in its order.
pub(super) struct Best<'a> {
    selection: &'a Selection,
    wanted: usize,
    kept: BTreeMap<SortKey, StoredRecord>,
    /// Intents whose call has not ended so far, by the call.
    open: HashMap<RecordId, StoredRecord>,
}

impl<'a> Best<'a> {
    pub(super) fn of(selection: &'a Selection) -> Self {
        let wanted = selection.limit().saturating_add(selection.offset());
        Self { selection, wanted, kept: BTreeMap::new(), open: HashMap::new() }
    }

    /// Whether there are as many as are wanted.
    pub(super) fn is_enough(&self) -> bool {
        self.kept.len() >= self.wanted
    }

    pub(super) fn see(&mut self, record: StoredRecord) {
        let Some(row) = Row::of(&record) else { return };
        if row.stage == Some(Stage::Intent) {
            if self.selection.intents() != Intents::Hidden && self.selection.holds(&row, &record) {
                let call = row.call.unwrap_or(row.id);
                drop(row);
                self.open.insert(call, record);
            }
            return;
        }
        self.open.remove(&row.id);
        let key = row.sort_key;
        let holds = self.selection.is_behind(key) && self.selection.holds(&row, &record);
        drop(row);
        if holds {
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
    }

    pub(super) fn found(mut self) -> Vec<StoredRecord> {
        for (_, intent) in std::mem::take(&mut self.open) {
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
