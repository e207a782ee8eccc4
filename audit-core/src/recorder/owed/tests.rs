//! Every interleaving of those who hand over, a sink that fails and comes back, and whoever asks for what is owed.
//! Somebody who is never answered is a deadlock, which the checker reports.

#![cfg(loom)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use loom::thread;

use crate::__private::Inline;
use crate::action::Action;
use crate::id::RecordId;
use crate::record::{Draft, Kind, Record, Times};
use crate::recorder::{Core, Recorder};
use crate::sink::{AuditSink, Durability, SinkError};
use crate::sync::{Condvar, Mutex};
use crate::ticket::{Receipt, Ticket};
use crate::timestamp::Timestamp;

/// A sink that takes records on the callers' threads, and fails at first.
#[derive(Clone)]
struct Disk(Arc<Shared>);

struct Shared {
    state: Mutex<Queue>,
    came: Condvar,
    /// Whether it answers from within, instead of on a thread of its own.
    at_once: bool,
}

struct Queue {
    waiting: VecDeque<(Record, Ticket)>,
    /// How many more are not taken.
    failures: usize,
    written: Vec<String>,
    closed: bool,
}

impl Disk {
    fn new(failures: usize, at_once: bool) -> Self {
        let queue = Queue { waiting: VecDeque::new(), failures, written: Vec::new(), closed: false };
        Self(Arc::new(Shared { state: Mutex::new(queue), came: Condvar::new(), at_once }))
    }

    fn written(&self) -> Vec<String> {
        self.0.state.lock().unwrap().written.clone()
    }

    fn close(&self) {
        self.0.state.lock().unwrap().closed = true;
        self.0.came.notify_one();
    }

    /// Answers in order, one by one, until it is closed and empty.
    fn run(&self) {
        let mut state = self.0.state.lock().unwrap();
        loop {
            let Some((record, ticket)) = state.waiting.pop_front() else {
                if state.closed {
                    return;
                }
                state = self.0.came.wait(state).unwrap();
                continue;
            };
            let result = state.write(&record);
            drop(state);
            ticket.settle(result);
            state = self.0.state.lock().unwrap();
        }
    }
}

impl Queue {
    fn write(&mut self, record: &Record) -> Result<(), SinkError> {
        if self.failures > 0 {
            self.failures -= 1;
            return Err(SinkError::Full);
        }
        self.written.push(record.action().into_owned());
        Ok(())
    }
}

impl Inline for Disk {
    fn submit(&self, record: Record, ticket: Ticket) {
        let mut state = self.0.state.lock().unwrap();
        if self.0.at_once {
            let result = state.write(&record);
            drop(state);
            return ticket.settle(result);
        }
        state.waiting.push_back((record, ticket));
        drop(state);
        self.0.came.notify_one();
    }
}

#[async_trait]
impl AuditSink for Disk {
    async fn write(&self, _batch: &[Record]) -> Result<(), SinkError> {
        Err(SinkError::Closed)
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "disk".into()
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

fn submit(core: &Arc<Core>, action: &'static str) -> Receipt {
    let (draft, now) = (Draft::new(Action::new(action), Kind::Event), Timestamp::now());
    core.submit(&draft, None, RecordId::at(now), Times::both(now), core.try_slot().into())
}

/// As it would be without a line: what is owed goes first, unless it is on its way.
fn submit_hastily(core: &Arc<Core>, action: &'static str) -> Receipt {
    let (ticket, receipt) = Ticket::new();
    core.write_owed();
    core.sink.submit_inline(Record::builder(Action::new(action)).build(), ticket);
    receipt
}

/// A recorder that has lost a record, and whose sink fails once more before it is back.
fn after_a_loss(disk: &Disk) -> Arc<Core> {
    let Recorder(core) = Recorder::builder().sink(disk.clone()).deadline(Duration::MAX).unchecked();
    submit(&core, "loom.lost").wait().unwrap_err();
    core
}

fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// The gap is asked for just when a record comes.
fn a_record_meets_a_gap(submit: fn(&Arc<Core>, &'static str) -> Receipt) {
    explore(move || {
        let disk = Disk::new(2, false);
        let serves = {
            let disk = disk.clone();
            thread::spawn(move || disk.run())
        };
        let core = after_a_loss(&disk);
        let asks = {
            let core = core.clone();
            thread::spawn(move || core.write_owed())
        };
        let is_there = submit(&core, "loom.after").wait().is_ok();
        asks.join().unwrap();
        // Once it is back, nothing stays owed.
        core.write_owed();
        let owed = core.losses.owed().wait_until_landed(None);
        disk.close();
        serves.join().unwrap();
        let written = disk.written();
        let at = |action: &str| written.iter().position(|written| written == action);
        assert_eq!(at("loom.after").is_some(), is_there);
        assert!(!is_there || at("audit.gap") < at("loom.after") && at("audit.gap").is_some(), "before the gap");
        assert_eq!((owed.lost, core.losses.stats().lost), (0, 1 + u64::from(!is_there)));
    });
}

#[test]
fn loom_a_record_that_meets_a_gap_on_its_way_stands_behind_it() {
    a_record_meets_a_gap(submit);
}

#[test]
#[should_panic(expected = "before the gap")]
fn loom_a_record_that_does_not_wait_for_the_gap_is_found() {
    a_record_meets_a_gap(submit_hastily);
}

#[test]
fn loom_a_sink_that_answers_from_within_answers_everybody() {
    explore(|| {
        let disk = Disk::new(3, true);
        let core = after_a_loss(&disk);
        let other = {
            let core = core.clone();
            thread::spawn(move || submit(&core, "loom.other").wait().is_ok())
        };
        let mine = submit(&core, "loom.mine").wait().is_ok();
        let other = other.join().unwrap();
        let last = submit(&core, "loom.last").wait().is_ok();
        let written = disk.written();
        let records = [(mine, "loom.mine"), (other, "loom.other"), (last, "loom.last")];
        let there: Vec<_> = records.iter().filter(|(there, _)| *there).map(|(_, action)| *action).collect();
        let mut after_the_gap = written.iter().skip_while(|action| *action != "audit.gap");
        assert_eq!(written.first().map(String::as_str), after_the_gap.next().map(String::as_str));
        assert!(there.iter().all(|action| written.iter().any(|written| written == action)));
        assert_eq!(core.losses.stats().lost, 1 + (records.len() - there.len()) as u64);
    });
}
