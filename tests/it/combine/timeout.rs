use std::cell::Cell;
use std::time::Duration;

use audited::{AuditSink, MemorySink, Retry, Timeout};

use super::{SHORT, numbers, reason, timed, write};
use crate::contract::block_on;
use crate::support::{Behaviour, Capture, PATIENCE, eventually};

#[test]
fn it_answers_in_time_also_where_a_poll_does_not_come_back() {
    for behaviour in [Behaviour::HangAsync, Behaviour::HangBlocking] {
        let sink = Capture::new();
        let timeout = Timeout::new(sink.clone(), SHORT);
        assert_eq!(timeout.describe(), "timeout(capture)");
        write(&timeout, 1).unwrap();
        sink.set(behaviour);
        let (answer, took) = timed(|| write(&timeout, 2));
        assert_eq!(reason(answer), "deadline", "{behaviour:?}");
        assert!(took >= SHORT && took < PATIENCE / 4, "{behaviour:?} took {took:?}");
        let (answer, took) = timed(|| block_on(timeout.flush()));
        assert_eq!(reason(answer), "deadline", "{behaviour:?}");
        assert!(took < PATIENCE / 4, "{behaviour:?} took {took:?}");
        sink.set(Behaviour::Ok);
        let calls = Cell::new(2);
        eventually("it works again", || {
            calls.set(calls.get() + 1);
            write(&timeout, 3).is_ok()
        });
        let stats = timeout.stats();
        assert_eq!(stats.acknowledged + stats.failed["deadline"], calls.get(), "each is accounted for: {stats:?}");
    }
}

#[test]
fn what_is_given_up_is_dropped_and_what_waits_behind_it_not_begun() {
    let sink = Capture::new();
    sink.set(Behaviour::HangBlocking);
    let timeout = Timeout::new(sink.clone(), SHORT);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| write(&timeout, 1));
        sink.wait_for_batches(1, PATIENCE);
        let second = scope.spawn(|| write(&timeout, 2));
        assert_eq!(reason(first.join().unwrap()), "deadline");
        assert_eq!(reason(second.join().unwrap()), "deadline");
    });
    sink.set(Behaviour::HangAsync);
    eventually("nothing waits", || timeout.stats().dropped == 1);
    sink.set(Behaviour::Ok);
    write(&timeout, 3).unwrap();
    assert_eq!(numbers(&sink.records()), [3], "neither the dropped one nor the one behind it");
    assert_eq!(sink.batches(), 2);
}

#[test]
fn a_retry_around_it_gets_past_an_attempt_that_hangs() {
    let sink = Capture::new();
    sink.set(Behaviour::HangAsync);
    let retry = Retry::new(Timeout::new(sink.clone(), SHORT)).attempts(50).total(PATIENCE);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| write(&retry.delays(Duration::from_millis(1), Duration::from_millis(1)), 1));
        sink.wait_for_batches(2, PATIENCE);
        sink.set(Behaviour::Ok);
        writing.join().unwrap().unwrap();
    });
    assert_eq!(numbers(&sink.records()), [1]);
}

#[test]
fn a_sink_of_the_framework_needs_no_thread() {
    let memory = MemorySink::new();
    let timeout = Timeout::new(memory.clone(), Duration::ZERO);
    write(&timeout, 1).unwrap();
    assert_eq!(memory.len(), 1, "what has answered has answered in time");
}
