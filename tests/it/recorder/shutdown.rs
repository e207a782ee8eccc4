//! The end of a recorder: what it says was not flushed, and who still waits.

use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use audited::{Acknowledging, Recorder, SinkError, record_action, with_recorder_sync};

use super::{DONE, SHORT, record_n, recorder_with};
use crate::support::{Behaviour, Capture, PATIENCE};

/// Records that are on their way, or wait for room.
fn under_way(recorder: &Recorder, count: usize) -> Vec<Acknowledging> {
    let begin = || {
        let mut recording = with_recorder_sync(recorder.clone(), || record_action(DONE).into_future());
        let polled = std::pin::Pin::new(&mut recording).poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        recording
    };
    (0..count).map(|_| begin()).collect()
}

#[test]
fn a_shutdown_says_how_many_are_on_their_way() {
    for behaviour in [Behaviour::HangAsync, Behaviour::HangBlocking] {
        let sink = Capture::new();
        let recorder = recorder_with(&sink, |builder| builder.deadline(PATIENCE));
        sink.set(behaviour);
        let waiting = under_way(&recorder, 3);
        let began = Instant::now();
        let not_flushed = recorder.shutdown(SHORT).unwrap_err();
        assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
        // The stop record is one of them.
        assert_eq!((not_flushed.on_their_way, not_flushed.waiting), (4, 0), "{behaviour:?}");
        assert_eq!((not_flushed.lost, not_flushed.coalesced), (0, 0));
        assert_eq!(not_flushed.to_string(), "not everything is flushed: 4 records are still on their way");
        sink.set(Behaviour::Ok);
        recorder.shutdown(PATIENCE).unwrap();
        assert_eq!(sink.records().len(), 3);
        drop(waiting);
    }
}

#[test]
fn a_shutdown_says_how_many_wait_for_room() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(PATIENCE).max_in_flight(2));
    // What the sink has need not have landed yet, and would be in the way.
    recorder.flush(PATIENCE).unwrap();
    sink.set(Behaviour::HangBlocking);
    let waiting = under_way(&recorder, 5);
    let not_flushed = recorder.shutdown(SHORT).unwrap_err();
    // There was no room for the stop record either.
    assert_eq!((not_flushed.on_their_way, not_flushed.waiting, not_flushed.lost), (2, 3, 1), "{not_flushed}");
    assert_eq!(recorder.losses().get("full"), Some(&1));
    sink.set(Behaviour::Ok);
    drop(waiting);
    recorder.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_shutdown_says_how_many_are_lost_without_a_word_in_the_stream() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Fail);
    record_n(&recorder, 1).unwrap_err();
    record_n(&recorder, 2).unwrap_err();
    let not_flushed = recorder.shutdown(PATIENCE).unwrap_err();
    assert_eq!((not_flushed.on_their_way, not_flushed.lost), (0, 3), "the stop record, too: {not_flushed}");
    assert!(matches!(not_flushed.sink, Some(SinkError::Failed(_))));
    assert_eq!(
        not_flushed.to_string(),
        "not everything is flushed: 3 are lost without a gap record, the sink was not flushed"
    );
    sink.set(Behaviour::Panic);
    let not_flushed = recorder.shutdown(PATIENCE).unwrap_err();
    assert!(matches!(not_flushed.sink, Some(SinkError::Panicked)), "{not_flushed:?}");
    assert_eq!(not_flushed.lost, 4);
    sink.set(Behaviour::Ok);
    recorder.shutdown(PATIENCE).unwrap();
    let lost: u64 = sink
        .all()
        .iter()
        .filter(|record| record.action() == "audit.gap")
        .map(|gap| serde_json::from_str::<serde_json::Value>(gap.detail().unwrap()).unwrap()["lost"].as_u64().unwrap())
        .sum();
    assert_eq!((lost, recorder.stats().lost), (4, 4));
}

#[test]
fn whoever_waits_is_answered_though_the_recorder_is_dropped() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(SHORT).max_in_flight(1));
    sink.set(Behaviour::HangBlocking);
    let (sender, answered) = mpsc::channel();
    let spawn = |run: Box<dyn FnOnce() -> bool + Send>| {
        let sender = sender.clone();
        std::thread::spawn(move || sender.send(run()));
    };
    // The first has the room and waits for its answer, the others wait for room.
    let (first, second) = (recorder.clone(), recorder.clone());
    spawn(Box::new(move || record_n(&first, 1).is_err()));
    sink.wait_for_batches(2, PATIENCE);
    spawn(Box::new(move || record_n(&second, 2).is_err()));
    for _ in 0..2 {
        let recording = with_recorder_sync(recorder.clone(), || record_action(DONE).into_future());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        spawn(Box::new(move || runtime.block_on(recording).is_err()));
    }
    drop(recorder);
    for _ in 0..4 {
        assert!(answered.recv_timeout(PATIENCE).expect("an answer"), "nobody is told that it worked");
    }
    sink.set(Behaviour::Ok);
    sink.wait_for(1, PATIENCE);
}

#[test]
fn an_answer_still_comes_after_the_recorder_is_dropped() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(PATIENCE).max_in_flight(1));
    sink.set(Behaviour::HangAsync);
    let recordings: Vec<_> = (0..3)
        .map(|_| {
            let recording = with_recorder_sync(recorder.clone(), || record_action(DONE).into_future());
            std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(recording).is_ok()
            })
        })
        .collect();
    drop(recorder);
    std::thread::sleep(Duration::from_millis(20));
    sink.set(Behaviour::Ok);
    assert!(recordings.into_iter().all(|recording| recording.join().unwrap()));
    assert_eq!(sink.wait_for(3, PATIENCE).len(), 3);
}
