//! What is delivered when nothing goes wrong, and after an outage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use audited::{Circuit, ForwarderError, Recorder, record_action, with_recorder_sync};

use super::*;

#[test]
fn the_store_has_the_lines_of_the_journal() {
    let (_directory, journal) = journal();
    let store = Store::new();
    let forwarder = start(&journal, &store);
    for n in 0..20 {
        write(&journal, [n]);
    }
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    store.assert_in_order_but(&[]);
    let stats = forwarder.stats();
    assert_eq!((stats.delivered, stats.retried, stats.dead_letters), (journal.head().seq, 0, 0));
    assert_eq!((stats.circuit, stats.last_error, stats.busy), (Circuit::Closed, None, None));
    assert_eq!(stats.batches, store.batches().len() as u64);
}

#[test]
fn what_the_recorder_writes_arrives_while_the_files_change() {
    const THREADS: u64 = 4;
    const EACH: u64 = 150;
    let (_directory, journal) = journal();
    let store = Store::new();
    let forwarder = start(&journal, &store);
    let recorder = Recorder::builder().sink(journal.clone()).build().unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let recorder = recorder.clone();
            scope.spawn(move || {
                for n in 0..EACH {
                    let text = "x".repeat(400);
                    let record = || record_action(Action::new("forward.record")).field("n", &n);
                    let write = || record().fields(|fields| fields.plain("text", &text)).wait();
                    with_recorder_sync(recorder.clone(), write).unwrap();
                }
            });
        }
    });
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    store.assert_in_order_but(&[]);
    let count = |action: &str| store.records().values().filter(|json| json.contains(action)).count() as u64;
    assert_eq!(count("\"forward.record\""), THREADS * EACH);
    assert!(count("\"audit.segment_closed\"") >= 3, "files were to change meanwhile");
    assert_eq!(store.taken().len(), store.records().len(), "nothing came twice");
}

#[test]
fn nothing_is_carried_that_is_not_acknowledged() {
    let (_directory, journal) = journal();
    let (theirs, ahead) = (journal.clone(), Arc::new(AtomicU64::new(0)));
    let counted = ahead.clone();
    let store = Store::that(move |batch| {
        let acknowledged = theirs.head().seq;
        let beyond = batch.iter().filter(|record| record.seq().unwrap() > acknowledged).count();
        counted.fetch_add(beyond as u64, Ordering::Relaxed);
        Answer::Take
    });
    let forwarder = start(&journal, &store);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|n| write(&journal, n..n + 5)));
        }
    });
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    assert_eq!(ahead.load(Ordering::Relaxed), 0);
    // The store holds on to the journal.
    store.always(Answer::Take);
}

#[test]
fn it_goes_on_where_it_was_stopped() {
    let (_directory, journal) = journal();
    let store = Store::new();
    for round in 0..4 {
        write(&journal, round * 10..round * 10 + 10);
        deliver(&journal, &store);
        store.assert_has_all_but(&journal, &[]);
    }
    assert_eq!(store.taken().len(), store.records().len(), "nothing came twice");
}

#[test]
fn it_goes_on_in_a_journal_that_was_opened_again() {
    let (directory, journal) = journal();
    let store = Store::new();
    write(&journal, 0..10);
    deliver(&journal, &store);
    drop(journal);
    let journal = options().open(directory.path().join("journal")).unwrap();
    write(&journal, 10..20);
    deliver(&journal, &store);
    store.assert_has_all_but(&journal, &[]);
    assert_eq!(store.taken().len(), store.records().len(), "nothing came twice");
}

#[test]
fn each_name_is_a_delivery_of_its_own() {
    let (_directory, journal) = journal();
    let (first, second) = (Store::new(), Store::that(|_| Answer::Fail));
    let one = builder(&journal, &first).name("first").start().unwrap();
    let two = builder(&journal, &second).name("second").start().unwrap();
    write(&journal, 0..50);
    one.flush(PATIENCE).unwrap();
    first.assert_has_all_but(&journal, &[]);
    assert!(second.records().is_empty());
    second.always(Answer::Take);
    two.flush(PATIENCE).unwrap();
    second.assert_has_all_but(&journal, &[]);
}

