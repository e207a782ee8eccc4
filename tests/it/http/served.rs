//! Servers and clients of these tests.

use std::net::SocketAddr;

use audited::{Kind, MemorySink, Record, Recorder, with_recorder};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::{self, PATIENCE};

/// A service that runs until it is dropped, and what it has recorded.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) memory: MemorySink,
    task: JoinHandle<()>,
}

impl Served {
    /// Serves an app; what it records goes into a memory of its own.
    pub(crate) async fn new(app: Router) -> Self {
        let memory = MemorySink::new();
        let mut served = Self::by(support::recorder(memory.clone()), app).await;
        served.memory = memory;
        served
    }

    /// Serves an app that records by this recorder.
    pub(crate) async fn by(recorder: Recorder, app: Router) -> Self {
        let scope = move |request: Request, next: Next| with_recorder(recorder.clone(), next.run(request));
        let service = app.layer(middleware::from_fn(scope)).into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { address, memory: MemorySink::new(), task }
    }

    /// Sends a request without a body: `GET /path`.
    pub(crate) async fn get(&self, what: &str) -> Answer {
        self.ask(what, &[], "").await
    }

    /// Sends a request and reads the answer to its end.
    pub(crate) async fn ask(&self, what: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut lines = headers.to_vec();
        let length = body.len().to_string();
        lines.push(("content-length", &length));
        let mut stream = self.send(what, &lines, body).await;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        Answer(String::from_utf8(answer).unwrap())
    }

    /// Sends the head of a request, and of its body what is given.
    pub(crate) async fn send(&self, what: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let headers = headers.concat();
        let request = format!("{what} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// What was recorded, in order, without what the framework says about itself.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.memory.records().into_iter().filter(|record| record.kind() != Some(Kind::System)).collect()
    }

    /// The only record, and that there is no other.
    #[track_caller]
    pub(crate) fn only(&self) -> Record {
        let mut records = self.records();
        assert_eq!(records.len(), 1, "{records:#?}");
        records.remove(0)
    }

    /// The actions of what was recorded, in order.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.records().iter().map(|record| record.action().into_owned()).collect()
    }

    /// Waits for a record that nobody is answered after.
    pub(crate) async fn comes(&self, action: &'static str) -> Record {
        let memory = self.memory.clone();
        let found = tokio::task::spawn_blocking(move || memory.wait_for(action, 1, PATIENCE)).await.unwrap();
        found.unwrap().remove(0)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A whole answer, as it came.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    #[track_caller]
    pub(crate) fn status(&self) -> u16 {
        let status = self.0.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
        status.and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {:?}", self.0))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head().lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// What is the same of two answers that do not differ but in their id and their date.
    pub(crate) fn without_id_and_date(&self) -> String {
        let differs = |line: &&str| !line.starts_with("date: ") && !line.starts_with("x-request-id: ");
        let head: Vec<_> = self.head().split("\r\n").filter(differs).collect();
        format!("{}\r\n\r\n{}", head.join("\r\n"), self.body())
    }

    fn head(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or(&self.0, |(head, _)| head)
    }
}
