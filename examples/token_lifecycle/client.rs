//! Those who have tokens, over real sockets.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ANN: &str = "ann@example.org";

pub(crate) async fn act(server: SocketAddr) -> io::Result<()> {
    let limits = json!({"email": ANN, "name": "Ann Smith", "backends": ["crm"], "tools": ["find", "export"],
        "rate_limit": 2, "ttl_ms": 3_600_000});
    let limited = issue(server, "Ann gets a token for the CRM", &limits).await?;
    let short = json!({"email": "bob@example.org", "name": "Bob Jones", "backends": ["crm", "mail"], "ttl_ms": 1});
    let short = issue(server, "Bob gets one that lives for a moment", &short).await?;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let bearer = |token: &Value| token["bearer"].as_str().unwrap_or_default().to_owned();
    for (what, token, path) in [
        ("Ann looks for a customer", bearer(&limited), "crm/tools/find"),
        ("Ann reaches for the mail", bearer(&limited), "mail/tools/send"),
        ("Ann reaches for another tool", bearer(&limited), "crm/tools/purge"),
        ("Ann looks for another customer", bearer(&limited), "crm/tools/find"),
        ("Ann has no calls left", bearer(&limited), "crm/tools/find"),
        ("Bob comes too late", bearer(&short), "crm/tools/find"),
        ("Somebody guesses", "gw_0000".into(), "crm/tools/find"),
    ] {
        say(what, &call(server, "GET", &format!("/backends/{path}"), &token, "").await?);
    }
    let jti = limited["jti"].as_str().unwrap_or_default();
    say("Ann's token is revoked", &call(server, "DELETE", &format!("/tokens/{jti}"), "", "").await?);
    say("Ann tries it", &call(server, "GET", "/backends/crm/tools/find", &bearer(&limited), "").await?);
    say("Somebody asks for what is no path", &call(server, "GET", "/tokens", "", "").await?);
    Ok(())
}

async fn issue(server: SocketAddr, what: &str, wanted: &Value) -> io::Result<Value> {
    let answer = call(server, "POST", "/tokens", "", &wanted.to_string()).await?;
    say(what, &answer);
    Ok(serde_json::from_str(&answer.1)?)
}

fn say(what: &str, (status, _): &(String, String)) {
    println!("  {what:<38} {status}");
}

/// Sends one request; gives the status line and the body.
async fn call(server: SocketAddr, verb: &str, path: &str, token: &str, body: &str) -> io::Result<(String, String)> {
    let mut stream = TcpStream::connect(server).await?;
    let request = format!(
        "{verb} {path} HTTP/1.1\r\nhost: {server}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default().trim_start_matches("HTTP/1.1 ");
    Ok((status.to_owned(), body.to_owned()))
}
