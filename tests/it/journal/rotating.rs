//! When files end, and what is in the stream of it.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use audited::{AuditSink, Journal};

use super::{assert_sound, files, name, numbers, record, small, write, written};
use crate::contract::block_on;
use crate::support::{PATIENCE, eventually};

/// The actions of the journal's own records, with the file that each names.
fn frames(path: &std::path::Path) -> Vec<(String, String)> {
    let records = Journal::read(path).unwrap().map(Result::unwrap);
    let frames = records.filter(|record| record.action().starts_with("audit.segment"));
    let file = |record: &audited::StoredRecord| {
        let detail = serde_json::from_str::<serde_json::Value>(record.detail().unwrap()).unwrap();
        detail["file"].as_str().unwrap().to_owned()
    };
    frames.map(|record| (record.action().into_owned(), file(&record))).collect()
}

#[test]
fn files_end_by_size_under_load_and_nobody_notices() {
    let (_directory, path) = written(0);
    let journal = small().open(&path).unwrap();
    let batch: Vec<_> = (0..5).map(record).collect();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..40).for_each(|_| block_on(journal.write(&batch)).unwrap()));
        }
    });
    drop(journal);
    let files = files(&path);
    assert!(files.len() > 6, "{files:?}");
    let sizes: Vec<_> = files.iter().map(|file| fs::metadata(file).unwrap().len()).collect();
    assert!(sizes.iter().all(|size| *size < 2 * (64 << 10)), "{sizes:?}");
    assert_eq!(numbers(&path).len(), 1600);
    let expected = files.iter().flat_map(|file| {
        ["audit.segment_opened", "audit.segment_closed"].map(|action| (action.to_owned(), name(file)))
    });
    assert_eq!(frames(&path), expected.collect::<Vec<_>>());
    assert_sound(&path);
}

#[test]
fn files_end_by_time_under_load_and_at_rest_and_never_empty() {
    let every = Duration::from_millis(60);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let journal = audited::JournalOptions::new().rotate_every(every).open(&path).unwrap();
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !ends.load(Ordering::Relaxed) {
                    write(&journal, 0);
                    // What is written is read often.
                    thread::sleep(Duration::from_millis(2));
                }
            });
        }
        let start = Instant::now();
        while files(&path).len() < 6 && start.elapsed() < PATIENCE {
            thread::sleep(every / 3);
        }
        ends.store(true, Ordering::Relaxed);
    });
    assert!(frames(&path).len() >= 7);
    eventually("the last is ended at rest", || {
        frames(&path).last().is_some_and(|(action, _)| action.ends_with("closed"))
    });
    let at_rest = frames(&path);
    thread::sleep(3 * every);
    assert_eq!(frames(&path), at_rest, "there is nothing in the next one");
    drop(journal);
    assert_sound(&path);
}

#[test]
fn a_file_ends_on_demand() {
    let (_directory, path) = written(0);
    let journal = small().open(&path).unwrap();
    write(&journal, 0);
    block_on(journal.rotate()).unwrap();
    let ended = &files(&path)[1];
    let text = fs::read_to_string(ended).unwrap();
    assert!(text.trim_end().lines().last().unwrap().contains("audit.segment_closed"));
    write(&journal, 1);
    assert!(fs::read_to_string(ended).unwrap().trim_end() == text.trim_end(), "it is not written any more");
    drop(journal);
    assert_eq!(numbers(&path), [0, 1]);
    assert_sound(&path);
}

#[test]
fn a_directory_that_is_renamed_is_still_its_directory() {
    let (directory, path) = written(1);
    let journal = small().open(&path).unwrap();
    let renamed = directory.path().join("renamed");
    fs::rename(&path, &renamed).unwrap();
    write(&journal, 1);
    block_on(journal.rotate()).unwrap();
    write(&journal, 2);
    drop(journal);
    assert!(!path.exists());
    assert_eq!(numbers(&renamed), [0, 1, 2]);
    assert_sound(&renamed);
}
