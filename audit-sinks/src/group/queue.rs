//! What callers have handed over and the writer has not answered for. Nothing is formatted, written or woken under
//! its lock.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Instant;

use audit_core::__private::Ticket;
use audit_core::SinkError;

use crate::sync::{AtomicUsize, Condvar, Mutex, MutexGuard, PoisonError};

/// What a record takes in memory besides its text: its index, its ticket, its place here.
pub(crate) const RECORD_OVERHEAD: usize = 1024;

/// What is handed over and answered for as one.
pub(crate) trait Lot {
    /// How much room it takes; nothing where it is no record.
    fn bytes(&self) -> usize;
}

pub(crate) struct Queue<L> {
    most_bytes: usize,
    state: Mutex<State<L>>,
    changed: Condvar,
    /// How many lots wait, to be looked at without the lock.
    waiting: AtomicUsize,
}

struct State<L> {
    /// In their order. The writer mostly takes all of them, by taking the whole list.
    waiting: Vec<Entry<L>>,
    waiting_bytes: usize,
    /// What came when there was no room, in its order. Its callers wait as those of the others do, up to their deadline.
    outside: VecDeque<(Number, Entry<L>)>,
    next_number: u64,
    /// Of what is waiting, and of what the writer has and has not answered for.
    bytes: usize,
    /// Whether the writer waits: waking nobody is a system call, too.
    idle: bool,
    /// How many lots it waits for.
    wanted: usize,
    /// Whether it is to look for what is elsewhere.
    called: bool,
    end: End,
}

/// Whether it takes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    /// No more, and what is waiting is still written.
    Closing,
    /// Nobody writes, and it is not closed yet.
    Dead,
}

/// Which of those that came when there was no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(u64);

/// Records that are answered for together.
pub(crate) struct Entry<L> {
    pub(crate) lot: L,
    pub(crate) ticket: Ticket,
    bytes: usize,
}

/// What the writer does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Write,
    /// Nothing came until the moment it asked for, or it was called.
    Idle,
    /// The queue is closed, and nothing is left.
    End,
}

impl<L: Lot> Queue<L> {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, state: Mutex::default(), changed: Condvar::new(), waiting: AtomicUsize::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, State<L>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over a lot, all of it or nothing. Where there is no room, it stays outside until there is, in its turn, and
    /// is given a number.
    pub(crate) fn push(&self, lot: L, ticket: Ticket) -> Option<Number> {
        Self::or_closed(self.try_push(lot, ticket))
    }

    /// Answers whoever was not taken.
    pub(crate) fn or_closed(pushed: Result<Option<Number>, Ticket>) -> Option<Number> {
        pushed.unwrap_or_else(|ticket| {
            ticket.settle(Err(SinkError::Closed));
            None
        })
    }

    /// As [`Self::push`], and gives the ticket back where nothing is taken any more: whom it wakes is foreign code.
    pub(crate) fn try_push(&self, lot: L, ticket: Ticket) -> Result<Option<Number>, Ticket> {
        let entry = Entry { bytes: lot.bytes(), lot, ticket };
        let mut state = self.lock();
        if state.end != End::Open {
            return Err(entry.ticket);
        }
        if state.outside.is_empty() && state.has_room(entry.bytes, self.most_bytes) {
            state.admit(entry);
            self.wake(state);
            return Ok(None);
        }
        let number = Number(state.next_number);
        state.next_number += 1;
        state.outside.push_back((number, entry));
        Ok(Some(number))
    }

    /// Whether anybody waits, with room or without.
    pub(crate) fn has_waiting(&self) -> bool {
        let state = self.lock();
        !state.waiting.is_empty() || !state.outside.is_empty()
    }

    /// Wakes the writer, should it wait for what has come.
    fn wake(&self, mut state: MutexGuard<'_, State<L>>) {
        self.waiting.store(state.waiting.len(), Ordering::Relaxed);
        let wakes = state.idle && state.waiting.len() >= state.wanted.max(1);
        if wakes {
            state.idle = false;
        }
        drop(state);
        if wakes {
            self.changed.notify_one();
        }
    }

    /// Calls the writer, for whom there is something elsewhere: once more where it does not wait just now.
    pub(crate) fn call(&self) {
        let mut state = self.lock();
        state.called = true;
        let wakes = std::mem::take(&mut state.idle);
        drop(state);
        if wakes {
            self.changed.notify_one();
        }
    }

    /// Takes back what is still outside: nobody waits for it any more.
    pub(crate) fn withdraw(&self, number: Number) {
        let mut state = self.lock();
        let found = state.outside.binary_search_by_key(&number, |(number, _)| *number).ok();
        let withdrawn = found.and_then(|at| state.outside.remove(at));
        // It may have stood in the way of others.
        state.let_in(self.most_bytes);
        self.wake(state);
        drop(withdrawn);
    }

