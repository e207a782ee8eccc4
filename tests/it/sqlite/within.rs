//! A record in the transaction of what it is about.

use audited::{AuditStore, AuditTransaction, Query, Since, SinkError};
use rusqlite::{Connection, TransactionBehavior};

use super::{Fresh, count, fresh, plain, record};
use crate::contract::block_on;

fn with_accounts() -> (Fresh, Connection) {
    let fresh = fresh();
    let connection = plain(&fresh.path);
    connection.execute_batch("CREATE TABLE accounts (cents INTEGER)").unwrap();
    (fresh, connection)
}

fn accounts(fresh: &Fresh) -> i64 {
    plain(&fresh.path).query_row("SELECT count(*) FROM accounts", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_record_commits_with_the_change() {
    let (fresh, mut connection) = with_accounts();
    let reader = fresh.store.global("test").unrecorded();
    let mut follow = block_on(reader.follow(&Query::new(), Since::Now)).unwrap();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    transaction.execute("INSERT INTO accounts VALUES (500)", []).unwrap();
    block_on(fresh.store.within(&transaction).write(&record(1))).unwrap();
    assert_eq!((accounts(&fresh), count(&fresh.store, &Query::new())), (0, 0), "nobody sees it before");
    transaction.commit().unwrap();
    assert_eq!((accounts(&fresh), count(&fresh.store, &Query::new())), (1, 1));
    assert_eq!(block_on(follow.next()).unwrap().action(), "sqlite.write");
    fresh.write(&[record(2)]);
    assert!(block_on(fresh.store.check()).unwrap().is_sound());
}

#[test]
fn a_record_vanishes_with_the_change() {
    let (fresh, mut connection) = with_accounts();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    transaction.execute("INSERT INTO accounts VALUES (500)", []).unwrap();
    block_on(fresh.store.within(&transaction).write(&record(1))).unwrap();
    transaction.rollback().unwrap();
    assert_eq!((accounts(&fresh), count(&fresh.store, &Query::new())), (0, 0));
}

#[test]
fn a_record_is_there_once_and_a_conflict_leaves_the_transaction_as_it_is() {
    let (fresh, mut connection) = with_accounts();
    let (one, two) = (record(1), record(2));
    fresh.write(std::slice::from_ref(&one));
    let other = audited::Record::builder(audited::Action::new("other")).id(one.id().unwrap()).build();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    let within = fresh.store.within(&transaction);
    block_on(within.write(&two)).unwrap();
    block_on(within.write(&one)).unwrap();
    let conflict = block_on(within.write(&other));
    assert!(matches!(conflict, Err(SinkError::Conflict(_))), "{conflict:?}");
    transaction.commit().unwrap();
    assert_eq!(count(&fresh.store, &Query::new()), 2);
}

#[test]
fn what_is_no_transaction_of_that_file_is_refused() {
    let (fresh, mut connection) = with_accounts();
    let refused = |connection: &Connection| {
        let refused = block_on(fresh.store.within(connection).write(&record(1)));
        assert!(matches!(refused, Err(SinkError::Failed(_))), "{refused:?}");
    };
    refused(&connection);
    let other = super::fresh();
    let mut elsewhere = plain(&other.path);
    elsewhere.execute_batch(&format!("ATTACH '{}' AS ours", fresh.path.display())).unwrap();
    refused(&elsewhere.transaction().unwrap());
    refused(&Connection::open_in_memory().unwrap().transaction().unwrap());
    // A table that stands before ours has nothing to say.
    connection.execute_batch("CREATE TEMP TABLE audit_records (x); CREATE TEMP TABLE audit_meta (x)").unwrap();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    block_on(fresh.store.within(&transaction).write(&record(1))).unwrap();
    transaction.commit().unwrap();
    assert_eq!(count(&fresh.store, &Query::new()), 1);
    assert_eq!(count(&other.store, &Query::new()), 0);
}
