//! Stores that hang, panic, refuse, or have another record.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use audited::{Circuit, DeadReason, ForwarderError, SinkError};

use super::*;

#[test]
fn a_store_that_hangs_is_given_up_and_asked_again() {
    let (_directory, journal) = journal();
    let store = Store::that(|_| Answer::Hang);
    let forwarder = builder(&journal, &store).deadline(Duration::from_millis(30)).start().unwrap();
    write(&journal, 0..10);
    store.wait_for_batches("it is asked again", |batches| batches.len() > 6);
    eventually("the deadline is seen", || forwarder.stats().last_error == Some("deadline"));
    store.always(Answer::Take);
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    store.assert_in_order_but(&[]);
}

#[test]
fn a_store_that_panics_is_asked_again() {
    let (_directory, journal) = journal();
    let store = Store::that(|_| Answer::Panic);
    let forwarder = start(&journal, &store);
    write(&journal, 0..10);
    eventually("the panics are seen", || forwarder.stats().retried > 6);
    assert_eq!(forwarder.stats().last_error, Some("panicked"));
    store.always(Answer::Take);
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
}

#[test]
fn a_store_that_blocks_the_thread_keeps_nobody_but_that() {
    let (_directory, journal) = journal();
    let store = Store::that(|_| Answer::Block);
    let forwarder = builder(&journal, &store).deadline(Duration::from_millis(20)).start().unwrap();
    write(&journal, 0..10);
    eventually("it is seen", || forwarder.stats().busy.is_some_and(|busy| busy > Duration::from_millis(100)));
    let start = Instant::now();
    assert!(forwarder.stop(Duration::from_millis(50)).is_err());
    assert!(start.elapsed() < Duration::from_secs(5));
    // The thread still has the store, so that nobody else carries under this name.
    assert!(matches!(builder(&journal, &store).start(), Err(ForwarderError::Busy { .. })));
    store.always(Answer::Take);
    eventually("the thread has ended", || builder(&journal, &store).start().is_ok());
    deliver(&journal, &store);
    store.assert_has_all_but(&journal, &[]);
}

