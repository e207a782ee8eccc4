//! `#[audited]`: what it records, and what it leaves alone.

#![allow(
    clippy::drop_non_drop,
    clippy::elidable_lifetime_names,
    clippy::items_after_statements,
    clippy::many_single_char_names,
    clippy::multiple_bound_locations,
    clippy::needless_pass_by_value,
    clippy::never_loop,
    clippy::similar_names,
    clippy::too_many_arguments,
    clippy::trivially_copy_pass_by_ref,
    reason = "functions of every shape are tried, the clumsy ones too; in `lints` no lint is allowed"
)]

mod arguments;
mod captures;
mod closed;
mod dying;
mod endings;
mod flow;
mod guards;
mod intents;
mod kinds;
mod lints;
mod marks;
mod nesting;
mod prologue;
mod signatures;
mod stacked;
mod surroundings;
mod waiting;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use audited::{Deny, Kind, MemorySink, Record, Recorder, Refusal, Verdict, with_recorder, with_recorder_sync};

use crate::support;

/// An error that says what it is.
#[derive(Debug, PartialEq)]
enum Error {
    Forbidden,
    Broken,
    Refused(Refusal),
}

impl Deny for Error {
    fn deny(&self) -> Verdict {
        match self {
            Self::Forbidden => Verdict::denied("missing_scope"),
            Self::Broken => Verdict::failure("broken"),
            Self::Refused(_) => Verdict::failure("refused"),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<std::num::ParseIntError> for Error {
    fn from(_: std::num::ParseIntError) -> Self {
        Self::Broken
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an error")
    }
}

impl std::error::Error for Error {}

/// A recorder in memory, and how to look into it.
struct Recorded {
    recorder: Recorder,
    memory: MemorySink,
}

impl Recorded {
    fn new() -> Self {
        let memory = MemorySink::new();
        Self { recorder: support::recorder(memory.clone()), memory }
    }

    /// Runs a future to its end. Nothing in these tests waits for anything but its own record.
    fn run<F: IntoFuture>(&self, future: F) -> F::Output {
        let mut future = pin!(with_recorder(self.recorder.clone(), future));
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return value;
            }
        }
    }

    fn call<T>(&self, call: impl FnOnce() -> T) -> T {
        with_recorder_sync(self.recorder.clone(), call)
    }

    /// What was recorded, without what the framework says about itself.
    fn records(&self) -> Vec<Record> {
        self.memory.records().into_iter().filter(|record| record.kind() != Some(Kind::System)).collect()
    }

    #[track_caller]
    fn only(&self) -> Record {
        let mut records = self.records();
        assert_eq!(records.len(), 1, "{records:#?}");
        records.remove(0)
    }
}

/// The value of an async call, which left exactly one completed record.
#[track_caller]
fn run<F: IntoFuture>(future: F) -> F::Output {
    let recorded = Recorded::new();
    let value = recorded.run(future);
    assert_eq!(recorded.only().stage(), Some(audited::Stage::Completed));
    value
}

/// The value of a call, which left exactly one completed record.
#[track_caller]
fn call<T>(call: impl FnOnce() -> T) -> T {
    let recorded = Recorded::new();
    let value = recorded.call(call);
    assert_eq!(recorded.only().stage(), Some(audited::Stage::Completed));
    value
}
