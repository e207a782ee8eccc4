//! Reading a journal, also while it is written.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use audited::{AuditSink, Journal, Record, Timestamp};

use super::{assert_sound, files, number, numbers, record, small, write, written};
use crate::contract::{block_on, is_no_frame};
use crate::support::PATIENCE;

#[test]
fn who_follows_sees_each_record_once_and_in_order_through_all_rotations() {
    const RECORDS: usize = 1500;
    let (_directory, path) = written(0);
    let journal = small().open(&path).unwrap();
    let mut following = journal.follow().unwrap();
    let mut others = Journal::read(&path).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| (0..RECORDS).for_each(|n| drop(write(&journal, n))));
        for reader in [&mut following, &mut others] {
            scope.spawn(move || {
                let start = Instant::now();
                let (mut seen, mut seq) = (0, 0);
                while seen < RECORDS {
                    assert!(start.elapsed() < PATIENCE, "{seen} were seen");
                    let Some(record) = reader.next_within(Duration::from_secs(1)) else { continue };
                    let record = record.unwrap();
                    assert_eq!(record.seq(), Some(seq + 1));
                    seq += 1;
                    if is_no_frame(&record) {
                        assert_eq!(number(&record), seen);
                        seen += 1;
                    }
                }
            });
        }
    });
    assert!(files(&path).len() > 5);
    drop(journal);
    assert!(following.all(|record| !is_no_frame(&record.unwrap())));
    assert!(following.next_within(Duration::from_secs(20)).is_none());
    assert_sound(&path);
}

#[test]
fn who_follows_is_woken_by_a_record_and_ends_with_the_journal() {
    let (_directory, path) = written(1);
    let journal = small().open(&path).unwrap();
    let mut following = journal.follow().unwrap();
    while following.next().is_some() {}
    let start = Instant::now();
    assert!(following.next_within(Duration::from_millis(50)).is_none());
    assert!(start.elapsed() >= Duration::from_millis(50));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| following.next_within(PATIENCE).unwrap().unwrap());
        write(&journal, 7);
        assert_eq!(number(&waiting.join().unwrap()), 7);
    });
    drop(journal);
    let start = Instant::now();
    assert_eq!(following.next_within(PATIENCE).unwrap().unwrap().action(), "audit.segment_closed");
    assert!(following.next_within(PATIENCE).is_none());
    assert!(start.elapsed() < PATIENCE / 2, "there is nothing to wait for");
}

#[test]
fn checking_what_is_being_written_finds_no_damage() {
    let (_directory, path) = written(0);
    let journal = small().open(&path).unwrap();
    let batch: Vec<Record> = (0..20).map(record).collect();
    thread::scope(|scope| {
        let writing = scope.spawn(|| (0..150).for_each(|_| block_on(journal.write(&batch)).unwrap()));
        let mut lines = 0;
        while !writing.is_finished() {
            let found = Journal::verify(&path).unwrap();
            assert!(found.damage.is_empty(), "{:#?}", found.damage);
            assert!(found.lines >= lines);
            lines = found.lines;
        }
    });
    drop(journal);
    assert_eq!(numbers(&path).len(), 3000);
    assert_sound(&path);
}

#[test]
fn it_begins_at_a_position_or_at_a_moment() {
    let (_directory, path) = written(0);
    let journal = small().open(&path).unwrap();
    for n in 0..100 {
        write(&journal, n);
        if n % 20 == 19 {
            block_on(journal.rotate()).unwrap();
        }
    }
    let all: Vec<_> = Journal::read(&path).unwrap().map(Result::unwrap).collect();
    let rest = |reader: audited::JournalReader| reader.map(|record| record.unwrap().seq().unwrap()).collect::<Vec<_>>();
    for from in [0, 1, 2, 21, 22, 23, 24, 60, 100, 500] {
        let expected: Vec<_> = (1..=all.len() as u64).filter(|seq| *seq >= from).collect();
        assert_eq!(rest(Journal::read(&path).unwrap().from_seq(from).unwrap()), expected, "{from}");
        assert_eq!(rest(journal.follow().unwrap().from_seq(from).unwrap()), expected, "{from}");
    }
    for record in all.iter().step_by(9) {
        let moment = record.recorded_at().unwrap();
        let expected = all.iter().position(|record| record.recorded_at().unwrap() >= moment).unwrap() as u64 + 1;
        assert_eq!(rest(Journal::read(&path).unwrap().since(moment).unwrap())[0], expected);
    }
    assert_eq!(rest(Journal::read(&path).unwrap().since(Timestamp::now()).unwrap()), [0; 0]);
    assert_eq!(rest(Journal::read(&path).unwrap().since(all[0].recorded_at().unwrap()).unwrap()).len(), all.len());
}

#[test]
fn reading_goes_on_behind_damage() {
    let (_directory, path) = written(6);
    let file = &files(&path)[0];
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, text.replace("\"n\":2}", "\"n\":9}")).unwrap();
    let mut reader = Journal::read(&path).unwrap();
    let found: Vec<_> = reader.by_ref().collect();
    assert_eq!(found.iter().filter(|record| record.is_err()).count(), 1);
    assert_eq!(found.iter().filter(|record| record.is_ok()).count(), 8);
    assert!(reader.next().is_none());
}

/// Prints how long it takes; `AUDITED_JOURNAL_BYTES` makes it as large as one likes.
#[test]
fn a_large_journal_is_opened_by_its_end() {
    let bytes = std::env::var("AUDITED_JOURNAL_BYTES").map_or(12 << 20, |bytes| bytes.parse::<u64>().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let journal = audited::JournalOptions::new().os_buffer().segment_bytes(bytes).open(&path).unwrap();
    let text = "x".repeat(16 << 10);
    let action = audited::Action::new("journal.write");
    let record = Record::builder(action).fields(|fields| fields.plain("text", &text)).build();
    let batch = vec![record; 64];
    let size = || files(&path).iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
    let mut written = 0;
    while written < bytes {
        block_on(journal.write(&batch)).unwrap();
        written += 64 * (16 << 10);
    }
    let (_copy, copied) = super::copy(&path);
    drop(journal);
    for (what, path) in [("closed", &path), ("killed", &copied)] {
        let start = Instant::now();
        let journal = small().open(path).unwrap();
        println!("{} MiB, {what}: opened in {:?}", size() >> 20, start.elapsed());
        assert_eq!((journal.recovered().cut_bytes, journal.recovered().damage.as_ref()), (0, None));
        assert!(journal.recovered().last_seq > bytes / (17 << 10));
    }
}

#[test]
fn a_journal_that_is_written_is_checked_without_false_damage() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let journal = small().open(&path).unwrap();
    thread::scope(|scope| {
        let writing = scope.spawn(|| (0..1500).for_each(|n| drop(write(&journal, n))));
        let mut checked = 0;
        while !writing.is_finished() {
            let verified = Journal::verify(&path).unwrap();
            assert!(verified.is_sound(), "{:?}", verified.damage);
            checked += 1;
        }
        assert!(checked > 0);
    });
    assert!(Journal::verify(&path).unwrap().files > 2);
}
