//! Servers that stop, freeze and die while they are written to.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use audited::{Durability, SinkError};

use super::*;
use crate::support::eventually;

/// Writes until it is acknowledged, as a forwarder does.
fn write_until_ok(sink: &NatsSink, batch: &[Record]) {
    let until = std::time::Instant::now() + PATIENCE;
    while let Err(error) = block_on(sink.write(batch)) {
        assert!(!matches!(error, SinkError::Conflict(_) | SinkError::Rejected(_)), "{error}");
        assert!(std::time::Instant::now() < until, "never: {error}");
    }
}

#[test]
fn a_frozen_server_acknowledges_nothing_and_has_each_record_once_when_it_goes_on() {
    let server = nats::start();
    let sink = options(&server).window(64, 1 << 20).answer_within(Duration::from_millis(400)).connect().unwrap();
    block_on(sink.write(&records(0..10))).unwrap();
    server.pause();
    let batches: Vec<_> = (0..8).map(|n| records(100 * n + 10..100 * n + 60)).collect();
    thread::scope(|scope| {
        for batch in &batches {
            let sink = &sink;
            scope.spawn(move || {
                let error = block_on(sink.write(batch)).unwrap_err();
                assert!(matches!(error, SinkError::Deadline | SinkError::Failed(_)), "{error}");
            });
        }
    });
    server.resume();
    for batch in &batches {
        write_until_ok(&sink, batch);
    }
    let found = counts(Client::connect(&server).payloads(STREAM));
    assert_eq!(found.len(), 10 + 8 * 50);
    assert!(found.values().all(|count| *count == 1));
    assert!(batches.iter().flatten().all(|record| found.contains_key(record.json())));
}

#[test]
fn no_more_is_sent_than_the_window_holds() {
    let server = nats::start();
    let (client, size) = (Client::connect(&server), record(0).json().len());
    for (n, (records, bytes)) in [(10, 1 << 20), (1000, 12 * size)].into_iter().enumerate() {
        let sink = options(&server).window(records, bytes).answer_within(Duration::from_millis(400)).connect().unwrap();
        // The stream is known to be fit.
        write_until_ok(&sink, &[record(200_000 + n)]);
        let before = client.count(STREAM);
        server.pause();
        let error = block_on(sink.write(&self::records(10_000 * n..10_000 * n + 1000))).unwrap_err();
        assert!(matches!(error, SinkError::Deadline | SinkError::Failed(_)), "{error}");
        server.resume();
        // What was sent is there before this.
        write_until_ok(&sink, &[record(100_000 + n)]);
        let sent = client.count(STREAM) - before - 1;
        assert!((1..=12).contains(&sent), "{sent}");
    }
}

#[test]
fn those_who_find_no_room_wait_for_it() {
    let server = nats::start();
    let sink = options(&server).window(40, 1 << 20).answer_within(Duration::from_secs(2)).connect().unwrap();
    server.pause();
    let waiting = AtomicUsize::new(0);
    thread::scope(|scope| {
        for n in 0..6 {
            let (sink, waiting) = (&sink, &waiting);
            scope.spawn(move || {
                waiting.fetch_add(1, Ordering::Relaxed);
                let batch = records(100 * n..100 * n + 20);
                write_until_ok(sink, &batch);
            });
        }
        eventually("they write", || waiting.load(Ordering::Relaxed) == 6);
        thread::sleep(Duration::from_millis(300));
        server.resume();
    });
    let client = Client::connect(&server);
    let found = counts(client.payloads(STREAM));
    assert_eq!((found.len(), client.count(STREAM)), (120, 120));
    // A batch and a record that are larger than the window go through it nevertheless.
    let narrow = options(&server).window(3, 600).connect().unwrap();
    block_on(narrow.write(&records(1000..1100))).unwrap();
    assert_eq!(client.count(STREAM), 220);
    block_on(narrow.flush()).unwrap();
}

#[test]
fn those_who_leave_free_the_window() {
    let server = nats::start();
    let sink = options(&server).window(10, 1 << 20).answer_within(Duration::from_millis(300)).connect().unwrap();
    server.pause();
    for n in 0..100 {
        let batch = records(100 * n..100 * n + 30);
        let mut writing = sink.write(&batch);
        for _ in 0..3 {
            let polled = writing.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
            assert!(polled.is_pending());
        }
        drop(writing);
    }
    server.resume();
    let last = records(100_000..100_030);
    write_until_ok(&sink, &last);
    block_on(sink.flush()).unwrap();
    let client = Client::connect(&server);
    let found = counts(client.payloads(STREAM));
    assert!(found.values().all(|count| *count == 1));
    assert!(last.iter().all(|record| found.contains_key(record.json())));
    // Nothing of most of those who left was ever sent.
    assert!(found.len() < 1000, "{}", found.len());
}

#[test]
fn a_killed_server_has_what_it_acknowledged_once() {
    let mut server = nats::start();
    let sink = options(&server).answer_within(Duration::from_secs(1)).connect().unwrap();
    let (acknowledged, over) = (Mutex::new(BTreeSet::new()), AtomicBool::new(false));
    thread::scope(|scope| {
        for writer in 0..4 {
            let (sink, acknowledged, over) = (&sink, &acknowledged, &over);
            scope.spawn(move || {
                for n in 0.. {
                    let batch: Vec<_> = (0..25).map(|m| record(1_000_000 * writer + 25 * n + m)).collect();
                    write_until_ok(sink, &batch);
                    acknowledged.lock().unwrap().extend(jsons(&batch));
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        let count = || acknowledged.lock().unwrap().len();
        for _ in 0..3 {
            let before = count();
            eventually("records are acknowledged", || count() > before + 500);
            server.kill();
            server.restart();
        }
        let before = count();
        eventually("records are acknowledged again", || count() > before + 500);
        over.store(true, Ordering::Relaxed);
    });
    let found = counts(Client::connect(&server).payloads(STREAM));
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), acknowledged.into_inner().unwrap());
    assert!(found.values().all(|count| *count == 1));
}

#[test]
fn it_comes_back_by_itself() {
    let mut server = nats::start();
    let sink = sink(&server);
    for n in 0..3 {
        write_until_ok(&sink, &[record(n)]);
        server.stop();
        assert!(block_on(options(&server).connect_later().unwrap().write(&[record(9)])).is_err());
        server.restart();
    }
    write_until_ok(&sink, &[record(3)]);
    assert_eq!(sink.durability(), Durability::OsBuffer);
    assert_eq!(Client::connect(&server).count(STREAM), 4);
}

#[test]
fn a_sink_that_is_connected_later_promises_nothing_and_keeps_what_it_takes() {
    let mut server = nats::start();
    server.stop();
    assert!(options(&server).connect_within(Duration::from_millis(200)).connect().is_err());
    let sink = options(&server).answer_within(Duration::from_millis(300)).connect_later().unwrap();
    assert_eq!(sink.durability(), Durability::None);
    let error = block_on(sink.write(&[record(0)])).unwrap_err();
    assert!(matches!(&error, SinkError::Failed(source) if source.to_string() == "the connection is lost"), "{error}");
    server.restart();
    write_until_ok(&sink, &records(0..10));
    assert_eq!(Client::connect(&server).payloads(STREAM).len(), 10);
}
