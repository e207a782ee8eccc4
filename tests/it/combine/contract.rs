//! Each combination keeps the contract, around one of the framework's sinks and around a foreign one.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use audited::{
    AuditSink, Batch, DiscardCounted, Durability, Failover, FanOut, Filter, Journal, Map, MemorySink, RateLimit,
    Record, Retry, Timeout,
};

use crate::contract::{Fixture, records_of_a_journal, sink_contract};
use crate::support::{Capture, PATIENCE};

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.json().to_owned()).collect()
}

/// Has a combination keep the contract around each kind of sink.
fn keeps<S: AuditSink>(combine: impl Fn(Arc<dyn AuditSink>) -> S) {
    sink_contract(|| {
        let memory = MemorySink::new();
        let reader = memory.clone();
        Fixture::new(combine(Arc::new(memory)), move || texts(&reader.records()))
    });
    sink_contract(|| {
        let foreign = Capture::new();
        let reader = foreign.clone();
        Fixture::new(combine(Arc::new(foreign)), move || texts(&reader.all()))
    });
}

fn many() -> NonZeroU32 {
    NonZeroU32::new(1_000_000).unwrap()
}

#[test]
fn a_fan_out_keeps_it() {
    keeps(|sink| FanOut::builder().required(sink).all([MemorySink::new()]).deadline(PATIENCE).build().unwrap());
    keeps(|sink| FanOut::builder().any([sink]).deadline(PATIENCE).build().unwrap());
    keeps(|sink| {
        let other: Arc<dyn AuditSink> = Arc::new(Capture::new());
        FanOut::builder().quorum(2, [sink, other]).deadline(PATIENCE).build().unwrap()
    });
}

#[test]
fn a_fan_out_keeps_it_on_a_journal_which_takes_records_one_by_one() {
    sink_contract(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit");
        let journal = Journal::open(&path).unwrap();
        let read = move || {
            assert!(directory.path().exists(), "the directory lives as long as its reader");
            records_of_a_journal(&path)
        };
        let fan_out = FanOut::builder().required(journal).all([Capture::new()]).deadline(PATIENCE).build().unwrap();
        assert_eq!(fan_out.durability(), Durability::Disk);
        Fixture::new(fan_out, read)
    });
}

#[test]
fn a_retry_keeps_it() {
    keeps(Retry::new);
}

#[test]
fn a_timeout_keeps_it() {
    keeps(|sink| Timeout::new(sink, PATIENCE));
}

#[test]
fn a_filter_keeps_it() {
    keeps(|sink| Filter::new(|_| true, sink, DiscardCounted::new()));
    keeps(|sink| Filter::new(|_| false, MemorySink::new(), sink));
}

#[test]
fn a_failover_keeps_it() {
    keeps(|sink| Failover::new(sink, MemorySink::new()));
    keeps(|sink| Failover::new(MemorySink::with_capacity(0), sink));
}

#[test]
fn a_batch_keeps_it() {
    keeps(|sink| Batch::builder(sink).records(7).delay(Duration::from_millis(1)).build());
}

#[test]
fn a_map_keeps_it() {
    keeps(|sink| Map::builder(sink).drop("detail.no_such_field").build().unwrap());
}

#[test]
fn a_rate_limit_keeps_it() {
    keeps(|sink| RateLimit::new(sink, many(), many()));
}

#[test]
fn combinations_of_combinations_keep_it() {
    keeps(|sink| {
        let way = Map::builder(Retry::new(Timeout::new(sink, PATIENCE))).build().unwrap();
        let way = Filter::new(|_| true, Batch::builder(way).delay(Duration::from_millis(1)).build(), MemorySink::new());
        FanOut::builder().required(Failover::new(way, DiscardCounted::new())).build().unwrap()
    });
}

#[test]
fn what_discards_says_so_and_counts() {
    let discarded = DiscardCounted::new();
    let sink: &dyn AuditSink = &discarded;
    assert_eq!((sink.describe().as_str(), sink.durability()), ("discard_counted", Durability::None));
    super::write(&discarded, 1).unwrap();
    super::write(&discarded.clone(), 2).unwrap();
    assert_eq!(discarded.discarded(), 2);
}
