//! How many instructions the hot path takes, under a budget: the run fails where more are counted. No time is taken, so
//! that a busy machine says the same as an idle one.
//!
//! ```text
//! benches/instructions
//! ```
//!
//! That script gets what this needs: valgrind, and the program that starts it. Each figure is the sum of 1,000 calls,
//! made after as many that are not counted; what happens once in a while (random bits for ids) is in it.

#![allow(missing_docs, unreachable_pub, reason = "what the macros generate")]

use std::hint::black_box;

use audited::{Detail, Recorder};
use audited_benches::payment::Payment;
use audited_benches::transfer::{Null, Order, inside, ping, recorder, transfer};
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};

/// Instructions a call: context, six captured arguments, two of them redacted. About 5 % above what is counted.
const AUDITED_CALL: u64 = 9_150;
/// A call of which nothing is captured.
const BARE_CALL: u64 = 5_370;
/// A struct of eight fields, two of them sensitive.
const REDACTION: u64 = 2_140;

const CALLS: u64 = 1_000;

/// The limit of the instructions of so many a call.
fn budget(each: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, each * CALLS)]));
    config
}

/// What is called, after it has been called as often as it will be.
fn warm<T>(subject: T, run: impl Fn(&T)) -> T {
    run(&subject);
    subject
}

fn call_all((recorder, order): &(Recorder, Order)) {
    inside(recorder, || (0..CALLS).for_each(|_| transfer(black_box("acc-2020"), black_box(order))));
}

fn ping_all(recorder: &Recorder) {
    inside(recorder, || (0..CALLS).for_each(|_| ping()));
}

fn redact_all(payment: &Payment) {
    (0..CALLS).for_each(|_| drop(black_box(Detail::new(black_box(payment)))));
}

#[library_benchmark(config = budget(AUDITED_CALL))]
#[bench::warm(warm((recorder(Null), Order::example()), call_all))]
fn audited_call(subject: (Recorder, Order)) -> (Recorder, Order) {
    call_all(&subject);
    subject
}

#[library_benchmark(config = budget(BARE_CALL))]
#[bench::warm(warm(recorder(Null), ping_all))]
fn bare_call(recorder: Recorder) -> Recorder {
    ping_all(&recorder);
    recorder
}

#[library_benchmark(config = budget(REDACTION))]
#[bench::warm(warm(Payment::example(), redact_all))]
fn redaction(payment: Payment) -> Payment {
    redact_all(&payment);
    payment
}

library_benchmark_group!(name = hot_path, benchmarks = [audited_call, bare_call, redaction]);
main!(library_benchmark_groups = hot_path);
