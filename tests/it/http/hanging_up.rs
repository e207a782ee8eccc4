//! Clients that hang up, and requests that never end.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use audited::{AuditLayer, FloodControl, MemorySink, Recorder, Stage, StoredOutcome, audited, not_audited};
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use super::served::Served;

/// Says that somebody is at work, stays there, and says when he is dropped.
#[derive(Clone)]
struct AtWork {
    there: Arc<Semaphore>,
    gone: Arc<Semaphore>,
}

impl AtWork {
    fn new() -> Self {
        Self { there: Arc::new(Semaphore::new(0)), gone: Arc::new(Semaphore::new(0)) }
    }

    async fn stay(&self) {
        struct Gone<'a>(&'a Semaphore);

        impl Drop for Gone<'_> {
            fn drop(&mut self) {
                self.0.add_permits(1);
            }
        }

        let _gone = Gone(&self.gone);
        self.there.add_permits(1);
        pending::<()>().await;
    }

    async fn seen(&self) {
        self.there.acquire().await.unwrap().forget();
    }

    async fn gone(&self) {
        self.gone.acquire().await.unwrap().forget();
    }
}

async fn plain(at_work: axum::Extension<AtWork>) {
    at_work.stay().await;
}

#[audited(action = "report.write")]
async fn audited_one(at_work: axum::Extension<AtWork>) {
    at_work.stay().await;
}

#[not_audited(reason = "watches the weather")]
async fn exempt(at_work: axum::Extension<AtWork>) {
    at_work.stay().await;
}

#[audited(action = "report.upload")]
async fn upload(body: Bytes) -> String {
    body.len().to_string()
}

#[audited(action = "report.done")]
async fn done() -> &'static str {
    "done"
}

/// What comes after the handler, and takes its time.
async fn lingers(at_work: axum::Extension<AtWork>, request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    at_work.stay().await;
    answer
}

async fn served(at_work: &AtWork) -> Served {
    let app = Router::new()
        .route("/done", post(done))
        .route_layer(middleware::from_fn(lingers))
        .route("/plain", post(plain))
        .route("/audited", post(audited_one))
        .route("/exempt", post(exempt))
        .route("/upload", post(upload));
    Served::new(app.layer(axum::Extension(at_work.clone())).layer(AuditLayer::axum())).await
}

/// Leaves a mark behind all that could still come of a handling that is dropped on this thread.
async fn mark(served: &Served) {
    served.get("POST /nowhere").await;
}

