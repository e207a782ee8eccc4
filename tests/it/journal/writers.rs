//! A journal has one writer, and loses nothing that it was handed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use audited::{Action, AuditSink, Journal, JournalError, Recorder, record_action, with_recorder_sync};

use super::{assert_sound, numbers, read, record, small, write, written};
use crate::contract::block_on;
use crate::crash::{ORDERS, kill, start_child};
use crate::support::eventually;

#[track_caller]
fn assert_locked(path: &Path) {
    let error = Journal::open(path).unwrap_err();
    assert!(matches!(error, JournalError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("locked by another process"), "{error}");
}

#[test]
fn it_has_one_writer_in_a_process() {
    let (_directory, path) = written(2);
    let journal = small().open(&path).unwrap();
    let clone = journal.clone();
    assert_locked(&path);
    drop(journal);
    assert_locked(&path);
    write(&clone, 2);
    drop(clone);
    small().open(&path).unwrap();
    assert_sound(&path);
}

#[test]
fn it_has_one_writer_among_processes() {
    let (_directory, path) = written(2);
    let mut child = start_child("journal::writers::child", &path);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "open"));
    assert_locked(&path);
    assert_eq!(read(&path).len(), 2, "reading needs no lock");
    kill(child);
    write(&small().open(&path).unwrap(), 2);
    assert_eq!(numbers(&path), [0, 1, 2]);
}

/// Holds a journal open until it is killed.
#[test]
fn child() {
    if let Some(path) = std::env::var_os(ORDERS) {
        let _journal = Journal::open(path).unwrap();
        println!("\nopen");
        thread::sleep(Duration::from_secs(45));
    }
}

#[test]
fn dropping_it_writes_everything_that_was_handed_over() {
    let (_directory, path) = written(0);
    let recorder = Recorder::builder().sink(small().open(&path).unwrap()).build().unwrap();
    with_recorder_sync(recorder.clone(), || {
        for n in 0..500_usize {
            let mut writing = record_action(Action::new("journal.write")).field("n", &n).into_future();
            let _ = Pin::new(&mut writing).poll(&mut Context::from_waker(Waker::noop()));
        }
    });
    drop(recorder);
    // Nobody waits any more; the last of them takes the journal with it.
    eventually("the journal is closed", || !matches!(small().open(&path), Err(JournalError::Locked { .. })));
    assert_eq!(read(&path).iter().filter(|record| record.action() == "journal.write").count(), 500);
    assert_sound(&path);
}

#[test]
fn a_full_queue_makes_wait_and_refuses_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let journal = small().queue_bytes(4096).open(directory.path().join("audit")).unwrap();
    let large: Vec<_> = (0..100).map(record).collect();
    thread::scope(|scope| {
        let writers: Vec<_> = (0..8).map(|_| scope.spawn(|| block_on(journal.write(&large)))).collect();
        for writer in writers {
            writer.join().unwrap().unwrap();
        }
    });
    block_on(journal.flush()).unwrap();
    let path = journal.path().to_owned();
    drop(journal);
    let found = numbers(&path);
    assert_eq!(found.len(), 800);
    // A batch has its lines in a row.
    assert!(found.chunks(100).all(|batch| batch.iter().copied().eq(0..100)));
    assert_sound(&path);
}
