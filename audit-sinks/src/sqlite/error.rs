//! What can be wrong with a store in a file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_core::__private::debug_as_display;
use audit_core::{SinkError, StoreError};
use rusqlite::ErrorCode;
use rusqlite::ffi;
use thiserror::Error;

use super::schema::LAYOUT;
use crate::shown::{Said, Shown, mend};

/// A store cannot be opened, checked or backed up.
///
/// Neither `Display` nor `Debug` shows what SQLite says, which may quote anything; [`source`](std::error::Error::source)
/// has it.
#[derive(Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// The path leads to something that is no regular file.
    #[error("{} is {found}, and a store is a regular file: name another path", Shown(path))]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there: `a directory`, `a symbolic link`, `a FIFO`, `a device`, `a socket`.
        found: &'static str,
    },
    /// It belongs to somebody else, who could change it.
    #[error(
        "{} belongs to user {owner} and this process runs as user {ours}: run it as that user, or chown it",
        Shown(path)
    )]
    Owner {
        /// The path.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// As whom this process runs.
        ours: u32,
    },
    /// Others may read or change it.
    #[error("{} has mode {mode:o} and is open to others: chmod 600 it", Shown(path))]
    Mode {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no database.
    #[error("{} is no SQLite database: name another path, or move it away", Shown(path))]
    NotADatabase {
        /// The path.
        path: PathBuf,
    },
    /// Something in it has a name of ours and is not ours, or is not as we made it.
    #[error(
        "{} has something called {name} that is not what this store makes, or is missing it: name another file, or \
         restore it",
        Shown(path)
    )]
    Foreign {
        /// The path.
        path: PathBuf,
        /// The name of the table, index or trigger.
        name: String,
    },
    /// A later version of this crate has written it.
    #[error("{} has layout {found}, and this version knows {LAYOUT} at most: update it", Shown(path))]
    Newer {
        /// The path.
        path: PathBuf,
        /// The layout that it has.
        found: i64,
    },
    /// It does not keep its texts as UTF-8, or cannot have a write-ahead log.
    #[error("{} {why}: name another file", Shown(path))]
    Unfit {
        /// The path.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A backup does not overwrite anything.
    #[error("{} is there already, and a backup overwrites nothing: name another path", Shown(path))]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{} could not be opened, read or written: {}{}", Shown(path), Said(source), mend(source.kind()))]
    Io {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("SQLite refused to work on {}: {}", Shown(path), Coded(source))]
    Sqlite {
        /// The path.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// A thread could not be started.
    #[error("a thread for {} could not be started: {}", Shown(path), Said(source))]
    Thread {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is closed.
    #[error("the store is closed")]
    Closed,
}

debug_as_display!(SqliteError);

impl SqliteError {
    pub(super) fn io(path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.to_owned(), source: source.into() }
    }

    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            _ => Self::Sqlite { path, source },
        }
    }
}

/// Why a file is not taken; the path is added by whoever knows it.
#[derive(Debug)]
pub(super) enum Refused {
    Foreign(String),
    Newer(i64),
    Sqlite(rusqlite::Error),
}

impl Refused {
    pub(super) fn at(self, path: &Path) -> SqliteError {
        match self {
            Self::Foreign(name) => SqliteError::Foreign { path: path.to_owned(), name },
            Self::Newer(found) => SqliteError::Newer { path: path.to_owned(), found },
            Self::Sqlite(source) => SqliteError::sqlite(path, source),
        }
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The code of an error, without its message.
struct Coded<'a>(&'a rusqlite::Error);

impl fmt::Display for Coded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.sqlite_error() {
            Some(error) => write!(f, "{:?} ({})", error.code, error.extended_code),
            None => f.write_str("an answer that was not expected"),
        }
    }
}

/// What a failure of SQLite is for whoever hands over records.
pub(super) fn sink_error(error: rusqlite::Error) -> SinkError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => io::Error::from(io::ErrorKind::StorageFull).into(),
        Some(ErrorCode::TooBig) => SinkError::rejected(error),
        Some(ErrorCode::SystemIoFailure) => io::Error::other(error).into(),
        _ => SinkError::failed(error),
    }
}

/// What a failure of SQLite is for whoever reads.
pub(super) fn store_error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => io::Error::other(error).into(),
        _ => StoreError::Failed(Arc::new(error)),
    }
}

/// Whether a sync has failed, so that nobody knows what is on the disk.
pub(super) fn is_failed_sync(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}
