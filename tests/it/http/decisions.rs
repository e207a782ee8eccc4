//! Decisions from HTTP responses, without any layer.

use std::net::SocketAddr;
use std::time::Duration;

use audited::{Decision, MemorySink, Stage, StoredDecision, StoredOutcome, Verdict, audited, carry, with_recorder};
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{self, PATIENCE};

#[audited(action = "page.status", fields(status))]
async fn status(Path(status): Path<u16>) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT)
}

#[audited(action = "page.pair")]
async fn pair() -> (StatusCode, &'static str) {
    (StatusCode::CONFLICT, "taken")
}

#[audited(action = "page.triple")]
async fn triple() -> (StatusCode, [(&'static str, &'static str); 1], &'static str) {
    (StatusCode::FORBIDDEN, [("x-reason", "none")], "no")
}

#[audited(action = "page.hidden", fail_closed)]
async fn hidden() -> Response<Body> {
    let mut response = StatusCode::NOT_FOUND.into_response();
    response.extensions_mut().insert(Verdict::from(Decision::deny("existence_is_a_secret")));
    response
}

#[audited(action = "page.slow")]
async fn slow() -> &'static str {
    tokio::time::sleep(PATIENCE * 10).await;
    "never"
}

#[audited(action = "page.broken")]
async fn broken() -> &'static str {
    std::panic::panic_any("as planned");
}

async fn serve(memory: MemorySink) -> SocketAddr {
    let recorder = support::recorder(memory);
    let service = Router::new()
        .route("/status/{status}", get(status))
        .route("/pair", get(pair))
        .route("/triple", get(triple))
        .route("/hidden", get(hidden))
        .route("/slow", get(slow))
        .route("/broken", get(broken))
        .layer(axum::middleware::from_fn(move |request, next: axum::middleware::Next| {
            with_recorder(recorder.clone(), next.run(request))
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(carry(async move { axum::serve(listener, service).await }));
    address
}

async fn request(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn answer(address: SocketAddr, path: &str) -> String {
    let mut answer = String::new();
    request(address, path).await.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn statuses_decide() {
    let memory = MemorySink::new();
    let address = serve(memory.clone()).await;
    for (code, decision, outcome) in [
        (200, "allow", "success"),
        (401, "deny unauthenticated", "unauthenticated"),
        (403, "deny forbidden", "forbidden"),
        (429, "deny rate_limited", "rate_limited"),
        (404, "allow", "http.404"),
        (503, "allow", "http.503"),
    ] {
        assert!(answer(address, &format!("/status/{code}")).await.starts_with(&format!("HTTP/1.1 {code}")));
        // The answer is here, and so the record is.
        let record = memory.last("page.status").unwrap();
        assert_eq!(record.detail(), Some(format!(r#"{{"status":{code}}}"#).as_str()));
        let decided = match record.decision() {
            Some(StoredDecision::Deny { reason }) => format!("deny {reason}"),
            _ => "allow".to_owned(),
        };
        let ended = match record.outcome() {
            Some(StoredOutcome::Failure { code }) => code.into_owned(),
            _ => "success".to_owned(),
        };
        assert_eq!((decided.as_str(), ended.as_str()), (decision, outcome));
    }
    answer(address, "/triple").await;
    let denied = memory.last("page.triple").unwrap().decision().is_some_and(|decided| decided != StoredDecision::Allow);
    assert!(denied);
    answer(address, "/pair").await;
    assert_eq!(memory.last("page.pair").unwrap().outcome(), Some(StoredOutcome::Failure { code: "http.409".into() }));
}

#[tokio::test]
async fn a_denial_shown_as_not_found_is_a_denial() {
    let memory = MemorySink::new();
    let address = serve(memory.clone()).await;
    assert!(answer(address, "/hidden").await.starts_with("HTTP/1.1 404"));
    let record = memory.last("page.hidden").unwrap();
    assert_eq!(record.decision(), Some(StoredDecision::Deny { reason: "existence_is_a_secret".into() }));
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_a_cancelled_record() {
    let memory = MemorySink::new();
    let address = serve(memory.clone()).await;
    let stream = request(address, "/slow").await;
    // The handler is at work once it has read the request; until then there would be nothing to cancel.
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(stream);
    let records = tokio::task::spawn_blocking(move || memory.wait_for("page.slow", 1, PATIENCE)).await.unwrap();
    assert_eq!(records.unwrap()[0].stage(), Some(Stage::Cancelled));
}

#[tokio::test]
async fn a_panicking_handler_leaves_a_panicked_record() {
    let memory = MemorySink::new();
    let address = serve(memory.clone()).await;
    assert_eq!(answer(address, "/broken").await, "");
    let record = memory.last("page.broken").unwrap();
    assert_eq!(record.stage(), Some(Stage::Panicked));
    assert!(!record.json().contains("as planned"));
}
