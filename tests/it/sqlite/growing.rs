//! What arrives is followed.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use audited::{AuditStore, Position, Query, Since, StoreError};

use super::{fresh, record};
use crate::contract::block_on;
use crate::support::PATIENCE;

#[test]
fn followers_are_given_what_was_missed_and_then_what_comes() {
    let fresh = fresh();
    fresh.write(&[record(0)]);
    let (told, heard) = channel();
    let reader = fresh.store.global("test").unrecorded();
    for _ in 0..3 {
        let mut follow = block_on(reader.follow(&Query::new(), Since::Beginning)).unwrap();
        let told = told.clone();
        thread::spawn(move || {
            for n in 0..50 {
                let record = block_on(follow.next()).unwrap();
                assert!(record.json().contains(&format!("\"n\":{n}}}")), "{n}: {record:?}");
            }
            told.send(()).unwrap();
        });
    }
    (1..50).for_each(|n| fresh.write(&[record(n)]));
    for _ in 0..3 {
        heard.recv_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn who_waits_is_told_that_the_store_is_closed() {
    let fresh = fresh();
    let store = fresh.store.clone();
    let (told, heard) = channel();
    thread::spawn(move || told.send(block_on(store.grown(&Position::start()))).unwrap());
    thread::sleep(Duration::from_millis(20));
    block_on(fresh.store.close());
    assert!(matches!(heard.recv_timeout(PATIENCE).unwrap(), Err(StoreError::Closed)));
}

#[test]
fn a_position_of_another_store_is_refused() {
    let fresh = fresh();
    fresh.write(&[record(0)]);
    for bytes in [&b"x"[..], &[0xff; 8], &[0; 9]] {
        let waited = block_on(fresh.store.grown(&Position::from_bytes(bytes)));
        assert!(matches!(waited, Err(StoreError::InvalidCursor(_))), "{bytes:?}");
    }
}

#[test]
fn a_cursor_outlives_the_store_and_is_no_other_stores() {
    let (one, two) = (fresh(), fresh());
    one.write(&(0..10).map(record).collect::<Vec<_>>());
    two.write(&(0..10).map(record).collect::<Vec<_>>());
    let query = Query::new().limit(4);
    let page = block_on(one.store.global("test").unrecorded().page(&query)).unwrap();
    let next = query.clone().after(page.next.unwrap());
    let elsewhere = block_on(two.store.global("test").unrecorded().page(&next));
    assert!(matches!(elsewhere, Err(StoreError::InvalidCursor(_))));
    drop(one.store);
    let again = audited::SqliteStore::open(&one.path).unwrap();
    let page = block_on(again.global("test").unrecorded().page(&next)).unwrap();
    assert!(page.records[0].json().contains("\"n\":5}"), "{:?}", page.records[0]);
}
