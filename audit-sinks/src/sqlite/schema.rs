//! The tables, and how older ones become those of today.
//!
//! A new file goes through every migration, too: its tables are those of a file that has been there from the start, to
//! the letter. So what the tables must be is what the migrations make of an empty database.
//!
//! Texts are kept as texts, those with U+0000 in them as blobs: SQLite does not promise what it does with such texts.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::columns::Text;
use super::error::Refused;
use audit_core::StoredRecord;

/// The layout that this version writes.
pub(super) const LAYOUT: i64 = MIGRATIONS.len().cast_signed() as i64;

/// The tables that are ours, or would be.
const TABLES: &str = "('audit_meta', 'audit_records', 'audit_subjects', 'audit_holds', 'audit_retaining')";

type Migration = fn(&Connection) -> rusqlite::Result<()>;

/// Leads from each layout to the next, from nothing to the first.
const MIGRATIONS: &[Migration] = &[first, second, third];

/// Makes the tables of today, whatever is there.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Refused> {
    if let Ok(layout) = layout(connection)
        && layout == LAYOUT
        && differing(connection)?.is_empty()
    {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    migrate_to(&transaction, LAYOUT)?;
    if let Some(name) = differing(&transaction)?.into_iter().next() {
        return Err(Refused::Foreign(name));
    }
    transaction.commit()?;
    Ok(())
}

/// The layout of what is there; 0 where there is nothing.
pub(super) fn layout(connection: &Connection) -> Result<i64, Refused> {
    let named = format!("SELECT name FROM main.sqlite_schema WHERE lower(name) IN {TABLES} ORDER BY name");
    let first: Option<String> = connection.query_row(&named, [], |row| row.get(0)).optional()?;
    let Some(first) = first else { return Ok(0) };
    // A table of that name with another shape has no such row, or not even such columns.
    let layout = connection.query_row("SELECT value FROM main.audit_meta WHERE key = 'layout'", [], |row| row.get(0));
    match layout {
        Ok(layout) if layout > LAYOUT => Err(Refused::Newer(layout)),
        Ok(layout) if layout > 0 => Ok(layout),
        Ok(_) | Err(rusqlite::Error::QueryReturnedNoRows | rusqlite::Error::InvalidColumnType(..)) => {
            Err(Refused::Foreign(first))
        }
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown) => Err(Refused::Foreign(first)),
        Err(error) => Err(error.into()),
    }
}

fn migrate_to(transaction: &Transaction<'_>, wanted: i64) -> Result<(), Refused> {
    let found = layout(transaction)?;
    for (migration, layout) in MIGRATIONS.iter().zip(1..=wanted).filter(|(_, layout)| *layout > found) {
        migration(transaction)?;
        transaction.execute("UPDATE audit_meta SET value = ?1 WHERE key = 'layout'", [layout])?;
    }
    Ok(())
}

/// Those of our names whose objects are missing, or other than ours.
pub(super) fn differing(connection: &Connection) -> Result<Vec<String>, Refused> {
    let mut model = Connection::open_in_memory()?;
    let transaction = model.transaction()?;
    migrate_to(&transaction, LAYOUT)?;
    let found = objects(connection)?;
    let differing = objects(&transaction)?.into_iter().filter(|object| !found.contains(object));
    Ok(differing.map(|(_, name, _)| name).collect())
}

/// Whether somebody else's triggers do something when a record is written.
pub(super) fn has_other_triggers(connection: &Connection) -> rusqlite::Result<bool> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = 'audit_records'
        AND name NOT IN ('audit_records_no_update', 'audit_records_no_delete', 'audit_records_no_replace'))";
    connection.query_row(sql, [], |row| row.get(0))
}

type Object = (String, String, Option<String>);

/// Everything that may have one of our names: what it is, its name, and what it was made with.
fn objects(connection: &Connection) -> rusqlite::Result<Vec<Object>> {
    let sql = "SELECT type, name, sql FROM main.sqlite_schema WHERE name GLOB 'audit_*' ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let objects = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    objects.collect()
}

/// The records, whom they are about, and what refuses to change them.
fn first(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(FIRST)?;
    connection.execute_batch(NO_UPDATE)?;
    // Sealed cursors outlive the process, and a backup takes them along.
    connection.execute("INSERT INTO audit_meta VALUES ('layout', 1), ('cursor_key', randomblob(32))", [])?;
    Ok(())
}

