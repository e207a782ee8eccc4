//! From a stream into a store.

use std::path::Path;
use std::sync::{Arc, Mutex};

use audited::{
    DeadLetter, DeadReason, Forwarder, ForwarderBuilder, Journal, MemorySink, NatsFeedBuilder, NatsFeedError, Timeout,
};
use tempfile::TempDir;

use super::*;
use crate::forward::store::{Answer, Store};
use crate::support::eventually;

/// A journal whose records a forwarder brings into the stream.
pub(super) fn journal_of(directory: &Path) -> Journal {
    journal_options().open(directory.join("journal")).unwrap()
}

pub(super) fn forwarder(journal: &Journal, sink: NatsSink) -> ForwarderBuilder {
    Forwarder::builder(journal, sink)
        .name("nats")
        .deadline(Duration::from_secs(3))
        .retry(Duration::from_millis(1), Duration::from_millis(20))
        .breaker(5, Duration::from_millis(20))
        .cursor_every(Duration::ZERO)
}

/// Impatient, so that tests are fast.
pub(super) fn feed(server: &Server, store: &Store, directory: &Path) -> NatsFeedBuilder {
    options(server)
        .feed(store.clone(), directory.join("dead"))
        .name("store")
        .batch_records(64)
        .deadline(Duration::from_secs(20))
        .retry(Duration::from_millis(1), Duration::from_millis(20))
        .breaker(5, Duration::from_millis(20))
        .ack_wait(Duration::from_millis(700))
}

/// A server whose stream has the records with these numbers, and their journal.
fn filled(numbers: std::ops::Range<usize>) -> (Server, TempDir, Journal) {
    let (server, directory) = (nats::start(), tempfile::tempdir().unwrap());
    let journal = journal_of(directory.path());
    block_on(journal.write(&records(numbers))).unwrap();
    forwarder(&journal, sink(&server)).start().unwrap().stop(PATIENCE).unwrap();
    (server, directory, journal)
}

fn has(batch: &[Record], n: u64) -> bool {
    let detail = format!("{{\"n\":{n}}}");
    batch.iter().any(|record| record.detail() == Some(&detail))
}

#[test]
fn whoever_would_wait_for_ever_may() {
    let (server, directory) = (nats::start(), tempfile::tempdir().unwrap());
    let patient =
        || options(&server).connect_within(Duration::MAX).answer_within(Duration::MAX).check_every(Duration::MAX);
    let (journal, sink) = (journal_of(directory.path()), patient().duplicate_window(Duration::MAX).connect().unwrap());
    block_on(journal.write(&records(0..10))).unwrap();
    forwarder(&journal, sink).deadline(Duration::MAX).start().unwrap().stop(Duration::MAX).unwrap();
    let store = Store::new();
    let feed = patient().feed(store.clone(), directory.path().join("dead")).name("store");
    let feed = feed.ack_wait(Duration::MAX).deadline(Duration::MAX).start().unwrap();
    feed.stop(Duration::MAX).unwrap();
    store.assert_has_all_but(&journal, &[]);
}

