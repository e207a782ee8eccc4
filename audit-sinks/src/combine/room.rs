//! How much may be on its way to a sink.

use std::sync::{Mutex, MutexGuard, PoisonError};

use audit_core::Record;

use crate::group::queue::RECORD_OVERHEAD;

/// So many records, and so many bytes of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Room {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

impl Room {
    /// What a batch takes.
    pub(super) fn of(batch: &[Record]) -> Self {
        let bytes = batch.iter().map(|record| record.json().len() + RECORD_OVERHEAD).sum();
        Self { records: batch.len(), bytes }
    }

    /// Whether that much more is not too much. A batch that finds nothing else on its way never is.
    pub(super) const fn has(self, on_its_way: Self, more: Self) -> bool {
        more.records == 0
            || on_its_way.records == 0
            || on_its_way.records + more.records <= self.records && on_its_way.bytes + more.bytes <= self.bytes
    }
}

impl std::ops::Add for Room {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { records: self.records + other.records, bytes: self.bytes + other.bytes }
    }
}

impl std::ops::Sub for Room {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { records: self.records - other.records, bytes: self.bytes - other.bytes }
    }
}

/// What a sink has and has not answered for, whoever still waits for it.
pub(super) struct Held {
    most: Room,
    now: Mutex<Room>,
}

impl Held {
    pub(super) fn new(most: Room) -> Self {
        Self { most, now: Mutex::default() }
    }

    /// Takes room for a batch; says whether there was any.
    pub(super) fn take(&self, load: Room) -> bool {
        let mut now = self.lock();
        let has_room = self.most.has(*now, load);
        if has_room {
            *now = *now + load;
        }
        has_room
    }

    /// Gives back what was taken for a batch.
    pub(super) fn give_back(&self, load: Room) {
        let mut now = self.lock();
        *now = *now - load;
    }

    fn lock(&self) -> MutexGuard<'_, Room> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
