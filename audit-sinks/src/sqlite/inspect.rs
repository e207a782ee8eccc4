//! How the file of a store is set up.

use std::path::Path;

use rusqlite::Connection;

use super::SqliteStore;
use super::error::{Refused, SqliteError};
use super::file::Place;
use super::options::DEFAULT_SQLITE_BUSY;
use super::schema::{self, LAYOUT};
use crate::filesystem::Filesystem;

/// How the file of a store is set up: what [`SqliteStore::inspect`] has found.
#[derive(Debug)]
#[non_exhaustive]
pub struct SqliteInspection {
    /// Why a store would refuse the file: somebody else's, open to others, no regular file.
    pub fault: Option<SqliteError>,
    /// What it lies on.
    pub filesystem: Filesystem,
    /// How SQLite keeps transactions: `wal`, where a store has opened it.
    pub journal_mode: String,
    /// The layout of its tables; `None` where there are none, or other ones of those names.
    pub layout: Option<i64>,
    /// The layout that this version writes.
    pub current_layout: i64,
    /// The tables, indexes and triggers of the store that are missing, or other than it makes them.
    pub differing: Vec<String>,
    /// Triggers on the store's tables that it has not made.
    pub foreign_triggers: Vec<String>,
}

impl SqliteStore {
    /// Looks at how the file of a store is set up, without changing it.
    ///
    /// # Errors
    ///
    /// [`SqliteError`] when it is not there, cannot be read, or is no database.
    pub fn inspect(path: impl AsRef<Path>) -> Result<SqliteInspection, SqliteError> {
        let path = path.as_ref();
        let place = Place::of(path)?;
        let fault = match place.check() {
            Err(error @ (SqliteError::Io { .. } | SqliteError::NotAFile { .. })) => return Err(error),
            checked => checked.err(),
        };
        let filesystem = Filesystem::of(&place.real).map_err(|error| SqliteError::io(path, error))?;
        let connection = place.reading(DEFAULT_SQLITE_BUSY)?;
        let failed = |error| SqliteError::sqlite(path, error);
        let journal_mode = connection.query_row("PRAGMA main.journal_mode", [], |row| row.get(0)).map_err(failed)?;
        let layout = match schema::layout(&connection) {
            Ok(0) | Err(Refused::Foreign(_)) => None,
            Ok(layout) | Err(Refused::Newer(layout)) => Some(layout),
            Err(refused @ Refused::Sqlite(_)) => return Err(refused.at(path)),
        };
        let differing = schema::differing(&connection).map_err(|refused| refused.at(path))?;
        let foreign_triggers = foreign_triggers(&connection).map_err(failed)?;
        let current_layout = LAYOUT;
        Ok(SqliteInspection { fault, filesystem, journal_mode, layout, current_layout, differing, foreign_triggers })
    }
}

fn foreign_triggers(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM main.sqlite_schema
        WHERE type = 'trigger' AND lower(tbl_name) GLOB 'audit_*' AND name NOT GLOB 'audit_*' ORDER BY name";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}
