use std::time::Duration;

use audited::{AuditSink, Durability, Failover, FailoverState, Member, MemorySink, TracingSink};

use super::{SHORT, numbers, reason, timed, write};
use crate::support::{Behaviour, Capture, PATIENCE, eventually};

#[test]
fn the_second_has_what_the_first_does_not_take() {
    for behaviour in [Behaviour::Fail, Behaviour::Panic, Behaviour::HangAsync, Behaviour::HangBlocking] {
        let (first, second) = (Capture::new(), Capture::new());
        let failover = Failover::new(Member::new(first.clone()).deadline(SHORT), second.clone());
        write(&failover, 1).unwrap();
        first.set(behaviour);
        write(&failover, 2).unwrap();
        assert_eq!((numbers(&first.records()), numbers(&second.records())), (vec![1], vec![2]), "{behaviour:?}");
        let [one, two] = failover.stats();
        assert_eq!((one.acknowledged, one.missed, two.acknowledged), (1, 1, 1));
        first.set(Behaviour::Ok);
    }
}

#[test]
fn where_both_fail_so_does_it() {
    let sinks = [Capture::new(), Capture::new()];
    let [first, second] = sinks.clone();
    let failover = Failover::new(first, second);
    sinks[0].set(Behaviour::Fail);
    sinks[1].set(Behaviour::Panic);
    assert_eq!(reason(write(&failover, 1)), "panicked");
    assert_eq!(failover.stats()[0].missed, 0, "nobody said that it was kept");
}

#[test]
fn a_dead_first_soon_costs_nothing_and_is_tried_until_it_is_back() {
    const DEADLINE: Duration = Duration::from_millis(800);
    const PAUSE: Duration = Duration::from_secs(2);
    let (first, second) = (Capture::new(), Capture::new());
    first.set(Behaviour::HangAsync);
    let failover = Failover::builder(Member::new(first.clone()).deadline(DEADLINE), second.clone())
        .open_after(2)
        .pause(PAUSE)
        .build();
    for n in 0..2 {
        assert_eq!(failover.state(), FailoverState::First);
        let (answer, took) = timed(|| write(&failover, n));
        assert!(answer.is_ok() && took >= DEADLINE, "{took:?}");
    }
    assert_eq!(failover.state(), FailoverState::Second);
    let ((), took) = timed(|| (2..12).for_each(|n| write(&failover, n).unwrap()));
    assert!(took < PAUSE, "ten calls without waiting for the first: {took:?}");
    assert_eq!(first.batches(), 2);
    assert_eq!(failover.stats()[0].missed, 12);

    std::thread::sleep(PAUSE);
    std::thread::scope(|scope| {
        let probe = scope.spawn(|| write(&failover, 12));
        first.wait_for_batches(3, PATIENCE);
        assert_eq!(failover.state(), FailoverState::Probing);
        write(&failover, 13).unwrap();
        probe.join().unwrap().unwrap();
    });
    assert_eq!((failover.state(), first.batches()), (FailoverState::Second, 3), "one batch was the probe");

    first.set(Behaviour::Ok);
    std::thread::sleep(PAUSE);
    write(&failover, 14).unwrap();
    assert_eq!(failover.state(), FailoverState::First);
    write(&failover, 15).unwrap();
    eventually("it goes to the first again", || numbers(&first.records()).ends_with(&[14, 15]));
    assert!(!numbers(&second.records()).contains(&15));
}

#[test]
fn it_promises_the_lesser_and_prints_both() {
    let failover = Failover::new(MemorySink::new(), TracingSink::new());
    assert_eq!(failover.durability(), Durability::None);
    assert_eq!(format!("{failover:?}"), "failover(memory, then: tracing)");
}

#[test]
fn the_second_is_asked_also_when_the_caller_has_left() {
    let (first, second) = (Capture::new(), Capture::new());
    first.set(Behaviour::HangAsync);
    let failover = Failover::new(Member::new(first).deadline(SHORT), second.clone());
    let batch = [super::record(1)];
    let mut writing = failover.write(&batch);
    let polled = writing.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    assert!(polled.is_pending());
    drop(writing);
    assert_eq!(numbers(&second.wait_for(1, PATIENCE)), [1]);
}
