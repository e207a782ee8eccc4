//! In transactions of SQLite.

use std::path::{Path, PathBuf};

use audited::{
    Action, AuditStore, Effect, Forwarder, Journal, Kind, Query, Recorder, Refusal, SqliteStore, Stage, StoredOutcome,
    StoredRecord, audited, record_action, with_recorder_sync,
};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::bank::Error;
use crate::support::PATIENCE;

/// A store and an application's table in one file, with a journal beside it.
struct Ledger {
    folder: tempfile::TempDir,
    store: SqliteStore,
    connection: Connection,
}

impl Ledger {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(file(folder.path())).unwrap();
        let connection = Connection::open(file(folder.path())).unwrap();
        connection.execute_batch("CREATE TABLE moved (cents INTEGER NOT NULL)").unwrap();
        Self { folder, store, connection }
    }

    /// Runs what is given with a journal that is delivered into the store.
    fn delivered(&mut self, run: impl FnOnce(&SqliteStore, &mut Connection)) {
        let journal = Journal::open(self.folder.path().join("audit")).unwrap();
        let forwarder = Forwarder::builder(&journal, self.store.clone()).start().unwrap();
        let recorder = Recorder::builder().sink(journal).build().unwrap();
        with_recorder_sync(recorder.clone(), || run(&self.store, &mut self.connection));
        recorder.shutdown(PATIENCE).unwrap();
        forwarder.stop(PATIENCE).unwrap();
    }

    fn cents(&self) -> i64 {
        self.connection.query_row("SELECT coalesce(sum(cents), 0) FROM moved", [], |row| row.get(0)).unwrap()
    }

    fn find(&self, query: Query) -> Vec<StoredRecord> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let page = runtime.block_on(self.store.global("test").page(&query.oldest_first())).unwrap();
        page.records.into_iter().filter(|record| record.kind() != Some(Kind::System)).collect()
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("ledger.db")
}

fn begin(connection: &mut Connection) -> Transaction<'_> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap()
}

#[audited(action = "tx.sqlite", unlocked, fields(cents), transaction = store.within(tx), fail_closed)]
fn moved(store: &SqliteStore, tx: &Connection, cents: u32) -> Result<u32, Error> {
    tx.execute("INSERT INTO moved VALUES (?1)", [cents]).unwrap();
    match cents {
        13 => Err(Error::Forbidden),
        cents => Ok(cents),
    }
}

#[audited(action = "tx.sqlite_async", unlocked, fields(cents), transaction = store.within(tx))]
async fn moved_async(store: &SqliteStore, tx: &Transaction<'_>, cents: u32) -> Result<u32, Error> {
    tx.execute("INSERT INTO moved VALUES (?1)", [cents]).unwrap();
    tokio::task::yield_now().await;
    Ok(cents)
}

#[test]
fn change_and_record_commit_together_or_not_at_all() {
    let mut ledger = Ledger::new();
    ledger.delivered(|store, connection| {
        let tx = begin(connection);
        assert_eq!(moved(store, &tx, 7), Ok(7));
        tx.commit().unwrap();
        let rolled_back = begin(connection);
        assert_eq!(moved(store, &rolled_back, 8), Ok(8));
        rolled_back.rollback().unwrap();
        let denied = begin(connection);
        assert_eq!(moved(store, &denied, 13), Err(Error::Forbidden));
        denied.rollback().unwrap();
    });
    assert_eq!(ledger.cents(), 7);
    let records = ledger.find(Query::new().action("tx.sqlite"));
    let ends: Vec<_> = records.iter().map(|record| (record.stage(), record.detail().unwrap().to_owned())).collect();
    let end = |stage, cents: u8| (Some(stage), format!(r#"{{"cents":{cents}}}"#));
    assert_eq!(ends, [end(Stage::Completed, 7), end(Stage::Intent, 8), end(Stage::Completed, 13)]);
    assert_eq!(records[0].outcome(), Some(StoredOutcome::Success));
    assert_eq!(records[0].flags(), ["in_transaction"]);
    let orphans = ledger.find(Query::new().orphans());
    assert_eq!(orphans.iter().map(|record| record.id()).collect::<Vec<_>>(), [records[1].id()]);
}

#[test]
fn what_is_no_transaction_of_the_store_refuses_the_call() {
    let mut ledger = Ledger::new();
    let unavailable = Err(Error::Refused(Refusal::Unavailable { effect: Effect::MayHaveHappened }));
    ledger.delivered(|store, connection| {
        assert_eq!(moved(store, connection, 7), unavailable, "none is open");
        let mut elsewhere = Connection::open_in_memory().unwrap();
        elsewhere.execute_batch("CREATE TABLE moved (cents INTEGER NOT NULL)").unwrap();
        assert_eq!(moved(store, &begin(&mut elsewhere), 8), unavailable, "it is of another file");
    });
    let records = ledger.find(Query::new().action("tx.sqlite"));
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record.outcome(), Some(StoredOutcome::Unknown));
        assert_eq!(record.flags(), ["not_in_transaction"]);
    }
}

#[test]
fn an_async_function_borrows_what_no_other_thread_may() {
    let mut ledger = Ledger::new();
    ledger.delivered(|store, connection| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let tx = begin(connection);
        assert_eq!(runtime.block_on(moved_async(store, &tx, 5)), Ok(5));
        record_action(Action::new("tx.sqlite_event")).wait_in_transaction(&store.within(&tx)).unwrap();
        tx.commit().unwrap();
        let rolled_back = begin(connection);
        assert_eq!(runtime.block_on(moved_async(store, &rolled_back, 6)), Ok(6));
        record_action(Action::new("tx.sqlite_event")).wait_in_transaction(&store.within(&rolled_back)).unwrap();
    });
    assert_eq!(ledger.cents(), 5);
    assert_eq!(ledger.find(Query::new().action("tx.sqlite_async")).len(), 1);
    assert_eq!(ledger.find(Query::new().action("tx.sqlite_event")).len(), 1);
}
