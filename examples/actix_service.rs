//! A service of documents, with actix-web: what each request leaves, also those that never come to a handler.
//!
//! `cargo run --features actix --example actix_service` runs it, calls it over real sockets, and prints the records.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorUnauthorized;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpServer, ResponseError, web};
use audited::{
    Actor, ActorId, AuditContext, AuditMiddleware, AuditRequest, CoverageMode, DenialStatus, Deny, Kind, MemorySink,
    Recorder, Refusal, Sensitive, StoredDecision, StoredOutcome, TenantId, TrustedProxies, audited, not_audited,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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
    #[failed("audit_unavailable")]
    Audit(Refusal),
}

impl From<Refusal> for DocumentError {
    fn from(refusal: Refusal) -> Self {
        Self::Audit(refusal)
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no document")
    }
}

impl ResponseError for DocumentError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotYours => StatusCode::FORBIDDEN,
            Self::OutOfDate => StatusCode::CONFLICT,
            Self::Audit(refusal) => refusal.status_code(),
        }
    }
}

#[audited(action = "page.open", resource("document", *id), unlocked)]
async fn open(id: web::Path<u64>) -> Result<web::Json<Document>, DocumentError> {
    if *id != 7 {
        return Err(DocumentError::NotYours);
    }
    Ok(web::Json(Document { version: 3, text: "the text".into() }))
}

#[audited(action = "page.save", resource("document", *id), fields(document), fail_closed, unlocked)]
async fn save(id: web::Path<u64>, document: web::Json<Document>) -> Result<&'static str, DocumentError> {
    if document.version < 3 { Err(DocumentError::OutOfDate) } else { Ok("saved") }
}

#[not_audited(reason = "says that the service lives")]
async fn healthz() -> &'static str {
    "ok"
}

/// Authentication: it says who acts, in one call. What it refuses the middleware around it records.
async fn authenticate(
    audit: AuditRequest,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let token = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
    if token != Some(b"Bearer ann-token") {
        return Err(ErrorUnauthorized("whose token is this?"));
    }
    audit.identify(Actor::user(ActorId::plain("ann")));
    audit.extend(AuditContext::new().tenant(TenantId::plain("acme")));
    next.call(request).await
}

const JSON: &str = "content-type: application/json\r\n";
const ANN: &str = "authorization: Bearer ann-token\r\n";

/// What the clients ask for.
const REQUESTS: [(&str, &[&str], &str); 8] = [
    ("GET /documents/7", &[ANN], ""),
    ("GET /documents/8", &[ANN], ""),
    ("GET /documents/8", &[], ""),
    ("GET /nowhere", &[ANN], ""),
    ("PUT /documents/7", &[ANN, JSON], r#"{"version":1,"text":"new"}"#),
    ("PUT /documents/7", &[ANN, JSON], r#"{"version":"three"}"#),
    ("DELETE /documents/7", &[ANN], ""),
    ("GET /healthz", &[], ""),
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In production: a Journal.
    let memory = MemorySink::new();
    Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build()?.install()?;
    let address = serve()?;

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
                Some(StoredOutcome::Success) => "succeeded".into(),
                _ => "begun".into(),
            };
            let who = record.actor().and_then(|actor| actor.id).unwrap_or_else(|| "nobody known".into());
            println!("    {:<14} {who}: {decision}, {outcome}", record.action());
        }
    }
    Ok(())
}

/// Serves on threads of its own, at a port of its own. The clients come through a proxy on this host.
fn serve() -> Result<SocketAddr, Box<dyn Error>> {
    let audit = AuditMiddleware::new()
        .trusted_proxies(TrustedProxies::new(["127.0.0.1"])?)
        .coverage(CoverageMode::Strict)
        // Nobody learns which documents there are.
        .uniform_denials_as(DenialStatus::NotFound);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                App::new()
                    .route("/healthz", web::get().to(healthz))
                    .service(
                        web::resource("/documents/{id}")
                            .route(web::get().to(open))
                            .route(web::put().to(save))
                            .wrap(from_fn(authenticate)),
                    )
                    // The last one is the outermost: it sees what all others refuse, and what no route matches.
                    .wrap(audit.clone())
            });
            let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0))?;
            let _ = tell.send(server.addrs()[0]);
            server.run().await
        })
    });
    Ok(told.recv()?)
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
    use audited::Stage;

    use super::*;

    #[tokio::test]
    async fn each_request_leaves_what_it_should() {
        let memory = MemorySink::new();
        Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build().unwrap().install().unwrap();
        let address = serve().unwrap();
        let mut statuses = Vec::new();
        for (what, headers, body) in REQUESTS {
            let answer = ask(address, what, headers, body).await.unwrap();
            statuses.push(answer["HTTP/1.1 ".len()..][..3].to_owned());
        }
        assert_eq!(statuses, ["200", "404", "404", "404", "409", "400", "405", "200"]);

        let calls = memory.records().into_iter().filter(|record| record.kind() == Some(Kind::Call));
        let finals: Vec<_> = calls.filter(|record| record.stage() != Some(Stage::Intent)).collect();
        let left: Vec<_> =
            finals.iter().map(|record| (record.action(), record.get("code").unwrap_or("none"))).collect();
        let expected = [
            ("page.open", "none"),
            ("page.open", r#""not_yours""#),
            ("http.request", r#""unauthenticated""#),
            ("http.request", r#""http.404""#),
            ("page.save", r#""out_of_date""#),
            ("http.request", r#""http.400""#),
            ("http.request", r#""http.405""#),
        ];
        assert_eq!(left, expected.map(|(action, code)| (action.into(), code)));
        for record in finals {
            assert_eq!(record.source().unwrap().ip, Some([203, 0, 113, 9].into()));
            assert_eq!(record.correlation_id().as_deref(), Some("from-the-proxy"));
        }
        assert!(memory.find("audit.unaudited").is_empty());
    }
}
