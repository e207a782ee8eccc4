//! The events that a recorder expects: what is not among them is written nevertheless.

use audited::{
    Action, AuditEvent, InvalidVocabulary, MemorySink, Payload, PayloadType, Record, Recorder, Vocabulary,
    VocabularyBuilder, audited, record, record_action, with_recorder_sync,
};
use proptest::prelude::*;
use tracing::Level;

use crate::support::Log;

#[derive(AuditEvent)]
#[event(prefix = "expected")]
enum ExpectedEvent {
    Opened(u64),
    Closed,
}

#[derive(AuditEvent)]
#[event(prefix = "unexpected")]
enum UnexpectedEvent {
    Opened,
}

#[derive(AuditEvent)]
#[event(prefix = "expected")]
enum SharedEvent {
    #[event(action = "expected.shared", shared)]
    Rest,
}

#[derive(AuditEvent)]
#[event(prefix = "expected")]
enum AlsoSharedEvent {
    #[event(action = "expected.shared", shared)]
    Grpc,
    #[event(nested)]
    Inner(ExpectedEvent),
}

#[derive(serde::Serialize, AuditEvent)]
#[event(prefix = "checked", view)]
enum CheckedEvent {
    Opened {
        id: u64,
        #[sensitive]
        name: String,
        #[sensitive(plain)]
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    Closed,
}

#[audited(action = "expected.call")]
fn call() {}

fn expected() -> VocabularyBuilder {
    Vocabulary::builder().extend::<ExpectedEvent>()
}

/// A recorder that expects this, and the records that it gets from `act`.
fn recorded(vocabulary: Vocabulary, act: impl FnOnce()) -> (Recorder, Vec<Record>) {
    let memory = MemorySink::new();
    let builder = Recorder::builder().sink(memory.clone()).vocabulary(vocabulary).allow_weak_fail_closed();
    let recorder = builder.build().unwrap();
    with_recorder_sync(recorder.clone(), act);
    let records = memory.records().into_iter().filter(|record| !record.action().starts_with("audit.")).collect();
    (recorder, records)
}

#[test]
fn what_is_expected_has_no_flag_and_is_not_counted() {
    let (recorder, records) = recorded(expected().build().unwrap(), || {
        record(&ExpectedEvent::Opened(7)).wait().unwrap();
        record(&ExpectedEvent::Closed).wait().unwrap();
        call();
    });
    assert_eq!(records.len(), 3);
    assert!(records.iter().all(|record| record.flags().is_empty()));
    assert_eq!((recorder.stats().unknown, recorder.stats().drift), (0, 0));
}

#[test]
fn an_unknown_event_is_written_flagged_and_counted() {
    let (recorder, records) = recorded(expected().build().unwrap(), || {
        record(&UnexpectedEvent::Opened).wait().unwrap();
        record_action(Action::new("plugin.installed")).wait().unwrap();
    });
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.flags() == ["unknown_action"]));
    assert_eq!((recorder.stats().unknown, recorder.stats().drift), (2, 0));
}

#[test]
fn without_a_vocabulary_all_are_expected() {
    let memory = MemorySink::new();
    let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap();
    with_recorder_sync(recorder.clone(), || record(&UnexpectedEvent::Opened).wait().unwrap());
    assert!(memory.last("unexpected.opened").unwrap().flags().is_empty());
    assert_eq!(recorder.stats().unknown, 0);
}

fn plugin() -> Payload {
    Payload::new()
        .field("id", PayloadType::Integer)
        .field("name", PayloadType::Text)
        .optional("rate", PayloadType::Number)
        .optional("on", PayloadType::Boolean)
        .optional("tags", PayloadType::List)
        .optional("more", PayloadType::Object)
        .optional("free", PayloadType::Any)
}

