use std::time::Duration;

use audited::{AuditMiddleware, CoverageMode, DenialStatus, Recorder, Stage, StoredDecision};

use super::{actions, answer, detail, header, serve, serve_with, status, wait_for};
use crate::support::{Behaviour, Capture};

#[tokio::test]
async fn what_no_handler_sees_is_recorded_once_and_before_the_answer() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new());
    let json = "content-type: application/json\r\ncontent-length: 4\r\n\r\nnone";
    for (start, headers, expected, route) in [
        ("GET /nowhere/s3cret", "", 404, "<unmatched>"),
        ("DELETE /accounts/7", "", 404, "/accounts/{id}"),
        ("POST /accounts", json, 400, "/accounts"),
        ("POST /accounts", "content-length: 0\r\n", 400, "/accounts"),
        ("POST /accounts", "content-type: application/json\r\ncontent-length: 9000000\r\n", 413, "/accounts"),
        ("GET /accounts/seven", "", 404, "/accounts/{id}"),
        ("GET /accounts/7", "authorization: s3cret\r\n", 401, "/accounts/{id}"),
        ("GET /accounts/7", "authorization: bob\r\n", 403, "/accounts/{id}"),
    ] {
        let answer = answer(address, start, headers).await;
        let got = status(&answer);
        let records = capture.records();
        let record = records.last().unwrap_or_else(|| panic!("nothing of {start}"));
        assert_eq!(record.action(), "http.request", "{start}");
        let method = start.split(' ').next().unwrap();
        assert_eq!(detail(record), format!(r#"{{"method":"{method}","route":"{route}","status":{got}}}"#));
        assert_eq!(got, expected, "{start}");
        assert_eq!(record.correlation_id().as_deref(), header(&answer, "x-request-id"), "{start}");
        let denied = matches!(record.decision(), Some(StoredDecision::Deny { .. }));
        assert_eq!(denied, [401, 403].contains(&got), "{start}");
    }
    assert_eq!(capture.records().len(), 8);
    assert!(!format!("{:?}", capture.all()).contains("s3cret"));
}

#[tokio::test]
async fn one_record_and_not_two() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new());
    for (start, expected) in [("GET /accounts/7", 200), ("GET /accounts/0", 404), ("GET /accounts/1", 404)] {
        assert_eq!(status(&answer(address, start, "").await), expected);
    }
    assert_eq!(actions(&capture), ["account.show"; 3]);
    // What was allowed inside does not stand for a request that was refused.
    assert_eq!(status(&answer(address, "GET /session", "").await), 422);
    assert_eq!(actions(&capture)[3..], ["session.used", "http.request"]);
}

#[tokio::test]
async fn panics_are_recorded_and_go_on() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new());
    assert_eq!(answer(address, "GET /broken", "").await, "");
    assert_eq!(answer(address, "GET /unaudited_broken", "").await, "");
    let records = capture.records();
    let stages: Vec<_> = records.iter().map(|record| (record.action().into_owned(), record.stage())).collect();
    assert_eq!(stages, ["account.broken", "http.request"].map(|action| (action.to_owned(), Some(Stage::Panicked))));
    assert!(!format!("{records:?}").contains("as planned"));
}

#[tokio::test]
async fn what_leaves_no_record_is_a_finding_unless_it_is_exempt() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new());
    assert_eq!(status(&answer(address, "GET /healthz", "").await), 200);
    assert_eq!(actions(&capture), [""; 0]);
    assert_eq!(status(&answer(address, "GET /unaudited", "").await), 200);
    assert_eq!(detail(&wait_for(&capture, "audit.unaudited").await), r#"{"method":"GET","route":"/unaudited"}"#);

    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new().coverage(CoverageMode::Strict));
    let kept_back = answer(address, "GET /unaudited", "").await;
    assert_eq!((status(&kept_back), kept_back.ends_with("\r\n\r\n")), (500, true));
    assert_eq!(status(&answer(address, "GET /healthz", "").await), 200);

    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new().coverage(CoverageMode::Off));
    assert_eq!(status(&answer(address, "GET /unaudited", "").await), 200);
    assert_eq!(status(&answer(address, "GET /nowhere", "").await), 404);
    assert_eq!(actions(&capture), ["http.request"]);
}

