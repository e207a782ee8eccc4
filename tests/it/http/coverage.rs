//! Requests that leave no record, in a service over real sockets.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use audited::{
    Action, Actor, ActorId, AuditContext, AuditLayer, AuditRequest, CorrelationId, CoverageMode, MemorySink, Record,
    Recorder, Stage, StoredDecision, TenantId, audited, not_audited, record_action, with_context_sync, with_recorder,
    with_recorder_sync,
};
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Path, Request};
use axum::http::{Response, StatusCode};
use axum::middleware::{self, Next};
use axum::routing::{any, get, post_service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::served::Served;

#[audited(action = "layered.transfer")]
async fn transfer() -> &'static str {
    tokio::task::yield_now().await;
    "done"
}

#[not_audited(reason = "says that the service lives")]
async fn healthz() -> &'static str {
    "ok"
}

static FORGOTTEN: AtomicU32 = AtomicU32::new(0);

async fn forgotten() -> &'static str {
    FORGOTTEN.fetch_add(1, Ordering::SeqCst);
    tokio::task::yield_now().await;
    "s3cret of the handler"
}

#[audited(action = "layered.broken")]
async fn broken() -> &'static str {
    std::panic::panic_any("as planned");
}

async fn broken_and_forgotten() -> &'static str {
    tokio::task::yield_now().await;
    std::panic::panic_any("as planned");
}

/// The body of an answer, of two pieces, each of which leaves a record while it streams.
struct Pieces {
    left: u8,
    recorder: Recorder,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        with_recorder_sync(self.recorder.clone(), || record_action(Action::new("layered.streamed")).wait().unwrap());
        Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"piece ")))))
    }
}

/// A service that does its work when it is called, and not in its future.
#[derive(Clone)]
struct AtOnce {
    records: bool,
}

#[audited(action = "layered.at_once")]
fn at_once() {}

impl tower_service::Service<Request> for AtOnce {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        if self.records {
            at_once();
        }
        ready(Ok(Response::new(Body::from("at once"))))
    }
}

/// What a service answers, whole, and what it recorded.
async fn served(mode: CoverageMode, requests: &[&str]) -> (Vec<String>, Vec<Record>) {
    let memory = MemorySink::new();
    let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap();
    let pieces = recorder.clone();
    let app = Router::new()
        .route("/transfers/{id}", get(transfer))
        .route("/healthz", get(healthz))
        .route("/forgotten/{id}", any(forgotten))
        .route("/broken", get(broken))
        .route("/broken-and-forgotten/{id}", get(broken_and_forgotten))
        .route("/streamed", get(|| async move { Body::new(Pieces { left: 2, recorder: pieces }) }))
        .route("/at-once", post_service(AtOnce { records: true }))
        .route("/not-at-once", post_service(AtOnce { records: false }))
        .layer(AuditLayer::axum().coverage(mode))
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            with_recorder(recorder.clone(), next.run(request))
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut answers = Vec::new();
    for request in requests {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answers.push(answer);
    }
    server.abort();
    (answers, memory.records())
}

/// Those of one action.
fn of<'r>(records: &'r [Record], action: &str) -> Vec<&'r Record> {
    records.iter().filter(|record| record.action() == action).collect()
}

/// What was found.
fn details(records: &[Record]) -> Vec<&str> {
    of(records, "audit.unaudited").into_iter().filter_map(|record| record.detail()).collect()
}

const AUDITED: [&str; 3] = ["GET /transfers/1", "GET /healthz", "POST /at-once"];
const UNAUDITED: [&str; 3] = ["GET /forgotten/s3cret", "S3CRET /forgotten/s3cret", "POST /not-at-once"];

const FINDINGS: [&str; 3] = [
    r#"{"method":"GET","route":"/forgotten/{id}"}"#,
    r#"{"method":"<other>","route":"/forgotten/{id}"}"#,
    r#"{"method":"POST","route":"/not-at-once"}"#,
];

#[tokio::test]
async fn a_request_that_left_a_record_or_is_exempt_is_answered_in_every_mode() {
    for mode in [CoverageMode::Off, CoverageMode::Report, CoverageMode::Strict] {
        let (answers, found) = served(mode, &AUDITED).await;
        for (answer, body) in answers.iter().zip(["done", "ok", "at once"]) {
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(body), "{mode:?}: {answer}");
        }
        assert_eq!(details(&found), [""; 0], "{mode:?}");
    }
}

#[tokio::test]
async fn a_request_that_left_none_is_reported_and_answered() {
    let (answers, found) = served(CoverageMode::Report, &UNAUDITED).await;
    assert!(answers[0].starts_with("HTTP/1.1 200") && answers[0].ends_with("s3cret of the handler"));
    assert_eq!(details(&found), FINDINGS);
    assert!(of(&found, "audit.unaudited").iter().all(|record| !record.json().to_ascii_lowercase().contains("s3cret")));
}

#[tokio::test]
async fn its_answer_does_not_go_out_where_that_is_strict() {
    let before = FORGOTTEN.load(Ordering::SeqCst);
    let (answers, found) = served(CoverageMode::Strict, &UNAUDITED).await;
    assert_eq!(details(&found), FINDINGS);
    // What the handler did is done.
    assert!(FORGOTTEN.load(Ordering::SeqCst) >= before + 2);
    let without_date = |answer: &String| {
        let lines = answer.lines().filter(|line| !line.starts_with("date:") && !line.starts_with("x-request-id:"));
        lines.collect::<Vec<_>>().join("\n")
    };
    for answer in &answers {
        assert!(answer.starts_with("HTTP/1.1 500") && answer.ends_with("\r\n\r\n"), "{answer}");
        assert_eq!(without_date(answer), without_date(&answers[0]), "each is like the others");
    }
}

