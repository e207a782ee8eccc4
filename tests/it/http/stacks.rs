//! The layer among those of tower, tower-http and axum. That a stack compiles is half of what is shown.

use std::convert::Infallible;
use std::time::Duration;

use audited::{AuditLayer, AuditRequest, CoverageMode, audited, not_audited};
use axum::error_handling::HandleErrorLayer;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use axum::{BoxError, Router};
use http_body_util::Full;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::buffer::BufferLayer;
use tower::util::BoxCloneSyncServiceLayer;
use tower::{ServiceBuilder, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use super::served::Served;

const PATIENCE: Duration = crate::support::PATIENCE;

#[audited(action = "stack.read")]
async fn read() -> &'static str {
    "read"
}

async fn panics() {
    std::panic::panic_any("as planned")
}

fn routes() -> Router {
    Router::new().route("/read/{id}", get(read)).route("/panics", get(panics))
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE)
}

/// What is read and what is not found leave a record each, which has the id that the client got.
async fn each_leaves_its_record(app: Router) {
    let served = Served::new(app).await;
    for (what, status, action) in [("GET /read/1", 200, "stack.read"), ("GET /nowhere", 404, "http.request")] {
        let before = served.records().len();
        let answer = served.get(what).await;
        assert_eq!(answer.status(), status, "{answer:?}");
        let [record] = &served.records()[before..] else { panic!("{:?}", served.records()) };
        assert_eq!(
            (record.action(), record.correlation_id().as_deref()),
            (action.into(), answer.header("x-request-id"))
        );
    }
}

#[tokio::test]
async fn layers_of_tower_http_go_around_it_and_inside_of_it() {
    let around = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(CatchPanicLayer::new())
        .layer(timeout())
        .layer(CorsLayer::permissive())
        .layer(AuditLayer::axum());
    each_leaves_its_record(routes().layer(around)).await;
    let inside = ServiceBuilder::new()
        .layer(AuditLayer::axum())
        .layer(TraceLayer::new_for_http())
        .layer(CatchPanicLayer::new())
        .layer(timeout())
        .layer(CorsLayer::permissive());
    each_leaves_its_record(routes().layer(inside)).await;
}

#[tokio::test]
async fn layers_of_tower_go_inside_of_it() {
    let stack = ServiceBuilder::new()
        .layer(AuditLayer::axum())
        .layer(HandleErrorLayer::new(|_: BoxError| async { StatusCode::SERVICE_UNAVAILABLE }))
        .layer(BufferLayer::new(8))
        .layer(tower::timeout::TimeoutLayer::new(PATIENCE));
    each_leaves_its_record(routes().layer(stack)).await;
    each_leaves_its_record(routes().layer(BoxCloneSyncServiceLayer::new(AuditLayer::axum()))).await;
}

