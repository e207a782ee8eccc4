//! Combinations under a recorder.

use std::time::Duration;

use audited::{
    Action, Batch, Failover, FanOut, Member, MemorySink, Record, Recorder, Retry, Timeout, record_action,
    with_recorder_sync,
};

use super::{SHORT, timed};
use crate::support::{Behaviour, Capture, PATIENCE, eventually, recorder};

fn record_one(recorder: &Recorder) -> Result<(), audited::Unacknowledged> {
    with_recorder_sync(recorder.clone(), || record_action(Action::new("combine.recorded")).wait().map(drop))
}

#[test]
fn a_call_does_not_wait_for_a_member_that_it_does_not_need() {
    let (kept, stuck) = (MemorySink::new(), Capture::new());
    stuck.set(Behaviour::HangBlocking);
    let fan_out = FanOut::builder()
        .any([Member::from(kept.clone()), Member::new(Retry::new(stuck.clone())).deadline(SHORT)])
        .build()
        .unwrap();
    let recorder = recorder(fan_out.clone());
    let (answers, took) = timed(|| (0..20).map(|_| record_one(&recorder)).collect::<Result<Vec<_>, _>>());
    answers.unwrap();
    assert!(took < PATIENCE / 4, "{took:?}");
    assert_eq!(kept.find("combine.recorded").len(), 20);
    assert_eq!((recorder.stats().acknowledged, recorder.stats().lost), (21, 0));
    eventually("what the other misses is counted", || fan_out.stats()[1].missed == 21);
    stuck.set(Behaviour::Ok);
}

#[test]
fn what_a_combination_does_not_keep_is_lost_for_the_recorder_and_named_in_the_stream() {
    let sink = Capture::new();
    let all = FanOut::builder().all([Timeout::new(sink.clone(), SHORT)]).build().unwrap();
    let recorder = recorder(all);
    sink.wait_for_action("audit.started", PATIENCE);
    sink.set(Behaviour::Fail);
    record_one(&recorder).unwrap_err();
    sink.set(Behaviour::Ok);
    let gap = sink.wait_for_action("audit.gap", PATIENCE);
    assert!(gap.json().contains("\"lost\":1"), "{gap:?}");
    assert_eq!(recorder.stats().lost, 1);
}

#[test]
fn the_start_record_says_what_the_combination_is() {
    let memory = MemorySink::new();
    let failover = Failover::new(Retry::new(Capture::new()), MemorySink::new());
    let fan_out = FanOut::builder().required(memory.clone()).any([failover]).build().unwrap();
    let recorder = recorder(fan_out);
    assert_eq!(recorder.durability(), audited::Durability::Memory);
    let started = memory.wait_for("audit.started", 1, PATIENCE).unwrap();
    let sink = "fan_out(all: memory, any: failover(retry(capture), then: memory))";
    assert!(started[0].json().contains(sink), "{:?}", started[0]);
}

#[test]
fn a_batch_collects_what_callers_of_a_recorder_hand_over() {
    let sink = Capture::new();
    let recorder = recorder(Batch::builder(sink.clone()).records(4).delay(Duration::from_millis(300)).build());
    sink.wait_for_action("audit.started", PATIENCE);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4).map(|_| scope.spawn(|| record_one(&recorder))).collect();
        for caller in callers {
            caller.join().unwrap().unwrap();
        }
    });
    assert_eq!(sink.records().len(), 4);
    assert!(sink.batches() <= 4, "four callers, fewer writes: {}", sink.batches());
}

#[test]
fn nothing_is_left_behind_when_a_recorder_is_dropped() {
    let sink = Capture::new();
    let recorder = recorder(FanOut::builder().required(sink.clone()).build().unwrap());
    let last = || record_action(Action::new("combine.last")).wait().unwrap();
    with_recorder_sync(recorder.clone(), last);
    recorder.shutdown(PATIENCE).unwrap();
    let actions: Vec<_> = sink.all().iter().map(|record: &Record| record.action().into_owned()).collect();
    assert_eq!(actions, ["audit.started", "combine.last", "audit.stopped"]);
}
