//! What is written stays: nothing changes or removes it, and damage is found; copies are made meanwhile.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

use audited::{AuditSink, AuditStore, Query, Since, SqliteDamage, SqliteError, SqliteStore};
use serde_json::json;
use uuid::Uuid;

use super::{carried, count, fresh, plain, record, texts};
use crate::contract::block_on;

#[test]
fn records_are_not_changed_removed_or_replaced() {
    let fresh = fresh();
    fresh.write(&[carried(&json!({
        "schema": 1, "id": Uuid::from_u128(1), "action": "a", "stream": "s", "seq": 1,
        "subjects": [{"kind": "user", "id": "u-1"}],
    }))]);
    fresh.write(&[record(1)]);
    let connection = plain(&fresh.path);
    let columns = "at, action, digest, json) SELECT at, action, digest, '{}' FROM audit_records WHERE position = 1";
    for sql in [
        "UPDATE audit_records SET json = '{}'",
        "UPDATE audit_records SET position = position + 10",
        "UPDATE OR REPLACE audit_records SET id = (SELECT max(id) FROM audit_records)",
        "DELETE FROM audit_records",
        "DELETE FROM audit_records WHERE position = 2",
        "DELETE FROM audit_subjects",
        "UPDATE audit_subjects SET id = 'u-2'",
        &format!("INSERT OR REPLACE INTO audit_records (id, {columns}").replace("SELECT at", "SELECT id, at"),
        &format!("REPLACE INTO audit_records (position, id, {columns}")
            .replace("SELECT at", "SELECT 1, randomblob(16), at"),
        &format!("REPLACE INTO audit_records (stream, seq, id, {columns}")
            .replace("SELECT at", "SELECT 's', 1, randomblob(16), at"),
    ] {
        let error = connection.execute(sql, []).expect_err(sql);
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
    // To say that a retention goes on is not enough to remove the newest one.
    connection.execute_batch("INSERT INTO audit_retaining VALUES (2)").unwrap();
    connection.execute("DELETE FROM audit_records WHERE position = 2", []).unwrap_err();
    connection.execute_batch("DELETE FROM audit_retaining").unwrap();
    assert_eq!(texts(&fresh.path).len(), 2);
    assert!(block_on(fresh.store.check()).unwrap().is_sound());
}

/// Changes the file as somebody does who may write it, and gives what a check finds.
fn damaged(sql: &str) -> Vec<SqliteDamage> {
    let fresh = fresh();
    fresh.write(&(0..5).map(record).collect::<Vec<_>>());
    let connection = plain(&fresh.path);
    let triggers = "DROP TRIGGER audit_records_no_update; DROP TRIGGER audit_records_no_delete;";
    connection.execute_batch(triggers).unwrap();
    connection.execute_batch(sql).unwrap();
    let check = block_on(fresh.store.check()).unwrap();
    assert!(!check.is_sound());
    assert_eq!(check.damaged, check.damage.len() as u64);
    let triggers = ["audit_records_no_delete", "audit_records_no_update"].map(|name| SqliteDamage::Object(name.into()));
    assert!(triggers.iter().all(|trigger| check.damage.contains(trigger)), "{check:?}");
    check.damage.into_iter().filter(|damage| !triggers.contains(damage)).collect()
}

#[test]
fn a_check_finds_what_was_changed() {
    assert_eq!(damaged(""), []);
    let differs = [SqliteDamage::Differs { position: 3 }];
    for sql in [
        "UPDATE audit_records SET tenant = 'other' WHERE position = 3",
        "UPDATE audit_records SET at = at + 1 WHERE position = 3",
        "UPDATE audit_records SET digest = randomblob(32) WHERE position = 3",
        "UPDATE audit_records SET json = replace(json, '\"n\":2', '\"n\":7') WHERE position = 3",
        "INSERT INTO audit_subjects VALUES (3, 'user', 'u-1')",
    ] {
        assert_eq!(damaged(sql), differs, "{sql}");
    }
    let text = damaged("UPDATE audit_records SET json = '{' WHERE position = 3");
    assert_eq!(text, [SqliteDamage::NotARecord { position: 3 }]);
    let names = damaged("DROP INDEX audit_records_time; CREATE INDEX audit_records_time ON audit_records (at)");
    assert!(names.contains(&SqliteDamage::Object("audit_records_time".into())), "{names:?}");
}

#[test]
fn a_check_finds_pages_that_were_changed() {
    let fresh = fresh();
    let records: Vec<_> = (0..5).map(record).collect();
    fresh.write(&records);
    drop(fresh.store);
    let connection = plain(&fresh.path);
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap() as usize;
    let size = number("PRAGMA page_size");
    let root = number("SELECT rootpage FROM sqlite_schema WHERE name = 'audit_records_id'");
    drop(connection);
    let mut bytes = fs::read(&fresh.path).unwrap();
    let page = &mut bytes[(root - 1) * size..root * size];
    let id = records[2].id().unwrap().as_uuid().into_bytes();
    let at = page.windows(16).position(|window| window == id).unwrap();
    page[at + 9] ^= 1;
    fs::write(&fresh.path, bytes).unwrap();
    let check = block_on(SqliteStore::open(&fresh.path).unwrap().check()).unwrap();
    assert!(matches!(&check.damage[..], [SqliteDamage::Database(_), ..]), "{check:?}");
}

#[test]
fn a_damaged_record_is_an_error_and_not_left_out() {
    let fresh = fresh();
    fresh.write(&(0..5).map(record).collect::<Vec<_>>());
    let connection = plain(&fresh.path);
    connection.execute_batch("DROP TRIGGER audit_records_no_update").unwrap();
    connection.execute_batch("UPDATE audit_records SET json = '{' WHERE position = 3").unwrap();
    block_on(fresh.store.global("test").unrecorded().page(&Query::new())).unwrap_err();
}

#[test]
fn a_backup_is_a_store_as_of_one_moment() {
    let fresh = fresh();
    fresh.write(&(0..2_000).map(record).collect::<Vec<_>>());
    let query = Query::new();
    let reader = fresh.store.global("test").unrecorded();
    let cursor = block_on(reader.since(&query.clone().limit(10), Since::Beginning)).unwrap().next;
    let to = fresh.directory.path().join("backup.db");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !done.load(Ordering::Relaxed) || n < 20 {
                // Pairs, of which a backup has both or none.
                fresh.write(&[record(n), record(n)]);
                n += 1;
            }
        });
        block_on(fresh.store.backup(&to)).unwrap();
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    let again = block_on(fresh.store.backup(&to)).unwrap_err();
    assert!(matches!(again, SqliteError::Exists { .. }), "{again}");

    let backup = SqliteStore::open(&to).unwrap();
    let check = block_on(backup.check()).unwrap();
    assert!(check.is_sound() && check.records >= 2_000 && check.records.is_multiple_of(2), "{check:?}");
    let all = texts(&fresh.path);
    assert_eq!(texts(&to), all[..usize::try_from(check.records).unwrap()]);
    // Its cursors are those of the store that it is a copy of.
    let next = block_on(backup.global("test").unrecorded().since(&query.limit(10), Since::Cursor(cursor))).unwrap();
    assert_eq!(next.records[0].json(), all[10]);
    block_on(backup.write(&[record(1)])).unwrap();
}

#[test]
fn a_backup_that_fails_leaves_nothing() {
    let fresh = fresh();
    block_on(fresh.store.close());
    let to = fresh.directory.path().join("backup.db");
    assert!(matches!(block_on(fresh.store.backup(&to)), Err(SqliteError::Closed)));
    assert!(!to.exists());
    assert!(matches!(
        block_on(fresh.store.backup(fresh.directory.path().join("no/b.db"))),
        Err(SqliteError::Io { .. })
    ));
}

#[test]
fn reads_and_writes_do_not_wait_for_each_other() {
    let fresh = fresh();
    fresh.write(&[record(1)]);
    // Somebody reads, and does not end.
    let reading = plain(&fresh.path);
    reading.execute_batch("BEGIN; SELECT count(*) FROM audit_records").unwrap();
    let mut rows = reading.prepare("SELECT * FROM audit_records").unwrap();
    let mut rows = rows.query([]).unwrap();
    assert!(rows.next().unwrap().is_some());
    fresh.write(&[record(2)]);
    // Somebody writes, and does not end.
    let writing = plain(&fresh.path);
    writing.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(count(&fresh.store, &Query::new()), 2);
    writing.execute_batch("ROLLBACK").unwrap();
}
