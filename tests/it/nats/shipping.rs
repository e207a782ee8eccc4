//! From a journal through a forwarder into a stream, and from there through a feed into a store, whatever happens on the way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::feed::{feed, forwarder, journal_of};
use super::*;
use crate::forward::store::Store;
use crate::support::eventually;

#[test]
fn every_acknowledged_record_is_in_the_store_once() {
    let (mut server, directory) = (nats::start(), tempfile::tempdir().unwrap());
    let (journal, store, over) = (journal_of(directory.path()), Store::new(), AtomicBool::new(false));
    let impatient = || options(&server).answer_within(Duration::from_millis(800));
    let sink = impatient().connect().unwrap();
    let forwarder = forwarder(&journal, sink).start().unwrap();
    let mut feed = Some(self::feed(&server, &store, directory.path()).start().unwrap());
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 0;
            while !over.load(Ordering::Relaxed) {
                block_on(journal.write(&records(written..written + 20))).unwrap();
                written += 20;
                thread::sleep(Duration::from_millis(2));
            }
            written
        });
        let comes_on = |what: &str| {
            let before = store.records().len();
            eventually(what, || store.records().len() > before + 200);
        };
        comes_on("it begins");
        server.stop();
        server.restart();
        comes_on("it goes on after a stop");
        server.pause();
        thread::sleep(Duration::from_millis(1200));
        server.resume();
        comes_on("it goes on after a pause");
        for _ in 0..2 {
            server.kill();
            thread::sleep(Duration::from_millis(100));
            server.restart();
            comes_on("it goes on after a kill");
        }
        drop(feed.take());
        feed = Some(self::feed(&server, &store, directory.path()).start().unwrap());
        comes_on("it goes on with another feed");
        over.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 1000);
    });
    forwarder.flush(PATIENCE).unwrap();
    let feed = feed.unwrap();
    feed.flush(PATIENCE).unwrap();
    store.assert_has_all_but(&journal, &[]);
    assert_eq!((feed.stats().dead_letters, forwarder.stats().dead_letters), (0, 0));
    let (stream, head) = (Client::connect(&server).payloads(STREAM), journal.head().seq);
    // All of it happened within the duplicate window.
    assert_eq!((stream.len() as u64, counts(stream).len() as u64), (head, head));
}
