//! The layer in a stack without axum: hyper, tower, and a body of its own.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use audited::{AuditLayer, AuditRequest, MemorySink, audited, with_recorder};
use axum::body::Bytes;
use axum::http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{Layer, service_fn};

use crate::support;

/// What a router of one's own would put among the extensions.
#[derive(Clone, Copy)]
struct Route(&'static str);

#[audited(action = "tower.greet")]
async fn greet() -> Full<Bytes> {
    Full::new(Bytes::from_static(b"hello"))
}

async fn handle<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    assert!(request.extensions().get::<AuditRequest>().is_some());
    Ok(if request.uri().path() == "/greet" {
        Response::new(greet().await)
    } else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::GONE;
        response
    })
}

async fn serve(listener: TcpListener, memory: MemorySink) -> io::Result<()> {
    let recorder = support::recorder(memory);
    loop {
        let (stream, peer) = listener.accept().await?;
        let layer = AuditLayer::new()
            .peer(|request| request.extensions.get::<SocketAddr>().map(SocketAddr::ip))
            .route(|request| request.extensions.get::<Route>().map(|route| route.0.into()));
        let service = layer.layer(service_fn(handle));
        let recorder = recorder.clone();
        let service = service_fn(move |mut request: Request<_>| {
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(Route("/things/{id}"));
            with_recorder(recorder.clone(), tower::ServiceExt::oneshot(service.clone(), request))
        });
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await;
        });
    }
}

#[tokio::test]
async fn a_stack_of_its_own_says_where_peer_and_route_are() {
    for http2 in [false, true] {
        let memory = MemorySink::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, memory.clone()));
        let client = Client::builder(TokioExecutor::new()).http2_only(http2).build_http::<Empty<Bytes>>();
        let greeted = client.get(format!("http://{address}/greet").parse().unwrap()).await.unwrap();
        let id = greeted.headers()["x-request-id"].clone();
        assert_eq!(greeted.into_body().collect().await.unwrap().to_bytes(), "hello");
        assert_eq!(memory.last("tower.greet").unwrap().correlation_id().as_deref(), id.to_str().ok());

        let gone = client.get(format!("http://{address}/things/s3cret").parse().unwrap()).await.unwrap();
        assert_eq!(gone.status(), StatusCode::GONE);
        let record = memory.last("http.request").unwrap();
        assert_eq!(record.detail(), Some(r#"{"method":"GET","route":"/things/{id}","status":410}"#));
        assert_eq!(record.source().unwrap().ip, Some([127, 0, 0, 1].into()));
        assert_eq!((memory.find("http.request").len(), memory.find("http.response_lost").len()), (1, 0));
        server.abort();
    }
}
