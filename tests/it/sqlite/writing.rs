//! One transaction for many callers, each answered for what it wrote.

use std::task::{Context, Poll, Waker};
use std::thread;

use audited::{AuditSink, Durability, SinkError, SqliteOptions};
use serde_json::json;
use uuid::Uuid;

use super::{carried, fresh, plain, record, texts, with};
use crate::contract::block_on;

fn numbered(id: u128, n: usize) -> audited::Record {
    carried(&json!({"schema": 1, "id": Uuid::from_u128(id), "action": "sqlite.write", "n": n}))
}

#[test]
fn callers_share_commits() {
    const CALLERS: usize = 32;
    const EACH: usize = 40;
    let fresh = fresh();
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| (0..EACH).for_each(|n| fresh.write(&[record(n)])));
        }
    });
    let stats = fresh.store.stats();
    assert_eq!(stats.records, (CALLERS * EACH) as u64);
    assert!(stats.commits < stats.records / 2, "{stats:?}");
    assert_eq!(texts(&fresh.path).len(), CALLERS * EACH);
}

#[test]
fn who_comes_alone_has_a_commit_of_its_own() {
    let fresh = fresh();
    (0..20).for_each(|n| fresh.write(&[record(n)]));
    assert_eq!(fresh.store.stats().commits, 20);
}

#[test]
fn the_log_is_copied_into_the_database_now_and_then() {
    let fresh = fresh();
    for _ in 0..60 {
        fresh.write(&(0..50).map(record).collect::<Vec<_>>());
    }
    assert!(fresh.store.stats().checkpoints > 0, "{:?}", fresh.store.stats());
}

#[test]
fn a_conflict_fails_its_batch_alone_and_all_of_it() {
    let fresh = fresh();
    fresh.write(&[numbered(1, 1)]);
    // While another transaction is open, what comes gathers.
    let other = plain(&fresh.path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let batches: Vec<_> = (0..12)
        .map(|n| match n {
            5 => vec![numbered(100, 0), numbered(1, 2), numbered(101, 0)],
            n => vec![numbered(10 + n, 0), numbered(30 + n, 0)],
        })
        .collect();
    let mut writing: Vec<_> = batches.iter().map(|batch| fresh.store.write(batch)).collect();
    for writing in &mut writing {
        assert!(writing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    other.execute_batch("COMMIT").unwrap();
    for (n, writing) in writing.into_iter().enumerate() {
        match (n, block_on(writing)) {
            (5, Err(SinkError::Conflict(_))) => {}
            (n, result) => assert!(n != 5 && result.is_ok(), "{n} {result:?}"),
        }
    }
    assert_eq!(texts(&fresh.path).len(), 1 + 11 * 2);
    assert!(fresh.store.stats().commits <= 4, "{:?}", fresh.store.stats());
}

#[test]
fn a_record_is_there_once_however_often_it_comes() {
    let fresh = fresh();
    let (one, two) = (numbered(1, 1), numbered(2, 2));
    fresh.write(&[one.clone(), two.clone(), one.clone()]);
    fresh.write(std::slice::from_ref(&one));
    assert_eq!(texts(&fresh.path).len(), 2);
    let conflict = block_on(fresh.store.write(&[numbered(3, 0), numbered(3, 1)]));
    assert!(matches!(conflict, Err(SinkError::Conflict(_))), "{conflict:?}");
    assert_eq!(texts(&fresh.path).len(), 2, "nothing of that batch");
}

#[test]
fn a_place_in_a_stream_is_taken_once() {
    let fresh = fresh();
    let placed = |id: u128, stream: &str, seq: u64| {
        carried(&json!({"schema": 1, "id": Uuid::from_u128(id), "stream": stream, "seq": seq, "action": "a"}))
    };
    let bare = |id: u128| carried(&json!({"schema": 1, "id": Uuid::from_u128(id), "action": "a"}));
    fresh.write(&[placed(1, "s", 1), placed(2, "s", u64::MAX), placed(3, "t", 1), bare(4)]);
    let write = |record| block_on(fresh.store.write(&[record]));
    for again in [placed(1, "s", 1), placed(2, "s", u64::MAX), bare(1), placed(4, "s", 9)] {
        write(again).unwrap();
    }
    for other in [placed(5, "s", 1), placed(1, "s", 2), placed(1, "t", 1), placed(4, "s", 1)] {
        assert!(matches!(write(other), Err(SinkError::Conflict(_))));
    }
    assert_eq!(texts(&fresh.path).len(), 4);
}

/// Triggers of an application's own that come to a store that is open: what they refuse is not there, and not
/// acknowledged.
#[test]
fn what_a_trigger_of_somebody_else_cannot_do_is_not_written() {
    let fresh = fresh();
    fresh.write(&[numbered(1, 1)]);
    let other = plain(&fresh.path);
    let theirs = "CREATE TABLE theirs (n PRIMARY KEY);
        CREATE TRIGGER theirs AFTER INSERT ON Audit_Records BEGIN INSERT INTO theirs VALUES (NEW.action); END;";
    other.execute_batch(theirs).unwrap();
    fresh.write(&[numbered(2, 2)]);
    for _ in 0..2 {
        let refused = block_on(fresh.store.write(&[numbered(3, 3)]));
        assert!(matches!(refused, Err(SinkError::Failed(_))), "{refused:?}");
    }
    assert_eq!(texts(&fresh.path).len(), 2);
    fresh.write(&[numbered(2, 2)]);
    other.execute_batch("DROP TRIGGER theirs").unwrap();
    fresh.write(&[numbered(3, 3)]);
    assert_eq!(texts(&fresh.path).len(), 3);
}

#[test]
fn who_stops_waiting_loses_nothing_of_others() {
    let fresh = fresh();
    let other = plain(&fresh.path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (gone, stays) = ([record(1)], [record(2)]);
    let mut leaving = fresh.store.write(&gone);
    let mut staying = fresh.store.write(&stays);
    for writing in [&mut leaving, &mut staying] {
        assert!(matches!(writing.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    }
    drop(leaving);
    other.execute_batch("COMMIT").unwrap();
    block_on(staying).unwrap();
    assert_eq!(texts(&fresh.path).len(), 2, "what was handed over is written");
}

#[test]
fn who_waits_in_vain_for_another_transaction_is_told() {
    let fresh = with(&SqliteOptions::new().busy(std::time::Duration::from_millis(20)));
    let other = plain(&fresh.path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = block_on(fresh.store.write(&[record(1)]));
    assert!(matches!(refused, Err(SinkError::Failed(_))), "{refused:?}");
    other.execute_batch("COMMIT").unwrap();
    fresh.write(&[record(2)]);
    assert_eq!(texts(&fresh.path).len(), 1);
}

#[test]
fn a_closed_store_has_everything_and_takes_nothing() {
    let fresh = fresh();
    let batch: Vec<_> = (0..500).map(record).collect();
    let mut writing = fresh.store.write(&batch);
    assert!(writing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(writing);
    block_on(fresh.store.close());
    assert_eq!(texts(&fresh.path).len(), 500);
    assert!(matches!(block_on(fresh.store.write(&[record(1)])), Err(SinkError::Closed)));
    assert!(matches!(block_on(audited::AuditStore::position(&fresh.store)), Err(audited::StoreError::Closed)));
    block_on(fresh.store.close());
}

#[test]
fn it_says_what_an_answer_promises() {
    assert_eq!(fresh().store.durability(), Durability::Disk);
    assert_eq!(with(&SqliteOptions::new().os_buffer()).store.durability(), Durability::OsBuffer);
}
