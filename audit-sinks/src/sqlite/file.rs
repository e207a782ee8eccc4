//! The file, and connections to it.
//!
//! Nothing here opens the file but SQLite itself: to close any descriptor of it would drop the locks that the
//! connections of this process have on it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::SqliteError;

/// What SQLite counts in milliseconds, in 31 bits.
const MAX_BUSY: Duration = Duration::from_millis(i32::MAX as u64);

/// Where the file of a store is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// As it was given.
    pub(super) path: PathBuf,
    /// Without symbolic links, and without a meaning for SQLite, such as `:memory:` or `file:` would have.
    pub(super) real: PathBuf,
}

impl Place {
    /// Finds a file, or creates an empty one that nobody else may read.
    pub(super) fn find_or_create(path: &Path) -> Result<Self, SqliteError> {
        let place = Self::of(path)?;
        match place.check() {
            Err(SqliteError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            checked => return checked.map(|()| place),
        }
        match place.create() {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => place.check()?,
            created => created.map_err(|error| SqliteError::io(path, error))?,
        }
        Ok(place)
    }

    pub(super) fn of(path: &Path) -> Result<Self, SqliteError> {
        let failed = |error| SqliteError::io(path, error);
        let name = path.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = directory.canonicalize().map_err(failed)?;
        Ok(Self { path: path.to_owned(), real: directory.join(name) })
    }

    /// Creates an empty file, and syncs its directory.
    pub(super) fn create(&self) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.real)?;
        self.sync_directory()
    }

    pub(super) fn sync_directory(&self) -> io::Result<()> {
        File::open(self.real.parent().unwrap_or(Path::new("/")))?.sync_all()
    }

    /// Refuses what is no file of ours alone, and links in the place of what SQLite puts beside it.
    pub(super) fn check(&self) -> Result<(), SqliteError> {
        let path = || self.path.clone();
        let metadata = fs::symlink_metadata(&self.real).map_err(|error| SqliteError::io(&self.path, error))?;
        if let Some(found) = other_than_file(&metadata) {
            return Err(SqliteError::NotAFile { path: path(), found });
        }
        let ours = rustix::process::geteuid().as_raw();
        if metadata.uid() != ours {
            return Err(SqliteError::Owner { path: path(), owner: metadata.uid(), ours });
        }
        let mode = metadata.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SqliteError::Mode { path: path(), mode });
        }
        for beside in ["-wal", "-shm", "-journal"].map(|end| self.beside(end)) {
            if let Ok(metadata) = fs::symlink_metadata(&beside)
                && let Some(found) = other_than_file(&metadata)
            {
                return Err(SqliteError::NotAFile { path: beside, found });
            }
        }
        Ok(())
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = OsString::from(&self.real);
        name.push(end);
        name.into()
    }

    /// Whether a path leads to the same file.
    pub(super) fn is(&self, other: &Path) -> bool {
        let file = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
        file(&self.real).is_some_and(|ours| file(other) == Some(ours))
    }

    /// A connection that writes.
    pub(super) fn writing(&self, busy: Duration) -> Result<Connection, SqliteError> {
        self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE, busy)
    }

    /// A connection that reads.
    pub(super) fn reading(&self, busy: Duration) -> Result<Connection, SqliteError> {
        self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY, busy)
    }

    fn connect(&self, flags: OpenFlags, busy: Duration) -> Result<Connection, SqliteError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let failed = |error| SqliteError::sqlite(&self.path, error);
        let connection = Connection::open_with_flags(&self.real, flags).map_err(failed)?;
        // `rusqlite` panics over more.
        connection.busy_timeout(busy.min(MAX_BUSY)).map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }
}

fn other_than_file(metadata: &fs::Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    Some(match () {
        () if kind.is_file() => return None,
        () if kind.is_dir() => "a directory",
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () => "a device",
    })
}
