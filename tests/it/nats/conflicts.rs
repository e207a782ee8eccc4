//! Records that come again, and others in their place.

use std::sync::Arc;

use audited::{Forwarder, Journal, SinkError};

use super::*;

/// Records with a place in a journal.
fn journaled(directory: &std::path::Path, numbers: std::ops::Range<usize>) -> Vec<Record> {
    let journal = journal_options().open(directory).unwrap();
    let kept = audited::MemorySink::new();
    let forwarder = Forwarder::builder(&journal, kept.clone()).start().unwrap();
    block_on(journal.write(&records(numbers))).unwrap();
    forwarder.stop(PATIENCE).unwrap();
    kept.records()
}

#[test]
fn the_same_again_is_there_once() {
    let server = nats::start();
    let directory = tempfile::tempdir().unwrap();
    let (sink, with_place) = (sink(&server), journaled(&directory.path().join("journal"), 0..50));
    let all: Vec<_> = with_place.into_iter().chain(records(50..100)).collect();
    for _ in 0..3 {
        block_on(sink.write(&all)).unwrap();
    }
    // Also over another connection.
    block_on(self::sink(&server).write(&all)).unwrap();
    assert_eq!(Client::connect(&server).payloads(STREAM), jsons(&all));
}

#[test]
fn another_record_in_the_place_of_one_is_a_conflict() {
    let server = nats::start();
    let directory = tempfile::tempdir().unwrap();
    let sink = sink(&server);
    let all = journaled(&directory.path().join("journal"), 0..10);
    // Somebody has written this place before, with another content.
    let (stream, seq) = (all[4].stream().unwrap(), all[4].seq().unwrap());
    let client = Client::connect(&server);
    client.publish("audit.x.y", Some(&format!("{stream}.{seq}")), "written anew");
    let error = block_on(sink.write(&all)).unwrap_err();
    let SinkError::Conflict(source) = error else { panic!("{error}") };
    assert_eq!(source.to_string(), "message 1 of the stream has the same identity and another content");
    block_on(sink.write(&all[..4])).unwrap();
    block_on(sink.write(&all[5..])).unwrap();
    assert!(matches!(block_on(sink.write(&all[4..5])), Err(SinkError::Conflict(_))));
    let expected: Vec<_> = jsons(&all).into_iter().filter(|json| json != all[4].json()).collect();
    assert_eq!(client.payloads(STREAM)[1..], expected);
}

#[test]
fn a_forwarder_buries_a_conflict_and_goes_on() {
    let server = nats::start();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    let journal: Journal = journal_options().open(&path).unwrap();
    let client = Client::connect(&server);
    client.create(fit());
    let stream = journal.head().stream;
    client.publish("audit.x.y", Some(&format!("{stream}.7")), "written anew");
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let theirs = told.clone();
    let forwarder = Forwarder::builder(&journal, sink(&server))
        .on_conflict(move |letter, _| theirs.lock().unwrap().push(letter.seq))
        .start()
        .unwrap();
    block_on(journal.write(&records(0..30))).unwrap();
    forwarder.flush(PATIENCE).unwrap();
    assert_eq!(*told.lock().unwrap(), [7]);
    let stats = forwarder.stats();
    assert_eq!((stats.conflicts, stats.dead_letters, stats.retried), (1, 1, 0));
    // The sink has all others once, though their batch was halved again and again.
    assert_eq!(client.count(STREAM), journal.head().seq);
    assert!(counts(client.payloads(STREAM)).values().all(|count| *count == 1));
}

#[test]
fn a_record_that_is_too_large_is_rejected_and_no_other() {
    let server = nats::start();
    let client = Client::connect(&server);
    // The stream takes less than the server, and the server less than is sent.
    client.create(Config { max_message_size: 50_000, ..fit() });
    let sink = sink(&server);
    let of_size = |size: usize| {
        Record::builder(Action::new("nats.large")).fields(|fields| {
            (0..size.div_ceil(10_000)).for_each(|n| fields.plain(&n.to_string(), &"x".repeat(10_000)));
        })
    };
    for size in [60_000, 2_000_000] {
        let large = of_size(size).build();
        if large.json().len() < size {
            continue; // A recorder's limits have cut it.
        }
        let error = block_on(sink.write(&[record(0), large, record(1)])).unwrap_err();
        let SinkError::Rejected(source) = error else { panic!("{error}") };
        assert!(source.to_string().contains("is larger than a message may be"), "{source}");
    }
    block_on(sink.write(&[of_size(20_000).build()])).unwrap();
}

#[test]
fn a_stream_that_is_full_says_so_and_keeps_what_it_has() {
    let server = nats::start();
    let client = Client::connect(&server);
    let discard = async_nats::jetstream::stream::DiscardPolicy::New;
    client.create(Config { max_messages: 10, discard, ..fit() });
    let sink = sink(&server);
    block_on(sink.write(&records(0..10))).unwrap();
    let error = block_on(sink.write(&records(10..12))).unwrap_err();
    assert!(matches!(error, SinkError::Full), "{error}");
    assert_eq!(client.count(STREAM), 10);
}
