//! What callers have handed over and the writer has not answered for. Nothing is formatted, written or woken under
//! its lock.

use std::mem;
use std::slice;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use audit_core::__private::Ticket;
use audit_core::{Record, SinkError};

/// What a record takes in memory besides its text: its index, its ticket, its place here.
const RECORD_OVERHEAD: usize = 1024;

pub(super) struct Queue {
    most_bytes: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Entry>,
    /// Of what is waiting, and of what the writer has and has not answered for.
    bytes: usize,
    closing: bool,
    poisoned: bool,
}

/// Records that are answered for together.
pub(super) struct Entry {
    pub(super) lot: Lot,
    pub(super) ticket: Ticket,
}

pub(super) enum Lot {
    One(Record),
    /// None of them: a flush, answered for once everything before it is.
    Many(Vec<Record>),
}

impl Lot {
    pub(super) fn records(&self) -> &[Record] {
        match self {
            Self::One(record) => slice::from_ref(record),
            Self::Many(records) => records,
        }
    }

    fn bytes(&self) -> usize {
        self.records().iter().map(|record| record.json().len() + RECORD_OVERHEAD).sum()
    }
}

impl Queue {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over a lot, all of it or nothing. A lot that finds nothing else on its way is never too large.
    pub(super) fn push(&self, lot: Lot, ticket: Ticket) {
        let bytes = lot.bytes();
        let refusal = {
            let mut state = self.lock();
            if state.poisoned {
                SinkError::Poisoned
            } else if state.closing {
                SinkError::Closed
            } else if bytes > 0 && state.bytes > 0 && state.bytes.saturating_add(bytes) > self.most_bytes {
                SinkError::Full
            } else {
                state.bytes += bytes;
                state.waiting.push(Entry { lot, ticket });
                drop(state);
                self.changed.notify_all();
                return;
            }
        };
        ticket.settle(Err(refusal));
    }

    /// Waits for entries and moves all of them into `batch`, which must be empty. False when the queue is closed and
    /// nothing is left.
    pub(super) fn take(&self, batch: &mut Vec<Entry>) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closing {
                return false;
            }
            state = self.wait(state);
        }
        mem::swap(&mut state.waiting, batch);
        true
    }

    /// Makes the room free again that a batch took.
    pub(super) fn release(&self, batch: &[Entry]) {
        let bytes: usize = batch.iter().map(|entry| entry.lot.bytes()).sum();
        self.lock().bytes -= bytes;
    }

    /// Takes nothing any more; gives what was waiting.
    pub(super) fn poison(&self) -> Vec<Entry> {
        let mut state = self.lock();
        state.poisoned = true;
        state.bytes = 0;
        mem::take(&mut state.waiting)
    }

    /// Takes nothing any more; what is waiting is still written.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    pub(super) fn wait_until_closed(&self) {
        let mut state = self.lock();
        while !state.closing {
            state = self.wait(state);
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    #[cfg(test)]
    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing
    }
}
