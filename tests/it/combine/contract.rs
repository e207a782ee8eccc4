//! Each combination keeps the contract, around one of the framework's sinks and around a foreign one.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use audited::testing::{SinkUnderTest, sink_contract};
use audited::{
    AuditSink, Batch, DiscardCounted, Durability, Failover, FanOut, Filter, Journal, Map, MemorySink, RateLimit, Retry,
    Timeout,
};

use crate::contract::ours::{in_tokio, records_of_a_journal, texts};
use crate::support::{Behaviour, Capture, PATIENCE};

/// A combination around one of the framework's sinks.
fn around_memory<S: AuditSink>(combine: impl Fn(Arc<dyn AuditSink>) -> S) -> SinkUnderTest {
    let memory = MemorySink::new();
    SinkUnderTest::new(combine(Arc::new(memory.clone()))).reads(move || texts(&memory.records())).runs_in(in_tokio)
}

/// A combination around a foreign sink.
fn around_foreign<S: AuditSink>(combine: impl Fn(Arc<dyn AuditSink>) -> S) -> SinkUnderTest {
    let foreign = Capture::new();
    SinkUnderTest::new(combine(Arc::new(foreign.clone()))).reads(move || texts(&foreign.all())).runs_in(in_tokio)
}

/// A combination around a foreign sink that fails and hangs, for those that need that one.
fn around_troubled<S: AuditSink>(combine: impl Fn(Arc<dyn AuditSink>) -> S) -> SinkUnderTest {
    let foreign = Capture::new();
    let set = |behaviour| {
        let foreign = foreign.clone();
        move || foreign.set(behaviour)
    };
    SinkUnderTest::new(combine(Arc::new(foreign.clone())))
        .breaks(set(Behaviour::Fail))
        .hangs(set(Behaviour::HangAsync))
        .mends(set(Behaviour::Ok))
        .reads(move || texts(&foreign.all()))
        .runs_in(in_tokio)
}

/// Has a combination keep the contract around each kind of sink.
macro_rules! keeps {
    ($name:ident, $combine:expr) => {
        mod $name {
            use super::*;

            sink_contract!(around_memory, || super::around_memory($combine));
            sink_contract!(around_foreign, || super::around_foreign($combine));
        }
    };
    ($name:ident, needs it, $combine:expr) => {
        mod $name {
            use super::*;

            sink_contract!(around_memory, || super::around_memory($combine));
            sink_contract!(around_foreign, || super::around_troubled($combine));
        }
    };
}

fn many() -> NonZeroU32 {
    NonZeroU32::new(1_000_000).unwrap()
}

/// Tries so short a time that a test can wait for it.
fn retry(sink: Arc<dyn AuditSink>) -> Retry {
    Retry::new(sink).total(Duration::from_millis(50))
}

keeps!(a_fan_out_to_all, needs it, |sink| {
    FanOut::builder().required(sink).all([MemorySink::new()]).deadline(PATIENCE).build().unwrap()
});
keeps!(a_fan_out_to_any, needs it, |sink| FanOut::builder().any([sink]).deadline(PATIENCE).build().unwrap());
keeps!(a_fan_out_to_a_quorum, needs it, |sink| {
    let other: Arc<dyn AuditSink> = Arc::new(Capture::new());
    FanOut::builder().quorum(2, [sink, other]).deadline(PATIENCE).build().unwrap()
});
keeps!(a_retry, needs it, retry);
keeps!(a_timeout, needs it, |sink| Timeout::new(sink, PATIENCE));
keeps!(a_filter, needs it, |sink| Filter::new(|_| true, sink, DiscardCounted::new()));
keeps!(a_filter_otherwise, needs it, |sink| Filter::new(|_| false, MemorySink::new(), sink));
keeps!(a_failover, |sink| Failover::new(sink, MemorySink::new()));
keeps!(a_failover_from_one_that_is_full, |sink| Failover::new(MemorySink::with_capacity(0), sink));
keeps!(a_batch, needs it, |sink| Batch::builder(sink).records(7).delay(Duration::from_millis(1)).build());
keeps!(a_map, needs it, |sink| Map::builder(sink).drop("detail.no_such_field").build().unwrap());
keeps!(a_rate_limit, needs it, |sink| RateLimit::new(sink, many(), many()));
keeps!(combinations_of_combinations, |sink| {
    let way = Map::builder(Retry::new(Timeout::new(sink, PATIENCE))).build().unwrap();
    let way = Filter::new(|_| true, Batch::builder(way).delay(Duration::from_millis(1)).build(), MemorySink::new());
    FanOut::builder().required(Failover::new(way, DiscardCounted::new())).build().unwrap()
});

// Records come to it one by one.
sink_contract!(a_fan_out_to_a_journal, |place| {
    let path = place.join("audit");
    let journal = Journal::open(&path).unwrap();
    let fan_out = FanOut::builder().required(journal).all([Capture::new()]).deadline(PATIENCE).build().unwrap();
    assert_eq!(fan_out.durability(), Durability::Disk);
    SinkUnderTest::new(fan_out).reads(move || records_of_a_journal(&path)).is_opened_again().runs_in(in_tokio)
});

#[test]
fn what_discards_says_so_and_counts() {
    let discarded = DiscardCounted::new();
    let sink: &dyn AuditSink = &discarded;
    assert_eq!((sink.describe().as_str(), sink.durability()), ("discard_counted", Durability::None));
    super::write(&discarded, 1).unwrap();
    super::write(&discarded.clone(), 2).unwrap();
    assert_eq!(discarded.discarded(), 2);
}
