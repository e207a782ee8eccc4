//! An example's service over real sockets, and a client.

use std::net::SocketAddr;

use audited::{Recorder, with_recorder};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A service on a port of its own, whose records go to a recorder of its own.
pub(super) async fn serve(service: Router, recorder: Recorder) -> SocketAddr {
    let scoped = move |request: Request, next: Next| with_recorder(recorder.clone(), next.run(request));
    let service = service.layer(middleware::from_fn(scoped)).into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// What a client got.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends one request, such as `GET /audit`, with these lines among its headers.
pub(super) async fn call(service: SocketAddr, request: &str, headers: &[String], body: &str) -> Answer {
    let mut stream = TcpStream::connect(service).await.unwrap();
    let headers: String = headers.iter().flat_map(|line| [line, "\r\n"]).collect();
    let length = body.len();
    let sent = format!(
        "{request} HTTP/1.1\r\nhost: test\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, body: body.to_owned() }
}
