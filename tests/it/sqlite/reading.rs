//! Long queries and short ones, and what takes too long.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use audited::{AuditStore, Query, RecordId, SqliteOptions, StoreError};
use uuid::Uuid;

use super::{Fresh, count, plain, with};
use crate::contract::block_on;

/// So many that it takes long to look at each.
const RECORDS: u32 = 60_000;

fn filled(options: &SqliteOptions) -> Fresh {
    let fresh = with(options);
    let sql = r#"
        WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT ?1),
        ids (n, id) AS (SELECT n, printf('%032x', n) FROM c)
        INSERT INTO audit_records (id, at, digest, action, json)
        SELECT unhex(id), n, x'', 'door.open', printf('{"schema":1,"id":"%s-%s-%s-%s-%s","action":"door.open"}',
            substr(id, 1, 8), substr(id, 9, 4), substr(id, 13, 4), substr(id, 17, 4), substr(id, 21)) FROM ids"#;
    plain(&fresh.path).execute(sql, [RECORDS]).unwrap();
    fresh
}

/// No index leads to it.
fn scan() -> Query {
    Query::new().text("detail.door", "front")
}

/// An index leads to it.
fn lookup() -> Query {
    Query::new().id(RecordId::from(Uuid::from_u128(7)))
}

fn is_pending<F: Future>(future: Pin<&mut F>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[test]
fn what_an_index_answers_does_not_wait_for_long_queries() {
    let fresh = filled(&SqliteOptions::new().readers(1));
    let reader = fresh.store.global("test").unrecorded();
    let scan = scan();
    let mut scans: Vec<_> = (0..4).map(|_| Box::pin(reader.count(&scan))).collect();
    assert!(scans.iter_mut().all(|scan| is_pending(scan.as_mut())));
    assert_eq!(count(&fresh.store, &lookup()), 1);
    // Too much for the thread that asks.
    assert_eq!(block_on(reader.page(&Query::new().limit(50))).unwrap().records.len(), 50);
    scans.retain_mut(|scan| is_pending(scan.as_mut()));
    // In their order it would come behind three of the four, and behind all that it waits for.
    assert!(scans.len() > 1, "long ones were first");
    for scan in scans {
        assert_eq!(block_on(scan).unwrap(), 0);
    }
}

#[test]
fn a_query_that_takes_too_long_is_ended_and_says_so() {
    let limit = Duration::from_millis(1);
    let fresh = filled(&SqliteOptions::new().query_time_limit(limit));
    let reader = fresh.store.global("test").unrecorded();
    for _ in 0..4 {
        let ended = block_on(reader.count(&scan())).unwrap_err();
        assert!(matches!(ended, StoreError::TooLong { limit: named } if named == limit), "{ended}");
        assert!(ended.to_string().contains("1ms"), "{ended}");
        let ended = block_on(reader.page(&scan())).unwrap_err();
        assert!(matches!(ended, StoreError::TooLong { .. }), "{ended}");
        assert_eq!(count(&fresh.store, &lookup()), 1);
    }
}

#[test]
fn a_backup_and_a_check_have_no_limit() {
    let fresh = filled(&SqliteOptions::new().query_time_limit(Duration::ZERO));
    let to = fresh.directory.path().join("backup.db");
    block_on(fresh.store.backup(&to)).unwrap();
    let patient = SqliteOptions::new().query_time_limit(Duration::MAX).open(&to).unwrap();
    assert_eq!(count(&patient, &scan()), 0);
    assert_eq!(block_on(fresh.store.check()).unwrap().records, u64::from(RECORDS));
}
