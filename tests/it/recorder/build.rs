//! Building a recorder, and what it says about itself.

use std::time::Duration;

use async_trait::async_trait;
use audited::{
    AuditContext, AuditSink, BuildError, Durability, KeyRing, Record, Recorder, SinkError, TenantId, record_action,
    with_context_sync, with_recorder_sync,
};
use serde_json::Value;

use super::{DONE, recorder_with};
use crate::support::{self, Behaviour, Capture, PATIENCE};

#[test]
fn a_recorder_needs_a_sink() {
    let error = Recorder::builder().build().unwrap_err();
    assert!(matches!(error, BuildError::NoSink));
    assert_eq!(error.to_string(), "a recorder needs a sink: `Recorder::builder().sink(…)`");
}

#[test]
fn a_weak_sink_is_refused_with_the_way_out() {
    let error = BuildError::WeakSink {
        sink: "memory".into(),
        durability: Durability::Memory,
        actions: vec!["a.b".into(), "c.d".into()],
    };
    assert_eq!(
        error.to_string(),
        "`memory` promises only `memory`, but these actions are fail_closed and need `disk`: a.b, c.d. Take a journal, or allow them by name with `allow_weak_fail_closed_for([…])`; in a test, `allow_weak_fail_closed()` allows all"
    );
}

#[test]
fn the_start_and_the_stop_are_records() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| {
        builder.deadline(Duration::from_secs(7)).keys(KeyRing::new("k", [1; 32]).unwrap())
    });
    let start = sink.wait_for_action("audit.started", PATIENCE);
    assert_eq!(start.kind(), Some(audited::Kind::System));
    assert_eq!(start.actor(), None);
    assert_eq!(
        serde_json::from_str::<Value>(start.detail().unwrap()).unwrap(),
        serde_json::json!({
            "sink": "capture",
            "durability": "memory",
            "guarantee": "an acknowledged record is in memory, and lost with the process",
            "weak_fail_closed": true,
            "hash_key": "k",
            "deadline_ms": 7000
        })
    );
    recorder.shutdown(PATIENCE).unwrap();
    assert_eq!(sink.all().last().unwrap().action(), "audit.stopped");
    assert_eq!(sink.flushes(), 1);
}

#[test]
fn a_recorder_without_keys_says_so_where_fields_are_to_be_hashed() {
    let warnings = |keys: Option<KeyRing>| {
        let log = support::Log::default();
        tracing::dispatcher::with_default(&log.dispatch(), || {
            let builder = Recorder::builder().sink(Capture::new()).allow_weak_fail_closed();
            let builder = if let Some(keys) = keys { builder.keys(keys) } else { builder };
            builder.build().unwrap()
        });
        log.on("audited::redaction")
    };
    let warned = warnings(None);
    let [warning] = &warned[..] else { panic!("one warning: {warned:?}") };
    assert_eq!(warning.level, tracing::Level::WARN);
    let hash = |mode: &Option<String>| mode.as_deref() == Some("hash");
    let fields = audited::sensitive_types().into_iter().flat_map(audited::SensitiveType::fields);
    let fields = fields.filter(|field| field.mode == Some(audited::Mode::Hash));
    let functions = audited::catalogue().actions;
    let functions = functions.iter().filter(|action| action.origin == audited::Origin::Function);
    let captures = functions.flat_map(|action| &action.fields).filter(|field| hash(&field.mode));
    let (fields, captures) = (fields.count(), captures.count());
    assert!(fields > 0 && captures > 0, "{fields}, {captures}");
    assert_eq!(
        (&*warning.fields["fields"], &*warning.fields["captures"]),
        (&*fields.to_string(), &*captures.to_string())
    );
    assert!(warning.fields["message"].contains("RecorderBuilder::keys"), "{warning:?}");
    assert!(warnings(Some(KeyRing::new("k", [1; 32]).unwrap())).is_empty());
}

#[test]
fn a_start_record_without_a_key_names_none() {
    let sink = Capture::new();
    let _recorder = support::recorder(sink.clone());
    assert!(!sink.wait_for_action("audit.started", PATIENCE).json().contains("hash_key"));
}

#[test]
fn a_start_record_that_is_lost_does_not_fail_the_build() {
    let sink = Capture::new();
    sink.set(Behaviour::Fail);
    let recorder = support::recorder(sink.clone());
    support::eventually("lost", || recorder.stats().lost == 1);
    sink.set(Behaviour::Ok);
    let gap = sink.wait_for_action("audit.gap", PATIENCE);
    assert!(gap.detail().unwrap().contains(r#""actions":{"audit.started":1}"#));
}

#[test]
fn the_recorder_hashes_with_its_key_and_under_the_tenant() {
    let keys = KeyRing::new("k1", [9; 32]).unwrap();
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.keys(keys.clone()));
    let context = AuditContext::new()
        .tenant(TenantId::plain("acme"))
        .actor(audited::Actor::user(audited::ActorId::hash("ann")))
        .session(audited::SessionId::new("s-1"));
    with_recorder_sync(recorder, || {
        with_context_sync(context, || {
            record_action(DONE).fields(|fields| fields.hashed("device", "d-1")).wait().unwrap();
        });
    });
    let record = &sink.records()[0];
    assert_eq!(record.actor().unwrap().id.unwrap(), keys.hash(Some("acme"), None, "ann"));
    assert_eq!(record.session().unwrap(), keys.hash(Some("acme"), None, "s-1"));
    assert_eq!(record.detail().unwrap(), format!(r#"{{"device":"{}"}}"#, keys.hash(Some("acme"), None, "d-1")));
    assert_eq!(record.redacted(), ["device", "actor.id", "session"]);
}

/// Says what it promises, and takes everything.
struct Promises(Durability);

#[async_trait]
impl AuditSink for Promises {
    async fn write(&self, _batch: &[Record]) -> Result<(), SinkError> {
        Ok(())
    }

    fn durability(&self) -> Durability {
        self.0
    }

    fn describe(&self) -> String {
        "promises\nmuch".into()
    }
}

#[test]
fn the_durability_is_the_sinks() {
    for durability in [Durability::None, Durability::OsBuffer, Durability::Disk, Durability::Replicated] {
        assert_eq!(support::recorder(Promises(durability)).durability(), durability);
    }
}

#[test]
fn debug_names_the_sink_and_no_key() {
    let recorder =
        Recorder::builder().sink(Promises(Durability::Disk)).keys(KeyRing::new("k", [7; 32]).unwrap()).build().unwrap();
    assert_eq!(format!("{recorder:?}"), r#"Recorder { sink: "promises\nmuch", .. }"#);
}

#[test]
fn a_future_moment_does_not_spoil_the_ids_that_follow() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    let far = "9998-01-01T00:00:00Z".parse().unwrap();
    let before = audited::Timestamp::now();
    with_recorder_sync(recorder, || {
        record_action(DONE).occurred_at(far).wait().unwrap();
        record_action(DONE).wait().unwrap();
    });
    let records = sink.records();
    assert_eq!(records[0].occurred_at(), Some(far));
    for record in &records {
        let (seconds, _) = record.id().unwrap().as_uuid().get_timestamp().unwrap().to_unix();
        let within = seconds.abs_diff(u64::try_from(before.as_unix_micros() / 1_000_000).unwrap());
        assert!(within < 3600, "{}", record.json());
    }
}
