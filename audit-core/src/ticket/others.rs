//! Tasks that one of them wakes.

use std::sync::PoisonError;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use crate::contain::contained;
use crate::sync::{Mutex, MutexGuard};

/// How long the task that was woken first has to wake the others.
const GRACE: Duration = Duration::from_micros(60);

/// The wakers that are left. Whoever comes first takes all of them.
pub(super) struct Others(Mutex<Vec<Waker>>);

impl Others {
    pub(super) fn new(wakers: Vec<Waker>) -> Self {
        Self(Mutex::new(wakers))
    }

    /// Wakes those who are left.
    pub(super) fn wake(&self) {
        let left = std::mem::take(&mut *self.lock());
        for waker in left {
            // Foreign code, and others wait behind it.
            contained(|| waker.wake());
        }
    }

    /// Wakes those whom nobody has woken before long.
    pub(super) fn wake_if_left(&self) {
        let since = Instant::now();
        while cfg!(not(loom)) && self.are_left() && since.elapsed() < GRACE {
            thread::yield_now();
        }
        self.wake();
    }

    fn are_left(&self) -> bool {
        !self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
