//! A journal of another process, followed without its lock.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use audited::{Journal, JournalError, JournalOptions, JournalWatch, StoredRecord};
use tempfile::TempDir;

use super::{copy, files, numbers, small, write, written};
use crate::contract::{block_on, is_no_frame};
use crate::listings::Listings;
use crate::support::{PATIENCE, eventually};

fn seqs(watch: &JournalWatch) -> Vec<u64> {
    watch.follow().unwrap().map(|record| record.unwrap().seq().unwrap()).collect()
}

#[test]
fn what_is_written_is_there_a_moment_later_and_the_lock_is_free() {
    let (_directory, path) = written(3);
    let watch = JournalWatch::open(&path).unwrap();
    let closed = Journal::verify(&path).unwrap().head.unwrap();
    assert_eq!(watch.head(), closed);
    let journal = small().open(&path).unwrap();
    for n in 3..20 {
        write(&journal, n);
        if n % 5 == 0 {
            block_on(journal.rotate()).unwrap();
        }
    }
    eventually("all is there", || watch.head() == journal.head());
    assert_eq!(seqs(&watch), (1..=journal.head().seq).collect::<Vec<_>>());
    let mut reader = watch.follow().unwrap();
    let all = std::iter::from_fn(|| reader.next()).count() as u64;
    assert_eq!(all, journal.head().seq);
    write(&journal, 20);
    let next: StoredRecord = reader.next_within(PATIENCE).unwrap().unwrap();
    assert_eq!(next.seq(), Some(journal.head().seq));
    assert!(watch.fault().is_none());
    drop(journal);
    assert!(is_no_frame(&next));
    assert_eq!(numbers(&path).len(), 21);
}

#[test]
fn an_idle_journal_is_not_listed_time_and_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let journal = JournalOptions::new().reserve_bytes(0).open(&path).unwrap();
    (0..8).for_each(|n| drop(write(&journal, n)));
    // As one that is made ready.
    fs::write(path.join("audit-0000000002.jsonl"), "").unwrap();
    let watch = JournalWatch::open(&path).unwrap();
    // A directory that has just changed is listed each time, as it may change again without another time.
    let settled = Duration::from_millis(1_100);
    eventually("it has settled", || path.metadata().unwrap().modified().unwrap().elapsed().is_ok_and(|e| e > settled));
    let (listings, start) = (Listings::of(&path), Instant::now());
    std::thread::sleep(Duration::from_millis(1_500));
    let (listed, opened) = listings.count();
    // Once in a second, however often it is looked at.
    assert!(listed <= usize::try_from(start.elapsed().as_secs()).unwrap() + 2, "{listed} times");
    assert!(opened > listed, "the next file is looked at");
    (8..16).for_each(|n| drop(write(&journal, n)));
    eventually("all is there", || watch.head() == journal.head());
}

#[test]
fn a_line_without_its_end_is_not_there_yet() {
    let (_directory, path) = written(3);
    let file = &files(&path)[0];
    let whole = fs::read_to_string(file).unwrap();
    let lines: Vec<_> = whole.lines().collect();
    let (last, before) = lines.split_last().unwrap();
    fs::write(file, format!("{}\n{}", before.join("\n"), &last[..80])).unwrap();
    let watch = JournalWatch::open(&path).unwrap();
    assert_eq!(watch.head().seq, before.len() as u64);
    fs::write(file, &whole).unwrap();
    eventually("it is whole", || watch.head().seq == lines.len() as u64);
}

#[test]
fn a_journal_without_a_line_is_said_to_be_one() {
    let directory = tempfile::tempdir().unwrap();
    let error = JournalWatch::open(directory.path()).unwrap_err();
    assert!(matches!(&error, JournalError::Empty { .. }), "{error}");
    assert!(error.to_string().contains("without a line"), "{error}");
    assert!(matches!(JournalWatch::open(directory.path().join("none")), Err(JournalError::Io { .. })));
}

/// A journal whose last line a write has left that failed, and the file that begins in the place of that line.
pub(crate) fn given_up(path: &Path) -> (TempDir, std::path::PathBuf) {
    let journal = small().open(path).unwrap();
    write(&journal, 100);
    let (_before, before) = copy(path);
    write(&journal, 101);
    drop(journal);
    // Another life begins before that line, and gives its position to another record.
    let (directory, other) = copy(&before);
    write(&small().open(&other).unwrap(), 102);
    let file = files(path).pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let kept: Vec<_> = text.lines().filter(|line| !line.contains("segment_closed")).collect();
    fs::write(&file, kept.join("\n") + "\n").unwrap();
    let next = files(&other).pop().unwrap();
    (directory, next)
}

#[test]
fn what_the_journal_takes_back_is_a_fault_and_not_passed_over() {
    let (_directory, path) = written(3);
    let (_other, next) = given_up(&path);
    let watch = JournalWatch::open(&path).unwrap();
    let last = watch.head().seq;
    assert!(numbers(&path).ends_with(&[101]), "{:?}", numbers(&path));
    fs::copy(&next, path.join("new")).unwrap();
    fs::rename(path.join("new"), path.join(next.file_name().unwrap())).unwrap();
    eventually("it is told", || watch.fault().is_some());
    let fault = watch.fault().unwrap();
    assert!(
        matches!(fault, JournalError::TakenBack { first, last: told, .. } if first == last && told == last),
        "{fault}"
    );
    assert!(numbers(&path).ends_with(&[102]), "{:?}", numbers(&path));
}
