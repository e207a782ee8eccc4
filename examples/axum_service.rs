//! A service of documents behind a proxy: what each request leaves, also those that never come to a handler.
//!
//! `cargo run --features axum --example axum_service` runs it, calls it over real sockets, and prints the records.

use std::error::Error;
use std::net::SocketAddr;

use audited::{
    Actor, ActorId, AuditContext, AuditLayer, AuditRequest, CoverageMode, DenialStatus, Deny, Kind, MemorySink,
    Recorder, Sensitive, StoredDecision, StoredOutcome, TenantId, TrustedProxies, audited, not_audited,
};
use axum::extract::{Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Serialize, Deserialize, Sensitive)]
struct Document {
    version: u32,
    #[sensitive(len)]
    text: String,
}

#[derive(Debug, Deny)]
enum DocumentError {
    #[denied]
    NotYours,
    #[failed]
    OutOfDate,
}

impl IntoResponse for DocumentError {
    fn into_response(self) -> Response {
        match self {
            Self::NotYours => StatusCode::FORBIDDEN,
            Self::OutOfDate => StatusCode::CONFLICT,
        }
        .into_response()
    }
}

#[audited(action = "document.open", resource("document", id), unlocked)]
async fn open(Path(id): Path<u64>) -> Result<Json<Document>, DocumentError> {
    if id != 7 {
        return Err(DocumentError::NotYours);
    }
    Ok(Json(Document { version: 3, text: "the text".into() }))
}

#[audited(action = "document.save", resource("document", id), fields(document), unlocked)]
async fn save(Path(id): Path<u64>, Json(document): Json<Document>) -> Result<(), DocumentError> {
    if document.version < 3 { Err(DocumentError::OutOfDate) } else { Ok(()) }
}

#[not_audited(reason = "says that the service lives")]
async fn healthz() -> &'static str {
    "ok"
}

/// Authentication: it says who acts, in one call. What it refuses the layer records.
async fn authenticate(audit: AuditRequest, request: Request, next: Next) -> Response {
    match request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes) {
        Some(b"Bearer ann-token") => audit.identify(Actor::user(ActorId::plain("ann"))),
        _ => return StatusCode::UNAUTHORIZED.into_response(),
    }
    audit.extend(AuditContext::new().tenant(TenantId::plain("acme")));
    next.run(request).await
}

fn service(proxies: TrustedProxies) -> Router {
    Router::new()
        .route("/documents/{id}", get(open).put(save))
        .layer(middleware::from_fn(authenticate))
        .route("/healthz", get(healthz))
        // The last one is the outermost: it sees what all others refuse, and what no route matches.
        .layer(
            AuditLayer::axum()
                .trusted_proxies(proxies)
                .coverage(CoverageMode::Strict)
                // Nobody learns which documents there are.
                .uniform_denials_as(DenialStatus::NotFound),
        )
}

const JSON: &str = "content-type: application/json\r\n";
const ANN: &str = "authorization: Bearer ann-token\r\n";

/// What the clients ask for, what they get, and what is recorded.
const REQUESTS: [(&str, &[&str], &str); 9] = [
    ("GET /documents/7", &[ANN], ""),
    ("GET /documents/8", &[ANN], ""),
    ("GET /documents/8", &[], ""),
    ("GET /nowhere", &[ANN], ""),
    ("PUT /documents/7", &[ANN, JSON], r#"{"version":1,"text":"new"}"#),
    ("PUT /documents/7", &[ANN, JSON], r#"{"version":"three"}"#),
    ("PUT /documents/seven", &[ANN, JSON], r#"{"version":3,"text":"new"}"#),
    ("DELETE /documents/7", &[ANN], ""),
    ("GET /healthz", &[], ""),
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In production: a Journal.
    let memory = MemorySink::new();
    Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build()?.install()?;
    let address = serve().await?;

    for (what, headers, body) in REQUESTS {
        let before = memory.len();
        let answer = ask(address, what, headers, body).await?;
        println!("{what:<24} {}", answer.lines().next().unwrap_or("(no answer)"));
        for record in memory.records().iter().skip(before).filter(|record| record.kind() == Some(Kind::Call)) {
            let decision = match record.decision() {
                Some(StoredDecision::Deny { reason }) => format!("denied: {reason}"),
                _ => "allowed".into(),
            };
            let outcome = match record.outcome() {
                Some(StoredOutcome::Failure { code }) => format!("failed: {code}"),
                _ => "succeeded".into(),
            };
            let who = record.actor().and_then(|actor| actor.id).unwrap_or_else(|| "nobody known".into());
            let ip = record.source().and_then(|source| source.ip).map(|ip| ip.to_string()).unwrap_or_default();
            println!("    {:<14} {who}, from {ip}: {decision}, {outcome}", record.action());
        }
    }
    println!(
        "\nThe last record, whole:\n{}",
        memory.last("http.request").map_or_else(String::new, |r| r.json().to_owned())
    );
    Ok(())
}

/// Serves on a port of its own. The clients come through a proxy on this host.
async fn serve() -> Result<SocketAddr, Box<dyn Error>> {
    let service = service(TrustedProxies::new(["127.0.0.1"])?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(address)
}

async fn ask(address: SocketAddr, what: &str, headers: &[&str], body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let (headers, length) = (headers.concat(), body.len());
    let proxy = "x-forwarded-for: 203.0.113.9\r\nx-request-id: from-the-proxy\r\n";
    let request = format!(
        "{what} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{proxy}{headers}content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_request_leaves_what_it_should_and_denials_are_alike() {
        let memory = MemorySink::new();
        Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap().install().unwrap();
        let address = serve().await.unwrap();
        let mut statuses = Vec::new();
        let mut not_found = Vec::new();
        for (what, headers, body) in REQUESTS {
            let answer = ask(address, what, headers, body).await.unwrap();
            let status = answer["HTTP/1.1 ".len()..][..3].to_owned();
            if status == "404" {
                let lines = answer.lines().filter(|line| !line.starts_with("date: "));
                not_found.push(lines.collect::<Vec<_>>().join("\n"));
            }
            statuses.push(status);
        }
        assert_eq!(statuses, ["200", "404", "404", "404", "409", "422", "400", "405", "200"]);
        assert!(not_found.iter().all(|answer| *answer == not_found[0]), "{not_found:#?}");

        let records: Vec<_> = memory.records().into_iter().filter(|record| record.kind() == Some(Kind::Call)).collect();
        let left: Vec<_> =
            records.iter().map(|record| (record.action(), record.get("code").unwrap_or("none"))).collect();
        let expected = [
            ("document.open", "none"),
            ("document.open", r#""not_yours""#),
            ("http.request", r#""unauthenticated""#),
            ("http.request", r#""http.404""#),
            ("document.save", r#""out_of_date""#),
            ("http.request", r#""http.422""#),
            ("http.request", r#""http.400""#),
            ("http.request", r#""http.405""#),
        ];
        assert_eq!(left, expected.map(|(action, code)| (action.into(), code)));
        for record in records {
            assert_eq!(record.source().unwrap().ip, Some([203, 0, 113, 9].into()));
            assert_eq!(record.correlation_id().as_deref(), Some("from-the-proxy"));
        }
        assert!(memory.find("audit.unaudited").is_empty());
    }
}
