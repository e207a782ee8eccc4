//! How many records may be on their way at once.
//!
//! An event waits for a slot, an audited call for the moment in which there is one: its own records then take theirs
//! beyond the limit, so that they never have to wait, not even when the future is dropped, and calls within calls never
//! wait for each other. A slot that becomes free goes to the one who has waited longest, never past the queue.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::sink::SinkError;
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::ticket::{Account, Receipt, Ticket};

/// How long the queue may grow before it is swept of those who have left.
const SWEEP_AT: usize = 64;

pub(super) struct Slots {
    most: usize,
    state: Mutex<State>,
    landed: Condvar,
}

struct State {
    /// Slots that are out, those beyond the limit included. While it is below the limit, nobody waits.
    taken: usize,
    /// Of those, the ones whose record the sink has.
    flying: usize,
    /// Whether somebody waits until those have landed: telling nobody is a system call, too.
    watched: bool,
    waiting: VecDeque<Ticket>,
    sweep_at: usize,
}

/// Room for one record; dropping it makes room for another.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    flying: bool,
}

impl Slots {
    pub(super) fn new(most: usize) -> Arc<Self> {
        let state = State { taken: 0, flying: 0, watched: false, waiting: VecDeque::new(), sweep_at: SWEEP_AT };
        Arc::new(Self { most, state: Mutex::new(state), landed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is a slot.
    pub(super) fn has_room(&self) -> bool {
        self.lock().taken < self.most
    }

    /// Takes a slot if there is one.
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Slot> {
        let mut state = self.lock();
        if state.taken >= self.most {
            return None;
        }
        state.taken += 1;
        Some(Slot::new(self))
    }

    /// Takes a slot, be there one or not.
    pub(super) fn take_beyond(self: &Arc<Self>) -> Slot {
        self.lock().taken += 1;
        Slot::new(self)
    }

    /// Queues for a slot. `account` sees to the deadline.
    pub(super) fn queue(self: &Arc<Self>, account: Arc<dyn Account>, deadline: Duration) -> Place {
        let (ticket, receipt) = Ticket::with_account(Some(account));
        let mut state = self.lock();
        let at_once = state.taken < self.most;
        let left = if at_once {
            state.taken += 1;
            drop(state);
            ticket.settle(Ok(()));
            VecDeque::new()
        } else {
            let left = state.sweep();
            state.waiting.push_back(ticket);
            drop(state);
            left
        };
        drop(left);
        Place { slots: self.clone(), receipt: receipt.within(deadline), called: false }
    }

    /// Hands a slot to the next in the queue who is still there.
    fn pass_on(&self, mut flew: bool) {
        loop {
            let (next, landed) = {
                let mut state = self.lock();
                // Once, whoever it is passed on to.
                state.flying -= usize::from(std::mem::take(&mut flew));
                let next = if state.taken > self.most { None } else { state.waiting.pop_front() };
                state.taken -= usize::from(next.is_none());
                let landed = state.flying == 0 && std::mem::take(&mut state.watched);
                (next, landed)
            };
            if landed {
                self.landed.notify_all();
            }
            if next.is_none_or(|next| next.settle_if_awaited(&Ok(()))) {
                return;
            }
        }
    }

    /// How many wait for a slot.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.iter().filter(|place| place.is_awaited()).count()
    }

    /// Waits until the sink has answered for every record that it has, or the deadline has passed; gives how many are
    /// left.
    pub(super) fn wait_until_landed(&self, until: Option<Instant>) -> usize {
        let mut state = self.lock();
        while state.flying > 0 {
            state.watched = true;
            let Some(until) = until else {
                state = self.landed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.landed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.flying
    }
}

impl State {
    /// Takes out those who have left, once in a while. They are dropped outside of the lock.
    fn sweep(&mut self) -> VecDeque<Ticket> {
        if self.waiting.len() < self.sweep_at {
            return VecDeque::new();
        }
        let (waiting, left) = std::mem::take(&mut self.waiting).into_iter().partition(Ticket::is_awaited);
        self.waiting = waiting;
        self.sweep_at = SWEEP_AT.max(self.waiting.len() * 2);
        left
    }
}

impl Slot {
    fn new(slots: &Arc<Slots>) -> Self {
        Self { slots: slots.clone(), flying: false }
    }

    /// Notes that the record is on its way.
    pub(super) fn fly(mut self) -> Self {
        self.slots.lock().flying += 1;
        self.flying = true;
        self
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.pass_on(self.flying);
    }
}

/// A place in the queue for a slot. Whoever is called has the slot, and passes it on should he be gone.
#[must_use = "a place does nothing until it is waited for"]
pub(crate) struct Place {
    slots: Arc<Slots>,
    receipt: Receipt,
    called: bool,
}

impl Place {
    /// Blocks until it is called, or its deadline has passed.
    pub(crate) fn wait(mut self) -> Option<Slot> {
        let answer = self.receipt.wait();
        self.take(&answer)
    }

    fn take(&mut self, answer: &Result<(), SinkError>) -> Option<Slot> {
        self.called = true;
        answer.is_ok().then(|| Slot::new(&self.slots))
    }
}

impl Future for Place {
    type Output = Option<Slot>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Slot>> {
        Pin::new(&mut self.receipt).poll(cx).map(|answer| self.take(&answer))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.called && matches!(self.receipt.give_up(), Some(Ok(()))) {
            drop(Slot::new(&self.slots));
        }
    }
}

#[cfg(test)]
mod tests;