#[test]
fn stopping_in_an_outage_takes_no_longer_than_told() {
    let (_directory, journal) = journal();
    let store = Store::that(|_| Answer::Fail);
    let forwarder = start(&journal, &store);
    write(&journal, 0..10);
    let start = Instant::now();
    assert_eq!(forwarder.stop(Duration::from_millis(100)).unwrap_err().records, journal.head().seq);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_record_that_is_rejected_is_found_by_halving_its_batch() {
    let (_directory, journal) = journal();
    write(&journal, 0..300);
    let store = Store::that(|batch| if has(batch, 17) || has(batch, 200) { Answer::Reject } else { Answer::Take });
    let forwarder = start(&journal, &store);
    forwarder.flush(PATIENCE).unwrap();
    let poison = [seq_of(journal.path(), 17), seq_of(journal.path(), 200)];
    store.assert_has_all_but(&journal, &poison);
    store.assert_in_order_but(&poison);
    assert_eq!(store.taken().len(), store.records().len(), "nothing came twice");
    assert!(store.batches().len() < 50, "{:?}", store.batches());
    let stats = forwarder.stats();
    assert_eq!((stats.dead_letters, stats.conflicts, stats.unresolved, stats.retried), (2, 0, 2, 0));
    assert_eq!((stats.last_error, stats.circuit), (None, Circuit::Closed));
    assert!(stats.split >= 8);
    let letters = forwarder.dead_letters().unwrap();
    assert_eq!(letters.iter().map(|letter| letter.seq).collect::<Vec<_>>(), poison);
    assert!(letters.iter().all(|letter| letter.reason == DeadReason::Rejected));
    // Nothing of the store's own error is in anything.
    let text = format!("{letters:?}{stats:?}{forwarder:?}");
    assert!(!text.contains("s3cret"));
}

#[test]
fn a_store_that_rejects_everything_gets_nothing_and_loses_nothing() {
    let (_directory, journal) = journal();
    write(&journal, 0..20);
    let store = Store::that(|_| Answer::Reject);
    let forwarder = start(&journal, &store);
    forwarder.flush(PATIENCE).unwrap();
    assert_eq!(forwarder.dead_letters().unwrap().len() as u64, journal.head().seq);
    assert_eq!(forwarder.lag().records, 0);
}

#[test]
fn what_comes_before_a_record_that_panics_the_store_is_let_through() {
    let (_directory, journal) = journal();
    write(&journal, 0..100);
    let store = Store::that(|batch| if has(batch, 50) { Answer::Panic } else { Answer::Take });
    let forwarder = start(&journal, &store);
    let poison = seq_of(journal.path(), 50);
    eventually("all before it are there", || store.records().len() as u64 == poison - 1);
    let retried = forwarder.stats().retried;
    eventually("it is tried on and on", || forwarder.stats().retried > retried + 20);
    assert_eq!((store.records().len() as u64, forwarder.stats().dead_letters), (poison - 1, 0));
    store.always(Answer::Take);
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    store.assert_in_order_but(&[]);
}

#[test]
fn what_comes_before_a_record_that_hangs_the_store_is_let_through() {
    let (_directory, journal) = journal();
    write(&journal, 0..40);
    let store = Store::that(|batch| if has(batch, 20) { Answer::Hang } else { Answer::Take });
    let forwarder = builder(&journal, &store).deadline(Duration::from_millis(10)).start().unwrap();
    let poison = seq_of(journal.path(), 20);
    eventually("all before it are there", || store.records().len() as u64 == poison - 1);
    store.always(Answer::Take);
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
}

#[test]
fn a_record_that_panics_the_store_is_buried_where_that_is_asked_for() {
    let (_directory, journal) = journal();
    write(&journal, 0..100);
    let store = Store::that(|batch| if has(batch, 50) { Answer::Panic } else { Answer::Take });
    let forwarder = builder(&journal, &store).bury_after_panics(4).start().unwrap();
    forwarder.flush(PATIENCE).unwrap();
    let poison = seq_of(journal.path(), 50);
    store.assert_has_all_but(&journal, &[poison]);
    let letters = forwarder.dead_letters().unwrap();
    assert_eq!(
        letters.iter().map(|letter| (letter.seq, letter.reason)).collect::<Vec<_>>(),
        [(poison, DeadReason::Panicked)]
    );
}

#[test]
fn a_store_that_fails_otherwise_makes_no_dead_letter_however_often() {
    let (_directory, journal) = journal();
    write(&journal, [1]);
    let store = Store::that(|_| Answer::Fail);
    let forwarder = builder(&journal, &store).bury_after_panics(1).start().unwrap();
    eventually("it is tried on and on", || forwarder.stats().retried > 30);
    assert_eq!(forwarder.stats().dead_letters, 0);
    store.always(Answer::Take);
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
}

#[test]
fn another_record_in_the_place_is_never_taken_for_the_same() {
    let (_directory, journal) = journal();
    write(&journal, 0..100);
    let store = Store::new();
    deliver(&journal, &store);
    let changed = seq_of(journal.path(), 42);
    store.overwrite(changed, "written anew");
    let told = Arc::new(Mutex::new(Vec::new()));
    let conflicts = told.clone();
    let forwarder = builder(&journal, &store)
        .on_conflict(move |letter, error| {
            conflicts.lock().unwrap().push((letter.seq, letter.reason, error.map(SinkError::reason)));
            panic!("s3cret in a panic");
        })
        .reset()
        .start()
        .unwrap();
    forwarder.flush(PATIENCE).unwrap();
    assert_eq!(*told.lock().unwrap(), [(changed, DeadReason::Conflict, Some("conflict"))]);
    let stats = forwarder.stats();
    assert_eq!((stats.conflicts, stats.dead_letters, stats.unresolved), (1, 1, 1));
    let letters = forwarder.dead_letters().unwrap();
    assert_eq!((letters.len(), letters[0].seq, letters[0].reason), (1, changed, DeadReason::Conflict));
    let records = store.records();
    let there = records.iter().find(|(key, _)| key.1 == changed).unwrap().1;
    assert_eq!((there.as_str(), records.len() as u64), ("written anew", journal.head().seq));
}
