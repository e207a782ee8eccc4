use std::collections::BTreeMap;
use std::net::IpAddr;

use audited::{
    Action, Actor, ActorId, AuditContext, AuditSink, FanOut, InvalidPath, Map, MemorySink, Record, Recorder, Resource,
    ResourceId, Source, StoredRecord, Subject, SubjectId, extend_context, record_action, with_context_sync,
    with_recorder_sync,
};

use crate::contract::block_on;
use crate::support::Capture;

fn source() -> Source {
    Source::new().ip(IpAddr::from([192, 0, 2, 7])).user_agent("curl/8")
}

fn full() -> Record {
    Record::builder(Action::new("combine.mapped"))
        .actor(Actor::user(ActorId::plain("ann")))
        .resource(Resource::new("account", ResourceId::plain("a-1")))
        .fields(|fields| {
            fields.plain("contact", &BTreeMap::from([("address", "ann@example.org"), ("city", "Graz")]));
            fields
                .plain("list", &[BTreeMap::from([("leaf_of_list", "x-1")]), BTreeMap::from([("leaf_of_list", "x-2")])]);
            fields.redacted("memo");
            fields.value("amount", &7_u32);
        })
        .build()
}

/// What the copy of a record is.
fn copy(record: &Record, paths: &[&str]) -> Record {
    let memory = MemorySink::new();
    let map = paths.iter().fold(Map::builder(memory.clone()), |map, path| map.drop(path)).build().unwrap();
    block_on(map.write(std::slice::from_ref(record))).unwrap();
    memory.records().remove(0)
}

#[test]
fn a_stricter_copy_for_one_sink_touches_no_other() {
    let (whole, bare) = (MemorySink::new(), MemorySink::new());
    let strict = Map::builder(bare.clone()).drop("detail.contact.address").drop_detail().build().unwrap();
    let members: [std::sync::Arc<dyn AuditSink>; 2] = [std::sync::Arc::new(strict), std::sync::Arc::new(whole.clone())];
    let all = FanOut::builder().all(members).build().unwrap();
    let record = full();
    let before = record.json().to_owned();
    block_on(all.write(std::slice::from_ref(&record))).unwrap();
    assert_eq!((record.json(), whole.records()[0].json()), (&*before, &*before));
    let copy = &bare.records()[0];
    assert!(!copy.json().contains("ann@example.org"), "{copy:?}");
    assert_eq!((copy.id(), copy.action(), copy.occurred_at()), (record.id(), record.action(), record.occurred_at()));
}

#[test]
fn what_is_left_out_is_replaced_and_named_and_the_rest_stays_byte_for_byte() {
    let record = full();
    let copy = copy(&record, &["detail.contact.address", "detail.list[].leaf_of_list", "actor.id"]);
    assert_eq!(
        copy.detail(),
        Some(
            r#"{"contact":{"address":"<redacted>","city":"Graz"},"list":[{"leaf_of_list":"<redacted>"},{"leaf_of_list":"<redacted>"}],"memo":"<redacted>","amount":7}"#
        )
    );
    assert_eq!(copy.redacted(), ["memo", "actor.id", "contact.address", "list[].leaf_of_list"]);
    assert_eq!(copy.get("actor"), Some(r#"{"kind":"user","id":"<redacted>"}"#));
    for key in ["schema", "id", "kind", "stage", "action", "occurred_at", "recorded_at", "resource"] {
        assert_eq!(copy.get(key), record.get(key), "{key}");
    }
    let stored = StoredRecord::parse(copy.json()).unwrap();
    assert_eq!(stored.json(), copy.json());
    assert_eq!(stored.redacted(), copy.redacted());
}

#[test]
fn the_whole_payload_goes_with_the_names_in_it() {
    let copy = copy(&full(), &["detail"]);
    assert_eq!(copy.detail(), Some(r#""<redacted>""#));
    assert_eq!(copy.redacted(), ["detail"]);
    StoredRecord::parse(copy.json()).unwrap();
}

#[test]
fn an_address_goes_also_where_a_caller_claims_another() {
    let memory = MemorySink::new();
    let map = Map::builder(memory.clone()).drop("source.ip").drop("actor.id").build().unwrap();
    let recorder = Recorder::builder().sink(map).allow_weak_fail_closed().build().unwrap();
    with_recorder_sync(recorder, || {
        let context = AuditContext::new().source(source()).actor(Actor::user(ActorId::plain("ann")));
        with_context_sync(context, || {
            let other = Source::new().ip(IpAddr::from([198, 51, 100, 9]));
            let claimed = AuditContext::new().source(other).actor(Actor::user(ActorId::plain("eve")));
            extend_context(claimed).unwrap();
            record_action(Action::new("combine.claimed")).wait().unwrap();
        });
    });
    let record = memory.last("combine.claimed").unwrap();
    for secret in ["192.0.2.7", "198.51.100.9", "\"ann\"", "\"eve\""] {
        assert!(!record.json().contains(secret), "{secret} in {record:?}");
    }
    let source = record.source().expect("the rest of the source can be read");
    assert_eq!((source.ip, source.user_agent.as_deref()), (None, Some("curl/8")));
    assert!(record.claimed().is_some());
    assert!(record.redacted().contains(&"source.ip".to_owned()), "{record:?}");
    assert!(record.redacted().contains(&"claimed.source.ip".to_owned()), "{record:?}");
}

#[test]
fn what_a_record_needs_is_not_dropped_and_a_typing_error_is_seen() {
    let refused = |path: &str| Map::builder(MemorySink::new()).drop(path).drop("source.ip").build().unwrap_err();
    for path in ["schema", "id", "action", "occurred_at", "recorded_at", "kind", "stage", "decision", "stream", "seq"] {
        assert_eq!(refused(path), InvalidPath::Needed { path: path.into() });
    }
    for path in ["email", "source.port", "detail.", ""] {
        assert_eq!(refused(path), InvalidPath::Unknown { path: path.into() });
    }
    assert!(refused("email").to_string().contains("`detail`"));
}

#[test]
fn lists_of_people_are_walked_through() {
    let record = Record::builder(Action::new("combine.subjects"))
        .subject(Subject::new("patient", SubjectId::plain("p-1")))
        .subject(Subject::new("patient", SubjectId::plain("p-2")))
        .build();
    let copy = copy(&record, &["subjects[].id"]);
    assert!(copy.subjects().iter().all(|subject| subject.kind == "patient" && subject.id == "<redacted>"));
    assert_eq!((copy.subjects().len(), copy.redacted()), (2, vec!["subjects[].id".to_owned()]));
}

#[test]
fn a_foreign_sink_gets_copies_too_and_it_prints_as_what_it_is() {
    let foreign = Capture::new();
    let map = Map::builder(foreign.clone()).drop("detail").build().unwrap();
    assert_eq!((map.describe().as_str(), format!("{map:?}").as_str()), ("map(capture)", "map(capture)"));
    block_on(map.write(&[full(), full()])).unwrap();
    assert!(foreign.records().iter().all(|record| record.detail() == Some(r#""<redacted>""#)));
    assert_eq!((foreign.records().len(), foreign.batches()), (2, 1));
}
