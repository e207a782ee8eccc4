//! Whether the file is what was written.

use std::fmt;
use std::path::Path;

use audit_core::{StoreError, StoredRecord};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::columns::Columns;
use super::error::Refused;
use super::file::Place;
use super::options::DEFAULT_SQLITE_BUSY;
use super::readers::failed;
use super::{SqliteStore, schema};

/// How much damage a [`SqliteCheck`] lists; [`SqliteCheck::damaged`] counts all of it.
pub const MAX_SQLITE_DAMAGE_LISTED: usize = 100;

/// How many records are looked at on one connection before others have their turn.
const CHUNK: i64 = 2_000;

/// What [`SqliteStore::check`] has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteCheck {
    /// How many records there are.
    pub records: u64,
    /// How much is damaged.
    pub damaged: u64,
    /// The first of it.
    pub damage: Vec<SqliteDamage>,
}

/// What is damaged in the file of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqliteDamage {
    /// SQLite says that pages or indexes are.
    Database(String),
    /// A table, an index or a trigger is missing, or another than the store makes.
    Object(String),
    /// The text of a record is none.
    NotARecord {
        /// Where it is.
        position: i64,
    },
    /// What is kept beside the text of a record is not what it says.
    Differs {
        /// Where it is.
        position: i64,
    },
}

impl SqliteCheck {
    /// Whether nothing is damaged.
    pub const fn is_sound(&self) -> bool {
        self.damaged == 0
    }

    fn note(&mut self, damage: SqliteDamage) {
        self.damaged += 1;
        if self.damage.len() < MAX_SQLITE_DAMAGE_LISTED {
            self.damage.push(damage);
        }
    }
}

impl fmt::Display for SqliteDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(said) => write!(f, "SQLite says: {said}"),
            Self::Object(name) => write!(f, "{name} is missing, or is not what the store makes"),
            Self::NotARecord { position } => write!(f, "the text at position {position} is no record"),
            Self::Differs { position } => write!(f, "what stands beside the record at position {position} differs"),
        }
    }
}

impl SqliteStore {
    /// Checks all of it: the pages and indexes (`PRAGMA integrity_check`), the tables and triggers, and of every record
    /// that what is kept beside its text is what it says. Records are written meanwhile, and found.
    ///
    /// It does not show that records were removed or replaced by somebody who may write the file: keep a journal for
    /// that.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read. Damage is no error here, but what it finds.
    pub async fn check(&self) -> Result<SqliteCheck, StoreError> {
        let mut check = self.0.read_long(|reading| pages(&reading.connection)).await?;
        let mut from = Some(0);
        while let Some(after) = from {
            (check, from) = self.0.read_long(move |reading| records(&reading.connection, after, check)).await?;
        }
        Ok(check)
    }

    /// As [`check`](Self::check), of a file that need not be fit to be opened: its tables stay what they are. It blocks
    /// the thread.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the file is not there, or cannot be read.
    pub fn check_file(path: impl AsRef<Path>) -> Result<SqliteCheck, StoreError> {
        let place = Place::of(path.as_ref()).and_then(|place| place.reading(DEFAULT_SQLITE_BUSY));
        let connection = place.map_err(StoreError::failed)?;
        let mut check = pages(&connection)?;
        let mut from = Some(0);
        while let Some(after) = from {
            (check, from) = records(&connection, after, check)?;
        }
        Ok(check)
    }
}

/// Checks what SQLite can, and what the tables are.
fn pages(connection: &Connection) -> Result<SqliteCheck, StoreError> {
    let mut check = SqliteCheck::default();
    let mut rows = failed(connection.prepare("PRAGMA main.integrity_check"))?;
    let mut rows = failed(rows.query([]))?;
    while let Some(row) = failed(rows.next())? {
        let said: String = failed(row.get(0))?;
        if said != "ok" {
            check.note(SqliteDamage::Database(said));
        }
    }
    match schema::differing(connection) {
        Ok(names) => names.into_iter().for_each(|name| check.note(SqliteDamage::Object(name))),
        Err(Refused::Sqlite(error)) => return failed(Err(error)),
        Err(_) => check.note(SqliteDamage::Object("audit_meta".into())),
    }
    Ok(check)
}

/// Checks some records; gives where to go on.
fn records(
    connection: &Connection,
    after: i64,
    mut check: SqliteCheck,
) -> Result<(SqliteCheck, Option<i64>), StoreError> {
    let sql = "SELECT * FROM main.audit_records WHERE position > ?1 ORDER BY position LIMIT ?2";
    let mut statement = failed(connection.prepare_cached(sql))?;
    let mut rows = failed(statement.query([after, CHUNK]))?;
    let (mut looked, mut last) = (0, after);
    while let Some(row) = failed(rows.next())? {
        last = failed(row.get("position"))?;
        looked += 1;
        match failed(look(connection, row, last))? {
            None => {}
            Some(damage) => check.note(damage),
        }
    }
    check.records += looked;
    Ok((check, (i64::try_from(looked) == Ok(CHUNK)).then_some(last)))
}

fn look(connection: &Connection, row: &Row<'_>, position: i64) -> rusqlite::Result<Option<SqliteDamage>> {
    let Ok(json) = row.get::<_, String>("json") else { return Ok(Some(SqliteDamage::NotARecord { position })) };
    let Some(columns) = StoredRecord::parse(json).ok().and_then(|record| Columns::of(&record)) else {
        return Ok(Some(SqliteDamage::NotARecord { position }));
    };
    let mut same = true;
    for (name, expected) in columns.named() {
        same &= row.get::<_, Value>(name)? == expected;
    }
    let mut subjects = columns.subjects;
    subjects.sort_by_key(key);
    subjects.dedup();
    let sql = "SELECT id, kind FROM main.audit_subjects WHERE position = ?1";
    let mut found = connection.prepare_cached(sql)?;
    let found = found.query_map([position], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut found = found.collect::<rusqlite::Result<Vec<(Value, Value)>>>()?;
    found.sort_by_key(key);
    same &= found == subjects;
    Ok((!same).then_some(SqliteDamage::Differs { position }))
}

fn key((id, kind): &(Value, Value)) -> (String, String) {
    (format!("{id:?}"), format!("{kind:?}"))
}
