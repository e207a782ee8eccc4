//! How long a reading may go on before it is a long one, and before it is too long.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::lanes::{Lane, Lanes};
use crate::moment::after;

/// How long a short one takes at most.
const SHORT: Duration = Duration::from_millis(20);

/// After how many steps of SQLite the clock is looked at: some hundred records.
const STEPS: i32 = 1_000;

/// Looks at the clock while a connection reads.
pub(super) struct Pace(Arc<Mutex<Option<Run>>>);

/// Why SQLite was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// It is a long one, and there are as many of those as there may be.
    GivesWay,
    /// It has reached the limit.
    TooLong,
}

/// What is read.
struct Run {
    lane: Lane,
    short_until: Instant,
    until: Instant,
    stopped: Option<Stopped>,
}

impl Pace {
    pub(super) fn of(connection: &mut Connection, lanes: Arc<Lanes>) -> rusqlite::Result<Self> {
        let run = Arc::new(Mutex::new(None::<Run>));
        let running = run.clone();
        let is_over = move || lock(&running).as_mut().is_some_and(|run| run.is_over(Instant::now(), &lanes));
        connection.progress_handler(STEPS, Some(is_over))?;
        Ok(Self(run))
    }

    /// Notes that something is read from here on.
    pub(super) fn begins(&self, lane: Lane, limit: Duration) {
        let now = Instant::now();
        let run = Run { lane, short_until: now + SHORT, until: after(now, limit), stopped: None };
        *lock(&self.0) = Some(run);
    }

    /// Why what is read was stopped.
    pub(super) fn stopped(&self) -> Option<Stopped> {
        lock(&self.0).as_ref().and_then(|run| run.stopped)
    }

    /// Notes that nothing is read any more, and says as what the last one ended.
    pub(super) fn ended(&self) -> Lane {
        lock(&self.0).take().map_or(Lane::Short, |run| run.lane)
    }
}

impl Run {
    fn is_over(&mut self, now: Instant, lanes: &Lanes) -> bool {
        // What tidies up behind what was stopped goes on.
        if self.stopped.is_some() {
            return false;
        }
        if now >= self.until {
            self.stopped = Some(Stopped::TooLong);
        } else if self.lane == Lane::Short && now >= self.short_until {
            if lanes.lengthen() {
                self.lane = Lane::Long;
            } else {
                self.stopped = Some(Stopped::GivesWay);
            }
        }
        self.stopped.is_some()
    }
}

fn lock(run: &Mutex<Option<Run>>) -> MutexGuard<'_, Option<Run>> {
    run.lock().unwrap_or_else(PoisonError::into_inner)
}
