//! Where the lock lies, and how it is read and replaced.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::model::Lock;
use super::parse::InvalidLock;
use crate::__private::debug_as_display;

/// The name of the file.
pub const LOCK_FILE: &str = "audit.lock";

/// A lock cannot be read or written.
#[derive(Error)]
#[non_exhaustive]
pub enum LockError {
    /// There is none.
    #[error("{} does not exist: `AUDIT_LOCK=update cargo test` writes it, then commit it", path.display())]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// It is no lock. It is left as it is.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidLock,
    },
    /// The file system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

debug_as_display!(LockError);

impl Lock {
    /// Where the lock of a package is or would be: the nearest `audit.lock` on the way from its directory up to the root
    /// of its workspace, else at that root. A package without a workspace is its own.
    pub fn find(manifest_dir: impl AsRef<Path>) -> PathBuf {
        let manifest_dir = manifest_dir.as_ref();
        let root = manifest_dir.ancestors().find(|dir| is_workspace(dir)).unwrap_or(manifest_dir);
        let on_the_way = manifest_dir.ancestors().take_while(|dir| dir.starts_with(root));
        let found = on_the_way.map(|dir| dir.join(LOCK_FILE)).find(|path| path.is_file());
        found.unwrap_or_else(|| root.join(LOCK_FILE))
    }

    /// Reads a lock.
    ///
    /// # Errors
    ///
    /// [`LockError`] when the file is not there, cannot be read, or is no lock.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, LockError> {
        let path = path.as_ref();
        let text = text(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => LockError::Missing { path: path.to_owned() },
            _ => LockError::Io { path: path.to_owned(), source },
        })?;
        text.parse().map_err(|source| LockError::Invalid { path: path.to_owned(), source })
    }

    /// Writes the lock in place of the file, which is whole at every moment: the text goes to a file beside it, to the
    /// disk, and then to the name.
    ///
    /// # Errors
    ///
    /// [`LockError::Io`] when the file system refuses. The file then is what it was.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), LockError> {
        let path = path.as_ref();
        replace(path, &self.to_string()).map_err(|source| LockError::Io { path: path.to_owned(), source })
    }
}

/// Keeps other processes from updating a lock in the same directory meanwhile: test binaries may run side by side.
///
/// Where directories cannot be locked, they may overwrite each other's sections; the next check finds it.
pub(super) fn exclusively<T>(path: &Path, update: impl FnOnce() -> T) -> T {
    let directory = File::open(directory(path)).and_then(|directory| directory.lock().map(|()| directory));
    let result = update();
    drop(directory);
    result
}

/// A workspace is where cargo finds one: in the nearest manifest that says so.
fn is_workspace(dir: &Path) -> bool {
    #[derive(Deserialize)]
    struct Manifest {
        workspace: Option<IgnoredAny>,
    }
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).ok();
    manifest
        .and_then(|text| toml::from_str::<Manifest>(&text).ok())
        .is_some_and(|manifest| manifest.workspace.is_some())
}

/// The text of a regular file: to open a FIFO is to wait for who writes it.
fn text(path: &Path) -> io::Result<String> {
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a lock is a regular file, and this is none"));
    }
    fs::read_to_string(path)
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // A link stays a link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let beside = directory(&path).join(format!(".{LOCK_FILE}.{}.{number}", process::id()));
    let written = write_synced(&beside, text).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
        return written;
    }
    // Not every platform syncs directories; the file is whole either way.
    let _ = File::open(directory(&path)).and_then(|directory| directory.sync_all());
    Ok(())
}

fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
