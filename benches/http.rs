//! What auditing costs a request, as ratios to the same request to a router of axum without it.
//!
//! ```text
//! cargo bench --bench http
//! ```
//!
//! No sockets: a request is made, routed, answered, and the answer read to its end. Records go into a memory.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use audited::{AuditLayer, MemorySink, Recorder, audited, not_audited, with_recorder_sync};
use audited_benches::{Row, compare};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request};
use axum::routing::get;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use tower_service::Service;

fn main() {
    let routes = || {
        Router::new()
            .route("/plain/{id}", get(plain))
            .route("/exempt/{id}", get(exempt))
            .route("/audited/{id}", get(with_attribute))
    };
    let layered = || routes().layer(AuditLayer::axum());
    let rows = [
        asking("a handler alone", routes(), "/plain/7", 200),
        asking("the layer, exempt", layered(), "/exempt/7", 200),
        asking("the attribute", routes(), "/audited/7", 200),
        asking("the layer and the attribute", layered(), "/audited/7", 200),
        asking("not found", routes(), "/nowhere", 404),
        asking("not found, with the layer's record", layered(), "/nowhere", 404),
    ];
    compare(&rows, Duration::from_millis(5));
}

async fn plain(Path(id): Path<u64>) -> String {
    id.to_string()
}

#[not_audited(reason = "is measured without a record")]
async fn exempt(Path(id): Path<u64>) -> String {
    id.to_string()
}

#[audited(action = "bench.read", resource("thing", id))]
async fn with_attribute(Path(id): Path<u64>) -> String {
    id.to_string()
}

fn asking(name: &'static str, router: Router, path: &'static str, status: u16) -> Row {
    Row::new(name, move |times| {
        // It refuses what is past its bound, so that each turn gets one of its own.
        let memory = MemorySink::with_capacity(times as usize + 1);
        let recorder = Recorder::builder().sink(memory).allow_weak_fail_closed().build().expect("a recorder");
        let mut router = router.clone();
        with_recorder_sync(recorder, || {
            for _ in 0..times {
                let answer = router.call(request(path)).now_or_never().expect("no wait").unwrap();
                assert_eq!(answer.status(), status);
                black_box(answer.into_body().collect().now_or_never().expect("no wait").unwrap());
            }
        });
    })
}

fn request(path: &'static str) -> Request {
    let request = Request::get(path)
        .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 443))))
        .header("host", "example.org")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
        .header("x-request-id", "7f3c2a90")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    request.body(Body::empty()).expect("a request")
}
