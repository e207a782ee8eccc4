//! The recorder of the process. Each test runs in a process of its own: nothing is installed in this one.

use std::process::Stdio;

use audited::{Action, Effect, Recorder, Refusal, audited, record_action, with_recorder_sync};

use super::{DONE, record_n};
use crate::child;
use crate::support::{self, Capture, PATIENCE};

/// As [`child::runs`], of a test in this module.
#[track_caller]
fn in_a_child(test: &str) -> bool {
    child::runs(&format!("recorder::install::{test}"))
}

/// As [`child::heard_of`], of a test in this module.
#[track_caller]
fn heard_of_a_child(test: &str, heard: Stdio) -> String {
    child::heard_of(&format!("recorder::install::{test}"), heard)
}

#[test]
fn one_recorder_is_installed_and_never_replaced_in_silence() {
    if !in_a_child("one_recorder_is_installed_and_never_replaced_in_silence") {
        return;
    }
    let (first, second) = (Capture::new(), Capture::new());
    support::recorder(first.clone()).install().unwrap();
    let error = support::recorder(second.clone()).install().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a recorder is installed already; install one, at start-up, and scope others with `with_recorder`"
    );
    record_action(DONE).wait().unwrap();
    assert_eq!((first.records().len(), second.records().len()), (1, 0));

    // A scoped one takes its place, and the installed one has a record of that.
    record_n(&support::recorder(second.clone()), 1).unwrap();
    assert_eq!((first.records().len(), second.records().len()), (1, 1));
    let replaced = first.wait_for_action("audit.recorder_replaced", PATIENCE);
    assert_eq!(replaced.detail(), Some(r#"{"sink":"capture","durability":"memory"}"#));
    with_recorder_sync(Recorder::current(), || record_action(Action::new("again.done")).wait()).unwrap();
    assert_eq!(first.all().iter().filter(|record| record.action() == "audit.recorder_replaced").count(), 1);
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn without_an_installation_records_go_to_tracing() {
    if !in_a_child("without_an_installation_records_go_to_tracing") {
        return;
    }
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().json().with_writer(move || writer.clone()).init();
    record_action(DONE).field("n", &7_u8).wait().unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let event: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(event["target"], audited::TRACING_TARGET);
    assert_eq!(event["level"], "INFO");
    assert_eq!(event["fields"]["action"], "thing.done");
    assert_eq!(event["fields"]["detail"], r#"{"n":7}"#);
    for key in ["schema", "id", "kind", "stage", "occurred_at", "recorded_at", "outcome"] {
        assert!(!event["fields"][key].is_null(), "{key} is missing: {event}");
    }
    assert_eq!(Recorder::current().durability(), audited::Durability::None);
}

/// A layer that panics at every event.
struct Panics;
impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Panics {
    fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        panic!("a subscriber");
    }
}

#[test]
fn a_subscriber_that_panics_is_contained() {
    if !in_a_child("a_subscriber_that_panics_is_contained") {
        return;
    }
    tracing_subscriber::util::SubscriberInitExt::init(tracing_subscriber::layer::SubscriberExt::with(
        tracing_subscriber::registry(),
        Panics,
    ));
    // The fallback loses the record, and says so; the loss is logged to the same subscriber.
    record_action(DONE).wait().unwrap_err();
    assert_eq!(Recorder::current().stats().lost, 1);
    let sink = Capture::new();
    let recorder = support::recorder(sink.clone());
    sink.set(support::Behaviour::Fail);
    record_n(&recorder, 1).unwrap_err();
    sink.set(support::Behaviour::Ok);
    record_n(&recorder, 2).unwrap();
}

const FORGOTTEN: &str = "no recorder is installed";

#[audited(action = "install.closed", fail_closed)]
fn closed() -> Result<(), Refusal> {
    Ok(())
}

/// What a service does whose `main` installs nothing.
fn forgets() {
    for _ in 0..2 {
        assert_eq!(closed(), Err(Refusal::Unavailable { effect: Effect::NotStarted }));
        record_action(DONE).wait().unwrap();
    }
}

#[test]
fn where_nobody_listens_to_tracing_standard_error_says_once_that_nothing_is_installed() {
    if child::is_one() {
        return forgets();
    }
    let test = "where_nobody_listens_to_tracing_standard_error_says_once_that_nothing_is_installed";
    let said = heard_of_a_child(test, Stdio::piped());
    let lines: Vec<_> = said.lines().filter(|line| line.contains(FORGOTTEN)).collect();
    let line = "audited: no recorder is installed, so records go to `tracing`, and nobody listens there; build one and \
                `install()` it in `main`";
    assert_eq!(lines, [line], "{said}");
}

#[test]
fn whoever_listens_to_tracing_hears_it_there_and_once() {
    if !child::is_one() {
        let said = heard_of_a_child("whoever_listens_to_tracing_hears_it_there_and_once", Stdio::piped());
        assert!(!said.contains(FORGOTTEN), "{said}");
        return;
    }
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().json().with_writer(move || writer.clone()).init();
    forgets();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let events = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let said: Vec<_> = events.filter(|event| event.to_string().contains(FORGOTTEN)).collect();
    let [warning] = &said[..] else { panic!("{log}") };
    assert_eq!((&warning["level"], &warning["target"]), (&"WARN".into(), &"audited".into()));
}

#[cfg(target_os = "linux")]
#[test]
fn standard_error_that_takes_nothing_hurts_nobody() {
    if child::is_one() {
        return forgets();
    }
    // Every write to it fails.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    heard_of_a_child("standard_error_that_takes_nothing_hurts_nobody", full.into());
}

#[test]
fn where_one_is_installed_nothing_is_said() {
    if !child::is_one() {
        let said = heard_of_a_child("where_one_is_installed_nothing_is_said", Stdio::piped());
        assert!(!said.contains(FORGOTTEN), "{said}");
        return;
    }
    support::recorder(Capture::new()).install().unwrap();
    record_action(DONE).wait().unwrap();
}
