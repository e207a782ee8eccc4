//! The life of a gateway's tokens in its log: one structured field, `audit`, that any log aggregator can query.
//!
//! ```sh
//! cargo run --features axum --example token_lifecycle
//! ```

mod client;
mod events;
mod server;

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audited::{KeyRing, TRACING_TARGET};
use serde_json::Value;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // What a service has anyway: a subscriber that writes JSON. Here it writes to where the end of this can look.
    let log = Lines::default();
    let writer = log.clone();
    tracing_subscriber::fmt().json().with_writer(move || writer.clone()).init();
    // A service reads its key from its secret store.
    let keys = KeyRing::new("demo", *b"a key of at least thirty-two bytes")?;
    let recorder = events::recorder(keys.clone()).build()?;
    recorder.install()?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = server::service(server::Tokens::default()).into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    println!("A key server serves on http://{address}. What its clients are told:\n");
    client::act(address).await?;
    server.abort();
    recorder.shutdown(Duration::from_secs(5))?;

    println!("\nWhat its log has of it, the level and the field `audit`:\n");
    let lines = log.lines();
    let lines: Vec<_> = lines.iter().filter(|line| line["target"] == TRACING_TARGET).collect();
    for line in &lines {
        println!("  {:<5} {}", line["level"].as_str().unwrap_or_default(), audit(line));
    }
    let ann = events::shown(&keys, "ann@example.org");
    let of_ann = lines.iter().filter(|line| ann.texts().iter().any(|shown| audit(line).contains(shown))).count();
    println!("\nAnn is nowhere by name or address; who knows both key and address finds her {of_ann} lines:\n");
    ann.texts().iter().for_each(|shown| println!("  grep {shown}"));
    Ok(())
}

fn audit(line: &Value) -> &str {
    line["fields"]["audit"].as_str().unwrap_or_default()
}

/// What the subscriber has written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn lines(&self) -> Vec<Value> {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_lock_holds() {
        audited::assert_locked!(file = "examples/token_lifecycle/audit.lock");
    }
}
