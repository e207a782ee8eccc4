//! One turn of one way, and those of ours.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use audited::__private::{Inline as _, Receipt, Ticket};
use audited::{Action, Decision, Journal, Record};
use tokio::runtime::Runtime;

/// How long one is.
pub(super) const TURN: Duration = Duration::from_millis(300);

/// What one way has done in one turn.
pub(super) struct Turn {
    /// Records a second.
    pub(super) rate: f64,
    /// CPU time of the process a record, in µs.
    pub(super) cpu: f64,
    /// How long each wait took, in µs, sorted.
    waits: Vec<f64>,
    /// Which share of the records a reader had by the end, where one follows.
    pub(super) read: f64,
}

impl Turn {
    /// Runs a way that gives its waits, and has written so many records in each.
    pub(super) fn take(each: usize, run: impl FnOnce() -> Vec<f64>) -> Self {
        let (cpu, start) = (cpu_time(), Instant::now());
        let mut waits = run();
        let (elapsed, cpu) = (start.elapsed().as_secs_f64(), cpu_time() - cpu);
        waits.sort_by(f64::total_cmp);
        let records = (waits.len() * each) as f64;
        Self { rate: records / elapsed, waits, cpu: cpu * 1e6 / records, read: 0.0 }
    }

    /// What such a share of the waits took at most, in µs.
    pub(super) fn at(&self, share: f64) -> f64 {
        self.waits[((self.waits.len() - 1) as f64 * share) as usize]
    }
}

/// Does it again until the turn is over or it says that it cannot; gives how long each took, in µs.
pub(super) fn repeat(mut once: impl FnMut() -> bool) -> Vec<f64> {
    let (start, mut waits) = (Instant::now(), Vec::new());
    while start.elapsed() < TURN {
        let begin = Instant::now();
        if !once() {
            break;
        }
        waits.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    waits
}

/// Callers who wait, each with something of its own that it does again until the turn is over; gives how long each wait
/// took, in µs.
pub(super) fn callers<O, F>(runtime: &Runtime, count: usize, make: impl Fn() -> O) -> Vec<f64>
where
    O: Fn() -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let (once, stop) = (make(), stop.clone());
            runtime.spawn(async move {
                let mut waits = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let begin = Instant::now();
                    once().await;
                    waits.push(begin.elapsed().as_secs_f64() * 1e6);
                }
                waits
            })
        })
        .collect();
    std::thread::sleep(TURN);
    stop.store(true, Ordering::Relaxed);
    runtime.block_on(async {
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        all
    })
}

/// A thread that waits for each record.
pub(super) fn thread(journal: &Journal) -> Turn {
    let record = record();
    Turn::take(1, || {
        repeat(|| {
            submit(journal, &record).wait().unwrap();
            true
        })
    })
}

/// So many tasks, each of which waits for each of its records.
pub(super) fn journal(runtime: &Runtime, journal: &Journal, count: usize) -> Turn {
    let make = || {
        // Each has a record of its own, as callers have: else they would all count the users of one.
        let (journal, record) = (journal.clone(), record());
        move || {
            let receipt = submit(&journal, &record);
            async move { receipt.await.unwrap() }
        }
    };
    Turn::take(1, || callers(runtime, count, make))
}

/// As [`journal`](self::journal), while a reader follows, as that of a forwarder does.
pub(super) fn followed(runtime: &Runtime, journal: &Journal, count: usize) -> Turn {
    let (ends, read) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut reader = journal.follow().unwrap();
            while !ends.load(Ordering::Relaxed) {
                if let Some(record) = reader.next_within(Duration::from_millis(10)) {
                    record.unwrap();
                    read.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let turn = self::journal(runtime, journal, count);
        ends.store(true, Ordering::Relaxed);
        let read = read.load(Ordering::Relaxed) as f64 / turn.waits.len() as f64;
        Turn { read, ..turn }
    })
}

/// The line that a journal makes of the record.
pub(super) fn line(directory: &Path) -> Vec<u8> {
    let at = directory.join("line");
    let journal = Journal::open(&at).unwrap();
    submit(&journal, &record()).wait().unwrap();
    drop(journal);
    let records: Vec<_> = Journal::read(&at).unwrap().map(Result::unwrap).collect();
    format!("{}\n", records[1].json()).into_bytes()
}

fn submit(journal: &Journal, record: &Record) -> Receipt {
    let (ticket, receipt) = Ticket::new();
    journal.submit(record.clone(), ticket);
    receipt
}

/// A record of about the size of an audited call.
fn record() -> Record {
    Record::builder(Action::new("account.transfer"))
        .decision(Decision::Allow)
        .fields(|fields| {
            fields.value("cents", &125_000_u64);
            fields.plain("currency", "EUR");
            fields.plain("to", &"acc-0750".repeat(16));
            fields.redacted("memo");
        })
        .build()
}

/// The CPU time of the process, in seconds.
fn cpu_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
