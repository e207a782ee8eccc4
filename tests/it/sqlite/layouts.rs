//! Files of earlier versions, and of later ones.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use audited::{AuditStore, Query, Record, Row, SqliteError, SqliteStore, StoredDecision};
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::{carried, count, fresh, plain};
use crate::contract::block_on;

/// The tables of the first layout, as they were.
const FIRST: &str = include_str!("layout1.sql");

fn old_record(n: u128) -> Record {
    carried(&json!({
        "schema": 1, "id": Uuid::from_u128(n), "action": "old.write", "tenant": "acme",
        "occurred_at": format!("2026-01-01T00:00:00.{n:06}Z"), "decision": "deny", "reason": "late",
        "correlation_id": if n.is_multiple_of(2) { "even" } else { "odd\0" },
    }))
}

/// A store of the first layout with some records.
fn first(path: &Path) {
    let connection = Connection::open(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    connection.execute_batch(FIRST).unwrap();
    let meta = "INSERT INTO audit_meta VALUES ('layout', 1), ('cursor_key', randomblob(32))";
    connection.execute(meta, []).unwrap();
    for n in 0..50 {
        let record = old_record(n);
        let row = Row::of(&record).unwrap();
        let Some(StoredDecision::Deny { reason }) = &row.decision else { panic!("{record:?}") };
        let insert = "INSERT INTO audit_records (id, at, digest, tenant, action, decision, reason, json)
                      VALUES (?1, ?2, ?3, ?4, ?5, 'deny', ?6, ?7)";
        let (id, at) = (row.id.as_uuid().into_bytes(), row.sort_key.micros);
        let values = params![id, at, row.digest, row.tenant.as_deref(), &*row.action, &**reason, record.json()];
        connection.execute(insert, values).unwrap();
    }
}

/// Tables, indexes and triggers, and what they were made with.
fn objects(path: &Path) -> Vec<String> {
    let connection = plain(path);
    let mut rows = connection.prepare("SELECT name || ifnull(sql, '') FROM sqlite_schema ORDER BY name").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_store_of_the_first_layout_becomes_one_of_today() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.db");
    first(&path);
    for _ in 0..2 {
        let store = SqliteStore::open(&path).unwrap();
        let check = block_on(store.check()).unwrap();
        assert!(check.is_sound(), "{check:?}");
        assert_eq!(check.records, 50);
        assert_eq!(count(&store, &Query::new().correlation_id("even")), 25);
        assert_eq!(count(&store, &Query::new().correlation_id("odd\0")), 25);
        let page = block_on(store.tenant("acme").unrecorded().page(&Query::new().denied().limit(1))).unwrap();
        assert_eq!(page.records[0].json(), old_record(49).json());
        block_on(audited::AuditSink::write(&store, &[old_record(7)])).unwrap();
    }
    assert_eq!(objects(&path), objects(&fresh().path), "to the letter");
}

/// What the second layout had otherwise than that of today.
const SECOND: &str = "
DROP TRIGGER audit_records_no_replace;
CREATE TRIGGER audit_records_no_replace BEFORE INSERT ON audit_records
WHEN EXISTS (SELECT 1 FROM audit_records WHERE id = NEW.id)
    OR (NEW.stream IS NOT NULL AND EXISTS (SELECT 1 FROM audit_records WHERE stream = NEW.stream AND seq = NEW.seq))
    OR (NEW.position >= 0 AND NEW.position <= (SELECT max(position) FROM audit_records))
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;
UPDATE audit_meta SET value = 2 WHERE key = 'layout';
";

#[test]
fn a_store_of_the_second_layout_becomes_one_of_today() {
    let fresh = fresh();
    fresh.write(&[old_record(1)]);
    drop(fresh.store);
    let today = objects(&fresh.path);
    plain(&fresh.path).execute_batch(SECOND).unwrap();
    assert_ne!(objects(&fresh.path), today);
    let store = SqliteStore::open(&fresh.path).unwrap();
    assert_eq!(objects(&fresh.path), today, "to the letter");
    block_on(audited::AuditSink::write(&store, &[old_record(1), old_record(2)])).unwrap();
    let check = block_on(store.check()).unwrap();
    assert!(check.is_sound() && check.records == 2, "{check:?}");
}

#[test]
fn the_layout_of_a_later_version_is_refused() {
    let fresh = fresh();
    drop(fresh.store);
    let connection = plain(&fresh.path);
    connection.execute("UPDATE audit_meta SET value = 99 WHERE key = 'layout'", []).unwrap();
    let error = SqliteStore::open(&fresh.path).unwrap_err();
    assert!(matches!(error, SqliteError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_store_that_lacks_a_trigger_or_an_index_is_refused() {
    for (kind, name) in [("TRIGGER", "audit_records_no_delete"), ("INDEX", "audit_records_tenant")] {
        let fresh = fresh();
        drop(fresh.store);
        plain(&fresh.path).execute_batch(&format!("DROP {kind} {name}")).unwrap();
        let error = SqliteStore::open(&fresh.path).unwrap_err();
        assert!(matches!(&error, SqliteError::Foreign { name: found, .. } if found == name), "{error}");
    }
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.db");
    first(&path);
    plain(&path).execute_batch("CREATE TABLE audit_holds (mine)").unwrap();
    SqliteStore::open(&path).unwrap_err();
    let layout: i64 =
        plain(&path).query_row("SELECT value FROM audit_meta WHERE key = 'layout'", [], |row| row.get(0)).unwrap();
    assert_eq!(layout, 1);
    plain(&path).execute_batch("DROP TABLE audit_holds").unwrap();
    SqliteStore::open(&path).unwrap();
}
