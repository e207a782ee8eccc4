//! The thread on which a foreign member is polled, behind a bounded queue.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use audit_core::__private::{Guarded, Ticket};
use audit_core::{Record, SinkError};

use super::ledger::Ledger;
use super::room::Room;

/// The most records of one write, unless it is one caller's.
const MAX_BATCH: usize = 1024;

/// What becomes of a batch whose caller has been answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// It is written nevertheless.
    Finish,
    /// Its write is dropped, or not begun.
    Abandon,
}

/// When enough is there to write it.
#[derive(Clone, Copy)]
pub(super) struct Gather {
    pub(super) records: usize,
    pub(super) bytes: usize,
    pub(super) delay: Duration,
}

/// Hands batches to a foreign sink, one write at a time, whatever that sink does.
pub(super) struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    sink: Guarded,
    ledger: Arc<Ledger>,
    room: Room,
    deadline: Duration,
    late: Late,
    gather: Option<Gather>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    started: bool,
    closed: bool,
    queue: VecDeque<Job>,
    /// What the queue holds.
    waiting: Room,
    flushes: usize,
    /// What the sink has and has not answered for.
    taken: Room,
    /// Since when the sink has been polled without coming back.
    busy_since: Option<Instant>,
}

struct Job {
    what: What,
    load: Room,
    since: Instant,
    until: Option<Instant>,
    ticket: Ticket,
}

enum What {
    Write(Arc<[Record]>),
    Flush,
}

impl Lane {
    pub(super) fn new(
        sink: Guarded,
        ledger: Arc<Ledger>,
        room: Room,
        deadline: Duration,
        late: Late,
        gather: Option<Gather>,
    ) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self { shared: Arc::new(Shared { sink, ledger, room, deadline, late, gather, state, changed }) }
    }

    pub(super) fn write(&self, batch: Arc<[Record]>, until: Option<Instant>, ticket: Ticket) {
        let load = Room::of(&batch);
        self.enqueue(Job { what: What::Write(batch), load, since: Instant::now(), until, ticket });
    }

    /// Flushes the sink, after everything that was handed over before.
    pub(super) fn flush(&self, until: Option<Instant>, ticket: Ticket) {
        self.enqueue(Job { what: What::Flush, load: Room::default(), since: Instant::now(), until, ticket });
    }

    fn enqueue(&self, job: Job) {
        let (refused, error) = {
            let mut state = self.shared.lock();
            if state.is_stuck(self.shared.deadline) {
                // Nothing that waits behind a stuck sink is answered in time: say so now.
                let mut refused = state.take_all();
                refused.push(job);
                (refused, SinkError::Deadline)
            } else if !self.shared.room.has(state.waiting + state.taken, job.load) {
                (vec![job], SinkError::Full)
            } else if let Err(error) = self.shared.start(&mut state) {
                (vec![job], error)
            } else {
                state.push(job);
                (Vec::new(), SinkError::Full)
            }
        };
        self.shared.changed.notify_one();
        self.shared.refuse(refused, &error);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // What waits is still written; nobody is made to wait for it.
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread, once there is something to do.
    fn start(self: &Arc<Self>, state: &mut State) -> Result<(), SinkError> {
        if !state.started {
            let theirs = self.clone();
            thread::Builder::new().name("audited-member".into()).spawn(move || theirs.run())?;
            state.started = true;
        }
        Ok(())
    }

    fn refuse(&self, jobs: Vec<Job>, error: &SinkError) {
        for job in jobs {
            self.ledger.dropped(job.records().len());
            job.ticket.settle(Err(error.clone()));
        }
    }

    fn run(&self) {
        while let Some(turn) = self.next_turn() {
            let now = Instant::now();
            let is_late = |job: &Job| self.late == Late::Abandon && job.until.is_some_and(|until| until <= now);
            let (late, turn): (Vec<_>, Vec<_>) = turn.into_iter().partition(is_late);
            let result = self.poll(&turn, now);
            self.lock().end_turn();
            self.refuse(late, &SinkError::Deadline);
            for job in turn {
                job.ticket.settle(result.clone());
            }
        }
    }

    fn poll(&self, turn: &[Job], now: Instant) -> Result<(), SinkError> {
        let time = turn.iter().map(|job| job.until.map_or(Duration::MAX, |until| until.saturating_duration_since(now)));
        let within = match (self.late, turn.first().map(|job| &job.what)) {
            (_, None) => return Ok(()),
            (Late::Finish, Some(What::Write(_))) => self.deadline,
            (Late::Abandon, _) | (_, Some(What::Flush)) => time.max().unwrap_or(self.deadline),
        };
        match turn {
            [Job { what: What::Flush, .. }, ..] => self.sink.flush(within),
            [one] => self.sink.write(one.records(), within),
            several => {
                let records: Vec<_> = several.iter().flat_map(Job::records).cloned().collect();
                self.sink.write(&records, within)
            }
        }
    }

    /// Waits for something to do: one flush, or some writes. Nothing more comes once the lane is closed and empty.
    fn next_turn(&self) -> Option<Vec<Job>> {
        let mut state = self.lock();
        loop {
            let Some(first) = state.queue.front() else {
                if state.closed {
                    return None;
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = match self.gather {
                Some(gather) if !state.is_enough(gather) => gather.delay.saturating_sub(first.since.elapsed()),
                _ => Duration::ZERO,
            };
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.busy_since = Some(Instant::now());
        let most = self.gather.map_or(Room { records: MAX_BATCH, bytes: usize::MAX }, |gather| Room {
            records: gather.records,
            bytes: gather.bytes,
        });
        Some(state.turn(most))
    }
}

impl State {
    fn is_stuck(&self, deadline: Duration) -> bool {
        // Twice the deadline: once for the sink's future, and as much again for a poll that does not come back.
        self.busy_since.is_some_and(|since| since.elapsed() > deadline.saturating_mul(2))
    }

    fn is_enough(&self, gather: Gather) -> bool {
        self.closed || self.flushes > 0 || self.waiting.records >= gather.records || self.waiting.bytes >= gather.bytes
    }

    fn push(&mut self, job: Job) {
        self.waiting = self.waiting + job.load;
        self.flushes += usize::from(matches!(job.what, What::Flush));
        self.queue.push_back(job);
    }

    fn pop(&mut self) -> Option<Job> {
        let job = self.queue.pop_front()?;
        self.waiting = self.waiting - job.load;
        self.flushes -= usize::from(matches!(job.what, What::Flush));
        Some(job)
    }

    fn take_all(&mut self) -> Vec<Job> {
        std::iter::from_fn(|| self.pop()).collect()
    }

    /// The first flush alone, or the writes before it, as far as they go into one batch.
    fn turn(&mut self, most: Room) -> Vec<Job> {
        let mut turn: Vec<Job> = self.pop().into_iter().collect();
        let mut load = turn.first().map(|job| job.load).unwrap_or_default();
        let is_write = |job: Option<&Job>| job.is_some_and(|job| matches!(job.what, What::Write(_)));
        while is_write(turn.first()) && is_write(self.queue.front()) {
            let next = load + self.queue.front().map(|job| job.load).unwrap_or_default();
            if next.records > most.records || next.bytes > most.bytes {
                break;
            }
            load = next;
            turn.extend(self.pop());
        }
        self.taken = load;
        turn
    }

    fn end_turn(&mut self) {
        self.busy_since = None;
        self.taken = Room::default();
    }
}

impl Job {
    fn records(&self) -> &[Record] {
        match &self.what {
            What::Write(batch) => batch,
            What::Flush => &[],
        }
    }
}
