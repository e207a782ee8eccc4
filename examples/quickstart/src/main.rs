//! A bank with audited handlers, called as its users would call it, and what the audit journal says afterwards.
//!
//! `cargo run -p quickstart` runs it once; with `-- --serve` it keeps serving, with `-- --catalogue` it says what it
//! records, as `CATALOGUE.md` does.

mod bank;
mod client;
mod report;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use audited::{Journal, KeyRing, Recorder};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|arg| arg == "--catalogue") {
        print!("{}", audited::catalogue().to_markdown());
        return Ok(());
    }
    let journal = journal_path()?;
    let sink = Journal::open(&journal)?;
    // A service reads its key from its secret store.
    let keys = KeyRing::new("demo", *b"a key of at least thirty-two bytes")?;
    let before = sink.recovered().last_seq;
    let recorder = Recorder::builder().sink(sink).keys(keys).build()?;
    recorder.install()?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = bank::service().into_make_service_with_connect_info::<std::net::SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });

    if std::env::args().any(|arg| arg == "--serve") {
        println!("Serving on http://{address} until Ctrl-C; the records go to {}", journal.display());
        println!("{}", client::try_it(address));
        tokio::signal::ctrl_c().await?;
    } else {
        println!("A bank serves on http://{address}. Its users:\n");
        client::act_as_users(address).await?;
    }
    server.abort();
    recorder.shutdown(Duration::from_secs(5))?;

    report::print(&journal, before)?;
    Ok(())
}

/// Beside the program, in the directory that `cargo clean` removes; a second run appends.
fn journal_path() -> std::io::Result<PathBuf> {
    let folder = std::env::current_exe()?.with_file_name("quickstart-journal");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join("audit"))
}

#[cfg(test)]
mod tests {
    /// What this program records is in `audit.lock`, and changes only where a reviewer sees it.
    #[test]
    fn the_lock_holds() {
        audited::assert_locked!();
    }

    #[test]
    fn the_committed_catalogue_is_what_the_binary_records() {
        let committed = include_str!("../CATALOGUE.md");
        let current = audited::catalogue().to_markdown();
        assert!(
            committed == current,
            "write it anew: cargo run -p quickstart -- --catalogue > examples/quickstart/CATALOGUE.md"
        );
    }
}