    /// How many lots wait, or did a moment ago.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits for entries and moves them into `batch`, in their order: as many as have `most_bytes` together, and at
    /// least one.
    pub(crate) fn take(&self, batch: &mut Vec<Entry<L>>, most_bytes: usize, until: Option<Instant>) -> Turn {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.end == End::Closing {
                return Turn::End;
            }
            if std::mem::take(&mut state.called) {
                return Turn::Idle;
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            state.idle = left.is_none_or(|left| !left.is_zero());
            state = match left {
                Some(left) if left.is_zero() => return Turn::Idle,
                Some(left) => self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        state.idle = false;
        state.take(batch, most_bytes, false);
        self.waiting.store(state.waiting.len(), Ordering::Relaxed);
        Turn::Write
    }

    /// Waits until so many lots have come, or the moment has, and moves them into `batch`, up to as much as it may have.
    pub(crate) fn take_more(
        &self,
        batch: &mut Vec<Entry<L>>,
        most_bytes: usize,
        wanted: usize,
        until: Instant,
    ) -> bool {
        let taken = batch.iter().map(|entry| entry.bytes).sum();
        let before = batch.len();
        let mut state = self.lock();
        while state.waiting.len() < wanted && state.end != End::Closing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (state.idle, state.wanted) = (true, wanted);
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        (state.idle, state.wanted) = (false, 0);
        state.take(batch, most_bytes.saturating_sub(taken), taken > 0);
        self.waiting.store(state.waiting.len(), Ordering::Relaxed);
        drop(state);
        batch.len() > before
    }

    /// Makes the room free again that a batch took, and lets in who is outside; says how many wait now.
    pub(crate) fn release(&self, batch: &[Entry<L>]) -> usize {
        let bytes: usize = batch.iter().map(|entry| entry.bytes).sum();
        let mut state = self.lock();
        state.bytes -= bytes;
        state.let_in(self.most_bytes);
        self.waiting.store(state.waiting.len(), Ordering::Relaxed);
        state.waiting.len()
    }

    /// Takes nothing any more; gives who was waiting.
    pub(crate) fn kill(&self) -> Vec<Ticket> {
        let mut state = self.lock();
        if state.end == End::Open {
            state.end = End::Dead;
        }
        state.waiting_bytes = 0;
        let State { waiting, outside, .. } = &mut *state;
        let outside = outside.drain(..).map(|(_, entry)| entry);
        waiting.drain(..).chain(outside).map(|entry| entry.ticket).collect()
    }

    /// Takes nothing any more; what is waiting is still written.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.end = End::Closing;
        while let Some((_, entry)) = state.outside.pop_front() {
            state.admit(entry);
        }
        drop(state);
        self.changed.notify_all();
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn is_closing(&self) -> bool {
        self.lock().end == End::Closing
    }
}

impl<L> Default for State<L> {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            waiting_bytes: 0,
            outside: VecDeque::new(),
            next_number: 0,
            bytes: 0,
            idle: false,
            wanted: 0,
            called: false,
            end: End::Open,
        }
    }
}

impl<L> State<L> {
    /// A lot that finds nothing else on its way is never too large.
    fn has_room(&self, bytes: usize, most: usize) -> bool {
        bytes == 0 || self.bytes == 0 || self.bytes.saturating_add(bytes) <= most
    }

    fn let_in(&mut self, most: usize) {
        while self.outside.front().is_some_and(|(_, entry)| self.has_room(entry.bytes, most))
            && let Some((_, entry)) = self.outside.pop_front()
        {
            self.admit(entry);
        }
    }

    fn admit(&mut self, entry: Entry<L>) {
        self.bytes += entry.bytes;
        self.waiting_bytes += entry.bytes;
        self.waiting.push(entry);
    }

    /// Without `exact`, one lot is never too large.
    fn take(&mut self, batch: &mut Vec<Entry<L>>, most_bytes: usize, exact: bool) {
        if self.waiting_bytes <= most_bytes {
            self.waiting_bytes = 0;
            if batch.is_empty() {
                std::mem::swap(batch, &mut self.waiting);
            } else {
                batch.append(&mut self.waiting);
            }
            return;
        }
        let (mut count, mut bytes) = (0, 0);
        for entry in &self.waiting {
            if (count > 0 || exact) && bytes + entry.bytes > most_bytes {
                break;
            }
            (count, bytes) = (count + 1, bytes + entry.bytes);
        }
        self.waiting_bytes -= bytes;
        batch.extend(self.waiting.drain(..count));
    }
}
