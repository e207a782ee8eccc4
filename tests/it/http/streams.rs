//! Answers that are given piece by piece, and those that break.

use std::convert::Infallible;
use std::sync::Arc;

use audited::{Action, AuditLayer, CoverageMode, Record, audited, record_action};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::stream::{self, Stream, StreamExt};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;

use super::served::Served;

#[audited(action = "file.read", shared)]
async fn whole() -> &'static str {
    "whole"
}

fn pieces() -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    stream::iter(["piece ", "piece "]).map(|piece| Ok(Bytes::from(piece)))
}

#[audited(action = "file.read", shared)]
async fn chunked() -> Body {
    Body::from_stream(pieces())
}

/// After a pause, in which the server sends what it has.
async fn error() -> Result<Bytes, std::io::Error> {
    tokio::task::yield_now().await;
    Err(std::io::Error::other("s3cret"))
}

async fn panic() -> Result<Bytes, std::io::Error> {
    tokio::task::yield_now().await;
    std::panic::panic_any("as planned")
}

#[audited(action = "file.read", shared)]
async fn breaks() -> Body {
    Body::from_stream(pieces().chain(stream::once(error())))
}

#[audited(action = "file.read", shared)]
async fn panics() -> Body {
    Body::from_stream(pieces().chain(stream::once(panic())))
}

#[audited(action = "file.read", shared)]
async fn endless() -> Body {
    Body::from_stream(pieces().chain(stream::pending()))
}

#[audited(action = "file.read", shared)]
async fn events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::iter([Ok(Event::default().data("news"))]).chain(stream::pending()))
}

#[audited(action = "file.read", shared)]
async fn promised() -> Response<Body> {
    let mut response = Body::from_stream(pieces()).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, 12.into());
    response
}

#[audited(action = "file.read", shared)]
async fn without(axum::extract::Path(status): axum::extract::Path<u16>) -> Response<Body> {
    (StatusCode::from_u16(status).unwrap(), Body::from_stream(pieces().chain(stream::pending()))).into_response()
}

#[audited(action = "file.read", shared)]
async fn notes() -> Body {
    Body::from_stream(pieces().then(|piece| async {
        record_action(Action::new("file.piece")).await.unwrap();
        piece
    }))
}

async fn forgotten() -> Body {
    Body::from_stream(pieces().chain(stream::once(error())))
}

async fn fails() -> (StatusCode, Body) {
    (StatusCode::BAD_GATEWAY, Body::from_stream(pieces().chain(stream::once(error()))))
}

fn files() -> Router {
    Router::new()
        .route("/whole", get(whole))
        .route("/chunked", get(chunked))
        .route("/breaks", get(breaks))
        .route("/panics", get(panics))
        .route("/endless", get(endless))
        .route("/events", get(events))
        .route("/promised", get(promised))
        .route("/without/{status}", get(without))
        .route("/notes", get(notes))
        .route("/forgotten", get(forgotten))
        .route("/fails", get(fails))
}

async fn served() -> Served {
    Served::new(files().layer(AuditLayer::axum())).await
}

fn lost(served: &Served) -> Vec<Record> {
    served.memory.find("http.response_lost")
}

#[tokio::test]
async fn an_answer_that_is_given_to_its_end_has_one_record() {
    for what in ["GET /whole", "GET /chunked", "HEAD /endless", "HEAD /whole", "GET /without/204", "GET /without/304"] {
        let served = served().await;
        let answer = served.get(what).await;
        assert!(answer.status() < 400, "{answer:?}");
        assert_eq!(served.only().action(), "file.read", "{what}");
        drop(served.get("GET /whole").await);
        assert_eq!(lost(&served), [], "{what}");
    }
    // Where a header says how long it is, the server stops there.
    let served = served().await;
    assert!(served.get("GET /promised").await.body().ends_with("piece piece "));
    assert_eq!(lost(&served), []);
}

#[tokio::test]
async fn a_body_that_fails_is_added_to_the_record_of_its_request() {
    for (what, reason) in [("GET /breaks", "failed"), ("GET /panics", "panicked")] {
        let served = served().await;
        let answer = served.ask(what, &[("user-agent", "curl")], "").await;
        assert!(answer.0.contains("piece"), "{answer:?}");
        let lost = served.comes("http.response_lost").await;
        let call = served.only();
        assert_eq!((lost.call(), call.action()), (call.id(), "file.read".into()), "{what}");
        let detail = format!(
            r#"{{"method":"GET","route":"/{}","status":200,"bytes":12,"reason":"{reason}"}}"#,
            what.trim_start_matches("GET /")
        );
        assert_eq!(lost.detail(), Some(&*detail));
        // It has the context of the request.
        assert_eq!(lost.correlation_id().as_deref(), answer.header("x-request-id"));
        assert_eq!(lost.source().unwrap().user_agent.as_deref(), Some("curl"));
        assert!(!lost.json().contains("s3cret"));
    }
}

