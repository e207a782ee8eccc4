//! What is particular to the sinks that keep nothing for long: memory and `tracing`.

use std::collections::BTreeMap;
use std::fmt;
use std::slice;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use audited::{
    Action, Actor, ActorId, AuditSink, Code, Decision, Durability, MemorySink, Outcome, Record, Recorder, Resource,
    ResourceId, Severity, SinkError, TRACING_TARGET, TracingSink, record_action, with_recorder_sync,
};
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::contract::block_on;

/// The fields of the events on the target of [`TracingSink`], with their values as text.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

impl Events {
    pub(crate) fn dispatch(&self) -> Dispatch {
        Dispatch::new(tracing_subscriber::registry().with(self.clone()))
    }

    pub(crate) fn records(&self) -> Vec<BTreeMap<String, String>> {
        self.0.lock().unwrap().clone()
    }
}

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == TRACING_TARGET {
            let mut fields = Fields(BTreeMap::new());
            event.record(&mut fields);
            let level = match fields.0.get("severity").map(String::as_str) {
                Some("error" | "critical") => Level::ERROR,
                Some("warning") => Level::WARN,
                _ => Level::INFO,
            };
            assert_eq!(*event.metadata().level(), level);
            self.0.lock().unwrap().push(fields.0);
        }
    }
}

struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), format!("{value}u64"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("unstructured {value:?}"));
    }
}

fn record(action: &'static str) -> Record {
    Record::builder(Action::new(action)).field("n", &7_u32).build()
}

#[test]
fn memory_refuses_what_does_not_fit_and_keeps_what_it_has() {
    let memory = MemorySink::with_capacity(3);
    let old = [record("test.old"), record("test.old")];
    block_on(memory.write(&old)).unwrap();
    assert!(matches!(block_on(memory.write(&old)), Err(SinkError::Full)));
    assert_eq!(memory.records(), old, "a batch is taken whole or not at all");
    block_on(memory.write(&[record("test.new")])).unwrap();
    assert!(matches!(block_on(memory.write(&[record("test.new")])), Err(SinkError::Full)));
    block_on(memory.write(&[])).unwrap();
    assert_eq!(memory.records()[..2], old);
    assert_eq!(memory.len(), 3);
}

#[test]
fn a_recorder_counts_what_memory_refuses() {
    let memory = MemorySink::with_capacity(2);
    let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap();
    let write = || record_action(Action::new("test.write")).wait();
    assert!(with_recorder_sync(recorder.clone(), write).is_ok());
    assert!(with_recorder_sync(recorder.clone(), write).is_err());
    assert_eq!(memory.len(), 2, "the start record and the first");
    assert_eq!(recorder.stats().lost, 1);
}

#[test]
fn memory_finds_records_by_their_action() {
    let memory = MemorySink::default();
    assert!(memory.is_empty());
    let records = [record("test.one"), record("test.other"), record("test.one")];
    block_on(memory.clone().write(&records)).unwrap();
    assert_eq!(memory.find("test.one"), [records[0].clone(), records[2].clone()]);
    assert_eq!(memory.last("test.one"), Some(records[2].clone()));
    assert_eq!(memory.find("test"), []);
    assert_eq!(memory.last("test.none"), None);
    assert_eq!(memory.durability(), Durability::Memory);
}

#[test]
fn memory_waits_for_records_to_come() {
    let memory = MemorySink::new();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| memory.wait_for("test.late", 2, Duration::from_secs(20)));
        for _ in 0..2 {
            thread::sleep(Duration::from_millis(5));
            block_on(memory.write(&[record("test.late"), record("test.other")])).unwrap();
        }
        assert_eq!(waiting.join().unwrap().unwrap().len(), 2);
    });
    let missing = memory.wait_for("test.late", 3, Duration::from_millis(5)).unwrap_err();
    assert_eq!(missing.to_string(), "3 records of `test.late` were waited for, 2 are there");
}

#[test]
fn memory_prints_counts_only() {
    let memory = MemorySink::with_capacity(5);
    block_on(memory.write(&[record("test.secret")])).unwrap();
    assert_eq!(format!("{memory:?}"), "MemorySink { records: 1, capacity: 5 }");
}

#[test]
fn tracing_gets_every_field_by_itself() {
    let events = Events::default();
    let record = Record::builder(Action::new("account.close"))
        .actor(Actor::user(ActorId::plain("u-1")))
        .resource(Resource::new("account", ResourceId::plain("a-1")))
        .decision(Decision::Deny { reason: Code::new("not_owner") })
        .outcome(Outcome::Failure { code: Code::new("denied") })
        .latency(Duration::from_micros(42))
        .field("n", &7_u32)
        .fields(|fields| fields.redacted("memo"))
        .build();
    tracing::dispatcher::with_default(&events.dispatch(), || {
        block_on(TracingSink::new().write(slice::from_ref(&record)))
    })
    .unwrap();
    let [fields] = &events.records()[..] else { panic!("one event") };
    for (name, value) in [
        ("id", record.id().unwrap().to_string().as_str()),
        ("kind", "event"),
        ("stage", "completed"),
        ("action", "account.close"),
        ("decision", "deny"),
        ("reason", "not_owner"),
        ("outcome", "failure"),
        ("code", "denied"),
        ("actor", r#"{"kind":"user","id":"u-1"}"#),
        ("resource", r#"{"kind":"account","id":"a-1"}"#),
        ("latency_us", "42u64"),
        ("detail", r#"{"n":7,"memo":"<redacted>"}"#),
        ("redacted", r#"["memo"]"#),
    ] {
        assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!fields.contains_key("tenant"), "absent values are left out: {fields:?}");
}

#[test]
fn tracing_is_as_grave_as_the_record() {
    for severity in [Severity::Info, Severity::Notice, Severity::Warning, Severity::Error, Severity::Critical] {
        let events = Events::default();
        let record = Record::builder(Action::new("test.grave")).severity(severity).build();
        tracing::dispatcher::with_default(&events.dispatch(), || {
            block_on(TracingSink::new().write(slice::from_ref(&record)))
        })
        .unwrap();
        assert_eq!(events.records()[0]["severity"], severity.as_str());
    }
}

#[test]
fn tracing_gets_the_whole_record_where_asked() {
    let events = Events::default();
    let record = record("test.whole");
    tracing::dispatcher::with_default(&events.dispatch(), || {
        block_on(TracingSink::json().write(slice::from_ref(&record)))
    })
    .unwrap();
    let [fields] = &events.records()[..] else { panic!("one event") };
    assert_eq!(fields.len(), 1);
    assert_eq!(fields["audit"], record.json());
}

#[test]
fn tracing_promises_nothing_and_needs_no_subscriber() {
    assert_eq!(TracingSink::new().durability(), Durability::None);
    tracing::dispatcher::with_default(&Dispatch::none(), || block_on(TracingSink::new().write(&[record("test.a")])))
        .unwrap();
}
