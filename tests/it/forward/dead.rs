//! What a store does not take, until somebody resolves it.

use std::fs;
use std::sync::{Arc, Mutex};

use audited::{
    Actor, ActorId, AuditContext, DeadLetter, DeadLetterError, DeadReason, SinkError, StoredRecord, with_context_sync,
};

use super::*;

/// A journal of which the store rejects two records, and its forwarder.
fn rejected() -> (TempDir, Journal, Store, Forwarder) {
    let (directory, journal) = journal();
    write(&journal, 0..20);
    let store = Store::that(|batch| if has(batch, 3) || has(batch, 11) { Answer::Reject } else { Answer::Take });
    let forwarder = start(&journal, &store);
    forwarder.flush(PATIENCE).unwrap();
    (directory, journal, store, forwarder)
}

/// What stands in the journal of the dead letters.
fn kept(journal: &Journal) -> Vec<StoredRecord> {
    Journal::read(journal.path().join("cursors/store.dead")).unwrap().map(Result::unwrap).collect()
}

#[test]
fn they_are_kept_whole() {
    let (_directory, journal, _store, forwarder) = rejected();
    let letters = forwarder.dead_letters().unwrap();
    assert_eq!(letters.len(), 2);
    for (letter, n) in letters.iter().zip([3, 11]) {
        let seq = seq_of(journal.path(), n);
        let original =
            Journal::read(journal.path()).unwrap().map(Result::unwrap).find(|r| r.seq() == Some(seq)).unwrap();
        assert_eq!((letter.stream, letter.seq, letter.last_seq), (journal.head().stream, seq, seq));
        assert_eq!((letter.id, letter.action.as_deref()), (original.id(), Some("forward.write")));
        assert_eq!(letter.original.as_ref().unwrap().json(), original.json());
        assert!(letter.buried_at.is_some() && letter.reason == DeadReason::Rejected);
    }
    assert_eq!(DeadLetter::all(journal.path(), "store").unwrap(), letters);
    assert_eq!(DeadLetter::all(journal.path(), "another").unwrap(), []);
    assert!(Journal::verify(journal.path().join("cursors/store.dead")).unwrap().is_sound());
}

