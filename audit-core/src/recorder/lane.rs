//! The thread on which a foreign sink is polled.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::loss::Losses;
use crate::guarded::Guarded;
use crate::lookout::Lookout;
use crate::record::Record;
use crate::sink::SinkError;
use crate::ticket::Ticket;

/// The most records of one batch.
const MAX_BATCH: usize = 1024;

/// Hands records to a foreign sink, one batch at a time, whatever that sink does.
pub(super) struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    sink: Guarded,
    losses: Arc<Losses>,
    deadline: Duration,
    state: Mutex<State>,
    changed: Condvar,
    /// Whether there is something to do, to be looked at without the lock.
    has_work: AtomicBool,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// Whether what is owed is to be written even if nothing else is.
    owed: bool,
    /// Since when the sink has been polled without coming back.
    busy_since: Option<Instant>,
    /// Whether the last write was given up. Until the sink has taken a gap record, it gets nothing else, so that
    /// callers do not wait out their deadline one after the other.
    down: bool,
    closed: bool,
}

enum Job {
    Write(Record, Ticket),
    Flush(Duration, Ticket),
}

/// What the thread does next.
enum Turn {
    Write(Vec<(Record, Ticket)>),
    Flush(Duration, Ticket),
}

impl Lane {
    pub(super) fn start(sink: Guarded, losses: Arc<Losses>, deadline: Duration) -> std::io::Result<Self> {
        let (state, changed, has_work) = (Mutex::default(), Condvar::new(), AtomicBool::default());
        let shared = Arc::new(Shared { sink, losses, deadline, state, changed, has_work });
        let theirs = shared.clone();
        thread::Builder::new().name("audited-sink".into()).spawn(move || theirs.run())?;
        Ok(Self { shared })
    }

    pub(super) fn submit(&self, record: Record, ticket: Ticket) {
        self.enqueue(Job::Write(record, ticket));
    }

    /// Flushes the sink, after everything that was submitted before.
    pub(super) fn flush(&self, within: Duration, ticket: Ticket) {
        self.enqueue(Job::Flush(within, ticket));
    }

    /// Has what is owed written, also when nothing else is submitted.
    pub(super) fn write_owed(&self) {
        self.shared.lock().owed = true;
        self.shared.call();
    }

    fn enqueue(&self, job: Job) {
        let refused = {
            let mut state = self.shared.lock();
            if state.is_stuck(self.shared.deadline) {
                // Nothing that waits behind a stuck sink is answered in time: say so now.
                let mut refused = std::mem::take(&mut state.queue);
                refused.push_back(job);
                refused
            } else if state.down && matches!(job, Job::Write(..)) {
                VecDeque::from([job])
            } else {
                state.queue.push_back(job);
                VecDeque::new()
            }
        };
        self.shared.call();
        for job in refused {
            let (Job::Write(_, ticket) | Job::Flush(_, ticket)) = job;
            ticket.settle(Err(SinkError::Deadline));
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.call();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self) {
        self.has_work.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    fn run(&self) {
        let mut lookout = Lookout::default();
        while let Some(turn) = self.next_turn() {
            match turn {
                Turn::Write(batch) => self.write(batch),
                Turn::Flush(within, ticket) => {
                    let result = self.sink.flush(within);
                    self.lock().busy_since = None;
                    ticket.settle(result);
                }
            }
            // Who was just answered often comes again at once.
            lookout.look(Instant::now(), || self.has_work.load(Ordering::Acquire));
        }
        // The last chance for what is owed: nobody asks again.
        let _ = self.write_all(self.losses.owed().last());
        self.losses.owed().end();
    }

    /// Writes a batch, and what is owed before it.
    fn write(&self, batch: Vec<(Record, Ticket)>) {
        // What was lost before comes first, so that the gap stands in the stream where the records are missing.
        let mut notes = self.losses.owed().next();
        if !notes.is_empty() && self.losses.owed().owes_more() {
            // A note that the sink has not taken says nothing of what was lost since: that is in another, after it.
            if let Err(error) = self.write_all(notes) {
                return settle(batch.into_iter().map(|(_, ticket)| ticket), &Err(error));
            }
            notes = self.losses.owed().next();
        }
        notes.extend(batch);
        // Each ticket has the answer.
        let _ = self.write_all(notes);
    }

    /// Writes what it is given at once.
    fn write_all(&self, batch: Vec<(Record, Ticket)>) -> Result<(), SinkError> {
        let (records, tickets): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let result = if records.is_empty() {
            Ok(())
        } else {
            self.lock().busy_since = Some(Instant::now());
            self.sink.write(&records, self.deadline)
        };
        let waiting = self.lock().written(&result);
        settle(tickets.into_iter().chain(waiting), &result);
        // What was just lost is what to ask with whether the sink is back.
        let mut state = self.lock();
        state.owed |= state.down && !state.closed;
        result
    }

    /// Waits for something to do; nothing more comes once the lane is closed and empty.
    fn next_turn(&self) -> Option<Turn> {
        let mut state = self.lock();
        while !state.has_work() {
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.busy_since = Some(Instant::now());
        let turn = state.next_turn();
        self.has_work.store(state.has_work() || state.closed, Ordering::Relaxed);
        Some(turn)
    }
}

fn settle(tickets: impl Iterator<Item = Ticket>, result: &Result<(), SinkError>) {
    tickets.for_each(|ticket| ticket.settle(result.clone()));
}

impl State {
    fn is_stuck(&self, deadline: Duration) -> bool {
        // Twice the deadline: once for the sink's future, and as much again for a poll that does not come back.
        self.busy_since.is_some_and(|since| since.elapsed() > deadline.saturating_mul(2))
    }

    fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.owed
    }

    /// What to do, of which there is something.
    fn next_turn(&mut self) -> Turn {
        // A flush comes after what is owed, unless that is only to find out whether the sink is back.
        if self.owed && !self.down && matches!(self.queue.front(), Some(Job::Flush(..))) {
            self.owed = false;
            return Turn::Write(Vec::new());
        }
        match self.queue.pop_front() {
            Some(Job::Flush(within, ticket)) => Turn::Flush(within, ticket),
            first => {
                self.owed = false;
                Turn::Write(self.batch(first))
            }
        }
    }

    /// Notes how a write ended, and gives the tickets of those who will be answered no better.
    fn written(&mut self, result: &Result<(), SinkError>) -> Vec<Ticket> {
        self.busy_since = None;
        self.down = matches!(result, Err(SinkError::Deadline));
        if !self.down {
            return Vec::new();
        }
        let is_write = |job: &Job| matches!(job, Job::Write(..));
        let (writes, flushes): (VecDeque<_>, _) = std::mem::take(&mut self.queue).into_iter().partition(is_write);
        self.queue = flushes;
        writes.into_iter().map(|(Job::Write(_, ticket) | Job::Flush(_, ticket))| ticket).collect()
    }

    /// The writes up to the next flush.
    fn batch(&mut self, first: Option<Job>) -> Vec<(Record, Ticket)> {
        let mut batch = Vec::new();
        let mut next = first;
        while let Some(Job::Write(record, ticket)) = next {
            batch.push((record, ticket));
            let more = batch.len() < MAX_BATCH && matches!(self.queue.front(), Some(Job::Write(..)));
            next = if more { self.queue.pop_front() } else { None };
        }
        batch
    }
}
