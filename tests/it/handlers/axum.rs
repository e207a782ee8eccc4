use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;

use audited::{AuditSink, MemorySink, Refusal, Sensitive, Stage, audited, carry, with_recorder};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, debug_handler};
use serde::{Deserialize, Serialize};

use super::{answer, recorded};
use crate::support::{self, Behaviour, Capture};

#[derive(Deserialize, Serialize, Sensitive)]
struct Note {
    stars: u8,
    #[sensitive]
    text: String,
}

trait Shelf: Send + Sync + 'static {
    fn count(&self) -> u8;
}

struct Three;

impl Shelf for Three {
    fn count(&self) -> u8 {
        3
    }
}

#[audited(action = "shape.opaque")]
async fn opaque(Path(status): Path<u16>) -> impl IntoResponse {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT), "opaque")
}

#[audited(action = "shape.status_error", fail_closed)]
async fn status_error(Path(status): Path<u16>) -> Result<Json<u8>, StatusCode> {
    if status == 200 { Ok(Json(1)) } else { Err(StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT)) }
}

#[audited(action = "shape.text_error", fail_closed)]
async fn text_error(Path(status): Path<u16>) -> Result<&'static str, (StatusCode, String)> {
    Err((StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT), "said to the client".to_owned()))
}

#[allow(clippy::result_large_err, reason = "a usual one")]
#[audited(action = "shape.response_error", fail_closed)]
async fn response_error(Path(status): Path<u16>) -> Result<String, Response> {
    Err(StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT).into_response())
}

#[debug_handler]
#[audited(action = "shape.guarded", require = note.stars > 3, fields(note))]
async fn guarded(Json(note): Json<Note>) -> Result<Json<Note>, Refusal> {
    Ok(Json(note))
}

#[audited(action = "shape.generic")]
async fn generic<S: Shelf>(State(shelf): State<Arc<S>>) -> Json<u8> {
    Json(shelf.count())
}

#[audited(action = "shape.redirect_error")]
async fn redirect_error() -> Result<(), StatusCode> {
    Err(StatusCode::FOUND)
}

async fn serve(sink: impl AuditSink) -> SocketAddr {
    let recorder = support::recorder(sink);
    let service = Router::new()
        .route("/opaque/{status}", get(opaque))
        .route("/status_error/{status}", get(status_error))
        .route("/text_error/{status}", get(text_error))
        .route("/response_error/{status}", get(response_error))
        .route("/guarded", post(guarded))
        .route("/generic", get(generic::<Three>))
        .route("/redirect_error", get(redirect_error))
        .with_state(Arc::new(Three))
        .layer(from_fn(move |request, next: Next| with_recorder(recorder.clone(), next.run(request))));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(carry(axum::serve(listener, service).into_future()));
    address
}

#[tokio::test]
async fn errors_and_opaque_answers_say_what_their_status_does() {
    let memory = MemorySink::new();
    let address = serve(memory.clone()).await;
    for shape in ["opaque", "status_error", "text_error", "response_error"] {
        for (status, expected) in
            [(401, "deny unauthenticated"), (403, "deny forbidden"), (404, "allow http.404"), (500, "allow http.500")]
        {
            assert_eq!(answer(address, "GET", &format!("/{shape}/{status}"), "").await.0, status);
            assert_eq!(recorded(&memory, &format!("shape.{shape}")), expected, "{shape} {status}");
        }
    }
    for shape in ["opaque", "status_error"] {
        assert_eq!(answer(address, "GET", &format!("/{shape}/200"), "").await.0, 200);
        assert_eq!(recorded(&memory, &format!("shape.{shape}")), "allow success");
    }
    assert!(!format!("{:?}", memory.records()).contains("said to the client"));
    assert_eq!(answer(address, "GET", "/redirect_error", "").await.0, 302);
    assert_eq!(recorded(&memory, "shape.redirect_error"), "allow unknown");
    assert_eq!(answer(address, "GET", "/generic", "").await, (200, "3".to_owned()));
    assert_eq!(recorded(&memory, "shape.generic"), "allow success");
}

#[tokio::test]
async fn a_guard_refuses_without_a_word() {
    let memory = MemorySink::new();
    let address = serve(memory.clone()).await;
    let body = r#"{"stars":3,"text":"s3cret"}"#;
    assert_eq!(answer(address, "POST", "/guarded", body).await, (403, String::new()));
    assert_eq!(recorded(&memory, "shape.guarded"), "deny forbidden");
    assert_eq!(answer(address, "POST", "/guarded", &body.replace('3', "4")).await.0, 200);
    assert_eq!(recorded(&memory, "shape.guarded"), "allow success");
    assert!(!format!("{:?}", memory.records()).contains("cret"));
}

#[tokio::test]
async fn without_a_record_there_is_a_status_and_nothing_else() {
    let capture = Capture::new();
    let address = serve(capture.clone()).await;
    capture.set(Behaviour::Fail);
    for shape in ["status_error", "text_error", "response_error"] {
        assert_eq!(answer(address, "GET", &format!("/{shape}/404"), "").await, (503, String::new()), "{shape}");
    }
    capture.set(Behaviour::Ok);
    assert_eq!(answer(address, "GET", "/status_error/200", "").await.0, 200);
    let stages: Vec<_> = capture.records().iter().filter_map(|record| record.stage()).collect();
    assert_eq!(stages, [Stage::Intent, Stage::Completed]);
}
