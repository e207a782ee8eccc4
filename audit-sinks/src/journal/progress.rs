//! How far a journal is acknowledged, for those who follow it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::chain::ChainHash;
use super::position::Position;
use super::segment::Index;

/// The last line of a journal that has its durability.
///
/// Kept where nobody who can write the journal can write, it is an anchor: a journal that was cut shorter, or written
/// anew from its beginning, does not lead to it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalHead {
    /// The journal's stream.
    pub stream: Uuid,
    /// The position of the line.
    pub seq: u64,
    /// Its hash.
    pub hash: ChainHash,
}

impl JournalHead {
    /// An anchor that was kept elsewhere.
    pub const fn new(stream: Uuid, seq: u64, hash: ChainHash) -> Self {
        Self { stream, seq, hash }
    }
}

pub(crate) struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    position: Position,
    /// The file that the last line stands in.
    index: Index,
    closed: bool,
}

impl Progress {
    pub(super) fn new(position: Position) -> Self {
        Self { state: Mutex::new(State { position, index: Index(0), closed: false }), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn advance(&self, position: Position, index: Index) {
        let mut state = self.lock();
        (state.position, state.index) = (position, index);
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn head(&self) -> JournalHead {
        self.lock().position.into()
    }

    /// The position of the last line, and the file that it stands in.
    pub(super) fn last(&self) -> (u64, Index) {
        let state = self.lock();
        (state.position.next_seq - 1, state.index)
    }

    /// Whether the line at `seq` is there.
    pub(super) fn has(&self, seq: u64) -> bool {
        self.lock().position.next_seq > seq
    }

    /// Waits until the line at `seq` is there, the journal is closed, or the time is over; gives the last line.
    pub(super) fn wait(&self, seq: u64, within: Duration) -> (JournalHead, bool) {
        let state = self.lock();
        let waits = |state: &mut State| !state.closed && state.position.next_seq <= seq;
        let (state, _) = self.changed.wait_timeout_while(state, within, waits).unwrap_or_else(PoisonError::into_inner);
        (state.position.into(), state.closed)
    }

    /// Waits until the line at `seq` is there, the waiter is called, or the time is over.
    pub(crate) fn wait_unless_called(&self, seq: u64, within: Duration, called: &AtomicBool) {
        let waits = |state: &mut State| state.position.next_seq <= seq && !called.load(Ordering::Acquire);
        let waited = self.changed.wait_timeout_while(self.lock(), within, waits);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Calls a waiter.
    pub(crate) fn call(&self, called: &AtomicBool) {
        {
            // Under the lock, or a waiter that has just looked would sleep on.
            let _state = self.lock();
            called.store(true, Ordering::Release);
        }
        self.changed.notify_all();
    }
}

impl From<Position> for JournalHead {
    fn from(position: Position) -> Self {
        Self { stream: position.stream, seq: position.next_seq - 1, hash: position.prev }
    }
}