#[tokio::test]
async fn denials_are_the_same_bytes_whatever_their_reason() {
    let bare = |answer: String| {
        let lines = answer.split("\r\n").filter(|line| !line.starts_with("x-request-id") && !line.starts_with("date"));
        let mut lines: Vec<_> = lines.map(str::to_owned).collect();
        let head = lines.iter().position(String::is_empty).unwrap();
        // actix keeps headers in a map: their order means nothing.
        lines[1..head].sort();
        lines
    };
    let address = serve(Capture::new(), AuditMiddleware::new().uniform_denials());
    let hidden = bare(answer(address, "GET /accounts/1", "").await);
    assert_eq!(hidden, bare(answer(address, "GET /accounts/0", "").await));
    assert_eq!(hidden, bare(answer(address, "GET /nowhere", "").await));
    assert_eq!(hidden[0], "HTTP/1.1 404 Not Found");
    let refused = bare(answer(address, "GET /accounts/7", "authorization: bob\r\n").await);
    assert_eq!(refused, ["HTTP/1.1 403 Forbidden", "connection: close", "content-length: 0", "", ""]);
    let unknown = bare(answer(address, "GET /accounts/7", "authorization: carl\r\n").await);
    assert!(unknown.contains(&"www-authenticate: Bearer".to_owned()) && unknown[0].contains("401"), "{unknown:?}");

    let address = serve(Capture::new(), AuditMiddleware::new().uniform_denials_as(DenialStatus::NotFound));
    for start in ["GET /accounts/1", "GET /accounts/0", "GET /nowhere"] {
        assert_eq!(bare(answer(address, start, "").await), hidden, "{start}");
    }
    assert_eq!(bare(answer(address, "GET /accounts/7", "authorization: bob\r\n").await), hidden);
    assert_eq!(status(&answer(address, "GET /accounts/7", "").await), 200);
}

#[tokio::test]
async fn fail_closed_keeps_an_answer_back_that_is_not_recorded() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new().fail_closed());
    capture.set(Behaviour::Fail);
    let refused = answer(address, "GET /nowhere", "").await;
    assert_eq!((status(&refused), refused.ends_with("\r\n\r\n")), (503, true));
    let refused = answer(address, "GET /accounts/7", "authorization: bob\r\n").await;
    assert_eq!((status(&refused), refused.ends_with("\r\n\r\n")), (503, true));
    capture.set(Behaviour::Ok);
    assert_eq!(status(&answer(address, "GET /nowhere", "").await), 404);

    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new());
    capture.set(Behaviour::Fail);
    assert_eq!(status(&answer(address, "GET /nowhere", "").await), 404);
}

#[tokio::test]
async fn a_sink_that_hangs_costs_a_record_and_no_answer() {
    let capture = Capture::new();
    let recorder = Recorder::builder().sink(capture.clone()).allow_weak_fail_closed();
    let recorder = recorder.deadline(Duration::from_millis(50)).build().unwrap();
    let address = serve_with(recorder.clone(), AuditMiddleware::new());
    capture.set(Behaviour::HangAsync);
    assert_eq!(status(&answer(address, "GET /nowhere", "").await), 404);
    assert_eq!(status(&answer(address, "GET /accounts/7", "").await), 200);
    assert!(recorder.stats().unacknowledged >= 2);
    capture.set(Behaviour::Ok);
}

#[tokio::test]
async fn what_is_found_says_whose_request_it_was() {
    let capture = Capture::new();
    let address = serve(capture.clone(), AuditMiddleware::new().coverage(CoverageMode::Strict));
    let answer = answer(address, "GET /unaudited", "authorization: ann\r\nuser-agent: curl\r\n").await;
    assert_eq!(status(&answer), 500);
    let found = wait_for(&capture, "audit.unaudited").await;
    assert_eq!(found.correlation_id().as_deref(), header(&answer, "x-request-id"));
    assert_eq!(found.actor().and_then(|actor| actor.id).as_deref(), Some("ann"));
    let source = found.source().unwrap();
    assert_eq!((source.ip, source.user_agent.as_deref()), (Some([127, 0, 0, 1].into()), Some("curl")));
}