#[tokio::test]
async fn what_is_lost_is_added_to_the_record_of_the_layer_where_that_is_the_one() {
    let served = served().await;
    served.get("GET /fails").await;
    let lost = served.comes("http.response_lost").await;
    let request = served.only();
    assert_eq!((request.action(), lost.call()), ("http.request".into(), request.id()));
    assert!(lost.detail().unwrap().contains(r#""status":502,"bytes":12"#), "{lost:?}");
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_is_added_to_the_record_of_its_request() {
    for (what, bytes) in [("GET /endless", 12), ("GET /events", 12)] {
        let served = served().await;
        let mut stream = served.send(what, &[], "").await;
        let mut beginning = [0; 64];
        stream.read_exact(&mut beginning).await.unwrap();
        assert!(beginning.starts_with(b"HTTP/1.1 200"));
        assert_eq!(lost(&served), []);
        drop(stream);
        let lost = served.comes("http.response_lost").await;
        assert_eq!(lost.call(), served.only().id());
        assert!(lost.detail().unwrap().ends_with(&format!(r#""bytes":{bytes},"reason":"dropped"}}"#)), "{lost:?}");
    }
}

#[tokio::test]
async fn what_a_body_records_has_the_context_of_the_request() {
    let served = served().await;
    let answer = served.get("GET /notes").await;
    let id = answer.header("x-request-id");
    assert_eq!(served.actions(), ["file.read", "file.piece", "file.piece"]);
    assert!(served.records().iter().all(|record| record.correlation_id().as_deref() == id));
}

#[tokio::test]
async fn where_nothing_was_recorded_there_is_nothing_to_add_to() {
    let app = files().layer(AuditLayer::axum().coverage(CoverageMode::Off));
    let served = Served::new(app).await;
    served.get("GET /forgotten").await;
    served.get("GET /whole").await;
    assert_eq!((served.actions(), lost(&served)), (vec!["file.read".to_owned()], vec![]));
}

/// Counts the requests that are at work, over HTTP/2.
#[tokio::test]
async fn streams_of_http_2_end_and_break_each_for_itself() {
    static AT_WORK: Semaphore = Semaphore::const_new(0);
    async fn stays() {
        AT_WORK.add_permits(1);
        std::future::pending::<()>().await;
    }
    let app = files().route("/stays", get(stays)).layer(AuditLayer::axum());
    let served = Arc::new(Served::new(app).await);
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Empty<Bytes>>();
    let uri = |path: &str| format!("http://{}{path}", served.address).parse().unwrap();

    let whole = client.get(uri("/chunked")).await.unwrap();
    let first = whole.headers()["x-request-id"].clone();
    assert_eq!(whole.into_body().collect().await.unwrap().to_bytes(), "piece piece ");
    let missing = client.get(uri("/nowhere")).await.unwrap();
    assert_eq!((missing.status(), served.actions()), (StatusCode::NOT_FOUND, actions(&["file.read", "http.request"])));
    assert_ne!(missing.headers()["x-request-id"], first);

    // A stream that is reset while its connection stays.
    let mut endless = client.get(uri("/endless")).await.unwrap().into_body();
    assert!(endless.frame().await.unwrap().is_ok());
    drop(endless);
    let lost = served.comes("http.response_lost").await;
    assert!(lost.detail().unwrap().ends_with(r#""reason":"dropped"}"#), "{lost:?}");
    assert_eq!(Some(lost.call()), served.records().last().map(|record| record.id()));

    let waits = tokio::spawn(client.get(uri("/stays")));
    AT_WORK.acquire().await.unwrap().forget();
    waits.abort();
    let memory = served.memory.clone();
    let patience = crate::support::PATIENCE;
    let requests = tokio::task::spawn_blocking(move || memory.wait_for("http.request", 2, patience)).await.unwrap();
    assert_eq!(requests.unwrap()[1].stage(), Some(audited::Stage::Cancelled));
    assert_eq!(client.get(uri("/whole")).await.unwrap().status(), StatusCode::OK);
}

fn actions(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
