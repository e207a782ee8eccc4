//! A test that fails where something was recorded otherwise than it should be.

use std::panic::{AssertUnwindSafe, catch_unwind};

use audited::testing::faithful;
use audited::{
    Action, AuditEvent, MemorySink, Payload, RecordBuilder, Recorder, Sensitive, Vocabulary, record, record_action,
    with_recorder_sync,
};

#[derive(AuditEvent)]
#[event(prefix = "faithful")]
enum FaithfulEvent {
    Closed,
}

#[derive(AuditEvent)]
#[event(prefix = "unfaithful")]
enum UnfaithfulEvent {
    Opened,
}

fn wrote(event: RecordBuilder<'_>) {
    event.wait().unwrap();
}

#[derive(Sensitive)]
struct Keyed {
    #[sensitive(hash)]
    keyed_by: String,
}

/// What a test's guard finds when this happens.
fn found(act: impl FnOnce()) -> Vec<String> {
    let vocabulary =
        Vocabulary::builder().extend::<FaithfulEvent>().custom("faithful.custom", Payload::new()).build().unwrap();
    let builder = Recorder::builder().sink(MemorySink::new()).vocabulary(vocabulary).allow_weak_fail_closed();
    let recorder = builder.build().unwrap();
    // What was there before does not count.
    with_recorder_sync(recorder.clone(), || record(&UnfaithfulEvent::Opened).wait().unwrap());
    let faithful = faithful(&recorder);
    with_recorder_sync(recorder.clone(), act);
    let findings = faithful.findings();
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(faithful)));
    assert_eq!(dropped.is_err(), !findings.is_empty());
    findings
}

#[test]
fn a_test_fails_where_something_was_recorded_otherwise_than_it_should_be() {
    assert!(found(|| wrote(record(&FaithfulEvent::Closed))).is_empty());
    assert_eq!(found(|| wrote(record(&UnfaithfulEvent::Opened))), ["1 of an action that the vocabulary does not know"]);
    assert_eq!(
        found(|| wrote(record_action(Action::new("faithful.custom")).field("id", &7_u8))),
        ["1 with a payload that does not fit the vocabulary"]
    );
    let keyed = Keyed { keyed_by: "x".into() };
    assert_eq!(
        found(|| wrote(record(&FaithfulEvent::Closed).field("keyed", &keyed))),
        ["1 with a value that was redacted for want of a key or of an encoding"]
    );
}
