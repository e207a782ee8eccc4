//! `fail_closed`: no record, no effect.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audited::{Effect, MemorySink, Recorder, Refusal, Stage, audited, with_recorder_sync};

use super::{Error, Recorded};
use crate::support::{self, Behaviour, Capture, PATIENCE};

const NOT_STARTED: Refusal = Refusal::Unavailable { effect: Effect::NotStarted };
const MAY_HAVE_HAPPENED: Refusal = Refusal::Unavailable { effect: Effect::MayHaveHappened };

#[audited(action = "vault.open", unlocked, fields(number), fail_closed)]
async fn open(number: u32, opened: &AtomicUsize, during: impl FnOnce()) -> Result<u32, Error> {
    opened.fetch_add(1, Ordering::SeqCst);
    during();
    Ok(number)
}

#[audited(action = "vault.open", unlocked, fields(number), fail_closed)]
fn open_sync(number: u32, opened: &AtomicUsize, during: impl FnOnce()) -> Result<u32, Error> {
    opened.fetch_add(1, Ordering::SeqCst);
    during();
    Ok(number)
}

/// Both kinds of the same call.
fn each(test: impl Fn(&dyn Fn(&Recorder, &AtomicUsize, &dyn Fn()) -> Result<u32, Error>)) {
    test(&|recorder, opened, during| {
        let recorded = Recorded { recorder: recorder.clone(), memory: MemorySink::new() };
        recorded.run(open(1, opened, during))
    });
    test(&|recorder, opened, during| with_recorder_sync(recorder.clone(), || open_sync(1, opened, during)));
}

#[test]
fn an_intent_is_there_before_the_body_and_linked_to_the_end() {
    each(|open| {
        let recorded = Recorded::new();
        let during = || {
            let intent = recorded.only();
            assert_eq!(intent.stage(), Some(Stage::Intent));
            assert_eq!(intent.detail(), Some(r#"{"number":1}"#));
            assert_eq!(intent.decision(), None);
            assert_eq!(intent.outcome(), None);
        };
        assert_eq!(open(&recorded.recorder, &AtomicUsize::new(0), &during), Ok(1));
        let records = recorded.records();
        assert_eq!(records.len(), 2);
        assert_eq!(records[1].stage(), Some(Stage::Completed));
        assert_eq!(records[0].call(), records[1].id());
    });
}

#[test]
fn without_an_acknowledged_intent_the_body_does_not_run() {
    for behaviour in [Behaviour::Fail, Behaviour::Panic, Behaviour::HangAsync, Behaviour::HangBlocking] {
        each(|open| {
            let sink = Capture::new();
            let recorder = Recorder::builder()
                .sink(sink.clone())
                .deadline(Duration::from_millis(50))
                .allow_weak_fail_closed()
                .build()
                .unwrap();
            sink.wait_for_action("audit.started", PATIENCE);
            sink.set(behaviour);
            let opened = AtomicUsize::new(0);
            assert_eq!(open(&recorder, &opened, &|| {}), Err(Error::Refused(NOT_STARTED)), "{behaviour:?}");
            assert_eq!(opened.into_inner(), 0, "{behaviour:?}");
            sink.set(Behaviour::Ok);
        });
    }
}

#[test]
fn without_an_acknowledged_end_nobody_is_told_that_it_worked() {
    each(|open| {
        let sink = Capture::new();
        let recorder = support::recorder(sink.clone());
        let opened = AtomicUsize::new(0);
        let refused = open(&recorder, &opened, &|| sink.set(Behaviour::Fail));
        assert_eq!(refused, Err(Error::Refused(MAY_HAVE_HAPPENED)));
        assert_eq!(opened.into_inner(), 1);
        assert!(!MAY_HAVE_HAPPENED.is_retryable() && NOT_STARTED.is_retryable());
    });
}

#[test]
fn a_sink_that_promises_less_than_a_disk_does_not_count() {
    let weak = Recorder::builder().sink(MemorySink::new()).build();
    assert!(weak.is_err_and(|error| error.to_string().contains("vault.open")));
    each(|open| {
        // What records go to where no recorder is installed.
        let fallback = Recorder::current();
        let opened = AtomicUsize::new(0);
        assert_eq!(open(&fallback, &opened, &|| {}), Err(Error::Refused(NOT_STARTED)));
        assert_eq!(opened.into_inner(), 0);
    });
}

#[audited(action = "log.read")]
async fn open_by_default(number: u32) -> u32 {
    number
}

#[test]
fn fail_open_goes_on_and_the_loss_is_in_the_stream() {
    let sink = Capture::new();
    let recorder = support::recorder(sink.clone());
    let recorded = Recorded { recorder, memory: MemorySink::new() };
    sink.wait_for_action("audit.started", PATIENCE);
    sink.set(Behaviour::Fail);
    assert_eq!(recorded.run(open_by_default(3)), 3);
    sink.set(Behaviour::Ok);
    let gap = sink.wait_for_action("audit.gap", PATIENCE);
    assert!(gap.detail().is_some_and(|detail| detail.contains(r#""lost":1,"actions":{"log.read":1}"#)), "{gap:?}");
    let stats = recorded.recorder.stats();
    assert_eq!((stats.lost, stats.unacknowledged), (1, 1));
}

#[derive(Debug)]
struct Stubborn;

impl audited::Deny for Stubborn {
    fn deny(&self) -> audited::Verdict {
        audited::Verdict::failure("stubborn")
    }
}

impl From<Refusal> for Stubborn {
    fn from(_: Refusal) -> Self {
        panic!("takes no refusal");
    }
}

#[audited(action = "stubborn.call", unlocked, require = false)]
fn stubborn() -> Result<(), Stubborn> {
    Ok(())
}

#[audited(action = "stubborn.call", unlocked, require = false)]
async fn stubborn_async() -> Result<(), Stubborn> {
    Ok(())
}

#[test]
fn an_error_that_panics_when_it_is_made_of_a_refusal_leaves_a_record_too() {
    for call in [|recorded: &Recorded| recorded.call(stubborn), |recorded: &Recorded| recorded.run(stubborn_async())] {
        let recorded = Recorded::new();
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call(&recorded)));
        assert!(panic.is_err());
        assert_eq!(recorded.only().stage(), Some(Stage::Panicked));
    }
}
