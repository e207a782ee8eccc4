//! `AuditMiddleware` around services of actix-web, over sockets.

mod answers;
mod context;
mod lost;

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorForbidden, ErrorUnauthorized};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes};
use actix_web::{App, Error, HttpMessage, HttpResponse, HttpServer, rt};
use audited::{
    Action, Actor, ActorId, AuditMiddleware, AuditRequest, AuditSink, Record, Recorder, Verdict, audited, not_audited,
    record_action, with_recorder,
};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{self, Capture, PATIENCE};

#[audited(action = "account.show", resource("account", *id))]
async fn show(id: web::Path<u32>) -> HttpResponse {
    match *id {
        0 => HttpResponse::NotFound().body("no such account"),
        1 => {
            let mut response = HttpResponse::NotFound().body("nothing here, be sure");
            response.extensions_mut().insert(Verdict::denied("existence_is_a_secret"));
            response
        }
        2 => HttpResponse::NoContent().finish(),
        _ => HttpResponse::Ok().body("an account"),
    }
}

#[audited(action = "account.add", fields(cents))]
async fn add(web::Json(cents): web::Json<u32>) -> &'static str {
    "added"
}

#[audited(action = "account.slow")]
async fn slow() -> &'static str {
    unaudited_slow().await
}

#[audited(action = "account.broken")]
async fn broken() -> &'static str {
    std::panic::panic_any("as planned");
}

async fn unaudited() -> &'static str {
    "unseen"
}

async fn unaudited_broken() -> &'static str {
    std::panic::panic_any("as planned");
}

async fn unaudited_slow() -> &'static str {
    record_action(Action::new("slow.began")).await.unwrap();
    std::future::pending().await
}

#[not_audited(reason = "says that the service lives")]
async fn healthz() -> &'static str {
    "well"
}

/// Three pieces, and then an error.
#[audited(action = "account.export")]
async fn export() -> HttpResponse {
    let pieces = stream::iter([Ok(Bytes::from("one")), Ok(Bytes::from("two")), Err(std::io::Error::other("s3cret"))]);
    HttpResponse::Ok().streaming(pieces)
}

/// Pieces without end.
#[audited(action = "account.follow")]
async fn follow() -> HttpResponse {
    let pieces = stream::repeat(Bytes::from(vec![b'.'; 16 * 1024])).then(|piece| async {
        rt::time::sleep(Duration::from_millis(1)).await;
        Ok::<_, Error>(piece)
    });
    HttpResponse::Ok().streaming(pieces)
}

/// Who says `ann` is Ann, who says `bob` is refused, who says nothing is nobody.
async fn authenticate(
    audit: AuditRequest,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let said = request.headers().get(AUTHORIZATION).map(|said| said.as_bytes().to_vec());
    match said.as_deref() {
        Some(b"ann") => audit.identify(Actor::user(ActorId::plain("ann"))),
        Some(b"bob") => {
            audit.identify(Actor::user(ActorId::plain("bob")));
            return Err(ErrorForbidden("bob has been here too often"));
        }
        Some(_) => return Err(ErrorUnauthorized("nobody knows you")),
        None => {}
    }
    assert!(request.extensions().get::<AuditRequest>().is_some());
    if request.path() == "/session" {
        record_action(Action::new("session.used")).await.unwrap();
        return Ok(request.into_response(HttpResponse::UnprocessableEntity()).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

fn serve(sink: impl AuditSink, audit: AuditMiddleware) -> SocketAddr {
    serve_with(support::recorder(sink), audit)
}

/// Serves on a thread of its own, which stays until the process ends.
fn serve_with(recorder: Recorder, audit: AuditMiddleware) -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                let recorder = recorder.clone();
                App::new()
                    .route("/accounts/{id}", web::get().to(show))
                    .route("/accounts/{id}", web::head().to(show))
                    .route("/accounts", web::post().to(add))
                    .route("/slow", web::get().to(slow))
                    .route("/broken", web::get().to(broken))
                    .route("/unaudited", web::get().to(unaudited))
                    .route("/unaudited_broken", web::get().to(unaudited_broken))
                    .route("/unaudited_slow", web::get().to(unaudited_slow))
                    .route("/healthz", web::get().to(healthz))
                    .route("/export", web::get().to(export))
                    .route("/follow", web::get().to(follow))
                    .wrap(from_fn(authenticate))
                    // One inside of another adds nothing.
                    .wrap(AuditMiddleware::new())
                    .wrap(audit.clone())
                    .wrap(from_fn(move |request: ServiceRequest, next: Next<_>| {
                        with_recorder(recorder.clone(), async move { next.call(request).await })
                    }))
            });
            let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
            tell.send(server.addrs()[0]).unwrap();
            server.run().await
        })
    });
    told.recv().unwrap()
}

async fn send(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// What the server sends back until it closes the connection.
async fn answer(address: SocketAddr, start: &str, headers: &str) -> String {
    let request = format!("{start} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
    let mut stream = send(address, &request).await;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

async fn wait_for(capture: &Capture, action: &'static str) -> Record {
    let capture = capture.clone();
    tokio::task::spawn_blocking(move || capture.wait_for_action(action, PATIENCE)).await.unwrap()
}

/// The actions of what was recorded, without what the framework says of itself at the start.
fn actions(capture: &Capture) -> Vec<String> {
    let all = capture.all();
    all.iter().map(|record| record.action().into_owned()).filter(|action| action != "audit.started").collect()
}

fn detail(record: &Record) -> &str {
    record.detail().unwrap_or_default()
}