#[tokio::test]
async fn a_panic_that_is_caught_inside_is_an_answer_that_is_recorded() {
    let served = Served::new(routes().layer(CatchPanicLayer::new()).layer(AuditLayer::axum())).await;
    assert_eq!(served.get("GET /panics").await.status(), 500);
    assert_eq!(served.only().detail(), Some(r#"{"method":"GET","route":"/panics","status":500}"#));
}

#[tokio::test]
async fn a_request_that_is_never_handled_for_a_preflight_is_exempt_of_nothing() {
    let served = Served::new(routes().layer(CorsLayer::permissive()).layer(AuditLayer::axum())).await;
    let headers = [("origin", "https://example.org"), ("access-control-request-method", "GET")];
    assert_eq!(served.ask("OPTIONS /read/1", &headers, "").await.status(), 200);
    let found = served.comes("audit.unaudited").await;
    assert_eq!(found.detail(), Some(r#"{"method":"OPTIONS","route":"/read/{id}"}"#));
}

#[tokio::test]
async fn wherever_axum_takes_a_layer_it_takes_this_one() {
    let files = service_fn(|_: Request| async {
        Ok::<_, Infallible>(Response::builder().status(404).body(Full::from("s3cret")).unwrap())
    });
    let api = Router::new().route("/things/{id}", get(|| async { StatusCode::CONFLICT }));
    let app = Router::new()
        .route("/handler", get(panics.layer(CatchPanicLayer::new()).layer(AuditLayer::axum())))
        .route("/method/{id}", get(|| async { StatusCode::CONFLICT }).layer(AuditLayer::axum()))
        .merge(
            Router::new().route("/route/{id}", get(|| async { StatusCode::CONFLICT })).route_layer(AuditLayer::axum()),
        )
        .nest("/api", api.layer(AuditLayer::axum()))
        .nest_service("/files", ServiceBuilder::new().layer(AuditLayer::axum()).service(files))
        .fallback((|| async { StatusCode::GONE }).layer(AuditLayer::axum()));
    let served = Served::new(app).await;
    for (path, route, status) in [
        ("/handler", "/handler", 500),
        ("/method/s3cret", "/method/{id}", 409),
        ("/route/s3cret", "/route/{id}", 409),
        ("/api/things/s3cret", "/api/things/{id}", 409),
        ("/files/s3cret", "<unmatched>", 404),
        ("/s3cret", "<unmatched>", 410),
    ] {
        let before = served.records().len();
        assert_eq!(served.get(&format!("GET {path}")).await.status(), status, "{path}");
        let [record] = &served.records()[before..] else { panic!("{path}: {:?}", served.records()) };
        let detail = format!(r#"{{"method":"GET","route":"{route}","status":{status}}}"#);
        assert_eq!(record.detail(), Some(&*detail), "{path}");
    }
}

/// What an upgrade becomes is no body any more.
#[audited(action = "stack.upgrade")]
async fn upgrade(mut request: Request) -> Response<Full<axum::body::Bytes>> {
    let upgrade = request.extensions_mut().remove::<OnUpgrade>().unwrap();
    tokio::spawn(async move {
        let mut socket = TokioIo::new(upgrade.await.unwrap());
        let mut heard = [0; 4];
        socket.read_exact(&mut heard).await.unwrap();
        socket.write_all(&heard).await.unwrap();
    });
    let head = Response::builder().status(101).header(header::UPGRADE, "echo").header(header::CONNECTION, "upgrade");
    head.body(Full::default()).unwrap()
}

#[tokio::test]
async fn an_upgrade_goes_through_it_and_is_no_lost_answer() {
    let app = Router::new().route("/upgrade", get(upgrade)).layer(AuditLayer::axum().coverage(CoverageMode::Strict));
    let served = Served::new(app).await;
    let mut stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
    stream
        .write_all(b"GET /upgrade HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{:?}", String::from_utf8_lossy(&head));
    stream.write_all(b"ping").await.unwrap();
    let mut echo = Vec::new();
    stream.read_to_end(&mut echo).await.unwrap();
    assert_eq!(echo, b"ping");
    assert_eq!(served.only().action(), "stack.upgrade");
    assert_eq!(served.memory.find("http.response_lost").len(), 0);
}

async fn forgotten() -> &'static str {
    "s3cret of the handler"
}

#[not_audited(reason = "says that the service lives")]
async fn lives(_: AuditRequest) -> &'static str {
    "lives"
}

#[tokio::test]
async fn where_a_layer_inside_is_stricter_its_requests_are_handled_strictly() {
    let inner = Router::new()
        .route("/forgotten", get(forgotten))
        .route("/lives", get(lives))
        .route("/denied", get(|| async { (StatusCode::FORBIDDEN, "s3cret") }))
        .layer(AuditLayer::axum().coverage(CoverageMode::Strict).uniform_denials());
    let app = Router::new()
        .nest("/strict", inner)
        .route("/forgotten", get(forgotten))
        .route("/denied", get(|| async { (StatusCode::FORBIDDEN, "plainly no") }))
        .layer(AuditLayer::axum().coverage(CoverageMode::Off));
    let served = Served::new(app).await;
    for (what, status, body) in [
        ("GET /strict/forgotten", 500, ""),
        ("GET /strict/lives", 200, "lives"),
        ("GET /strict/denied", 403, ""),
        ("GET /forgotten", 200, "s3cret of the handler"),
        ("GET /denied", 403, "plainly no"),
    ] {
        let answer = served.get(what).await;
        assert_eq!((answer.status(), answer.body()), (status, body), "{what}");
    }
    let found: Vec<_> = served.memory.find("audit.unaudited");
    let [found] = &found[..] else { panic!("{found:?}") };
    assert_eq!(found.detail(), Some(r#"{"method":"GET","route":"/strict/forgotten"}"#));
}
