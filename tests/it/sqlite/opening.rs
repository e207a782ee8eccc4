//! What is taken for a store, and what is not.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use audited::{AuditSink, SqliteError, SqliteOptions, SqliteStore};
use rusqlite::Connection;

use super::{fresh, plain, record, texts};
use crate::contract::block_on;

fn refused(path: &std::path::Path) -> SqliteError {
    let error = SqliteStore::open(path).unwrap_err();
    assert!(error.to_string().contains(path.file_name().unwrap().to_str().unwrap()), "{error}");
    assert_eq!(format!("{error:?}"), error.to_string());
    error
}

/// A database of somebody else.
fn database(path: &std::path::Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[test]
fn the_file_and_what_is_beside_it_are_for_nobody_else() {
    let fresh = fresh();
    fresh.write(&[record(1)]);
    let entries = fs::read_dir(fresh.directory.path()).unwrap().map(|entry| entry.unwrap());
    let modes: Vec<_> = entries.map(|entry| entry.metadata().unwrap().permissions().mode() & 0o777).collect();
    assert!(modes.len() >= 2, "the database and its log");
    assert!(modes.iter().all(|mode| *mode == 0o600), "{modes:?}");
}

#[test]
fn it_is_written_on_after_it_was_closed() {
    let fresh = fresh();
    fresh.write(&[record(1)]);
    drop(fresh.store);
    assert_eq!(fs::read_dir(fresh.directory.path()).unwrap().count(), 1, "the log is gone");
    let again = SqliteStore::open(&fresh.path).unwrap();
    block_on(again.write(&[record(2)])).unwrap();
    assert_eq!(texts(&fresh.path).len(), 2);
}

#[test]
fn whoever_would_wait_for_ever_may() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteOptions::new().busy(Duration::MAX).open(directory.path().join("audit.db")).unwrap();
    block_on(store.write(&[record(1)])).unwrap();
}

#[test]
fn other_than_a_file_of_ours_alone_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    SqliteStore::open(at("real.db")).unwrap();
    symlink(at("real.db"), at("link.db")).unwrap();
    assert!(matches!(refused(&at("link.db")), SqliteError::NotAFile { found: "a symbolic link", .. }));
    fs::create_dir(at("directory")).unwrap();
    assert!(matches!(refused(&at("directory")), SqliteError::NotAFile { found: "a directory", .. }));
    fs::write(at("open.db"), "").unwrap();
    fs::set_permissions(at("open.db"), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(refused(&at("open.db")), SqliteError::Mode { mode: 0o640, .. }));
    symlink(at("elsewhere"), at("real.db-wal")).unwrap();
    let error = SqliteStore::open(at("real.db")).unwrap_err();
    assert!(matches!(&error, SqliteError::NotAFile { path, .. } if path.ends_with("real.db-wal")), "{error}");
    let missing = at("no").join("audit.db");
    let error = SqliteStore::open(&missing).unwrap_err();
    assert!(matches!(error, SqliteError::Io { .. }));
    let why = "No such file or directory (os error 2); the directory above it must be there before";
    assert_eq!(error.to_string(), format!("{} could not be opened, read or written: {why}", missing.display()));
    assert!(!at("no").exists());
}

#[test]
fn what_is_no_database_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    let notes = "not a database, and longer than its header would be. ".repeat(40);
    fs::write(&path, &notes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(refused(&path), SqliteError::NotADatabase { .. }));
    assert_eq!(fs::read_to_string(&path).unwrap(), notes);
}

#[test]
fn tables_of_others_that_have_our_names_are_refused_and_all_else_is_let_be() {
    let directory = tempfile::tempdir().unwrap();
    for (n, sql) in [
        "CREATE TABLE audit_records (id INTEGER PRIMARY KEY, who TEXT)",
        "CREATE TABLE Audit_Meta (key TEXT, value TEXT); INSERT INTO audit_meta VALUES ('layout', 'none')",
        "CREATE TABLE audit_meta (key TEXT, value TEXT); INSERT INTO audit_meta VALUES ('layout', 2)",
        "CREATE VIEW audit_subjects AS SELECT 1",
    ]
    .into_iter()
    .enumerate()
    {
        let path = directory.path().join(format!("{n}.db"));
        database(&path, sql);
        let error = refused(&path);
        assert!(matches!(error, SqliteError::Foreign { .. }), "{sql}: {error}");
        let tables: i64 = plain(&path).query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert!(tables <= 2, "{sql}: nothing was added");
    }
    let path = directory.path().join("shared.db");
    database(&path, "CREATE TABLE audit_log (x); INSERT INTO audit_log VALUES (7); PRAGMA user_version = 42");
    let store = SqliteStore::open(&path).unwrap();
    block_on(store.write(&[record(1)])).unwrap();
    let theirs: i64 = plain(&path).query_row("SELECT x FROM audit_log", [], |row| row.get(0)).unwrap();
    let version: i64 = plain(&path).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!((theirs, version), (7, 42));
}

#[test]
fn texts_that_are_not_utf_8_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("utf16.db");
    database(&path, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (x)");
    assert!(matches!(refused(&path), SqliteError::Unfit { .. }));
}

#[test]
fn names_that_mean_something_to_sqlite_are_files() {
    let directory = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:x?mode=memory", "a'b\"c d.db"] {
        let path = directory.path().join(name);
        let store = SqliteOptions::new().readers(0).open(&path).unwrap();
        block_on(store.write(&[record(1)])).unwrap();
        assert!(path.is_file(), "{name}");
        assert_eq!(texts(&path).len(), 1);
    }
}

#[test]
fn many_may_start_the_same_store_at_once() {
    for _ in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.db");
        std::thread::scope(|scope| {
            for n in 0..6 {
                let path = &path;
                scope.spawn(move || block_on(SqliteStore::open(path).unwrap().write(&[record(n)])).unwrap());
            }
        });
        assert_eq!(texts(&path).len(), 6);
    }
}
