//! What `main` prints of an error that it returns: its `Debug`.

use std::error::Error;
use std::os::unix::fs::DirBuilderExt;

use audited::{FanOut, Journal, KeyRing, MemorySink, Mode, PolicyRule, Recorder, RedactionPolicy};

use crate::support;

/// The errors of start-ups that go wrong.
fn errors() -> Vec<Box<dyn Error>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    std::fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
    let _writer = Journal::open(&path).unwrap();
    let policy = RedactionPolicy::new().rule(PolicyRule::new(Mode::Drop).class("errors.nowhere"));
    let memory = || Recorder::builder().sink(MemorySink::new()).allow_weak_fail_closed();
    vec![
        Box::new(KeyRing::new("k", [7; 5]).unwrap_err()),
        Box::new(KeyRing::new("not an id", [7; 32]).unwrap_err()),
        Box::new(Recorder::builder().build().unwrap_err()),
        Box::new(memory().redaction(policy).build().unwrap_err()),
        Box::new(Journal::open(&path).unwrap_err()),
        Box::new(FanOut::builder().build().unwrap_err()),
        #[cfg(feature = "tower")]
        Box::new(audited::TrustedProxies::new(["10.0.0.0/33"]).unwrap_err()),
        #[cfg(feature = "sqlite")]
        Box::new(audited::SqliteStore::open(directory.path()).unwrap_err()),
    ]
}

#[test]
fn it_is_what_they_say_to_people() {
    for error in errors() {
        assert_eq!(format!("{error:?}"), error.to_string());
        assert!(error.to_string().contains(' '), "{error}");
    }
}

#[test]
fn what_the_operating_system_said_is_behind_it() {
    let directory = tempfile::tempdir().unwrap();
    let error = Journal::open(directory.path().join("not/there")).unwrap_err();
    let system = std::fs::read(directory.path().join("not/there")).unwrap_err();
    assert_eq!(format!("{error:?}"), format!("{error}: {system}"));
}

#[test]
fn what_a_foreign_sink_said_is_not() {
    let capture = support::Capture::new();
    let recorder = support::recorder(capture.clone());
    capture.set(support::Behaviour::Fail);
    let error = audited::with_recorder_sync(recorder, || {
        audited::record_action(audited::Action::new("errors.done")).wait().unwrap_err()
    });
    let source = error.source().unwrap();
    assert!(source.source().unwrap().to_string().contains("s3cret"));
    assert_eq!(format!("{error:?}"), format!("{error}: {source}"));
}