#[test]
fn a_name_has_one_forwarder_at_a_time() {
    let (_directory, journal) = journal();
    let store = Store::new();
    let forwarder = start(&journal, &store);
    assert!(matches!(builder(&journal, &store).start(), Err(ForwarderError::Busy { .. })));
    forwarder.stop(PATIENCE).unwrap();
    start(&journal, &store).stop(PATIENCE).unwrap();
    for name in ["", "a/b", "..", "a.b"] {
        assert!(matches!(builder(&journal, &store).name(name).start(), Err(ForwarderError::Name)));
    }
}

#[test]
fn batches_are_as_large_as_they_may_be() {
    let (_directory, journal) = journal();
    write(&journal, 0..100);
    let sizes = |store: &Store| store.batches().into_iter().map(|(size, _)| size).collect::<Vec<_>>();
    let store = Store::new();
    builder(&journal, &store).name("records").batch_records(30).start().unwrap().stop(PATIENCE).unwrap();
    assert_eq!(sizes(&store), [30, 30, 30, 11]);
    let store = Store::new();
    builder(&journal, &store).name("bytes").batch_bytes(1).start().unwrap().stop(PATIENCE).unwrap();
    assert_eq!(sizes(&store), [1; 101]);
    let store = Store::new();
    builder(&journal, &store).name("all").start().unwrap().stop(PATIENCE).unwrap();
    assert_eq!(sizes(&store), [101]);
}

#[test]
fn an_outage_costs_nothing_but_time() {
    let (_directory, journal) = journal();
    let store = Store::that(|_| Answer::Fail);
    let forwarder = start(&journal, &store);
    for n in 0..30 {
        write(&journal, [n]);
    }
    eventually("the circuit is open", || forwarder.stats().circuit == Circuit::Open);
    assert_eq!(forwarder.stats().last_error, Some("failed"));
    let left = forwarder.flush(Duration::from_millis(20)).unwrap_err();
    assert_eq!(left.records, journal.head().seq);
    let asked = store.batches().len();
    store.wait_for_batches("the sink is asked again", |batches| batches.len() >= asked + 3);
    assert!(
        store.batches()[asked + 1..].iter().all(|(size, _)| *size == 1),
        "an open circuit is tried with one record"
    );
    store.always(Answer::Take);
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    store.assert_in_order_but(&[]);
    let stats = forwarder.stats();
    assert_eq!((stats.circuit, stats.last_error, stats.dead_letters), (Circuit::Closed, None, 0));
    assert!(stats.retried >= 5 && stats.delivered == journal.head().seq);
}

#[test]
fn an_open_circuit_leaves_the_sink_alone() {
    let (_directory, journal) = journal();
    let store = Store::that(|_| Answer::Fail);
    let forwarder = builder(&journal, &store).breaker(3, Duration::from_secs(3600)).start().unwrap();
    write(&journal, 0..10);
    eventually("the circuit is open", || forwarder.stats().circuit == Circuit::Open);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(store.batches().len(), 3);
    // It does not keep the forwarder from ending.
    let start = std::time::Instant::now();
    drop(forwarder);
    assert!(start.elapsed() < Duration::from_millis(900));
}

#[test]
fn a_journal_that_is_not_synced_each_time_is_carried_too() {
    let directory = tempfile::tempdir().unwrap();
    let journal = options().os_buffer().open(directory.path().join("journal")).unwrap();
    let store = Store::new();
    let forwarder = start(&journal, &store);
    for n in 0..100 {
        write(&journal, n * 10..n * 10 + 10);
    }
    forwarder.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
}

#[test]
fn a_journal_is_a_sink_for_another() {
    let (directory, journal) = journal();
    let second = options().open(directory.path().join("second")).unwrap();
    write(&journal, 0..20);
    Forwarder::builder(&journal, second.clone()).start().unwrap().stop(PATIENCE).unwrap();
    let carried: Vec<_> = Journal::read(second.path())
        .unwrap()
        .map(Result::unwrap)
        .filter_map(|record| Some((record.get("origin")?.to_owned(), record.id().unwrap())))
        .collect();
    let first = Journal::read(journal.path()).unwrap().map(Result::unwrap);
    let expected: Vec<_> = first
        .map(|record| {
            let (stream, seq, prev) = (record.stream().unwrap(), record.seq().unwrap(), record.get("prev").unwrap());
            (format!("{{\"stream\":\"{stream}\",\"seq\":{seq},\"prev\":{prev}}}"), record.id().unwrap())
        })
        .collect();
    assert_eq!(carried, expected);
    assert!(Journal::verify(second.path()).unwrap().is_sound());
}
