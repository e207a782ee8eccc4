use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use actix_web::dev::ServiceRequest;
use actix_web::error::{ErrorConflict, ErrorForbidden, ErrorNotFound, ErrorUnauthorized};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpResponse, HttpServer, Responder, rt, web};
use audited::{AuditSink, Decision, MemorySink, Recorder, Sensitive, Stage, Verdict, audited, with_recorder};
use serde::{Deserialize, Serialize};

use super::{answer, recorded};
use crate::support::{self, Behaviour, Capture};

#[derive(Deserialize, Serialize, Sensitive)]
struct Note {
    stars: u8,
    #[sensitive]
    text: String,
}

#[audited(action = "actix.response", fail_closed)]
async fn response(status: web::Path<u16>) -> HttpResponse {
    HttpResponse::new(StatusCode::from_u16(*status).unwrap_or(StatusCode::IM_A_TEAPOT))
}

#[audited(action = "actix.opaque")]
async fn opaque(status: web::Path<u16>) -> impl Responder {
    (web::Json("opaque"), StatusCode::from_u16(*status).unwrap_or(StatusCode::IM_A_TEAPOT))
}

#[audited(action = "actix.error", fail_closed)]
async fn error(status: web::Path<u16>) -> Result<HttpResponse, Error> {
    Err(match *status {
        401 => ErrorUnauthorized("said to the client"),
        403 => ErrorForbidden("said to the client"),
        404 => ErrorNotFound("said to the client"),
        409 => ErrorConflict("said to the client"),
        _ => return Ok(HttpResponse::Ok().finish()),
    })
}

#[audited(action = "actix.hidden")]
async fn hidden() -> HttpResponse {
    let mut response = HttpResponse::NotFound().finish();
    response.extensions_mut().insert(Verdict::from(Decision::deny("existence_is_a_secret")));
    response
}

/// Its future cannot go to another thread.
#[audited(action = "actix.local", require = note.stars > 3, fields(note), fail_closed)]
async fn local(note: web::Json<Note>) -> Result<web::Json<u8>, Error> {
    let turns = Rc::new(Cell::new(0));
    for _ in 0..note.stars {
        rt::task::yield_now().await;
        turns.set(turns.get() + 1);
    }
    Ok(web::Json(turns.get()))
}

/// Serves on a thread of its own, which stays until the process ends.
fn serve(recorder: Recorder) -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                let recorder = recorder.clone();
                App::new()
                    .route("/response/{status}", web::get().to(response))
                    .route("/opaque/{status}", web::get().to(opaque))
                    .route("/error/{status}", web::get().to(error))
                    .route("/hidden", web::get().to(hidden))
                    .route("/local", web::post().to(local))
                    .wrap(from_fn(move |request: ServiceRequest, next: Next<_>| {
                        with_recorder(recorder.clone(), next.call(request))
                    }))
            });
            let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
            tell.send(server.addrs()[0]).unwrap();
            server.run().await
        })
    });
    told.recv().unwrap()
}

fn serve_with(sink: impl AuditSink) -> SocketAddr {
    serve(support::recorder(sink))
}

#[tokio::test]
async fn responses_and_errors_say_what_their_status_does() {
    let memory = MemorySink::new();
    let address = serve_with(memory.clone());
    for shape in ["response", "opaque", "error"] {
        for (status, expected) in [
            (200, "allow success"),
            (401, "deny unauthenticated"),
            (403, "deny forbidden"),
            (404, "allow http.404"),
            (409, "allow http.409"),
        ] {
            assert_eq!(answer(address, "GET", &format!("/{shape}/{status}"), "").await.0, status);
            assert_eq!(recorded(&memory, &format!("actix.{shape}")), expected, "{shape} {status}");
        }
    }
    assert_eq!(answer(address, "GET", "/error/403", "").await.1, "said to the client");
    assert!(!format!("{:?}", memory.records()).contains("said to the client"));
    assert_eq!(answer(address, "GET", "/hidden", "").await.0, 404);
    assert_eq!(recorded(&memory, "actix.hidden"), "deny existence_is_a_secret");
}

#[tokio::test]
async fn a_future_that_stays_on_its_thread_is_audited_and_guarded() {
    let memory = MemorySink::new();
    let address = serve_with(memory.clone());
    let body = r#"{"stars":3,"text":"s3cret"}"#;
    assert_eq!(answer(address, "POST", "/local", body).await, (403, String::new()));
    assert_eq!(recorded(&memory, "actix.local"), "deny forbidden");
    assert_eq!(answer(address, "POST", "/local", &body.replace('3', "4")).await, (200, "4".to_owned()));
    assert_eq!(recorded(&memory, "actix.local"), "allow success");
    let record = memory.last("actix.local").unwrap();
    assert_eq!(record.detail(), Some(r#"{"note":{"stars":4,"text":"<redacted>"}}"#));
}

#[tokio::test]
async fn without_a_record_there_is_a_status_and_nothing_else() {
    let capture = Capture::new();
    let address = serve_with(capture.clone());
    capture.set(Behaviour::Fail);
    for path in ["/response/404", "/error/404"] {
        assert_eq!(answer(address, "GET", path, "").await, (503, String::new()), "{path}");
    }
    capture.set(Behaviour::Ok);
    assert_eq!(answer(address, "GET", "/response/200", "").await.0, 200);
    let stages: Vec<_> = capture.records().iter().filter_map(|record| record.stage()).collect();
    assert_eq!(stages, [Stage::Intent, Stage::Completed]);
}
