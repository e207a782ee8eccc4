//! The users of the bank, over real sockets.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TRANSFER: &str =
    r#"{"to":815,"cents":2500,"currency":"EUR","memo":"for the gift, do not tell Tom","device":"ann-phone-7f3a"}"#;

pub(crate) async fn act_as_users(bank: SocketAddr) -> io::Result<()> {
    let too_much = TRANSFER.replace("2500", "99999999");
    let calls = [
        ("Ann transfers money", "ann-token", "POST /accounts/4711/transfers", TRANSFER),
        ("Bob, an auditor, tries the same", "bob-token", "POST /accounts/4711/transfers", TRANSFER),
        ("Ann tries it with Tom's account", "ann-token", "POST /accounts/815/transfers", TRANSFER),
        ("Ann transfers more than the ledger can take", "ann-token", "POST /accounts/4711/transfers", &too_much),
        ("Ann's browser sends what is no transfer", "ann-token", "POST /accounts/4711/transfers", "{\"to\":\"Tom\"}"),
        ("Somebody comes with a stolen token", "stolen-token", "GET /accounts/4711/statement", ""),
    ];
    for (who, token, what, body) in calls {
        let status = call(bank, token, what, body).await?;
        println!("  {who:<46} {what:<30} {status}");
    }
    // The panic's message is for the operator's log, not for the record.
    std::panic::set_hook(Box::new(|_| {}));
    let status = call(bank, "ann-token", "GET /accounts/12/interest", "").await?;
    println!("  {:<46} {:<30} {status}", "Ann meets a bug: the handler panics", "GET /accounts/12/interest");
    let _ = std::panic::take_hook();

    hang_up(bank, "ann-token", "GET /accounts/4711/statement").await?;
    println!("  {:<46} {:<30} (hung up)", "Ann loses patience with a slow statement", "GET /accounts/4711/statement");
    Ok(())
}

pub(crate) fn try_it(bank: SocketAddr) -> String {
    format!(
        "Try: curl -i -H 'authorization: Bearer ann-token' -H 'content-type: application/json' -d '{TRANSFER}' http://{bank}/accounts/4711/transfers"
    )
}

/// Sends one request and gives the status line.
async fn call(bank: SocketAddr, token: &str, what: &str, body: &str) -> io::Result<String> {
    let mut stream = send(bank, token, what, body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.lines().next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    Ok(status.unwrap_or("(connection closed)").to_owned())
}

/// Sends one request and leaves while the handler is at work.
async fn hang_up(bank: SocketAddr, token: &str, what: &str) -> io::Result<()> {
    let stream = send(bank, token, what, "").await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(())
}

async fn send(bank: SocketAddr, token: &str, what: &str, body: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(bank).await?;
    let request = format!(
        "{what} HTTP/1.1\r\nhost: {bank}\r\nuser-agent: quickstart/1.0\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}
