//! How the cost grows with what there is more of: the exponent to which so many times more raises it. 1 is linear, less
//! is better.
//!
//! A vocabulary of many actions that a program declares is measured by the benchmark `vocabulary`, which has to build them.

use std::path::Path;
use std::time::Instant;

use audited::__private::{Inline as _, Ticket};
use audited::{
    Action, AuditContext, Decision, FanOut, Journal, JournalOptions, Record, Recorder, TenantId, record_action,
    with_context_sync, with_recorder_sync,
};
use audited_benches::table::{self, Rounds, Target};
use audited_benches::transfer::{Null, Order, inside, recorder, transfer};

const ROUNDS: usize = 7;

pub(super) fn print(directory: &Path) {
    table::section("Growth: the exponent of the cost; 1 is linear");
    slope("10 × the sinks of a record: 4 and 40", [4, 40], sinks);
    slope("10 × the actions, one record of each: 1,000 and 10,000", [1_000, 10_000], actions);
    slope("10 × the fields of a record: 10 and 100", [10, 100], fields);
    slope("10 × the tenants, one record of each: 1,000 and 10,000", [1_000, 10_000], tenants);
    let path = directory.join("journal");
    slope("100 × the records of a journal, written: 5,000 and 500,000", [5_000, 500_000], |count| write(&path, count));
    slope("100 × the records of a journal, verified: 5,000 and 500,000", [5_000, 500_000], |count| {
        write(&path, count);
        let start = Instant::now();
        assert!(Journal::verify(&path).unwrap().is_sound());
        start.elapsed().as_secs_f64()
    });
}

/// Prints the exponent between the seconds that two sizes take.
fn slope(name: &str, [few, many]: [usize; 2], seconds: impl Fn(usize) -> f64) {
    seconds(few);
    let taken: Rounds =
        (0..ROUNDS).map(|_| (seconds(many) / seconds(few)).ln() / (many as f64 / few as f64).ln()).collect();
    table::held(name, &taken, Target::AtMost(1.1));
}

/// So many times, within a scope that is not measured.
fn timed(times: usize, once: impl Fn(usize)) -> f64 {
    let start = Instant::now();
    (0..times).for_each(once);
    start.elapsed().as_secs_f64()
}

fn sinks(count: usize) -> f64 {
    let all = FanOut::builder().all((0..count).map(|_| Null)).build().unwrap();
    let (recorder, order) = (recorder(all), Order::example());
    inside(&recorder, || timed(2_000, |_| transfer("acc-2020", &order)))
}

fn actions(count: usize) -> f64 {
    let actions: Vec<_> = (0..count).map(|n| Action::parse(format!("account.transfer-{n}")).unwrap()).collect();
    inside(&recorder(Null), || {
        timed(count, |n| {
            record_action(actions[n].clone()).decision(Decision::Allow).wait().unwrap();
        })
    })
}

fn fields(count: usize) -> f64 {
    let names: Vec<_> = (0..count).map(|n| format!("field_{n}")).collect();
    inside(&recorder(Null), || {
        timed(1_000, |_| {
            let record = record_action(Action::new("account.transfer")).decision(Decision::Allow);
            record.fields(|fields| names.iter().for_each(|name| fields.plain(name, "a value"))).wait().unwrap();
        })
    })
}

fn tenants(count: usize) -> f64 {
    let of = |n| AuditContext::new().tenant(TenantId::plain(format!("tenant-{n}")));
    let (contexts, order): (Vec<_>, _) = ((0..count).map(of).collect(), Order::example());
    let recorder: Recorder = recorder(Null);
    with_recorder_sync(recorder, || {
        timed(count, |n| with_context_sync(contexts[n].clone(), || transfer("acc-2020", &order)))
    })
}

/// Writes a journal of so many records; gives the seconds, without those that opening it takes.
fn write(path: &Path, count: usize) -> f64 {
    const BATCH: usize = 1_000;
    let _ = std::fs::remove_dir_all(path);
    let journal = JournalOptions::new().os_buffer().reserve_bytes(0).open(path).unwrap();
    let batch: Vec<_> = (0..BATCH).map(|_| Record::builder(Action::new("account.transfer")).build()).collect();
    let start = Instant::now();
    for _ in 0..count / BATCH {
        let submit = |record: &Record| {
            let (ticket, receipt) = Ticket::new();
            journal.submit(record.clone(), ticket);
            receipt
        };
        let receipts: Vec<_> = batch.iter().map(submit).collect();
        for receipt in receipts {
            receipt.wait().unwrap();
        }
    }
    start.elapsed().as_secs_f64()
}