#[test]
fn a_store_gets_everything_in_order() {
    let (server, directory, journal) = filled(0..1000);
    let store = Store::new();
    let feed = feed(&server, &store, directory.path()).start().unwrap();
    feed.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    store.assert_in_order_but(&[]);
    assert_eq!(store.taken().len() as u64, journal.head().seq, "nothing came twice");
    assert_eq!(feed.lag().records, 0);
    let stats = feed.stats();
    assert_eq!((stats.delivered, stats.dead_letters, stats.retried), (journal.head().seq, 0, 0));
    assert!(store.batches().iter().all(|(size, _)| *size <= 64));
    // And what comes later, live.
    block_on(journal.write(&records(1000..1010))).unwrap();
    let _forwarder = forwarder(&journal, sink(&server)).start().unwrap();
    eventually("it is there", || store.records().len() as u64 == journal.head().seq);
    feed.stop(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
}

#[test]
fn it_goes_on_where_it_was() {
    let (server, directory, journal) = filled(0..300);
    let (first, second) = (Store::new(), Store::new());
    feed(&server, &first, directory.path()).start().unwrap().stop(PATIENCE).unwrap();
    block_on(journal.write(&records(300..400))).unwrap();
    forwarder(&journal, sink(&server)).start().unwrap().stop(PATIENCE).unwrap();
    let before = first.records().len();
    feed(&server, &second, directory.path()).start().unwrap().stop(PATIENCE).unwrap();
    assert_eq!(second.records().len() as u64, journal.head().seq - before as u64);
    // Under another name everything comes again.
    let third = Store::new();
    feed(&server, &third, directory.path()).name("other").start().unwrap().stop(PATIENCE).unwrap();
    third.assert_has_all_but(&journal, &[]);
}

#[test]
fn a_feed_that_is_dropped_in_the_middle_loses_nothing_and_overtakes_nothing() {
    let (server, directory, journal) = filled(0..2000);
    let store = Store::that(|_| Answer::Slow(Duration::from_millis(3)));
    for n in 1..6 {
        let feed = feed(&server, &store, directory.path()).start().unwrap();
        eventually("some are there", || store.records().len() >= 200 * n);
        drop(feed);
    }
    feed(&server, &store, directory.path()).start().unwrap().stop(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    store.assert_in_order_but(&[]);
}

#[test]
fn a_slow_store_gets_nothing_twice() {
    let (server, directory, journal) = filled(0..94);
    // The server gives out again what waits here.
    let store = Store::that(|_| Answer::Slow(Duration::from_millis(500)));
    let feed = feed(&server, &store, directory.path()).batch_records(16).start().unwrap();
    feed.flush(PATIENCE).unwrap();
    assert!(feed.stats().repeated > 0, "{:?}", feed.stats());
    assert_eq!(store.taken().len() as u64, journal.head().seq);
    store.assert_has_all_but(&journal, &[]);
    store.assert_in_order_but(&[]);
}

#[test]
fn a_store_that_fails_is_asked_again_and_the_lag_is_seen() {
    let (server, directory, journal) = filled(0..500);
    let store = Store::that(|_| Answer::Fail);
    let feed = feed(&server, &store, directory.path()).start().unwrap();
    eventually("it fails", || feed.stats().retried > 5);
    eventually("the lag is seen", || feed.lag().records == journal.head().seq);
    assert!(feed.lag().age > Duration::ZERO);
    assert_eq!(feed.stats().last_error, Some("failed"));
    let error = feed.flush(Duration::from_millis(50)).unwrap_err();
    assert!(error.records > 0 && error.to_string().ends_with("they are kept, and delivered later"), "{error}");
    // Longer than the server waits before it gives them out again.
    std::thread::sleep(Duration::from_millis(900));
    store.always(Answer::Take);
    feed.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    store.assert_in_order_but(&[]);
    assert_eq!(store.taken().len() as u64, journal.head().seq, "nothing came twice");
    assert_eq!((feed.stats().last_error, feed.lag().records), (None, 0));
}

#[test]
fn what_a_store_will_never_take_is_buried_and_brought_back() {
    let (server, directory, journal) = filled(0..300);
    let store = Store::that(|batch| if has(batch, 17) || has(batch, 200) { Answer::Reject } else { Answer::Take });
    let told = Arc::new(Mutex::new(Vec::new()));
    let theirs = told.clone();
    let feed = feed(&server, &store, directory.path())
        .on_dead_letter(move |letter, error| {
            theirs.lock().unwrap().push((letter.seq, letter.reason, error.map(audited::SinkError::reason)));
        })
        .start()
        .unwrap();
    feed.flush(PATIENCE).unwrap();
    let letters = feed.dead_letters().unwrap();
    let poison: Vec<_> = letters.iter().map(|letter| letter.seq).collect();
    assert_eq!(poison.len(), 2);
    assert!(letters.iter().all(|letter| letter.reason == DeadReason::Rejected));
    let expected: Vec<_> = poison.iter().map(|seq| (*seq, DeadReason::Rejected, Some("rejected"))).collect();
    assert_eq!(*told.lock().unwrap(), expected);
    store.assert_has_all_but(&journal, &poison);
    store.assert_in_order_but(&poison);
    let stats = feed.stats();
    assert_eq!((stats.dead_letters, stats.conflicts, stats.unresolved), (2, 0, 2));
    assert!(stats.split > 0 && stats.retried == 0);
    // One is taken after all, the other is given up.
    store.always(Answer::Take);
    feed.redeliver(&letters[0], PATIENCE).unwrap();
    feed.dismiss(&letters[1], "known", PATIENCE).unwrap();
    assert_eq!((feed.dead_letters().unwrap().len(), feed.stats().unresolved), (0, 0));
    store.assert_has_all_but(&journal, &poison[1..]);
    feed.stop(PATIENCE).unwrap();
    assert_eq!(DeadLetter::all_in(directory.path().join("dead")).unwrap(), []);
}

#[test]
fn a_conflict_that_the_stream_has_forgotten_is_found_by_the_store() {
    let (server, directory, journal) = filled(0..50);
    let store = Store::new();
    let feed = feed(&server, &store, directory.path()).start().unwrap();
    feed.flush(PATIENCE).unwrap();
    // The stream takes another record of the same place: its duplicate window is over, say.
    let changed = Client::connect(&server).payloads(STREAM)[20].replace("nats.write", "nats.wrong");
    Client::connect(&server).publish("audit.x.y", None, &changed);
    feed.flush(PATIENCE).unwrap();
    let letters = feed.dead_letters().unwrap();
    assert_eq!((letters.len(), letters[0].reason), (1, DeadReason::Conflict));
    assert_eq!(letters[0].original.as_ref().unwrap().json(), changed);
    assert_eq!((feed.stats().conflicts, feed.lag().records), (1, 0));
    store.assert_has_all_but(&journal, &[]);
}

#[test]
fn what_is_no_record_is_a_dead_letter_and_blocks_nothing() {
    let (server, directory, journal) = filled(0..20);
    let client = Client::connect(&server);
    for payload in ["", "s3cret", "{}", "[1,2]", "\u{0}\n", &"x".repeat(100_000)] {
        client.publish("audit.x.y", None, payload);
    }
    block_on(journal.write(&records(20..40))).unwrap();
    forwarder(&journal, sink(&server)).start().unwrap().stop(PATIENCE).unwrap();
    let store = Store::new();
    let feed = feed(&server, &store, directory.path()).start().unwrap();
    feed.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    let letters = feed.dead_letters().unwrap();
    let strays = letters.len() as u64;
    assert!((5..=6).contains(&strays), "{letters:?}");
    assert!(letters.iter().all(|letter| letter.reason == DeadReason::NoRecord && letter.original.is_none()));
    // Each says where it is, and nothing of what it is.
    let messages = client.messages(STREAM);
    for letter in &letters {
        assert_eq!(messages[usize::try_from(letter.seq).unwrap() - 1].0, "audit.x.y");
    }
    assert!(!format!("{letters:?}").contains("s3cret"));
    assert_eq!((feed.stats().no_records, feed.lag().records), (strays, 0));
    assert!(feed.redeliver(&letters[0], PATIENCE).is_err());
    feed.dismiss(&letters[0], "noise", PATIENCE).unwrap();
    assert_eq!(feed.dead_letters().unwrap().len() as u64, strays - 1);
}

#[test]
fn records_without_a_journal_are_told_apart_by_their_ids() {
    let (server, directory) = (nats::start(), tempfile::tempdir().unwrap());
    let all = records(0..100);
    block_on(sink(&server).write(&all)).unwrap();
    let store = MemorySink::new();
    let feed = options(&server).feed(store.clone(), directory.path().join("dead")).start().unwrap();
    feed.flush(PATIENCE).unwrap();
    assert_eq!(jsons(&store.records()), jsons(&all));
    // Dead letters, too, although none has a place.
    let rejecting = feed_that_rejects(&server, directory.path());
    rejecting.flush(PATIENCE).unwrap();
    assert_eq!(rejecting.dead_letters().unwrap().len(), 100);
}

fn feed_that_rejects(server: &Server, directory: &Path) -> audited::NatsFeed {
    struct Rejects;

    #[async_trait::async_trait]
    impl audited::AuditSink for Rejects {
        async fn write(&self, _: &[Record]) -> Result<(), audited::SinkError> {
            Err(audited::SinkError::rejected(std::io::Error::other("never")))
        }

        fn durability(&self) -> audited::Durability {
            audited::Durability::None
        }

        fn describe(&self) -> String {
            "rejects".into()
        }
    }

    options(server).feed(Rejects, directory.join("rejected")).name("rejects").start().unwrap()
}

#[test]
fn a_filter_reads_one_tenant() {
    let (server, directory) = (nats::start(), tempfile::tempdir().unwrap());
    let of = |tenant: &str| {
        Record::builder(Action::new("a.b")).context(AuditContext::new().tenant(TenantId::plain(tenant))).build()
    };
    let all = [of("acme"), of("acm"), of("acme.x"), record(0), of("acme")];
    block_on(sink(&server).write(&all)).unwrap();
    let store = MemorySink::new();
    let filter = options(&server).subjects_of(Some("acme"));
    let feed = options(&server).feed(store.clone(), directory.path().join("dead")).filter(filter).start().unwrap();
    feed.flush(PATIENCE).unwrap();
    assert_eq!(jsons(&store.records()), [all[0].json(), all[4].json()]);
    assert_eq!(feed.lag().records, 0);
}

#[test]
fn a_consumer_of_somebody_else_is_not_taken() {
    let (server, directory, _) = filled(0..3);
    let client = Client::connect(&server);
    let create = |config: pull::Config| {
        client.runtime.block_on(async {
            client.context.get_stream(STREAM).await.unwrap().create_consumer(config).await.unwrap();
        });
    };
    let named = |name: &str| pull::Config { durable_name: Some(name.into()), ..Default::default() };
    create(pull::Config { ack_policy: AckPolicy::None, ..named("acks") });
    create(pull::Config { max_deliver: 3, ..named("gives-up") });
    create(pull::Config { filter_subject: "audit.acme.*".into(), ..named("filters") });
    create(pull::Config { headers_only: true, ..named("headers") });
    for (name, said) in [
        ("acks", "it does not wait for the acknowledgement of each message"),
        ("gives-up", "it gives up on messages (max_deliver)"),
        ("filters", "it has another filter"),
        ("headers", "it delivers headers only"),
    ] {
        let error = feed(&server, &Store::new(), directory.path()).name(name).start().unwrap_err();
        assert!(matches!(error, NatsFeedError::Nats(_)));
        let expected = format!("consumer {name} is not the feed's: {said}. Give the feed another name, or delete it");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_store_that_hangs_is_given_up_and_asked_again() {
    let (server, directory, journal) = filled(0..50);
    let store = Store::that(|_| Answer::Hang);
    let feed = feed(&server, &store, directory.path()).deadline(Duration::from_millis(30)).start().unwrap();
    eventually("the deadline is seen", || feed.stats().last_error == Some("deadline") && feed.stats().retried > 3);
    store.always(Answer::Take);
    feed.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    // A feed fills whatever is a sink.
    let sink = Timeout::new(store.clone(), Duration::from_secs(1));
    options(&server).feed(sink, directory.path().join("x")).name("x").start().unwrap().stop(PATIENCE).unwrap();
}
