//! What a retention removes from a journal, what it must keep, and what is left to see of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use audited::{
    Action, Anchored, AuditSink, HoldError, Journal, JournalDamage, JournalError, JournalOptions, Kept, LegalHold,
    Record, Retention, StoredRecord, Timestamp,
};

use crate::contract::block_on;

fn write(journal: &Journal, n: u64) {
    block_on(journal.write(&[Record::builder(Action::new("retention.write")).field("n", &n).build()])).unwrap();
}

/// A journal of several files, with a record in each.
fn rotated(directory: &Path, files: u64) -> Journal {
    let journal = Journal::open(directory).unwrap();
    for n in 0..files {
        if n > 0 {
            block_on(journal.rotate()).unwrap();
        }
        write(&journal, n);
    }
    journal
}

fn everything() -> Retention {
    Retention::new().total_bytes(0)
}

fn files(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> =
        names.filter(|name| Path::new(name).extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort();
    files
}

fn with_action(directory: &Path, action: &str) -> Vec<StoredRecord> {
    let records = Journal::read(directory).unwrap().map(Result::unwrap);
    records.filter(|record| record.action() == action).collect()
}

#[test]
fn what_is_removed_is_recorded_and_the_chain_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let journal = rotated(directory.path(), 4);
    let before = journal.head();
    let retained = block_on(journal.retain(everything())).unwrap();
    assert_eq!(retained.removed, (1..4).map(|n| format!("audit-{n:010}.jsonl")).collect::<Vec<_>>());
    assert_eq!(retained.kept, None);
    assert!(retained.bytes > 0);
    assert!(!files(directory.path()).contains(&retained.removed[0]));
    // Three lines a file: its first, the record, its last.
    let (up_to, hash) = retained.up_to.unwrap();
    assert_eq!(up_to, 9);
    let tombstones = with_action(directory.path(), "audit.retained");
    assert_eq!(tombstones.len(), 3);
    let detail: serde_json::Value = serde_json::from_str(tombstones[2].detail().unwrap()).unwrap();
    assert_eq!(detail["file"], retained.removed[2]);
    assert_eq!(detail["first_seq"], 7);
    assert_eq!(detail["last_seq"], 9);
    assert_eq!(detail["last_hash"], hash.to_string());
    assert_eq!(detail["total_bytes"], 0);

    let verified = Journal::verify_to(directory.path(), before).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.damage);
    assert_eq!(verified.first_seq, 10);
    let last_removed = audited::JournalHead::new(before.stream, up_to, hash);
    assert_eq!(Journal::verify_to(directory.path(), last_removed).unwrap().anchored, Some(Anchored::Yes));
    let long_gone = audited::JournalHead::new(before.stream, 2, hash);
    assert_eq!(Journal::verify_to(directory.path(), long_gone).unwrap().anchored, Some(Anchored::Removed));

    write(&journal, 9);
    drop(journal);
    let journal = Journal::open(directory.path()).unwrap();
    assert_eq!(block_on(journal.retain(Retention::new())).unwrap().removed, [] as [&str; 0], "no rule, nothing");
    assert!(Journal::verify(directory.path()).unwrap().is_sound());
}

#[test]
fn a_retention_that_was_interrupted_leaves_a_sound_journal() {
    let directory = tempfile::tempdir().unwrap();
    let journal = rotated(directory.path(), 4);
    let third = directory.path().join("audit-0000000003.jsonl");
    let kept = fs::read(&third).unwrap();
    assert_eq!(block_on(journal.retain(everything())).unwrap().removed.len(), 3);
    fs::write(&third, kept).unwrap();
    let verified = Journal::verify(directory.path()).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.damage);
    assert_eq!(verified.first_seq, 7);
}

#[test]
fn files_that_vanish_without_a_record_are_missed() {
    let directory = tempfile::tempdir().unwrap();
    drop(rotated(directory.path(), 3));
    fs::remove_file(directory.path().join("audit-0000000001.jsonl")).unwrap();
    let verified = Journal::verify(directory.path()).unwrap();
    let [JournalError::Damaged { damage: JournalDamage::Missing { seq: 4 }, .. }] = &verified.damage[..] else {
        panic!("{:?}", verified.damage);
    };
}

#[test]
fn age_and_size_take_the_oldest_first_and_no_more_than_they_must() {
    let directory = tempfile::tempdir().unwrap();
    let journal = rotated(directory.path(), 4);
    let young = block_on(journal.retain(Retention::new().older_than(Duration::from_secs(3600)))).unwrap();
    assert_eq!((young.removed.len(), young.kept), (0, None));
    drop(journal);
    let journal = Journal::open(directory.path()).unwrap();
    let sizes: u64 =
        files(directory.path()).iter().map(|name| fs::metadata(directory.path().join(name)).unwrap().len()).sum();
    let one_less = block_on(journal.retain(Retention::new().total_bytes(sizes - 1))).unwrap();
    assert_eq!(one_less.removed, ["audit-0000000001.jsonl"]);
    std::thread::sleep(Duration::from_millis(5));
    let old = block_on(journal.retain(Retention::new().older_than(Duration::ZERO))).unwrap();
    assert_eq!(old.removed.len(), 3, "never the one that is written");
    assert_eq!(old.removed[0], "audit-0000000002.jsonl");
}

