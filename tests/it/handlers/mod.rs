//! The attribute on the handlers of web frameworks, called over sockets: each sees the answer that its client gets.

mod actix;
mod axum;
mod tonic;

use std::net::SocketAddr;

use audited::{MemorySink, StoredDecision, StoredOutcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The status and the body of the answer to a request.
async fn answer(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, answer.split_once("\r\n\r\n").unwrap_or_default().1.to_owned())
}

/// How the last call of this action was recorded: `allow success`, `deny forbidden`, `allow http.404`.
fn recorded(memory: &MemorySink, action: &str) -> String {
    let record = memory.last(action).unwrap_or_else(|| panic!("no {action}: {:#?}", memory.records()));
    match (record.decision(), record.outcome()) {
        (Some(StoredDecision::Deny { reason }), _) => format!("deny {reason}"),
        (_, Some(StoredOutcome::Failure { code })) => format!("allow {code}"),
        (_, Some(StoredOutcome::Success)) => "allow success".to_owned(),
        _ => "allow unknown".to_owned(),
    }
}
