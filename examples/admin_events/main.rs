//! An admin with an HTTP entry and a command line, whose events are typed, and some of which HTTP cannot record.
//!
//! ```sh
//! cargo run --example admin_events                                  # both entries, and what they leave
//! cargo run --example admin_events -- unlock dora@example.org       # one command
//! ```

mod admin;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use audited::{AuditStore, KeyRing, MemoryStore, Query, Recorder, Surface};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use admin::accounts::{Account, Accounts};
use admin::events::{AdminEventKind, AnyEventKind};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let cli = Surface::mint("cli")?;
    let store = MemoryStore::new();
    // A service reads its key from its secret store.
    let keys = KeyRing::new("demo", *b"a key of at least thirty-two bytes")?;
    Recorder::builder().sink(store.clone()).keys(keys).build()?.install()?;
    let accounts = Arc::new(accounts());

    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.is_empty() {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let service = admin::http::service(accounts.clone());
        let server = tokio::spawn(async move { axum::serve(listener, service).await });
        println!("Over HTTP, whatever is wrong looks the same:\n");
        act_over_http(address).await?;
        server.abort();
        println!("\nAt the command line:\n");
        for words in ["unlock dora@example.org", "reject 7 unwanted", "apply 8 src/lib.rs"] {
            command(&cli, &accounts, &words.split(' ').collect::<Vec<_>>()).await;
        }
    } else {
        command(&cli, &accounts, &words.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }

    println!("\nWhat is on record:\n");
    for record in store.global("example").page(&Query::new().oldest_first()).await?.records {
        let Ok(kind) = record.action().parse::<AnyEventKind>() else { continue };
        let entry = if matches!(kind, AnyEventKind::Operator(_)) { "command line" } else { "HTTP" };
        let subject = record.subjects().pop().map(|subject| format!("{} {}", subject.kind, subject.id));
        println!(
            "  {entry:<12} {:<20} {:<44} {}",
            kind.as_str(),
            subject.unwrap_or_default(),
            record.detail().unwrap_or_default()
        );
    }
    let (all, from_anywhere) = (AnyEventKind::ALL.len(), AdminEventKind::ALL.len());
    println!(
        "\n{all} names are locked in audit.lock beside this file; {from_anywhere} of them compile in an HTTP handler."
    );
    Ok(())
}

async fn command(cli: &Surface, accounts: &Accounts, words: &[&str]) {
    match admin::cli::run(cli, accounts, words).await {
        Ok(id) => println!("  {:<28} done, and on record as {id}", words.join(" ")),
        Err(error) => println!("  {:<28} {error}", words.join(" ")),
    }
}

fn accounts() -> Accounts {
    let ann =
        Account { id: 1, password: "correct horse", admin: true, codes: vec![(31, "111-222")], ..Account::default() };
    let bob = Account { id: 2, password: "battery", ..Account::default() };
    let cleo = Account { id: 3, password: "staple", inactive: true, ..Account::default() };
    let dora = Account { id: 4, password: "gone", failures: 3, ..Account::default() };
    let named =
        [("ann@example.org", ann), ("bob@example.org", bob), ("cleo@example.org", cleo), ("dora@example.org", dora)];
    Accounts::new(named)
}

async fn act_over_http(admin: SocketAddr) -> io::Result<()> {
    let login = |email: &str, password: &str| format!(r#"{{"email":"{email}@example.org","password":"{password}"}}"#);
    let mut ann = String::new();
    for (who, request, body) in [
        ("Ann mistypes her password", "POST /login", login("ann", "correct hose")),
        ("Somebody guesses at an address", "POST /login", login("eve", "staple")),
        ("Cleo, who has left", "POST /login", login("cleo", "staple")),
        ("Dora, who is locked out", "POST /login", login("dora", "gone")),
        ("Ann, rightly", "POST /login", login("ann", "correct horse")),
        ("Ann's second factor", "POST /mfa", r#"{"code":"111-222"}"#.to_owned()),
        ("Ann deletes Bob", "DELETE /users/2", String::new()),
        ("Ann tries to recover over HTTP", "POST /recover", String::new()),
        ("Ann leaves", "POST /logout", String::new()),
    ] {
        let answer = call(admin, request, &ann, &body).await?;
        if let Some((_, token)) = answer.split_once(r#""token":""#) {
            token.split('"').next().unwrap_or_default().clone_into(&mut ann);
        }
        println!("  {who:<31} {request:<16} {}", if ann.is_empty() { answer } else { answer.replace(&ann, "…") });
    }
    Ok(())
}

/// Sends one request, and gives the status and the body.
async fn call(admin: SocketAddr, request: &str, token: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(admin).await?;
    let request = format!(
        "{request} HTTP/1.1\r\nhost: {admin}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok(format!("{} {body}", head.lines().next().unwrap_or_default().trim_start_matches("HTTP/1.1 ")))
}

#[cfg(test)]
mod tests {
    /// What this program records is in the lock beside it, and changes only where a reviewer sees it.
    #[test]
    fn the_lock_holds() {
        audited::assert_locked!(file = "examples/admin_events/audit.lock");
    }
}
