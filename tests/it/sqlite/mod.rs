//! The store in a file: what is written is there once, is found again, and stays.

mod agreeing;
mod dying;
mod growing;
mod hostile;
mod keeping;
mod layouts;
mod opening;
mod reading;
mod retaining;
mod within;
mod writing;

use std::path::{Path, PathBuf};

use audited::{Action, AuditSink, AuditStore, Query, Record, SqliteOptions, SqliteStore, StoredRecord};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::contract::block_on;

/// A store in a directory of its own.
struct Fresh {
    store: SqliteStore,
    path: PathBuf,
    directory: TempDir,
}

fn fresh() -> Fresh {
    with(&SqliteOptions::new())
}

fn with(options: &SqliteOptions) -> Fresh {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.db");
    Fresh { store: options.open(&path).unwrap(), path, directory }
}

impl Fresh {
    fn write(&self, batch: &[Record]) {
        block_on(self.store.write(batch)).unwrap();
    }
}

/// The file as anybody sees it.
fn plain(path: &Path) -> Connection {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    connection.busy_timeout(crate::support::PATIENCE).unwrap();
    connection
}

/// The records in the order in which they were committed.
fn texts(path: &Path) -> Vec<String> {
    let connection = plain(path);
    let mut rows = connection.prepare("SELECT json FROM audit_records ORDER BY position").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn record(n: usize) -> Record {
    Record::builder(Action::new("sqlite.write")).field("n", &n).build()
}

/// A record as a sink gets one that was read back somewhere.
fn carried(json: &serde_json::Value) -> Record {
    audited::__private::carried(&StoredRecord::parse(json.to_string()).unwrap())
}

/// What everybody finds of a query.
fn found(store: &SqliteStore, query: &Query) -> Vec<StoredRecord> {
    block_on(store.global("test").unrecorded().page(query)).unwrap().records
}

fn count(store: &SqliteStore, query: &Query) -> u64 {
    block_on(store.global("test").unrecorded().count(query)).unwrap()
}

#[cfg(feature = "testing")]
fn under_test(options: &SqliteOptions, place: &Path) -> audited::testing::SinkUnderTest {
    let path = place.join("audit.db");
    audited::testing::SinkUnderTest::new(options.open(&path).unwrap())
        .reads(move || texts(&path))
        .is_opened_again()
        .runs_in(crate::contract::ours::in_tokio)
}

#[cfg(feature = "testing")]
mod contract {
    use audited::testing::sink_contract;

    use super::*;

    sink_contract!(it_keeps_it, |place| under_test(&SqliteOptions::new(), place));
    sink_contract!(it_keeps_it_without_a_sync, |place| under_test(&SqliteOptions::new().os_buffer(), place));
    sink_contract!(it_keeps_it_with_a_queue_that_holds_next_to_nothing, |place| {
        under_test(&SqliteOptions::new().queue_bytes(1), place)
    });
}