#[tokio::test]
async fn a_request_that_is_dropped_while_it_is_handled_is_cancelled() {
    let at_work = AtWork::new();
    let served = served(&at_work).await;
    let stream = served.send("POST /plain", &[("content-length", "0"), ("user-agent", "curl")], "").await;
    at_work.seen().await;
    assert!(served.records().is_empty());
    drop(stream);
    let record = served.comes("http.request").await;
    assert_eq!((record.stage(), record.outcome()), (Some(Stage::Cancelled), Some(StoredOutcome::Unknown)));
    assert_eq!((record.decision(), record.detail()), (None, Some(r#"{"method":"POST","route":"/plain"}"#)));
    assert_eq!(record.source().unwrap().user_agent.as_deref(), Some("curl"));
    served.only();
}

#[tokio::test]
async fn whoever_hangs_up_again_and_again_buys_no_write_each_time() {
    let (at_work, memory) = (AtWork::new(), MemorySink::new());
    let flood = FloodControl::new(2, Duration::from_secs(3600));
    let recorder = Recorder::builder().sink(memory.clone()).flood_control(flood).allow_weak_fail_closed();
    let recorder = recorder.build().unwrap();
    let app = Router::new().route("/plain", post(plain)).layer(axum::Extension(at_work.clone()));
    let served = Served::by(recorder.clone(), app.layer(AuditLayer::axum())).await;
    for _ in 0..10 {
        let stream = served.send("POST /plain", &[("content-length", "0")], "").await;
        at_work.seen().await;
        drop(stream);
        at_work.gone().await;
    }
    served.get("GET /plain").await;
    let left = memory.find("http.request").iter().filter(|record| record.stage() == Some(Stage::Cancelled)).count();
    assert_eq!((left, recorder.stats().coalesced), (3, 7));
}

#[tokio::test]
async fn a_client_that_closes_its_half_has_hung_up() {
    let at_work = AtWork::new();
    let served = served(&at_work).await;
    let mut stream = served.send("POST /plain", &[("content-length", "0")], "").await;
    at_work.seen().await;
    stream.shutdown().await.unwrap();
    assert_eq!(served.comes("http.request").await.stage(), Some(Stage::Cancelled));
}

#[tokio::test]
async fn where_an_attribute_saw_it_its_record_is_the_only_one() {
    let at_work = AtWork::new();
    let served = served(&at_work).await;
    let stream = served.send("POST /audited", &[("content-length", "0")], "").await;
    at_work.seen().await;
    drop(stream);
    assert_eq!(served.comes("report.write").await.stage(), Some(Stage::Cancelled));
    mark(&served).await;
    assert_eq!(served.actions(), ["report.write", "http.request"], "that of the mark alone");
    assert_eq!(served.memory.find("http.response_lost").len(), 0);
}

#[tokio::test]
async fn what_is_exempt_may_be_hung_up_on() {
    let at_work = AtWork::new();
    let served = served(&at_work).await;
    let stream = served.send("POST /exempt", &[("content-length", "0")], "").await;
    at_work.seen().await;
    drop(stream);
    at_work.gone().await;
    mark(&served).await;
    assert_eq!(served.actions(), ["http.request"], "that of the mark alone");
}

#[tokio::test]
async fn a_call_that_was_over_is_told_that_its_answer_was_lost() {
    let at_work = AtWork::new();
    let served = served(&at_work).await;
    let stream = served.send("POST /done", &[("content-length", "0")], "").await;
    at_work.seen().await;
    drop(stream);
    let lost = served.comes("http.response_lost").await;
    let call = served.only();
    assert_eq!((call.action(), call.stage()), ("report.done".into(), Some(Stage::Completed)));
    assert_eq!((lost.call(), lost.correlation_id()), (call.id(), call.correlation_id()));
    assert_eq!(lost.detail(), Some(r#"{"method":"POST","route":"/done","bytes":0,"reason":"unanswered"}"#));
}

#[tokio::test]
async fn a_client_that_leaves_before_its_body_is_there_leaves_one_record() {
    let at_work = AtWork::new();
    let served = served(&at_work).await;
    let stream = served.send("POST /upload", &[("content-length", "100")], "half").await;
    drop(stream);
    let record = served.comes("http.request").await;
    assert_eq!(record.detail().map(|detail| &detail[..34]), Some(r#"{"method":"POST","route":"/upload""#));
    mark(&served).await;
    assert_eq!(served.actions(), ["http.request", "http.request"], "and that of the mark");
}

#[tokio::test]
async fn a_body_that_never_finishes_is_recorded_when_the_server_gives_up() {
    async fn patience(request: Request, next: Next) -> Response {
        let given = tokio::time::timeout(Duration::from_millis(50), next.run(request)).await;
        given.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
    }
    // Inside of the layer it is an answer, outside of it the handling is dropped.
    let uploads = Router::new().route("/upload", post(upload));
    let inside = uploads.clone().layer(middleware::from_fn(patience)).layer(AuditLayer::axum());
    let outside = uploads.layer(AuditLayer::axum()).layer(middleware::from_fn(patience));
    for (app, stage, status) in [(inside, Stage::Completed, r#","status":408"#), (outside, Stage::Cancelled, "")] {
        let served = Served::new(app).await;
        let mut stream = served.send("POST /upload", &[("content-length", "100")], "half").await;
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        let record = served.only();
        assert_eq!((record.action(), record.stage()), ("http.request".into(), Some(stage)));
        assert_eq!(record.detail(), Some(&*format!(r#"{{"method":"POST","route":"/upload"{status}}}"#)));
    }
}
