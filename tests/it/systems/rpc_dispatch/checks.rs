//! One record a check, and an answer that tells nothing.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use super::*;
use crate::support::{self, Behaviour, Capture, PATIENCE};

#[test]
fn one_record_per_scope_check_allow_and_deny_awaited_before_the_dispatch_answers() {
    let ran = Arc::new(AtomicUsize::new(0));
    let counted = ran.clone();
    let service = service_of([(
        "thing.do",
        Method::new(move |params| {
            counted.fetch_add(1, Ordering::Relaxed);
            async { Ok(params) }
        }),
    )]);
    for (method, allowed) in [("thing.do", true), ("thing.other", false)] {
        let capture = Capture::new();
        let recorder =
            Recorder::builder().sink(capture.clone()).deadline(PATIENCE).allow_weak_fail_closed().build().unwrap();
        // Kept: else it would be the first record that hangs.
        capture.wait_for_action("audit.started", PATIENCE);
        capture.set(Behaviour::HangAsync);
        let mut answer = pin!(with_recorder(recorder, service.dispatch(call(method))));
        let mut look = || answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(look().is_pending());
        capture.wait_for_batches(2, PATIENCE);
        assert!(look().is_pending(), "the sink has the record and has not acknowledged it");
        assert_eq!(ran.load(Ordering::Relaxed), 0);
        capture.set(Behaviour::Ok);
        let answer = block_on(std::future::poll_fn(|cx| answer.as_mut().poll(cx)));
        assert_eq!(answer.is_ok(), allowed);
        let records = capture.records();
        assert_eq!(records.len(), 1, "{records:?}");
        assert_eq!(records[0].action(), "scope_check");
        assert_eq!(ran.swap(0, Ordering::Relaxed), usize::from(allowed));
    }
}

#[test]
fn the_wire_answer_is_generic_and_the_reason_only_in_the_record() {
    let (answers, records) = dispatched(&service::gateway(), denied_calls());
    let denials: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    let told: Vec<_> = denials.iter().map(|error| serde_json::to_string(error).unwrap()).collect();
    assert_eq!(told, [r#"{"error":"denied"}"#; 7]);
    let reasons: Vec<_> =
        rows(&records).iter().filter_map(|row| json!(row)["reason"].as_str().map(str::to_owned)).collect();
    let all = "unauthenticated invalid_session missing_scope not_accepted tenant_boundary rate_limited other";
    assert_eq!(reasons.join(" "), all);
}

#[test]
fn a_method_is_denied_unless_something_says_that_it_may_be_called() {
    let (answers, _) = dispatched(&service::gateway(), vec![call("invoice.purge"), call("invoice.unknown")]);
    assert_eq!(answers, [Err(WireError::Denied), Err(WireError::Denied)]);
}

#[test]
fn a_handler_cannot_change_what_the_check_was_about() {
    let capture = Capture::new();
    let service = service_of([("thing.do", Method::new(async |params| Ok(params)))]);
    let answer = block_on(with_recorder(support::recorder(capture.clone()), service.dispatch(call("thing.do"))));
    assert!(answer.is_ok());
    assert_eq!(capture.records()[0].resource().unwrap().id, "thing.do");
}
