//! Where the records go, and what becomes of the dispatch where they do not.

use std::sync::Arc;

use audited::{AuditSink, TRACING_TARGET};
use tracing::Level;

use super::*;
use crate::child;
use crate::support::{self, Behaviour, Capture, Log};

#[test]
fn the_default_sink_is_tracing_at_info_on_a_target_of_its_own_with_every_field_structured_and_no_configuration() {
    let (log, gateway) = (Log::default(), service::gateway());
    tracing::dispatcher::with_default(&log.dispatch(), || {
        assert!(block_on(gateway.dispatch(call("invoice.read"))).is_ok());
        assert!(block_on(gateway.dispatch(call("invoice.purge"))).is_err());
    });
    let logged = log.on(TRACING_TARGET);
    let checks: Vec<_> = logged.iter().filter(|event| event.fields["action"] == "scope_check").collect();
    assert_eq!(checks.len(), 3);
    assert!(logged.iter().all(|event| event.level == Level::INFO));
    let fields = &checks[2].fields;
    for (key, value) in
        [("decision", "deny"), ("reason", "not_accepted"), ("correlation_id", "req-1"), ("tenant", "acme")]
    {
        assert_eq!(fields[key], value);
    }
    // What has parts is JSON.
    for (key, part, value) in [
        ("actor", "id", json!("u-ann")),
        ("resource", "id", json!("invoice.purge")),
        ("source", "ip", json!("192.0.2.7")),
        ("detail", "scope_required", Value::Null),
    ] {
        assert_eq!(serde_json::from_str::<Value>(&fields[key]).unwrap()[part], value);
    }
    assert_eq!(serde_json::from_str::<Value>(&fields["roles"]).unwrap(), json!(["clerk"]));
    assert!(fields["latency_us"].parse::<u64>().is_ok() && fields.contains_key("occurred_at"));
}

/// In a process of its own, where the subscriber can be that of all threads.
#[test]
fn a_sink_that_fails_or_panics_is_a_tracing_error_with_the_correlation_id_and_dispatch_goes_on() {
    if !child::runs(
        "systems::rpc_dispatch::sinks::\
                    a_sink_that_fails_or_panics_is_a_tracing_error_with_the_correlation_id_and_dispatch_goes_on",
    ) {
        return;
    }
    let log = Log::default();
    tracing::dispatcher::set_global_default(log.dispatch()).unwrap();
    let service = service_of([("thing.do", Method::new(async |params| Ok(params)))]);
    for (at, (behaviour, reason)) in
        [(Behaviour::Fail, "failed"), (Behaviour::Panic, "panicked")].into_iter().enumerate()
    {
        let capture = Capture::new();
        let recorder = support::recorder(capture.clone());
        capture.wait_for_action("audit.started", support::PATIENCE);
        capture.set(behaviour);
        for _ in 0..2 {
            assert!(block_on(with_recorder(recorder.clone(), service.dispatch(call("thing.do")))).is_ok());
        }
        assert_eq!(recorder.stats().lost, 2);
        let errors = log.on("audited::loss");
        let errors: Vec<_> = errors
            .iter()
            .filter(|event| event.fields.get("action").is_some_and(|action| action == "scope_check"))
            .collect();
        assert_eq!(errors.len(), (at + 1) * 2);
        for error in &errors[at * 2..] {
            assert_eq!(error.level, Level::ERROR);
            assert_eq!((&*error.fields["correlation_id"], &*error.fields["reason"]), ("req-1", reason));
        }
    }
}

#[test]
fn a_sink_is_send_sync_and_static_and_held_as_an_arc() {
    fn is_so<T: Send + Sync + 'static + ?Sized>() {}
    is_so::<dyn AuditSink>();
    let capture = Capture::new();
    let sink: Arc<dyn AuditSink> = Arc::new(capture.clone());
    let service = service_of([("thing.do", Method::new(async |params| Ok(params)))]);
    block_on(with_recorder(support::recorder(sink.clone()), service.dispatch(call("thing.do")))).unwrap();
    assert_eq!(capture.records().len(), 1);
}