const FIRST: &str = "
CREATE TABLE audit_meta (key TEXT NOT NULL PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE audit_records (
    position INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    stream ANY,
    seq INTEGER,
    digest BLOB NOT NULL,
    tenant ANY,
    action ANY NOT NULL,
    kind TEXT,
    stage TEXT,
    call BLOB,
    actor_kind TEXT,
    actor_id ANY,
    resource_kind ANY,
    resource_id ANY,
    decision TEXT,
    reason ANY,
    outcome TEXT,
    code ANY,
    json TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX audit_records_id ON audit_records (id);
CREATE UNIQUE INDEX audit_records_place ON audit_records (stream, seq) WHERE stream IS NOT NULL;
CREATE INDEX audit_records_time ON audit_records (at, id);
CREATE INDEX audit_records_tenant ON audit_records (tenant, at, id) WHERE tenant IS NOT NULL;
CREATE INDEX audit_records_actor ON audit_records (actor_id, tenant, at, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_records_resource ON audit_records (resource_id, tenant, at, id) WHERE resource_id IS NOT NULL;

CREATE TABLE audit_subjects (
    position INTEGER NOT NULL,
    kind ANY NOT NULL,
    id ANY NOT NULL,
    PRIMARY KEY (position, kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_subjects_id ON audit_subjects (id, kind);

CREATE TRIGGER audit_records_no_delete BEFORE DELETE ON audit_records
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;

CREATE TRIGGER audit_records_no_replace BEFORE INSERT ON audit_records
WHEN EXISTS (SELECT 1 FROM audit_records WHERE id = NEW.id)
    OR (NEW.stream IS NOT NULL AND EXISTS (SELECT 1 FROM audit_records WHERE stream = NEW.stream AND seq = NEW.seq))
    OR (NEW.position >= 0 AND NEW.position <= (SELECT max(position) FROM audit_records))
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;

CREATE TRIGGER audit_subjects_no_update BEFORE UPDATE ON audit_subjects
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;

CREATE TRIGGER audit_subjects_no_delete BEFORE DELETE ON audit_subjects
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;
";

const NO_UPDATE: &str = "
CREATE TRIGGER audit_records_no_update BEFORE UPDATE ON audit_records
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;
";

/// Finds requests, actions, denials and the intents of calls by indexes, and lets a retention remove what it says.
fn second(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "DROP TRIGGER audit_records_no_update; ALTER TABLE audit_records ADD COLUMN correlation_id ANY;",
    )?;
    {
        let mut rows =
            connection.prepare("SELECT position, json FROM audit_records WHERE instr(json, 'correlation_id')")?;
        let mut update = connection.prepare("UPDATE audit_records SET correlation_id = ?2 WHERE position = ?1")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let record = StoredRecord::parse(row.get::<_, String>(1)?);
            if let Some(id) = record.as_ref().ok().and_then(|record| record.correlation_id()) {
                update.execute(params![row.get::<_, i64>(0)?, Text(&id)])?;
            }
        }
    }
    connection.execute_batch(NO_UPDATE)?;
    connection.execute_batch(SECOND)
}

/// A position stands in `audit_retaining` only inside of the transaction that removes its record. The newest record is
/// never removed, so that no position is given twice.
const SECOND: &str = "
CREATE INDEX audit_records_action ON audit_records (action, at, id);
CREATE INDEX audit_records_tenant_action ON audit_records (tenant, action, at, id) WHERE tenant IS NOT NULL;
CREATE INDEX audit_records_denied ON audit_records (tenant, at, id) WHERE decision = 'deny';
CREATE INDEX audit_records_request ON audit_records (correlation_id, tenant) WHERE correlation_id IS NOT NULL;
CREATE INDEX audit_records_intent ON audit_records (call) WHERE call IS NOT NULL;

CREATE TABLE audit_holds (name TEXT NOT NULL PRIMARY KEY, hold TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE audit_retaining (position INTEGER PRIMARY KEY) STRICT;

DROP TRIGGER audit_records_no_delete;
CREATE TRIGGER audit_records_no_delete BEFORE DELETE ON audit_records
WHEN NOT EXISTS (SELECT 1 FROM audit_retaining WHERE position = OLD.position)
    OR OLD.position = (SELECT max(position) FROM audit_records)
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;

DROP TRIGGER audit_subjects_no_delete;
CREATE TRIGGER audit_subjects_no_delete BEFORE DELETE ON audit_subjects
WHEN NOT EXISTS (SELECT 1 FROM audit_retaining WHERE position = OLD.position)
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;
";

/// Has what keeps records from being replaced fail without undoing anything: a statement that might have to be undone
/// has every page that it changes copied first, which took as long as all else that it does.
fn third(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(THIRD)
}

/// There is nothing to undo: it fails before the row is written. Of a statement with several rows those before stay,
/// each of them new.
const THIRD: &str = "
DROP TRIGGER audit_records_no_replace;
CREATE TRIGGER audit_records_no_replace BEFORE INSERT ON audit_records
WHEN EXISTS (SELECT 1 FROM audit_records WHERE id = NEW.id)
    OR (NEW.stream IS NOT NULL AND EXISTS (SELECT 1 FROM audit_records WHERE stream = NEW.stream AND seq = NEW.seq))
    OR (NEW.position >= 0 AND NEW.position <= (SELECT max(position) FROM audit_records))
BEGIN SELECT RAISE(FAIL, 'audit records are append-only'); END;
";
