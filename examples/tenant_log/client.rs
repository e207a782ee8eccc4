//! The people, and the proxy that they come through, over real sockets.

use std::io;
use std::net::SocketAddr;

use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What one of them sends.
struct Sent<'a> {
    what: &'a str,
    session: &'a str,
    request: &'a str,
    body: &'a str,
}

pub(crate) async fn act(server: SocketAddr) -> io::Result<()> {
    for (what, session, request, body) in [
        ("Ann signs in", "", "POST /sign-in", r#"{"user": "usr_ann", "password": "correct horse"}"#),
        ("Somebody guesses Bob's password", "", "POST /sign-in", r#"{"user": "usr_bob", "password": "123456"}"#),
        ("Somebody guesses a user", "", "POST /sign-in", r#"{"user": "usr_zoe", "password": "123456"}"#),
        ("Eve of another company signs in", "", "POST /sign-in", r#"{"user": "usr_eve", "password": "hunter2"}"#),
        ("Ann starts a machine", "usr_ann", "POST /machines", r#"{"region": "ams"}"#),
        ("Bob tries to delete Ann", "usr_bob", "DELETE /users/usr_ann", ""),
        ("Ann deletes Bob", "usr_ann", "DELETE /users/usr_bob", ""),
        ("Ann signs out", "usr_ann", "POST /sign-out", ""),
    ] {
        let (status, _) = send(server, &Sent { what, session, request, body }).await?;
        println!("  {what:<34} {request:<24} {status}");
    }
    for (what, session, request) in [
        ("Ann reads the log of her company", "usr_ann", "GET /audit"),
        ("Ann reads what there is of Bob", "usr_ann", "GET /audit?user=usr_bob"),
        ("Eve reads what there is of Bob", "usr_eve", "GET /audit?user=usr_bob"),
    ] {
        let (status, rows) = send(server, &Sent { what, session, request, body: "" }).await?;
        println!("\n{what}: {request}, {status}");
        let rows: Vec<Box<RawValue>> = serde_json::from_str(&rows)?;
        for row in &rows {
            println!("  {row}");
        }
        if rows.is_empty() {
            println!("  (nothing)");
        }
    }
    Ok(())
}

/// Sends one request through the proxy, which adds who has sent it. What the client has claimed to be is before that.
async fn send(server: SocketAddr, sent: &Sent<'_>) -> io::Result<(String, String)> {
    let mut stream = TcpStream::connect(server).await?;
    let Sent { what, session, request, body } = sent;
    let head = format!(
        "{request} HTTP/1.1\r\nhost: {server}\r\nuser-agent: browser of {}\r\nauthorization: Bearer {session}\r\n\
         x-forwarded-for: 6.6.6.6, 198.51.100.7\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        what.split(' ').next().unwrap_or_default(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default().trim_start_matches("HTTP/1.1 ");
    Ok((status.to_owned(), body.to_owned()))
}
