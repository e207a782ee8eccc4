//! How much is read by who follows a journal, of what is filled ahead and of what is no line.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use audited::{Journal, JournalError, JournalReader};

use super::{files, number, small, write, written};

const FILLED: u64 = 32 << 20;
const RECORDS: usize = 200;

/// A journal whose one file is filled as far as that, and what is in it read so far.
fn filled(path: &Path) -> Journal {
    small().segment_bytes(FILLED).preallocate(FILLED).open(path).unwrap()
}

/// How much this thread reads from files meanwhile, in bytes.
pub(super) fn read_by(run: impl FnOnce()) -> u64 {
    let read = || {
        let counts = fs::read_to_string("/proc/thread-self/io").unwrap();
        let read = counts.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
        read.parse::<u64>().unwrap()
    };
    let before = read();
    run();
    read() - before
}

/// Follows each record as it is written, and looks for more behind it.
fn follow_each(journal: &Journal, mut reader: JournalReader) {
    while reader.next().is_some() {}
    for n in 0..RECORDS {
        write(journal, n);
        assert_eq!(number(&reader.next().unwrap().unwrap()), n);
        assert!(reader.next().is_none());
    }
}

#[test]
fn who_follows_a_journal_does_not_read_what_is_filled_for_each_record() {
    let directory = tempfile::tempdir().unwrap();
    let journal = filled(&directory.path().join("audit"));
    let reader = journal.follow().unwrap();
    let bytes = read_by(|| follow_each(&journal, reader));
    assert!(bytes < 10 * FILLED, "{RECORDS} records took {bytes} bytes");
}

#[test]
fn who_follows_from_without_reads_it_once() {
    let directory = tempfile::tempdir().unwrap();
    let journal = filled(&directory.path().join("audit"));
    let reader = Journal::read(directory.path().join("audit")).unwrap();
    let bytes = read_by(|| follow_each(&journal, reader));
    assert!(bytes < 20 * FILLED, "{RECORDS} records took {bytes} bytes");
}

#[test]
fn what_stands_behind_the_fill_is_found_although_it_was_looked_at_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let journal = filled(&path);
    let mut reader = Journal::read(&path).unwrap();
    while reader.next().is_some() {}
    let file = fs::File::options().append(true).open(&files(&path)[0]).unwrap();
    (&file).write_all(b"not a line\n").unwrap();
    assert!(matches!(reader.next(), Some(Err(JournalError::Damaged { .. }))));
    drop(journal);
}

#[test]
fn lines_that_are_none_are_not_read_over_and_over() {
    const LINES: usize = 2_000;
    let (_directory, path) = written(10);
    let file = files(&path).pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let (first, rest) = text.split_at(text.find('\n').unwrap() + 1);
    fs::write(&file, format!("{first}{}{rest}", "not a line\n".repeat(LINES))).unwrap();
    let reader = Journal::read(&path).unwrap();
    let mut damages = 0;
    let bytes = read_by(|| damages = reader.filter(Result::is_err).count());
    assert_eq!(damages, LINES);
    assert!(bytes < FILLED, "{bytes}");
}