#[test]
fn what_a_forwarder_has_not_delivered_stays() {
    let directory = tempfile::tempdir().unwrap();
    let journal = rotated(directory.path(), 3);
    fs::create_dir(directory.path().join("cursors")).unwrap();
    let cursor = directory.path().join("cursors/postgres.json");
    for (seq, removed) in [(0, 0), (2, 0), (3, 1), (4, 0), (6, 1)] {
        fs::write(&cursor, format!(r#"{{"seq":{seq}}}"#)).unwrap();
        let retained = block_on(journal.retain(everything())).unwrap();
        assert_eq!(retained.removed.len(), removed, "delivered up to {seq}");
        if seq < 6 {
            assert!(matches!(&retained.kept, Some((_, Kept::Undelivered(name))) if name == "postgres"));
        }
    }
    let journal_2 = tempfile::tempdir().unwrap();
    let unreadable = rotated(journal_2.path(), 2);
    fs::create_dir(journal_2.path().join("cursors")).unwrap();
    fs::write(journal_2.path().join("cursors/s3.json"), "{").unwrap();
    assert_eq!(block_on(unreadable.retain(everything())).unwrap().removed.len(), 0, "in doubt nothing is removed");
}

#[test]
fn a_legal_hold_outlives_the_journal_and_is_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let journal = rotated(directory.path(), 2);
    block_on(journal.place_hold(LegalHold::new("case-17", "litigation"))).unwrap();
    let again = block_on(journal.place_hold(LegalHold::new("case-17", "other")));
    assert!(matches!(again, Err(HoldError::Name(_))));
    drop(journal);

    let journal = Journal::open(directory.path()).unwrap();
    assert_eq!(journal.holds().unwrap(), [LegalHold::new("case-17", "litigation")]);
    let retained = block_on(journal.retain(everything())).unwrap();
    assert_eq!(retained.removed.len(), 0);
    assert_eq!(retained.kept, Some(("audit-0000000001.jsonl".into(), Kept::Held("case-17".into()))));

    assert!(block_on(journal.lift_hold("case-18", "typo")).is_err());
    block_on(journal.lift_hold("case-17", "settled")).unwrap();
    assert!(!block_on(journal.retain(everything())).unwrap().removed.is_empty());
    let record = with_action(directory.path(), "audit.hold_lifted").remove(0);
    let detail: serde_json::Value = serde_json::from_str(record.detail().unwrap()).unwrap();
    assert_eq!((&detail["hold"], &detail["reason"]), (&"case-17".into(), &"settled".into()));
}

#[test]
fn a_hold_on_a_time_covers_what_was_recorded_then() {
    let directory = tempfile::tempdir().unwrap();
    let journal = rotated(directory.path(), 2);
    std::thread::sleep(Duration::from_millis(5));
    let now = Timestamp::now();
    block_on(journal.place_hold(LegalHold::new("later", "an audit").from(now))).unwrap();
    assert_eq!(block_on(journal.retain(everything())).unwrap().removed, ["audit-0000000001.jsonl"]);
    block_on(journal.rotate()).unwrap();
    write(&journal, 3);
    let kept = block_on(journal.retain(everything())).unwrap().kept;
    assert!(matches!(kept, Some((_, Kept::Held(name))) if name == "later"));
}

#[test]
fn holds_that_cannot_be_read_keep_everything() {
    let directory = tempfile::tempdir().unwrap();
    let journal = rotated(directory.path(), 2);
    fs::write(directory.path().join("holds.json"), "[{").unwrap();
    assert!(block_on(journal.retain(everything())).is_err());
    assert_eq!(files(directory.path()).first().map(String::as_str), Some("audit-0000000001.jsonl"));
}

#[test]
fn a_second_journal_can_have_a_stream_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let options = JournalOptions::new().or_own_stream();
    let first = options.open(directory.path()).unwrap();
    assert_eq!(first.path(), directory.path());
    let second = options.open(directory.path()).unwrap();
    let third = options.open(directory.path()).unwrap();
    assert!(second.path().starts_with(directory.path()) && second.path() != third.path());
    let streams = [first.head().stream, second.head().stream, third.head().stream];
    assert!(streams[0] != streams[1] && streams[1] != streams[2]);
    write(&second, 1);
    let (left, was) = (second.path().to_owned(), second.head());
    drop(second);
    let fourth = options.open(directory.path()).unwrap();
    assert_eq!((fourth.path(), fourth.head().stream), (left.as_path(), was.stream), "what was left is gone on with");
    assert!(matches!(Journal::open(directory.path()), Err(JournalError::Locked { .. })), "only where it is asked for");
}
