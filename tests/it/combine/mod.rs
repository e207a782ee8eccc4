//! Sinks made of sinks: that each keeps the contract, agrees with a reference model, and keeps its own promises.

mod batch;
#[cfg(feature = "testing")]
mod contract;
mod failover;
mod fan_out;
mod filter;
mod map;
mod model;
mod rate_limit;
mod recorded;
mod retry;
mod timeout;

use std::time::{Duration, Instant};

use audited::{Action, AuditSink, Record, SinkError};

use crate::contract::block_on;

/// Short enough to wait for, long enough for a sink that works.
const SHORT: Duration = Duration::from_millis(300);

fn record(n: u32) -> Record {
    Record::builder(Action::new("combine.done")).field("n", &n).build()
}

fn numbers(records: &[Record]) -> Vec<u32> {
    #[derive(serde::Deserialize)]
    struct Detail {
        n: u32,
    }
    records.iter().map(|record| record.detail_as::<Detail>().unwrap().n).collect()
}

fn write(sink: &impl AuditSink, n: u32) -> Result<(), SinkError> {
    block_on(sink.write(&[record(n)]))
}

#[allow(clippy::needless_pass_by_value, reason = "an answer is read once")]
fn reason(result: Result<(), SinkError>) -> &'static str {
    result.as_ref().err().map_or("ok", SinkError::reason)
}

fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (what(), start.elapsed())
}
