//! The thread that gives up on answers past their deadline, asks again about gaps, and ends the windows of flood
//! control.

use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::core::Core;
use crate::ticket::Slip;

/// How often a sink that lost records is asked whether it takes the gap record.
const GAP_RETRY: Duration = Duration::from_millis(500);

/// How many deadlines are kept before they are swept of those that no longer matter.
const SWEEP_AT: usize = 1024;

#[derive(Default)]
pub(super) struct Watch {
    core: OnceLock<Weak<Core>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    started: bool,
    closed: bool,
    /// When to ask next about a gap.
    gap_at: Option<Instant>,
    /// When the window of the flood control ends.
    flood_at: Option<Instant>,
    due: BinaryHeap<Due>,
    sweep_at: usize,
}

/// Ordered so that the earliest deadline is the greatest.
struct Due {
    deadline: Instant,
    slip: Weak<Slip>,
}

impl Watch {
    /// Sets whose gaps it asks about. Until then it asks about none.
    pub(super) fn serve(&self, core: &Arc<Core>) {
        let _ = self.core.set(Arc::downgrade(core));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that the slip expires at its deadline.
    pub(super) fn at(self: &Arc<Self>, deadline: Instant, slip: &Arc<Slip>) {
        let mut state = self.lock();
        state.sweep();
        let earliest = state.due.peek().is_none_or(|due| deadline < due.deadline);
        state.due.push(Due { deadline, slip: Arc::downgrade(slip) });
        if earliest || !state.started {
            self.wake(state);
        }
    }

    /// Sees to it that a gap is written before long.
    pub(super) fn gap_due(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.gap_at.is_none() {
            state.gap_at = Some(Instant::now() + GAP_RETRY);
            self.wake(state);
        }
    }

    /// Sees to it that what flood control has counted is written then.
    pub(super) fn flood_due(self: &Arc<Self>, at: Instant) {
        let mut state = self.lock();
        state.flood_at = Some(state.flood_at.map_or(at, |earlier| earlier.min(at)));
        self.wake(state);
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn wake(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if !state.started && !state.closed {
            let watch = self.clone();
            // Where no thread can be had now, the next one who asks tries again.
            state.started = thread::Builder::new().name("audited-watch".into()).spawn(move || watch.run()).is_ok();
        }
        drop(state);
        self.changed.notify_all();
    }

    fn run(&self) {
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            let expired = state.take_due(now);
            let gap = state.gap_at.take_if(|at| *at <= now).is_some();
            let flood = state.flood_at.take_if(|at| *at <= now).is_some();
            if !expired.is_empty() || gap || flood {
                drop(state);
                expired.iter().filter_map(Weak::upgrade).for_each(|slip| slip.expire());
                if (gap || flood)
                    && let Some(core) = self.core.get().and_then(Weak::upgrade)
                {
                    if gap {
                        core.write_gap();
                    }
                    if flood {
                        core.write_floods();
                    }
                }
                state = self.lock();
                continue;
            }
            state = match state.next().map(|at| at.saturating_duration_since(now)) {
                Some(nap) => self.changed.wait_timeout(state, nap).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl State {
    fn take_due(&mut self, now: Instant) -> Vec<Weak<Slip>> {
        let mut due = Vec::new();
        while self.due.peek().is_some_and(|first| first.deadline <= now || first.is_over()) {
            due.extend(self.due.pop().map(|first| first.slip));
        }
        due
    }

    /// The next moment at which there is something to do.
    fn next(&self) -> Option<Instant> {
        self.due.peek().map(|due| due.deadline).into_iter().chain(self.gap_at).chain(self.flood_at).min()
    }

    /// Forgets deadlines of what is over: usually the earliest, once in a while all.
    fn sweep(&mut self) {
        while self.due.peek().is_some_and(Due::is_over) {
            self.due.pop();
        }
        if self.due.len() >= self.sweep_at.max(SWEEP_AT) {
            self.due.retain(|due| !due.is_over());
            self.sweep_at = self.due.len() * 2;
        }
    }
}

impl Due {
    /// Looks at the slip under the lock of the watch, which is why a slip does nothing when it is dropped.
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
