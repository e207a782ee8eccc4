//! A copy of the whole file, while it is written.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::SqliteStore;
use super::error::SqliteError;
use super::file;

impl SqliteStore {
    /// Copies the file to a path where nothing is, as it is at one moment: the tables of the application in it, too.
    /// Records are written meanwhile. The copy is synced; it is a store like any other, and understands the same cursors.
    ///
    /// Nothing that is written while it copies leaves the write-ahead log before it is done.
    ///
    /// # Errors
    ///
    /// [`SqliteError`] when something is at the path, or it cannot be written; nothing is left there then.
    pub async fn backup(&self, path: impl AsRef<Path> + Send) -> Result<(), SqliteError> {
        let path = path.as_ref().to_owned();
        let to = file::Place::of(&path)?;
        match to.create() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(SqliteError::Exists { path }),
            created => created.map_err(|error| SqliteError::io(&path, error))?,
        }
        let unfinished = Unfinished(Some(to));
        let copied = self.0.read_long(move |reading| Ok(copy(&reading.connection, unfinished))).await;
        copied.unwrap_or(Err(SqliteError::Closed))
    }
}

/// A copy that is removed unless it is finished.
struct Unfinished(Option<file::Place>);

fn copy(from: &Connection, mut unfinished: Unfinished) -> Result<(), SqliteError> {
    let Some(to) = unfinished.0.as_ref() else { return Ok(()) };
    let failed = |error| SqliteError::sqlite(&to.path, error);
    let mut connection = to.writing(Duration::ZERO)?;
    let done = Backup::new(from, &mut connection).and_then(|backup| backup.step(-1)).map_err(failed)?;
    drop(connection);
    if done != StepResult::Done {
        return Err(SqliteError::io(&to.path, io::ErrorKind::ResourceBusy));
    }
    let synced = File::open(&to.real).and_then(|file| file.sync_all()).and_then(|()| to.sync_directory());
    synced.map_err(|error| SqliteError::io(&to.path, error))?;
    unfinished.0 = None;
    Ok(())
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(place) = &self.0 {
            let _ = fs::remove_file(&place.real);
        }
    }
}
