//! From a journal to a store, whatever the store does.

mod adopt;
mod cursor;
mod dead;
mod delivery;
mod failing;
mod kill;
mod lag;
pub(crate) mod store;
mod watching;

use std::path::{Path, PathBuf};
use std::time::Duration;

use audited::{Action, AuditSink, Forwarder, ForwarderBuilder, Journal, JournalOptions, Record};
use tempfile::TempDir;

use self::store::{Answer, Store};
use crate::contract::block_on;
use crate::support::{PATIENCE, eventually};

/// Small files, and nothing kept ready, for the sake of speed.
pub(crate) fn options() -> JournalOptions {
    JournalOptions::new().segment_bytes(64 << 10).preallocate(0).reserve_bytes(0)
}

/// An empty journal, in a directory that lives as long.
fn journal() -> (TempDir, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let journal = options().open(directory.path().join("journal")).unwrap();
    (directory, journal)
}

fn record(n: u64) -> Record {
    Record::builder(Action::new("forward.write")).field("n", &n).build()
}

/// Writes records, and returns when they are acknowledged.
fn write(journal: &Journal, numbers: impl IntoIterator<Item = u64>) {
    let records: Vec<_> = numbers.into_iter().map(record).collect();
    block_on(journal.write(&records)).unwrap();
}

/// Whether a batch has the record with that number.
fn has(batch: &[Record], n: u64) -> bool {
    let detail = format!("{{\"n\":{n}}}");
    batch.iter().any(|record| record.detail() == Some(&detail))
}

/// The position of the record with that number.
fn seq_of(journal: &Path, n: u64) -> u64 {
    let detail = format!("{{\"n\":{n}}}");
    let mut records = Journal::read(journal).unwrap().map(Result::unwrap);
    records.find(|record| record.detail() == Some(&detail)).unwrap().seq().unwrap()
}

/// Impatient, so that tests are fast.
fn builder(journal: &Journal, store: &Store) -> ForwarderBuilder {
    Forwarder::builder(journal, store.clone())
        .name("store")
        .deadline(Duration::from_secs(20))
        .retry(Duration::from_millis(1), Duration::from_millis(4))
        .breaker(5, Duration::from_millis(10))
        .cursor_every(Duration::ZERO)
}

fn start(journal: &Journal, store: &Store) -> Forwarder {
    builder(journal, store).start().unwrap()
}

/// Delivers everything, and stops.
fn deliver(journal: &Journal, store: &Store) {
    start(journal, store).stop(PATIENCE).unwrap();
}

fn cursor_path(journal: &Path) -> PathBuf {
    journal.join("cursors/store.json")
}

/// Copies a directory as a backup would.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    // Only its user may enter a journal.
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
