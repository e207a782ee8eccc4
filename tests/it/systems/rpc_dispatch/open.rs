//! What the original left open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use audited::{Durability, FanOut, Journal, Member, Mode, Retention, Stage, sensitive_types};

use super::framework::row::RowKind;
use super::*;
use crate::support::{self, Behaviour, Capture, PATIENCE};

/// A service with a critical method and another one, and how often either has run.
fn critical() -> (Dispatcher, Arc<AtomicUsize>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let method = || {
        let ran = ran.clone();
        Method::new(move |params| {
            ran.fetch_add(1, Ordering::Relaxed);
            async { Ok(params) }
        })
    };
    (service_of([("thing.do", method()), ("thing.risk", method().critical())]), ran)
}

#[test]
fn critical_sinks_fail_closed() {
    let (service, ran) = critical();
    let (required, other) = (Capture::new(), Capture::new());
    let sink = FanOut::builder().required(required.clone()).any([Member::from(other.clone()), Capture::new().into()]);
    let recorder = support::recorder(sink.build().unwrap());
    let dispatch = |method| block_on(with_recorder(recorder.clone(), service.dispatch(call(method)))).map(drop);
    required.wait_for_action("audit.started", PATIENCE);

    other.set(Behaviour::Fail);
    assert_eq!((dispatch("thing.do"), dispatch("thing.risk")), (Ok(()), Ok(())), "that sink is not critical");
    required.set(Behaviour::Fail);
    assert_eq!(ran.swap(0, Ordering::Relaxed), 2);
    assert_eq!(dispatch("thing.risk"), Err(WireError::Unavailable));
    assert_eq!(ran.load(Ordering::Relaxed), 0, "it did not run");
    assert_eq!(dispatch("thing.do"), Ok(()));
    assert_eq!(ran.load(Ordering::Relaxed), 1);
    required.set(Behaviour::Ok);
    assert_eq!(dispatch("thing.risk"), Ok(()));
}

#[test]
fn a_critical_method_is_not_forwarded_without_its_record() {
    let capture = Capture::new();
    let recorder = support::recorder(capture.clone());
    capture.wait_for_action("audit.started", PATIENCE);
    capture.set(Behaviour::Fail);
    let gateway = service::gateway();
    let answer = |method| block_on(with_recorder(recorder.clone(), gateway.dispatch(call(method))));
    assert_eq!(answer("invoice.refund"), Err(WireError::Unavailable));
    assert_eq!(answer("invoice.read"), Ok(json!({ "cents": 1200 })));
}

#[test]
fn the_sensitive_registry_really_redacts() {
    let types = sensitive_types();
    let refund = types.iter().find(|ty| ty.name == "Refund" && ty.module.ends_with("rpc_dispatch::service")).unwrap();
    let note = refund.fields().find(|field| field.key == "note").unwrap();
    assert_eq!(note.mode, Some(Mode::Drop));
    let (answers, records) = dispatched(&service::gateway(), vec![call("invoice.refund")]);
    assert_eq!(answers, [Ok(json!({ "refunded": 250 }))]);
    let calls: Vec<_> = records.iter().filter(|record| record.action() == "invoice.refund").collect();
    assert_eq!(
        calls.iter().map(|record| record.stage()).collect::<Vec<_>>(),
        [Some(Stage::Intent), Some(Stage::Completed)]
    );
    for record in calls {
        assert_eq!(record.detail(), Some(r#"{"body":{"invoice":7,"cents":250,"note":"<redacted>"}}"#));
    }
    assert!(records.iter().all(|record| !record.json().contains("s3cret")));
}

#[test]
fn a_durable_log_sink() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::builder().sink(Journal::open(folder.path()).unwrap()).build().unwrap();
    assert_eq!(recorder.durability(), Durability::Disk);
    let gateway = service::gateway();
    block_on(with_recorder(recorder.clone(), gateway.dispatch(call("invoice.refund")))).unwrap();
    // Nothing was flushed or shut down: what was answered is there.
    let records: Vec<StoredRecord> = Journal::read(folder.path()).unwrap().map(Result::unwrap).collect();
    let kinds: Vec<_> = rows(&records).iter().map(|row| row.kind).collect();
    assert_eq!(kinds, [RowKind::ScopeCheck, RowKind::ForwardPolicyApplied, RowKind::ScopeCheck]);
    assert!(Journal::verify(folder.path()).unwrap().is_sound());
    recorder.shutdown(PATIENCE).unwrap();
}

#[test]
fn forward_policy_records() {
    let (_, records) = dispatched(&service::gateway(), vec![call("invoice.refund")]);
    let forwards = rows(&records).into_iter().filter(|row| row.kind == RowKind::ForwardPolicyApplied);
    let forwards: Vec<_> = forwards.map(|row| (row.policy_name, row.derivation, row.caller_ns)).collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(forwards, [(text("as_caller"), text("originator"), text("gateway"))]);
}

#[test]
fn a_forwarded_call_may_no_more_than_the_policy_lets_through() {
    use super::framework::dispatch::{Derivation, ForwardPolicy};
    let behind = Arc::new(service_of([("thing.do", Method::new(async |params| Ok(params)))]));
    let policy = ForwardPolicy { name: "nothing", derivation: Derivation::Narrowed(Vec::new()) };
    let front = service_of([("thing.do", Method::forward(behind, policy))]);
    let (answers, records) = dispatched(&front, vec![call("thing.do")]);
    assert_eq!(answers, [Err(WireError::Denied)]);
    let decisions: Vec<_> = rows(&records).iter().map(|row| json!(row)["reason"].clone()).collect();
    assert_eq!(decisions, [Value::Null, Value::Null, json!("missing_scope")]);
}

#[test]
fn retention() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let recorder = Recorder::builder().sink(journal.clone()).build().unwrap();
    let gateway = service::gateway();
    let dispatch = || block_on(with_recorder(recorder.clone(), gateway.dispatch(call("invoice.read"))));
    dispatch().unwrap();
    block_on(journal.rotate()).unwrap();
    dispatch().unwrap();
    let retained = block_on(journal.retain(Retention::new().total_bytes(0))).unwrap();
    assert_eq!(retained.removed, ["audit-0000000001.jsonl"]);
    let records: Vec<StoredRecord> = Journal::read(folder.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows(&records).len(), 3, "what is not old is there");
    assert!(records.iter().any(|record| record.action() == "audit.retained"));
    recorder.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_record_for_calls_whose_method_path_is_malformed() {
    let (answers, records) = dispatched(&service::gateway(), vec![call("../s3cret\n{\"decision\":\"allow\"}")]);
    assert_eq!(answers, [Err(WireError::Denied)]);
    let [row] = &rows(&records)[..] else { panic!("{records:?}") };
    assert_eq!((json!(row)["reason"].as_str(), &row.method), (Some("other"), &None));
    assert!(!records[0].json().contains("s3cret"), "{:?}", records[0]);
    let detail: Value = serde_json::from_str(records[0].detail().unwrap()).unwrap();
    assert_eq!(detail["malformed_path"], "<30 characters>");
}
