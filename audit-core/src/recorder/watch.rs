//! The thread that gives up on answers past their deadline, and asks again about gaps.

use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::core::Core;
use crate::ticket::Slip;

/// How often a sink that lost records is asked whether it takes the gap record.
const GAP_RETRY: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(super) struct Watch {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    started: bool,
    closed: bool,
    gap_due: bool,
    due: BinaryHeap<Due>,
}

/// Ordered so that the earliest deadline is the greatest.
struct Due {
    deadline: Instant,
    slip: Weak<Slip>,
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn at(self: &Arc<Self>, core: &Arc<Core>, deadline: Instant, slip: &Arc<Slip>) {
        let mut state = self.lock();
        while state.due.peek().is_some_and(Due::is_over) {
            state.due.pop();
        }
        state.due.push(Due { deadline, slip: Arc::downgrade(slip) });
        self.wake(state, core);
    }

    pub(super) fn gap_due(self: &Arc<Self>, core: &Arc<Core>) {
        let mut state = self.lock();
        state.gap_due = true;
        self.wake(state, core);
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn wake(self: &Arc<Self>, mut state: MutexGuard<'_, State>, core: &Arc<Core>) {
        if !std::mem::replace(&mut state.started, true) {
            let (watch, core) = (self.clone(), Arc::downgrade(core));
            let spawned = thread::Builder::new().name("audited-watch".into()).spawn(move || watch.run(&core));
            state.started = spawned.is_ok();
        }
        drop(state);
        self.changed.notify_all();
    }

    fn run(&self, core: &Weak<Core>) {
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            let mut expired = Vec::new();
            while state.due.peek().is_some_and(|due| due.deadline <= now || due.is_over()) {
                expired.extend(state.due.pop());
            }
            if !expired.is_empty() {
                drop(state);
                expired.iter().filter_map(|due| due.slip.upgrade()).for_each(|slip| slip.expire());
                state = self.lock();
                continue;
            }
            let next = state.due.peek().map(|due| due.deadline.saturating_duration_since(now));
            if !state.gap_due {
                state = match next {
                    Some(next) => self.changed.wait_timeout(state, next).unwrap_or_else(PoisonError::into_inner).0,
                    None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                };
                continue;
            }
            let nap = next.map_or(GAP_RETRY, |next| next.min(GAP_RETRY));
            state = self.changed.wait_timeout(state, nap).unwrap_or_else(PoisonError::into_inner).0;
            if state.closed {
                return;
            }
            state.gap_due = false;
            drop(state);
            let Some(core) = core.upgrade() else { return };
            core.write_gap();
            drop(core);
            state = self.lock();
        }
    }
}

impl Due {
    fn is_over(&self) -> bool {
        self.slip.upgrade().is_none_or(|slip| !slip.is_waiting())
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.deadline == other.deadline
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.deadline.cmp(&self.deadline)
    }
}
