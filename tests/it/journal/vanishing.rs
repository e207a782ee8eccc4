//! Files that go away, or cannot be opened, while a journal is read.

use std::fs;
use std::ops::Range;
use std::time::Duration;

use audited::{Journal, JournalDamage, JournalError, JournalReader, Retention, StoredRecord};

use super::{files, number, read, small, write, written};
use crate::contract::block_on;

/// A journal of some files.
fn of_some_files() -> (tempfile::TempDir, std::path::PathBuf, Journal) {
    let (directory, path) = written(0);
    let journal = small().open(&path).unwrap();
    write_some(&journal, 0..60);
    assert!(files(&path).len() > 6, "{:?}", files(&path));
    (directory, path, journal)
}

/// Writes them, ten into a file.
fn write_some(journal: &Journal, numbers: Range<usize>) {
    for n in numbers {
        write(journal, n);
        if n % 10 == 9 {
            block_on(journal.rotate()).unwrap();
        }
    }
}

/// The number of a record that is none of the journal's own.
fn written_number(record: &StoredRecord) -> Option<usize> {
    (record.action() == "journal.write").then(|| number(record))
}

/// What is left to be read: the numbers, and how often something is missing before.
fn rest(reader: &mut JournalReader) -> (Vec<usize>, usize) {
    let (mut numbers, mut missing) = (Vec::new(), 0);
    for found in reader {
        match found {
            Ok(record) => numbers.extend(written_number(&record)),
            Err(JournalError::Damaged { damage: JournalDamage::Seq { .. }, .. }) => missing += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (numbers, missing)
}

#[test]
fn who_reads_while_all_that_it_has_listed_is_removed_is_told_and_goes_on_behind() {
    for follows in [true, false] {
        let (_directory, path, journal) = of_some_files();
        let mut reader = if follows { journal.follow().unwrap() } else { Journal::read(&path).unwrap() };
        reader.next().unwrap().unwrap();
        write_some(&journal, 60..120);
        block_on(journal.retain(Retention::new().total_bytes(0))).unwrap();
        let left: Vec<_> = read(&path).iter().filter_map(written_number).collect();
        assert!(left.first().is_some_and(|first| *first > 60) || left.is_empty(), "{left:?}");
        write_some(&journal, 120..180);
        let (numbers, missing) = rest(&mut reader);
        assert!(missing >= 1, "nothing is passed over in silence");
        assert!(numbers.ends_with(&(120..180).collect::<Vec<_>>()), "{numbers:?}");
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_tried_again_and_never_passed_over() {
    for skipped in [0, 2] {
        let (_directory, path, journal) = of_some_files();
        let mut reader = journal.follow().unwrap();
        let (file, aside) = (&files(&path)[skipped], path.join("aside"));
        fs::rename(file, &aside).unwrap();
        fs::create_dir(file).unwrap();
        let mut numbers = Vec::new();
        let mut refused = 0;
        while refused < 3 {
            match reader.next().unwrap() {
                Ok(record) => numbers.extend(written_number(&record)),
                Err(JournalError::Damaged { .. }) => panic!("nothing is damaged"),
                Err(_) => refused += 1,
            }
        }
        fs::remove_dir(file).unwrap();
        fs::rename(&aside, file).unwrap();
        let (more, missing) = rest(&mut reader);
        numbers.extend(more);
        assert_eq!((numbers, missing), ((0..60).collect(), 0));
    }
}

#[test]
fn who_waits_for_nothing_more_does_not_wait() {
    let (_directory, _path, journal) = of_some_files();
    let mut reader = journal.follow().unwrap().before_seq(3);
    let hour = Duration::from_secs(3600);
    assert!(reader.next_within(hour).unwrap().is_ok() && reader.next_within(hour).unwrap().is_ok());
    assert!(reader.next_within(hour).is_none());
}
