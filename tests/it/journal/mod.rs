//! The journal: its files, what is refused, what is found, and what a disk can do to it.

mod anchors;
mod chain;
#[cfg(feature = "zstd")]
mod compressing;
mod disk;
mod filled;
mod format;
mod memory;
mod passing;
mod reading;
mod refusing;
mod rotating;
mod tail;
mod vanishing;
mod verifying;
pub(crate) mod watching;
mod writers;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use audited::{Action, AuditSink, Journal, JournalOptions, Record, StoredRecord};
use tempfile::TempDir;

use crate::contract::{block_on, is_no_frame};

fn record(n: usize) -> Record {
    Record::builder(Action::new("journal.write")).field("n", &n).build()
}

pub(crate) fn write(journal: &Journal, n: usize) -> Record {
    let record = record(n);
    block_on(journal.write(std::slice::from_ref(&record))).unwrap();
    record
}

/// Options of a journal that takes little room.
pub(crate) fn small() -> JournalOptions {
    JournalOptions::new().segment_bytes(64 << 10).reserve_bytes(0)
}

/// A directory, and the path of a journal in it that holds `records`; it is closed.
pub(crate) fn written(records: usize) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let journal = small().open(&path).unwrap();
    (0..records).for_each(|n| drop(write(&journal, n)));
    (directory, path)
}

/// The records that were written, without those of the journal itself.
fn read(path: &Path) -> Vec<StoredRecord> {
    Journal::read(path).unwrap().map(Result::unwrap).filter(is_no_frame).collect()
}

/// The number that [`record`] has given.
fn number(record: &StoredRecord) -> usize {
    serde_json::from_str::<serde_json::Value>(record.json()).unwrap()["detail"]["n"]
        .as_u64()
        .unwrap()
        .try_into()
        .unwrap()
}

fn numbers(path: &Path) -> Vec<usize> {
    read(path).iter().map(number).collect()
}

/// The files with records, in their order.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort();
    files
}

/// The name of a file as errors and records have it.
fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// A copy of a directory, as a crash leaves it.
pub(crate) fn copy(path: &Path) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("audit");
    fs::create_dir(&to).unwrap();
    fs::set_permissions(&to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(path).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
    }
    (directory, to)
}

#[track_caller]
fn assert_sound(path: &Path) {
    let found = Journal::verify(path).unwrap();
    assert!(found.is_sound(), "{:#?}", found.damage);
}
