//! Where a forwarder goes on, and which journals it refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use audited::{DeadReason, ForwarderCursor, ForwarderError, JournalReader, StoredRecord};

use super::*;

fn read(journal: &Path) -> JournalReader {
    Journal::read(journal).unwrap()
}

/// Refuses, and says how to mend it.
#[track_caller]
fn refused(journal: &Journal, store: &Store) -> ForwarderError {
    let before = fs::read(cursor_path(journal.path())).unwrap();
    let error = builder(journal, store).start().unwrap_err();
    assert_eq!(fs::read(cursor_path(journal.path())).unwrap(), before, "the cursor is left as it is");
    let text = error.to_string();
    assert!(text.contains("another name") && text.contains("`reset`") && text.contains("store.json"), "{text}");
    error
}

fn files(journal: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = names.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort_unstable();
    files
}

#[test]
fn it_stands_beside_the_journal_where_anybody_finds_it() {
    let (_directory, journal) = journal();
    assert_eq!(ForwarderCursor::all(journal.path()).unwrap(), []);
    write(&journal, 0..10);
    let store = Store::that(|_| Answer::Fail);
    let forwarder = start(&journal, &store);
    // From the start on, so that nothing is removed that is not delivered.
    let cursors = ForwarderCursor::all(journal.path()).unwrap();
    assert_eq!((cursors.len(), cursors[0].name.as_str(), cursors[0].seq), (1, "store", 0));
    store.always(Answer::Take);
    forwarder.stop(PATIENCE).unwrap();
    let (cursors, head) = (ForwarderCursor::all(journal.path()).unwrap(), journal.head());
    let found = (cursors[0].stream, cursors[0].seq, cursors[0].hash);
    assert_eq!(found, (head.stream, head.seq, head.hash));
    assert!(!cursors[0].is_complete(journal.path()).unwrap(), "its process lives");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&journal.path().join("cursors")), mode(&cursor_path(journal.path()))), (0o700, 0o600));
    fs::write(cursor_path(journal.path()), "{}").unwrap();
    assert!(matches!(ForwarderCursor::all(journal.path()), Err(ForwarderError::NoCursor { .. })));
    assert!(matches!(builder(&journal, &store).start(), Err(ForwarderError::NoCursor { .. })));
}

#[test]
fn what_is_never_due_by_time_is_written_once_and_at_the_end() {
    let (_directory, journal) = journal();
    write(&journal, 0..10);
    let store = Store::new();
    let (retry, breaker) = ((Duration::MAX, Duration::MAX), (u32::MAX, Duration::MAX));
    let builder = builder(&journal, &store).cursor_every(Duration::MAX).deadline(Duration::MAX);
    let forwarder = builder.retry(retry.0, retry.1).breaker(breaker.0, breaker.1).adopt_after(Duration::MAX).start();
    let forwarder = forwarder.unwrap();
    forwarder.flush(PATIENCE).unwrap();
    // The first is due at once: whoever looks sees that somebody delivers.
    eventually("the first is written", || ForwarderCursor::all(journal.path()).unwrap()[0].seq > 0);
    let before = ForwarderCursor::all(journal.path()).unwrap()[0].seq;
    for n in 10..30 {
        write(&journal, [n]);
        forwarder.flush(PATIENCE).unwrap();
    }
    assert_eq!(ForwarderCursor::all(journal.path()).unwrap()[0].seq, before);
    forwarder.stop(Duration::MAX).unwrap();
    assert_eq!(ForwarderCursor::all(journal.path()).unwrap()[0].seq, journal.head().seq);
}

#[test]
fn a_shorter_journal_is_refused() {
    let (directory, journal) = journal();
    let path = journal.path().to_owned();
    write(&journal, 0..10);
    copy(&path, &directory.path().join("older"));
    write(&journal, 10..20);
    let store = Store::new();
    deliver(&journal, &store);
    let delivered = journal.head().seq;
    drop(journal);
    fs::rename(path.join("cursors"), directory.path().join("older/cursors")).unwrap();
    let journal = options().open(directory.path().join("older")).unwrap();
    let error = refused(&journal, &store);
    let ends = journal.head().seq;
    assert!(
        matches!(error, ForwarderError::Shorter { cursor, journal, .. } if (cursor, journal) == (delivered, ends)),
        "{error}"
    );
    // Told to, it goes on, and the store tells what is not the same: the frame that the older copy has gone on with.
    let forwarder = builder(&journal, &store).reset().start().unwrap();
    forwarder.flush(PATIENCE).unwrap();
    assert!(forwarder.stats().conflicts > 0);
}

#[test]
fn a_journal_that_was_written_anew_is_refused() {
    let (directory, journal) = journal();
    let path = journal.path().to_owned();
    write(&journal, 0..10);
    copy(&path, &directory.path().join("older"));
    write(&journal, 10..20);
    let store = Store::new();
    deliver(&journal, &store);
    let delivered = journal.head().seq;
    drop(journal);
    fs::rename(path.join("cursors"), directory.path().join("older/cursors")).unwrap();
    let journal = options().open(directory.path().join("older")).unwrap();
    write(&journal, 50..100);
    let error = refused(&journal, &store);
    assert!(matches!(error, ForwarderError::Different { seq, .. } if seq == delivered), "{error}");
    // Also where it ends at the same place.
    let (directory, journal) = self::journal();
    write(&journal, 0..10);
    deliver(&journal, &store);
    let text = fs::read_to_string(cursor_path(journal.path())).unwrap();
    let other = text.replace(&journal.head().hash.to_string(), &"0".repeat(64));
    fs::write(cursor_path(journal.path()), other).unwrap();
    assert!(matches!(refused(&journal, &store), ForwarderError::Different { .. }));
    drop(directory);
}