/// Whether such a payload fits what is known of it; it is written whether or not.
fn fits(payload: Payload, json: &serde_json::Value) -> bool {
    let vocabulary = expected().custom("plugin.fits", payload).build().unwrap();
    let (recorder, records) = recorded(vocabulary, || {
        let fields = json.as_object().unwrap();
        let write = record_action(Action::new("plugin.fits"));
        write.fields(|object| fields.iter().for_each(|(key, value)| object.plain(key, value))).wait().unwrap();
    });
    let drift = records[0].flags() == ["drift"];
    assert_eq!(recorder.stats().drift, u64::from(drift));
    assert_eq!(recorder.stats().unknown, 0);
    !drift
}

#[test]
fn a_payload_that_does_not_fit_is_written_flagged_and_counted() {
    let json = |text: &str| serde_json::from_str(text).unwrap();
    for good in [
        r#"{"id":1,"name":"x"}"#,
        r#"{"id":-1,"name":"","rate":0.5,"on":true,"tags":[],"more":{},"free":null}"#,
        r#"{"id":1,"name":"x","rate":1,"tags":null,"free":[{}]}"#,
    ] {
        assert!(fits(plugin(), &json(good)), "{good}");
    }
    for bad in [
        r#"{"id":1}"#,
        r#"{"id":null,"name":"x"}"#,
        r#"{"id":1.5,"name":"x"}"#,
        r#"{"id":"1","name":"x"}"#,
        r#"{"id":1,"name":7}"#,
        r#"{"id":1,"name":"x","on":"yes"}"#,
        r#"{"id":1,"name":"x","tags":{}}"#,
        r#"{"id":1,"name":"x","more":[]}"#,
        r#"{"id":1,"name":"x","other":1}"#,
    ] {
        assert!(!fits(plugin(), &json(bad)), "{bad}");
    }
    assert!(fits(plugin().and_others(), &json(r#"{"id":1,"name":"x","other":1}"#)));
    assert!(fits(Payload::any(), &json(r#"{"other":1}"#)) && fits(Payload::new(), &json("{}")));
}

#[test]
fn vocabularies_that_share_an_action_or_hold_one_another_are_expected_together() {
    let vocabulary = expected().extend::<SharedEvent>().extend::<AlsoSharedEvent>().build().unwrap();
    let (recorder, records) = recorded(vocabulary, || {
        record(&SharedEvent::Rest).wait().unwrap();
        record(&AlsoSharedEvent::Grpc).wait().unwrap();
        record(&AlsoSharedEvent::Inner(ExpectedEvent::Closed)).wait().unwrap();
    });
    assert_eq!((records.len(), recorder.stats().unknown), (3, 0));
}

/// Whether such a payload, written by hand, is taken for an event of a checked vocabulary.
fn reads_back(action: &'static str, json: &str) -> bool {
    let vocabulary = Vocabulary::builder().extend_checked::<CheckedEvent>().extend::<CheckedEvent>().build().unwrap();
    let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap();
    let (recorder, records) = recorded(vocabulary, || {
        let write = record_action(Action::new(action));
        write.fields(|object| json.iter().for_each(|(key, value)| object.plain(key, value))).wait().unwrap();
    });
    let drift = records[0].flags() == ["drift"];
    assert_eq!(recorder.stats().drift, u64::from(drift));
    !drift
}

#[test]
fn what_is_written_by_hand_under_a_typed_name_is_checked_where_that_is_asked_for() {
    for good in [
        r#"{"id":1,"name":"x"}"#,
        r#"{"id":1,"name":7,"by":"x"}"#,
        r#"{"id":1,"name":"x","other":[1]}"#,
        r#"{"id":"<redacted>","name":"x"}"#,
    ] {
        assert!(reads_back("checked.opened", good), "{good}");
    }
    for bad in ["{}", r#"{"id":1}"#, r#"{"id":"1","name":"x"}"#, r#"{"id":1,"name":"x","by":7}"#] {
        assert!(!reads_back("checked.opened", bad), "{bad}");
    }
    assert!(reads_back("checked.closed", "{}") && reads_back("checked.closed", r#"{"other":1}"#));
    let vocabulary = Vocabulary::builder().extend_checked::<CheckedEvent>().build().unwrap();
    let (recorder, _) = recorded(vocabulary, || {
        let name = "x".repeat(100_000);
        record(&CheckedEvent::Opened { id: 1, name: "s3cret".into(), by: Some(name) }).wait().unwrap();
        record(&CheckedEvent::Opened { id: 1, name: "s3cret".into(), by: None }).wait().unwrap();
        record(&CheckedEvent::Closed).wait().unwrap();
    });
    assert_eq!((recorder.stats().drift, recorder.stats().unknown), (0, 0), "an event is as its type");
    let unchecked = Vocabulary::builder().extend::<CheckedEvent>().build().unwrap();
    let (recorder, _) = recorded(unchecked, || {
        record_action(Action::new("checked.opened")).wait().unwrap();
    });
    assert_eq!(recorder.stats().drift, 0);
}

#[test]
fn what_is_not_expected_is_logged() {
    let log = Log::default();
    let vocabulary = expected().custom("plugin.logged", Payload::new()).build().unwrap();
    tracing::dispatcher::with_default(&log.dispatch(), || {
        recorded(vocabulary, || {
            record(&ExpectedEvent::Closed).wait().unwrap();
            record_action(Action::new("plugin.logged")).field("more", &1_u8).wait().unwrap();
            record(&UnexpectedEvent::Opened).wait().unwrap();
        });
    });
    let logged = log.on("audited::unexpected");
    let said: Vec<_> =
        logged.iter().map(|event| (event.level, &*event.fields["action"], &*event.fields["flag"])).collect();
    let expected = [(Level::WARN, "plugin.logged", "drift"), (Level::WARN, "unexpected.opened", "unknown_action")];
    assert_eq!(said, expected);
}

#[test]
fn what_was_redacted_or_cut_fits() {
    let payload = Payload::new().field("id", PayloadType::Integer).field("list", PayloadType::List);
    let vocabulary = expected().custom("plugin.hidden", payload).build().unwrap();
    let (recorder, records) = recorded(vocabulary, || {
        let long = vec!["x"; 100_000];
        record_action(Action::new("plugin.hidden"))
            .fields(|fields| {
                fields.redacted("id");
                fields.plain("list", &long);
            })
            .wait()
            .unwrap();
    });
    assert_eq!(records[0].flags(), ["cut"]);
    assert_eq!(recorder.stats().drift, 0);
}

#[test]
fn a_bad_name_or_a_collision_is_told_at_the_start() {
    let refused = |builder: VocabularyBuilder| builder.build().unwrap_err();
    assert!(matches!(refused(expected().custom("two words", Payload::any())), InvalidVocabulary::Name(_)));
    let twice = expected().custom("plugin.a", Payload::any()).custom("plugin.a", Payload::any());
    assert!(matches!(refused(twice), InvalidVocabulary::Collision { action, .. } if action == "plugin.a"));
    for (taken, place) in [
        ("expected.opened", "ExpectedEventKind`"),
        ("unexpected.opened", "UnexpectedEvent::Opened (tests/it/vocabulary.rs:"),
        ("expected.call", "vocabulary::call (tests/it/vocabulary.rs:"),
    ] {
        let error = refused(expected().custom(taken, Payload::any())).to_string();
        assert!(error.contains(place) && error.contains("`custom(…)`") && error.contains(taken), "{error}");
    }
    assert!(expected().extend::<ExpectedEvent>().build().unwrap().knows("expected.closed"));
}

proptest! {
    #[test]
    fn no_payload_is_refused(json in prop::collection::btree_map("[a-z]{1,4}", any::<Option<i64>>(), 0..6)) {
        let json = serde_json::to_value(json).unwrap();
        fits(plugin(), &json);
    }
}
