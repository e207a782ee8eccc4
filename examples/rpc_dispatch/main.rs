//! RPC whose every scope check is on record before the caller is answered, and whose callers are not told why not.
//!
//! ```sh
//! cargo run --example rpc_dispatch
//! ```

mod framework;
mod service;

use std::error::Error;
use std::time::Duration;

use audited::{Journal, KeyRing, MemorySink, Recorder, Retention, Source, Stage, StoredRecord, with_recorder};
use serde_json::{Value, json};

use framework::dispatch::{Call, Dispatcher};
use framework::row::Row;

const REFUND: (&str, &str) = ("ann-token", "invoice.refund");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let journal = Journal::open(folder.path().join("audit"))?;
    // A service reads its key from its secret store.
    let keys = KeyRing::new("demo", *b"a key of at least thirty-two bytes")?;
    let recorder = Recorder::builder().sink(journal.clone()).keys(keys).build()?;
    let gateway = service::gateway();

    println!("What callers are told:\n");
    with_recorder(recorder.clone(), async {
        call(&gateway, "Ann reads an invoice", ("ann-token", "invoice.read"), "acme").await;
        call(&gateway, "Ann gives money back", REFUND, "acme").await;
        call(&gateway, "Bob, an auditor, tries the same", ("bob-token", "invoice.refund"), "acme").await;
        call(&gateway, "Somebody without a token", ("", "invoice.read"), "acme").await;
        call(&gateway, "Somebody with a stolen one", ("old-token", "invoice.read"), "acme").await;
        call(&gateway, "Ann looks into another company", ("ann-token", "invoice.read"), "globex").await;
        call(&gateway, "Ann calls what nobody may", ("ann-token", "invoice.purge"), "acme").await;
        call(&gateway, "A path that is none", ("ann-token", "../etc/passwd"), "acme").await;
        for _ in 0..3 {
            call(&gateway, "Ann reads on and on", ("ann-token", "invoice.read"), "acme").await;
        }
    })
    .await;
    journal.rotate().await?;
    recorder.shutdown(Duration::from_secs(5))?;

    println!("\nWhat the journal has:\n");
    let records: Vec<StoredRecord> = Journal::read(folder.path().join("audit"))?.collect::<Result<_, _>>()?;
    records.iter().filter_map(Row::of).for_each(|row| print_row(&json!(row)));
    println!("\nOne of them as JSON, and the record that it was made of:\n");
    if let Some((record, row)) = records.iter().rev().find_map(|record| Some((record, Row::of(record)?))) {
        println!("{}\n{}", serde_json::to_string(&row)?, record.json());
    }
    println!("\nThe critical method itself: an intent before its body, the record after it, the note nowhere:\n");
    for record in records.iter().filter(|record| record.action() == "invoice.refund") {
        println!("  {:<9} {}", record.stage().map_or("", Stage::as_str), record.detail().unwrap_or_default());
    }

    println!("\nWith a sink that takes nothing, what is critical is refused, and the rest goes on:\n");
    let full = Recorder::builder().sink(MemorySink::with_capacity(0)).allow_weak_fail_closed().build()?;
    let gateway = service::gateway();
    with_recorder(full.clone(), async {
        call(&gateway, "Ann gives money back", REFUND, "acme").await;
        call(&gateway, "Ann reads an invoice", ("ann-token", "invoice.read"), "acme").await;
    })
    .await;
    println!("  {} records were lost, each counted and logged", full.stats().lost);

    let retained = journal.retain(Retention::new().total_bytes(0)).await?;
    println!("\nA retention removed {:?}, and left a record of that", retained.removed);
    Ok(())
}

async fn call(gateway: &Dispatcher, who: &str, (token, method): (&str, &str), tenant: &str) {
    let answer = gateway
        .dispatch(Call {
            token: (!token.is_empty()).then(|| token.to_owned()),
            method: method.to_owned(),
            tenant: tenant.to_owned(),
            params: json!({ "invoice": 7, "cents": 250, "note": "broken on arrival, says Ann" }),
            source: Source::new().ip([192, 0, 2, 7].into()).origin("https://shop.example"),
            correlation_id: None,
        })
        .await;
    let told = answer.as_ref().map_or_else(|error| json!(error), Value::clone);
    println!("  {who:<32} {method:<16} {told}");
}

fn print_row(row: &Value) {
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    let by = if row["invocation_chain"].is_null() { "" } else { "by way of the gateway" };
    println!(
        "  {:<22} {:<14} {:<5} {:<15} {:<5} {:<10} {by}",
        text("kind"),
        text("method"),
        text("decision"),
        text("reason"),
        text("originator"),
        text("policy_name"),
    );
}

#[cfg(test)]
mod tests {
    /// What this program records is in the lock beside it, and changes only where a reviewer sees it.
    #[test]
    fn the_lock_holds() {
        audited::assert_locked!(file = "examples/rpc_dispatch/audit.lock");
    }
}
