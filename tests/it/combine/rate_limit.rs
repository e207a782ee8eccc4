use std::num::NonZeroU32;
use std::thread;
use std::time::Duration;

use audited::{AuditSink, MemorySink, RateLimit, RateLimitStats};

use super::{numbers, reason, record, timed, write};
use crate::contract::block_on;
use crate::support::{Behaviour, Capture};

fn limit(sink: impl AuditSink, per_second: u32, burst: u32) -> RateLimit {
    RateLimit::new(sink, NonZeroU32::new(per_second).unwrap(), NonZeroU32::new(burst).unwrap())
}

fn counts(stats: RateLimitStats) -> (u64, u64, u64) {
    (stats.passed, stats.delayed, stats.refused)
}

#[test]
fn a_burst_goes_through_what_is_over_waits_and_what_would_wait_too_long_is_refused_and_counted() {
    let memory = MemorySink::new();
    let limit = limit(memory.clone(), 2, 5).max_wait(Duration::from_millis(1500));
    assert_eq!(limit.describe(), "rate_limit(memory)");
    let ((), took) = timed(|| (0..5).for_each(|n| write(&limit, n).unwrap()));
    assert!(took < Duration::from_millis(300), "a burst does not wait: {took:?}");
    let (answer, took) = timed(|| block_on(limit.write(&[record(5), record(6)])));
    answer.unwrap();
    assert!(took >= Duration::from_millis(200), "these have waited: {took:?}");
    let (answer, took) = timed(|| block_on(limit.write(&(7..20).map(record).collect::<Vec<_>>())));
    assert_eq!(reason(answer), "full");
    assert!(took < Duration::from_millis(300), "it says so at once: {took:?}");
    assert_eq!(counts(limit.stats()), (7, 2, 13));
    assert_eq!(numbers(&memory.records()), (0..7).collect::<Vec<_>>());
}

#[test]
fn clones_share_the_rate_and_nobody_overtakes() {
    let memory = MemorySink::new();
    let limit = limit(memory.clone(), 50, 1);
    let ((), took) = timed(|| {
        thread::scope(|scope| {
            for caller in 0..4 {
                let limit = limit.clone();
                scope.spawn(move || (0..5).for_each(|n| write(&limit, 10 * caller + n).unwrap()));
            }
        });
    });
    assert!(took >= Duration::from_millis(380), "20 at 50 a second, one at once: {took:?}");
    let found = numbers(&memory.records());
    for caller in 0..4 {
        let own: Vec<_> = found.iter().filter(|n| **n / 10 == caller).map(|n| n % 10).collect();
        assert_eq!(own, [0, 1, 2, 3, 4]);
    }
}

#[test]
fn nothing_waits_where_it_may_not() {
    let limit = limit(MemorySink::new(), 1, 2).max_wait(Duration::ZERO);
    assert_eq!([1, 2, 3].map(|n| reason(write(&limit, n))), ["ok", "ok", "full"]);
    assert_eq!(counts(limit.stats()), (2, 0, 1));
}

#[test]
fn an_error_of_the_sink_is_passed_on() {
    let sink = Capture::new();
    sink.set(Behaviour::Panic);
    assert_eq!(reason(write(&limit(sink, 100, 100), 1)), "panicked");
}
