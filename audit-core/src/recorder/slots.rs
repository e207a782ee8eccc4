//! How many records may be on their way at once.
//!
//! A call reserves its slot when it begins, so that its final record never has to wait for room, not even when its
//! future is dropped.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::sink::SinkError;
use crate::ticket::{Account, Receipt, Ticket};

pub(super) struct Slots {
    most: usize,
    state: Mutex<State>,
    emptied: Condvar,
}

#[derive(Default)]
struct State {
    taken: usize,
    waiting: VecDeque<Ticket>,
}

/// Room for one record; dropping it makes room for another.
pub(crate) struct Slot(Arc<Slots>);

impl Slots {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default(), emptied: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot if there is one.
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Slot> {
        let mut state = self.lock();
        if state.taken >= self.most {
            return None;
        }
        state.taken += 1;
        Some(Slot(self.clone()))
    }

    /// Queues for a slot. `account` sees to the deadline.
    pub(super) fn queue(self: &Arc<Self>, account: Box<dyn Account>, deadline: Duration) -> Place {
        let (ticket, receipt) = Ticket::with_account(Some(account));
        let mut state = self.lock();
        if state.taken < self.most {
            drop(state);
            ticket.settle(Ok(()));
        } else {
            state.waiting.push_back(ticket);
        }
        Place { slots: self.clone(), receipt: receipt.within(deadline), called: false }
    }

    /// Calls the next one in the queue who is still there.
    fn call_next(&self) {
        let next = || self.lock().waiting.pop_front();
        while let Some(ticket) = next() {
            if ticket.settle_if_awaited(Ok(())) {
                return;
            }
        }
    }

    /// Waits until no record is on its way, or the deadline has passed; gives how many still are.
    pub(super) fn wait_until_empty(&self, within: Duration) -> usize {
        let deadline = Instant::now() + within;
        let mut state = self.lock();
        while state.taken > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.emptied.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.taken
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        {
            let mut state = self.0.lock();
            state.taken -= 1;
            if state.taken == 0 {
                self.0.emptied.notify_all();
            }
        }
        self.0.call_next();
    }
}

/// A place in the queue for a slot. When it is called it is worth trying; whoever leaves calls the next one.
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
        answer.as_ref().ok().and_then(|()| self.slots.try_take())
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
            self.slots.call_next();
        }
    }
}