#[test]
fn another_stream_is_refused() {
    let (directory, journal) = journal();
    write(&journal, 0..10);
    let store = Store::new();
    deliver(&journal, &store);
    let (path, before) = (journal.path().to_owned(), journal.head().stream);
    drop(journal);
    let new = directory.path().join("new");
    drop(options().open(&new).unwrap());
    fs::rename(path.join("cursors"), new.join("cursors")).unwrap();
    let journal = options().open(&new).unwrap();
    let error = refused(&journal, &store);
    let now = journal.head().stream;
    assert!(matches!(error, ForwarderError::OtherStream { cursor, journal, .. } if (cursor, journal) == (before, now)));
    builder(&journal, &store).name("another").start().unwrap().stop(PATIENCE).unwrap();
    builder(&journal, &store).reset().start().unwrap().stop(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
}

#[test]
fn files_may_go_when_they_are_delivered_and_not_before() {
    let (_directory, journal) = journal();
    for round in 0..4 {
        write(&journal, round * 10..round * 10 + 10);
        block_on(journal.rotate()).unwrap();
    }
    let store = Store::new();
    deliver(&journal, &store);
    let files = files(journal.path());
    // Exactly what is delivered: the next record's `prev` leads to the cursor.
    for file in files {
        fs::remove_file(file).unwrap();
    }
    write(&journal, 40..50);
    deliver(&journal, &store);
    assert_eq!(store.taken().len() as u64, journal.head().seq);
    // What is not delivered.
    let forwarder = start(&journal, &store);
    store.always(Answer::Fail);
    write(&journal, 50..60);
    block_on(journal.rotate()).unwrap();
    write(&journal, 60..70);
    drop(forwarder);
    let gone = self::files(journal.path()).remove(0);
    fs::remove_file(gone).unwrap();
    let error = refused(&journal, &store);
    assert!(matches!(error, ForwarderError::Missing { .. }), "{error}");
    // A new one begins with what there is.
    store.always(Answer::Take);
    builder(&journal, &store).name("another").start().unwrap().stop(PATIENCE).unwrap();
    let last = read(journal.path()).map(Result::unwrap).filter(|record| record.seq() <= Some(journal.head().seq));
    assert!(last.map(|record| record.seq().unwrap()).all(|seq| store.records().keys().any(|key| key.1 == seq)));
}

#[test]
fn a_cursor_that_cannot_be_written_keeps_nothing_from_the_store() {
    let (_directory, journal) = journal();
    let store = Store::new();
    let forwarder = start(&journal, &store);
    forwarder.flush(PATIENCE).unwrap();
    eventually("it is written", || ForwarderCursor::all(journal.path()).unwrap()[0].seq == 1);
    let in_the_way = journal.path().join("cursors/store.new");
    fs::create_dir(&in_the_way).unwrap();
    write(&journal, 0..20);
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    eventually("it is counted", || forwarder.stats().cursor_failures > 0);
    assert_eq!(ForwarderCursor::all(journal.path()).unwrap()[0].seq, 1);
    drop(forwarder);
    // As after a crash: what came since is repeated, and is the same.
    let forwarder = start(&journal, &store);
    forwarder.flush(PATIENCE).unwrap();
    assert_eq!(forwarder.stats().dead_letters, 0);
    assert_eq!(store.taken().len() as u64, journal.head().seq + 20);
    store.assert_in_order_but(&[]);
    // It is written as soon as it can be, although nothing more comes.
    fs::remove_dir(&in_the_way).unwrap();
    eventually("it is written", || ForwarderCursor::all(journal.path()).unwrap()[0].seq == journal.head().seq);
}

#[test]
fn damage_is_a_dead_letter_and_not_an_end() {
    let (_directory, journal) = journal();
    write(&journal, 0..30);
    block_on(journal.rotate()).unwrap();
    write(&journal, 30..40);
    let (damaged, file) = (seq_of(journal.path(), 7), files(journal.path()).remove(0));
    let text = fs::read_to_string(&file).unwrap().replace("{\"n\":7}", "{\"n\"7:}");
    fs::write(&file, text).unwrap();
    let store = Store::new();
    let forwarder = start(&journal, &store);
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[damaged]);
    let letters = forwarder.dead_letters().unwrap();
    assert_eq!((letters.len(), letters[0].seq, letters[0].last_seq), (1, damaged, damaged));
    assert_eq!((letters[0].reason, &letters[0].original), (DeadReason::Damaged, &None));
    forwarder.stop(PATIENCE).unwrap();
    // It is behind the cursor now, and nothing of it comes again.
    let forwarder = start(&journal, &store);
    write(&journal, [40]);
    forwarder.flush(PATIENCE).unwrap();
    assert_eq!((forwarder.stats().delivered, forwarder.stats().dead_letters), (1, 0));
}

#[test]
fn lines_that_are_gone_are_one_dead_letter() {
    let (_directory, journal) = journal();
    write(&journal, 0..30);
    block_on(journal.rotate()).unwrap();
    let file = files(journal.path()).remove(0);
    let text = fs::read_to_string(&file).unwrap();
    let (first, last) = (seq_of(journal.path(), 5), seq_of(journal.path(), 9));
    let gone = |line: &str| StoredRecord::parse(line).is_ok_and(|r| (first..=last).contains(&r.seq().unwrap()));
    let kept: Vec<_> = text.lines().filter(|line| !gone(line)).collect();
    fs::write(&file, kept.join("\n") + "\n").unwrap();
    let store = Store::new();
    let forwarder = start(&journal, &store);
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &(first..=last).collect::<Vec<_>>());
    let letters = forwarder.dead_letters().unwrap();
    assert_eq!(letters.iter().map(|letter| (letter.seq, letter.last_seq)).collect::<Vec<_>>(), [(first, last)]);
}