#[test]
fn they_outlive_the_forwarder_and_the_journal() {
    let (directory, journal, store, forwarder) = rejected();
    let letters = forwarder.dead_letters().unwrap();
    // The last line of the file is delivered, too, before it is removed.
    block_on(journal.rotate()).unwrap();
    forwarder.stop(PATIENCE).unwrap();
    let path = journal.path().to_owned();
    drop(journal);
    let journal = options().open(&path).unwrap();
    // Delivered files may go: the letters have what they need.
    for entry in fs::read_dir(&path).unwrap().map(Result::unwrap) {
        if entry.file_name().to_str().unwrap().ends_with("0001.jsonl") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let forwarder = start(&journal, &store);
    forwarder.flush(PATIENCE).unwrap();
    assert_eq!((forwarder.dead_letters().unwrap(), forwarder.stats().unresolved), (letters, 2));
    drop(directory);
}

#[test]
fn one_is_delivered_when_the_store_takes_it() {
    let (_directory, journal, store, forwarder) = rejected();
    let letters = forwarder.dead_letters().unwrap();
    let refused = forwarder.redeliver(&letters[0], PATIENCE);
    assert!(matches!(refused, Err(DeadLetterError::Sink(SinkError::Rejected(_)))));
    assert_eq!(forwarder.dead_letters().unwrap(), letters);
    store.always(Answer::Take);
    forwarder.redeliver(&letters[0], PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[letters[1].seq]);
    assert_eq!(forwarder.dead_letters().unwrap(), letters[1..]);
    assert_eq!(forwarder.stats().unresolved, 1);
    forwarder.redeliver(&letters[1], PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    assert_eq!((forwarder.dead_letters().unwrap(), forwarder.stats().unresolved), (Vec::new(), 0));
    let records = kept(&journal);
    let resolved: Vec<_> = records.iter().filter(|r| r.action() == "audit.dead_letter_resolved").collect();
    assert_eq!(resolved.len(), 2);
    assert!(resolved.iter().all(|record| record.detail().unwrap().contains("\"how\":\"redelivered\"")));
}

#[test]
fn one_is_dismissed_with_a_reason_by_somebody() {
    let (_directory, journal, store, forwarder) = rejected();
    let letters = forwarder.dead_letters().unwrap();
    let context = AuditContext::new().actor(Actor::user(ActorId::plain("ann")));
    with_context_sync(context, || forwarder.dismiss(&letters[0], "sent_by_hand", PATIENCE)).unwrap();
    assert_eq!(forwarder.dead_letters().unwrap(), letters[1..]);
    assert_eq!(forwarder.stats().unresolved, 1);
    store.assert_has_all_but(&journal, &[letters[0].seq, letters[1].seq]);
    let records = kept(&journal);
    let record = records.iter().find(|record| record.action() == "audit.dead_letter_resolved").unwrap();
    let expected = format!(
        "{{\"forwarder\":\"store\",\"stream\":\"{}\",\"seq\":{},\"id\":\"{}\",\"how\":\"dismissed\",\"reason\":\"sent_by_hand\"}}",
        letters[0].stream,
        letters[0].seq,
        letters[0].id.unwrap()
    );
    assert_eq!(record.detail(), Some(expected.as_str()));
    assert_eq!(record.actor().unwrap().id.as_deref(), Some("ann"));
    // It is resolved for whoever reads the files, too.
    assert_eq!(DeadLetter::all(journal.path(), "store").unwrap(), letters[1..]);
}

#[test]
fn one_without_a_record_can_only_be_dismissed() {
    let (_directory, _journal, _store, forwarder) = rejected();
    let mut letter = forwarder.dead_letters().unwrap().remove(0);
    letter.original = None;
    assert!(matches!(forwarder.redeliver(&letter, PATIENCE), Err(DeadLetterError::Empty)));
    forwarder.dismiss(&letter, "lost_with_its_disk", PATIENCE).unwrap();
    assert_eq!(forwarder.dead_letters().unwrap().len(), 1);
}

#[test]
fn a_crash_between_letter_and_cursor_makes_no_second_one() {
    let (_directory, journal) = journal();
    write(&journal, 0..20);
    let store = Store::that(|batch| if has(batch, 3) { Answer::Reject } else { Answer::Take });
    start(&journal, &Store::that(|_| Answer::Fail)).stop(Duration::ZERO).unwrap_err();
    let old = fs::read(cursor_path(journal.path())).unwrap();
    for _ in 0..3 {
        // The letter is there, and the cursor is not: as a crash leaves it.
        eventually("the lock is free", || builder(&journal, &store).start().is_ok());
        fs::write(cursor_path(journal.path()), &old).unwrap();
        deliver(&journal, &store);
    }
    let buried = kept(&journal).iter().filter(|record| record.action() == "audit.dead_letter").count();
    assert!(buried >= 3, "{buried}");
    let forwarder = start(&journal, &store);
    let letters = forwarder.dead_letters().unwrap();
    assert_eq!((letters.len(), forwarder.stats().unresolved), (1, 1));
    forwarder.dismiss(&letters[0], "known", PATIENCE).unwrap();
    assert_eq!(forwarder.dead_letters().unwrap(), []);
}

#[test]
fn delivery_waits_until_a_letter_is_on_the_disk() {
    let (_directory, journal) = journal();
    let store = Store::that(|batch| if has(batch, 3) { Answer::Reject } else { Answer::Take });
    let forwarder = start(&journal, &store);
    forwarder.flush(PATIENCE).unwrap();
    let in_the_way = journal.path().join("cursors/store.dead");
    fs::write(&in_the_way, "").unwrap();
    write(&journal, 0..20);
    let poison = seq_of(journal.path(), 3);
    store.wait_for_batches("it is tried on and on", |batches| {
        batches.iter().filter(|(size, answer)| (*size, *answer) == (1, Answer::Reject)).count() > 5
    });
    assert_eq!(store.records().len() as u64, poison - 1);
    assert_eq!((forwarder.stats().dead_letters, forwarder.lag().records), (0, journal.head().seq - poison + 1));
    fs::remove_file(&in_the_way).unwrap();
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[poison]);
    assert_eq!(forwarder.dead_letters().unwrap().len(), 1);
}

#[test]
fn they_are_told() {
    let (_directory, journal) = journal();
    write(&journal, 0..20);
    let store = Store::that(|batch| if has(batch, 3) { Answer::Reject } else { Answer::Take });
    let told = Arc::new(Mutex::new(Vec::new()));
    let letters = told.clone();
    let forwarder = builder(&journal, &store)
        .on_conflict(|_, _| panic!("this is none"))
        .on_dead_letter(move |letter, error| letters.lock().unwrap().push((letter.seq, error.map(SinkError::reason))))
        .start()
        .unwrap();
    forwarder.flush(PATIENCE).unwrap();
    assert_eq!(*told.lock().unwrap(), [(seq_of(journal.path(), 3), Some("rejected"))]);
}
