//! From a path to the file of a journal: regular, ours alone, and there after a crash.

use std::fs::{File, FileType, TryLockError};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::error::{JournalError, JournalStep};

/// The file of a journal, which nobody else writes while this lives.
pub(super) struct Locked(pub(super) File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread is just starting has the file open until it executes.
        let _ = self.0.unlock();
    }
}

/// Opens the file to append to it, creates it where it is missing, and locks it.
pub(super) fn for_writing(path: &Path) -> Result<Locked, JournalError> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::APPEND | OFlags::NOFOLLOW;
    let file = regular(path, flags)?;
    match file.try_lock() {
        Ok(()) => Ok(Locked(file)),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(JournalError::io(path, JournalStep::Lock, error)),
    }
}

/// Opens the file to read it, whoever writes it. A symbolic link is followed: it can do no harm here.
pub(super) fn for_reading(path: &Path) -> Result<File, JournalError> {
    regular(path, OFlags::RDONLY)
}

/// Syncs the directory that holds the file, without which a file that is synced may be gone after a crash.
///
/// Not only after creating it: whoever did may have died before this.
pub(super) fn sync_directory_of(path: &Path) -> Result<(), JournalError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|e| JournalError::io(path, JournalStep::Sync, e))
}

fn regular(path: &Path, flags: OFlags) -> Result<File, JournalError> {
    // A FIFO or a terminal must neither block nor become ours before it is seen to be one.
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(fd) => File::from(fd),
        Err(error) => {
            return Err(match error {
                Errno::ISDIR => not_a_file(path, "a directory"),
                Errno::LOOP => not_a_file(path, "a symbolic link"),
                Errno::NXIO => not_a_file(path, "a socket"),
                error => JournalError::io(path, JournalStep::Open, io::Error::from(error)),
            });
        }
    };
    let kind = file.metadata().map_err(|error| JournalError::io(path, JournalStep::Open, error))?.file_type();
    if kind.is_file() { Ok(file) } else { Err(not_a_file(path, name(kind))) }
}

fn name(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

fn not_a_file(path: &Path, found: &'static str) -> JournalError {
    JournalError::NotAFile { path: path.to_owned(), found }
}