#[tokio::test]
async fn switched_off_it_does_not_look() {
    let (answers, found) = served(CoverageMode::Off, &UNAUDITED).await;
    assert!(answers[0].ends_with("s3cret of the handler"));
    assert_eq!(details(&found), [""; 0]);
}

#[tokio::test]
async fn a_handler_that_is_switched_off_is_audited_and_leaves_nothing_but_what_the_layer_sees() {
    #[audited(action = "layered.quiet", unlocked)]
    async fn quiet(Path(code): Path<u16>) -> StatusCode {
        StatusCode::from_u16(code).unwrap()
    }

    let memory = MemorySink::new();
    let builder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed();
    let recorder = builder.switched_off(Action::new("layered.quiet"), "too many").build().unwrap();
    let layer = AuditLayer::axum().coverage(CoverageMode::Strict);
    let mut served = Served::by(recorder, Router::new().route("/quiet/{code}", get(quiet)).layer(layer)).await;
    served.memory = memory;
    assert_eq!(served.get("GET /quiet/200").await.status(), 200);
    assert_eq!(served.records(), []);
    assert_eq!(served.get("GET /quiet/403").await.status(), 403);
    let refused = served.comes("http.request").await;
    assert!(matches!(refused.decision(), Some(StoredDecision::Deny { .. })), "{refused:?}");
    assert_eq!(served.records().len(), 1);
}

#[tokio::test]
async fn what_is_recorded_while_a_body_streams_comes_too_late() {
    let (answers, found) = served(CoverageMode::Report, &["GET /streamed"]).await;
    assert!(answers[0].contains("piece"), "{}", answers[0]);
    assert_eq!(details(&found), [r#"{"method":"GET","route":"/streamed"}"#]);
    assert_eq!(of(&found, "layered.streamed").len(), 2);
    let (answers, found) = served(CoverageMode::Strict, &["GET /streamed"]).await;
    assert!(answers[0].starts_with("HTTP/1.1 500") && !answers[0].contains("piece"), "{}", answers[0]);
    assert_eq!((details(&found).len(), of(&found, "layered.streamed").len()), (1, 0), "it is dropped unread");
}

#[tokio::test]
async fn a_panic_goes_on_and_has_one_record() {
    for mode in [CoverageMode::Off, CoverageMode::Report, CoverageMode::Strict] {
        let (answers, found) = served(mode, &["GET /broken", "GET /broken-and-forgotten/s3cret"]).await;
        // The connection is closed, as without the layer.
        assert_eq!(answers, ["", ""], "{mode:?}");
        assert_eq!(details(&found), [""; 0], "{mode:?}");
        let [broken] = of(&found, "layered.broken")[..] else { panic!("{found:?}") };
        let [request] = of(&found, "http.request")[..] else { panic!("{found:?}") };
        for record in [broken, request] {
            assert_eq!(record.stage(), Some(Stage::Panicked));
            assert!(record.correlation_id().is_some() && !record.json().contains("as planned"));
        }
        assert_eq!(request.detail(), Some(r#"{"method":"GET","route":"/broken-and-forgotten/{id}"}"#), "{mode:?}");
    }
}

#[tokio::test]
async fn what_is_found_says_whose_request_it_was() {
    for mode in [CoverageMode::Report, CoverageMode::Strict] {
        let identified = middleware::from_fn(|audit: AuditRequest, request: Request, next: Next| {
            audit.identify(Actor::user(ActorId::plain("ann")));
            audit.extend(AuditContext::new().tenant(TenantId::plain("acme")));
            next.run(request)
        });
        let app = Router::new().route("/forgotten/{id}", any(forgotten)).layer(identified);
        let served = Served::new(app.layer(AuditLayer::axum().coverage(mode))).await;
        let answer = served.ask("GET /forgotten/1", &[("user-agent", "curl")], "").await;
        let found = served.comes("audit.unaudited").await;
        assert_eq!(found.correlation_id().as_deref(), answer.header("x-request-id"));
        assert_eq!(found.actor().and_then(|actor| actor.id).as_deref(), Some("ann"));
        assert_eq!(found.tenant().as_deref(), Some("acme"));
        let source = found.source().unwrap();
        assert_eq!((source.ip, source.user_agent.as_deref()), (Some([127, 0, 0, 1].into()), Some("curl")));
        assert_eq!(found.detail(), Some(r#"{"method":"GET","route":"/forgotten/{id}"}"#));
    }
}

#[test]
fn what_is_reported_by_hand_is_of_what_surrounds_it() {
    let memory = MemorySink::new();
    let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap();
    with_recorder_sync(recorder, || {
        audited::report_unaudited("GET", "/by-hand");
        let id = CorrelationId::parse("request-1").unwrap();
        let context = AuditContext::new().tenant(TenantId::plain("acme")).correlation_id(id);
        with_context_sync(context, || audited::report_unaudited("GET", "/by-hand"));
    });
    let records = memory.records();
    let [without, within] = of(&records, "audit.unaudited")[..] else { panic!("{records:?}") };
    assert_eq!((without.tenant(), without.correlation_id(), without.actor()), (None, None, None));
    assert_eq!(within.tenant().as_deref(), Some("acme"));
    assert_eq!(within.correlation_id().as_deref(), Some("request-1"));
}
