//! A transfer in SQLite: the change and the record of its success are there together, or neither is.
//!
//! ```sh
//! cargo run --features sqlite --example ledger
//! ```

use std::error::Error;
use std::time::Duration;

use audited::{AuditStore, Deny, Forwarder, Journal, Query, Recorder, Refusal, SqliteStore, audited};
use rusqlite::{Connection, Transaction, TransactionBehavior};

#[derive(Debug, Deny)]
#[expect(dead_code, reason = "`Debug` shows what is in the variants")]
enum BankError {
    #[denied("overdrawn")]
    Overdrawn,
    #[failed("database")]
    Database(rusqlite::Error),
    #[failed("audit_unavailable")]
    Audit(Refusal),
}

impl From<rusqlite::Error> for BankError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Refusal> for BankError {
    fn from(refusal: Refusal) -> Self {
        Self::Audit(refusal)
    }
}

/// Its intent is in the journal before the body runs; its success is in `tx`, a denial in the journal.
#[audited(action = "account.transfer", fields(from, to, cents), transaction = store.within(tx), fail_closed)]
fn transfer(store: &SqliteStore, tx: &Transaction<'_>, from: u32, to: u32, cents: u32) -> Result<(), BankError> {
    let take = "UPDATE accounts SET cents = cents - ?2 WHERE id = ?1 RETURNING cents";
    let left: i64 = tx.query_row(take, (from, cents), |row| row.get(0))?;
    if left < 0 {
        return Err(BankError::Overdrawn);
    }
    tx.execute("UPDATE accounts SET cents = cents + ?2 WHERE id = ?1", (to, cents))?;
    Ok(())
}

/// Begins a transaction for one transfer, and commits it where that succeeded and the power does not fail.
fn post(store: &SqliteStore, bank: &mut Connection, cents: u32, power_fails: bool) -> Result<(), BankError> {
    let tx = bank.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transfer(store, &tx, 1, 2, cents)?;
    if !power_fails {
        tx.commit()?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(folder.path().join("bank.db"))?;
    let mut bank = Connection::open(folder.path().join("bank.db"))?;
    bank.execute_batch(
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL);
         INSERT INTO accounts VALUES (1, 1000), (2, 0);",
    )?;

    // What is in no transaction goes to a journal, and from there to the store: SQLite has one writer at a time.
    let journal = Journal::open(folder.path().join("audit"))?;
    let forwarder = Forwarder::builder(&journal, store.clone()).start()?;
    let recorder = Recorder::builder().sink(journal).build()?;
    recorder.install()?;

    println!("700 cents, committed:   {:?}", post(&store, &mut bank, 700, false));
    println!("200 cents, rolled back: {:?}", post(&store, &mut bank, 200, true));
    println!("500 cents, denied:      {:?}", post(&store, &mut bank, 500, false));

    recorder.shutdown(Duration::from_secs(5))?;
    forwarder.stop(Duration::from_secs(30))?;
    let mut accounts = bank.prepare("SELECT cents FROM accounts ORDER BY id")?;
    let cents: Vec<i64> = accounts.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    println!("\nthe accounts have {cents:?} cents, and the store has");
    let transfers = Query::new().action("account.transfer").oldest_first();
    for record in store.global("example").page(&transfers).await?.records {
        let stage = record.stage().map_or("", |stage| stage.as_str());
        println!("  {stage:<9} {:?} {}", record.outcome(), record.detail().unwrap_or_default());
    }
    println!("the one that was rolled back is an intent, of which nobody can say how it ended");
    Ok(())
}
