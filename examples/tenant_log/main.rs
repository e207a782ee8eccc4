//! The security log of a backend with many tenants: nothing in it changes, and nobody reads what is another's.
//!
//! ```sh
//! cargo run --features axum --example tenant_log
//! cargo run --features axum,sqlite --example tenant_log -- --sqlite
//! ```

mod client;
mod log;
mod server;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use audited::{AuditStore, KeyRing, MemoryStore, Recorder, TrustedProxies, record};
use tokio::net::TcpListener;

use log::{SecurityEvent, about, rows};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = backend(&folder)?;
    // A service reads its key from its secret store.
    let keys = KeyRing::new("demo", *b"a key of at least thirty-two bytes")?;
    let recorder = Recorder::builder().sink(store.clone()).keys(keys).build()?;
    recorder.install()?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let proxies = TrustedProxies::new(["127.0.0.1"])?;
    let service = server::service(store.clone(), proxies).into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    println!("A backend serves on http://{address}, behind a proxy. Its users:\n");
    client::act(address).await?;
    server.abort();

    // A job of the backend itself: nobody acts, and no tenant owns it.
    record(&SecurityEvent::ApiKeyRevoke).subject(about("usr_bob")).await?;
    println!("\nThe operator, who has a reason to, reads what there is of Bob anywhere:\n");
    for row in rows(&store.global("ticket 4711"), Some("usr_bob"), 10).await? {
        println!("  {}", serde_json::to_string(&row)?);
    }
    recorder.shutdown(Duration::from_secs(5))?;
    println!("\nAll of it is in {}", store.describe());
    Ok(())
}

/// What is pluggable: anything that is an `AuditStore`.
#[cfg_attr(not(feature = "sqlite"), expect(clippy::unnecessary_wraps, reason = "only SQLite fails to open"))]
fn backend(folder: &tempfile::TempDir) -> Result<Arc<dyn AuditStore>, Box<dyn Error>> {
    #[cfg(feature = "sqlite")]
    if std::env::args().any(|arg| arg == "--sqlite") {
        return Ok(Arc::new(audited::SqliteStore::open(folder.path().join("audit.db"))?));
    }
    let _ = folder;
    Ok(Arc::new(MemoryStore::new()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_lock_holds() {
        audited::assert_locked!(file = "examples/tenant_log/audit.lock");
    }
}
