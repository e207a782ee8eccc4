//! `fail_closed` functions that are allowed, by name, on a sink that promises less than a disk.

use audited::{BuildError, FailurePolicy, MemorySink, Recorder, Refusal, audited, sites, with_recorder_sync};

use super::recorder_with;
use crate::support::{Capture, PATIENCE};

#[audited(action = "weak.launch", unlocked, fail_closed, errors = failure("refused"))]
fn launch() -> Result<u8, Refusal> {
    Ok(1)
}

fn closed() -> Vec<String> {
    let closed = sites().into_iter().filter(|site| site.policy == FailurePolicy::Closed);
    let mut actions: Vec<_> = closed.map(|site| site.action.as_str().to_owned()).collect();
    actions.dedup();
    actions
}

#[test]
fn what_is_not_named_is_refused() {
    let others = closed().into_iter().filter(|action| action != "weak.launch");
    let error = Recorder::builder().sink(MemorySink::new()).allow_weak_fail_closed_for(others).build().unwrap_err();
    let BuildError::WeakSink { actions, .. } = &error else { panic!("{error}") };
    assert_eq!(actions, &["weak.launch"]);
    assert!(error.to_string().contains("`allow_weak_fail_closed_for([…])`"), "{error}");
}

#[test]
fn what_is_named_runs_and_is_in_the_start_record() {
    let sink = Capture::new();
    let builder = Recorder::builder().sink(sink.clone());
    let builder = builder.allow_weak_fail_closed_for(["weak.launch"]).allow_weak_fail_closed_for(closed());
    let recorder = builder.build().unwrap();
    let start = sink.wait_for_action("audit.started", PATIENCE);
    let start: serde_json::Value = serde_json::from_str(start.detail().unwrap()).unwrap();
    assert_eq!(start["weak_fail_closed"], false);
    assert_eq!(start["weak_fail_closed_for"], serde_json::json!(closed()));
    assert_eq!(with_recorder_sync(recorder, launch), Ok(1));
    assert_eq!(sink.records().len(), 2);
}

#[test]
fn a_name_that_is_not_there_is_an_error_on_any_sink() {
    let folder = tempfile::tempdir().unwrap();
    let journal = audited::Journal::open(folder.path().join("audit")).unwrap();
    let builder = Recorder::builder().sink(journal);
    let error = builder.allow_weak_fail_closed_for(["weak.lunch", "weak.launch", "thing.done"]).build().unwrap_err();
    let BuildError::NotFailClosed { actions, there } = &error else { panic!("{error}") };
    assert_eq!(actions, &["thing.done", "weak.lunch"]);
    assert_eq!(there, &closed());
    let said = error.to_string();
    assert!(said.contains("has as its action: thing.done, weak.lunch. There are: "), "{said}");
}

#[test]
fn all_of_them_are_more_than_some() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.allow_weak_fail_closed_for(["weak.launch"]));
    let start = sink.wait_for_action("audit.started", PATIENCE);
    assert!(start.detail().unwrap().contains(r#""weak_fail_closed":true"#), "{}", start.json());
    assert_eq!(with_recorder_sync(recorder, launch), Ok(1));
}
