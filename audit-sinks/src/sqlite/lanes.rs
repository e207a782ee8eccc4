//! What is to be read, and what is next.
//!
//! How long a query takes is known once it has taken long: each begins as a short one. One that turns out to be long
//! goes on where fewer of them do than may, and gives way otherwise: it is begun anew when one of those has ended. There
//! is one thread more than there may be long ones, and so a short one never waits for a long one to end.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::pace::Pace;
use super::readers::Reading;

/// As what something is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Short,
    Long,
}

/// What reads.
type Read = dyn FnMut(&mut Reading, &Pace) -> End + Send;

/// Something to be read.
pub(super) struct Job {
    pub(super) read: Box<Read>,
    /// How long it may take.
    pub(super) limit: Duration,
}

/// How a reading has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Answered,
    /// It gave way, and is read again.
    PutOff,
}

/// What waits for a thread.
pub(super) struct Lanes {
    state: Mutex<State>,
    changed: Condvar,
    /// How many long ones there may be at a time.
    most_long: usize,
}

#[derive(Default)]
struct State {
    short: VecDeque<Job>,
    long: VecDeque<Job>,
    /// How many long ones are being read.
    reading_long: usize,
    closed: bool,
}

impl Lanes {
    pub(super) fn new(most_long: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), most_long: most_long.max(1) }
    }

    /// How many threads it takes.
    pub(super) const fn threads(&self) -> usize {
        self.most_long.saturating_add(1)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether it is still taken.
    pub(super) fn push(&self, job: Job, lane: Lane) -> bool {
        {
            let mut state = self.lock();
            if state.closed {
                return false;
            }
            state.of(lane).push_back(job);
        }
        self.changed.notify_one();
        true
    }

    /// Waits for the next one; none where nothing comes any more.
    pub(super) fn next(&self) -> Option<(Job, Lane)> {
        let mut state = self.lock();
        loop {
            if state.reading_long < self.most_long
                && let Some(job) = state.long.pop_front()
            {
                state.reading_long += 1;
                return Some((job, Lane::Long));
            }
            if let Some(job) = state.short.pop_front() {
                return Some((job, Lane::Short));
            }
            if state.closed && state.long.is_empty() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Makes one that is being read a long one, unless there are enough of them.
    pub(super) fn lengthen(&self) -> bool {
        let mut state = self.lock();
        // Those that gave way are first.
        let may = state.reading_long < self.most_long && state.long.is_empty();
        state.reading_long += usize::from(may);
        may
    }

    /// Notes that one is not read any more.
    pub(super) fn ended(&self, lane: Lane) {
        if lane == Lane::Long {
            self.lock().reading_long -= 1;
            // Also whoever waits for the last long one, to end.
            self.changed.notify_all();
        }
    }

    /// Takes back one that gave way; its answer is owed also where it is closed.
    pub(super) fn put_off(&self, job: Job) {
        self.lock().long.push_back(job);
        self.changed.notify_one();
    }

    /// Takes nothing any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

impl State {
    fn of(&mut self, lane: Lane) -> &mut VecDeque<Job> {
        match lane {
            Lane::Short => &mut self.short,
            Lane::Long => &mut self.long,
        }
    }
}
