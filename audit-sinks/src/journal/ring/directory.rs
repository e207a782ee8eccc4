//! The directory in which the memory of journals is.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::super::disk::{Directory, Disk, refuse};
use super::super::error::{JournalError, JournalStep};
use super::super::position::Position;
use super::Ring;
use super::marker::{Marker, forget};
use super::memory::{Memory, no_memory};
use crate::filesystem::{Filesystem, is_memory};

/// Bits of a mode: others may write, and may not take away what is not theirs.
const WRITABLE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// How the memory of a stream is called: whoever comes next finds it by that, too.
pub(super) fn name_of(stream: Uuid) -> String {
    format!("audited-{stream}")
}

/// Makes memory for the records of a stream, and has the journal's directory name it.
pub(super) fn create(
    disk: &dyn Disk,
    directory: &Path,
    bytes: u64,
    position: Position,
) -> Result<(Ring, PathBuf), JournalError> {
    let failed = |step| move |error| JournalError::io(directory, step, error);
    let real = directory.canonicalize().map_err(failed(JournalStep::Open))?;
    let opened = Directory::open(&real, false)?;
    if !is_memory(opened.fd()).map_err(failed(JournalStep::Open))? {
        let filesystem = Filesystem::of(&real).map_err(failed(JournalStep::Open))?;
        let found = filesystem.name.unwrap_or_else(|| "a file system that is not known here".to_owned());
        return Err(JournalError::NoMemory { path: directory.to_owned(), found });
    }
    refuse_open_to_others(&real, &opened)?;
    let name = name_of(position.stream);
    let path = real.join(&name);
    let file = opened.new_file(&name).map_err(|error| JournalError::io(&path, JournalStep::Open, error))?;
    let made = Memory::create(file, position, bytes).and_then(|memory| {
        Marker::new(path.clone()).write(disk)?;
        Ok(memory)
    });
    match made {
        Ok(memory) => Ok((Ring::new(memory), path)),
        Err(error) => {
            forget(disk, &path);
            Err(JournalError::io(&path, JournalStep::Write, error))
        }
    }
}

/// Others must not take away what is there.
fn refuse_open_to_others(path: &Path, directory: &Directory) -> Result<(), JournalError> {
    let metadata = directory.fd().metadata().map_err(|error| JournalError::io(path, JournalStep::Open, error))?;
    if metadata.mode() & WRITABLE == 0 || metadata.mode() & STICKY != 0 {
        return Ok(());
    }
    Err(JournalError::Mode { path: path.to_owned(), mode: metadata.mode() & 0o7777 })
}

/// Opens the memory of a stream that a process has left; nothing says that there is none. What is named was finished.
pub(super) fn open(path: &Path, is_named: bool, journal: &Path, stream: Uuid) -> Result<Option<Ring>, JournalError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock => JournalError::Locked { path: path.to_owned() },
        io::ErrorKind::InvalidData | io::ErrorKind::Unsupported => {
            JournalError::Left { path: path.to_owned(), journal: journal.to_owned(), source: error }
        }
        _ => JournalError::io(path, JournalStep::Open, error),
    };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "that is no path of a file")));
    };
    let file = match Directory::open(parent, false) {
        Ok(directory) => directory.existing(name),
        Err(JournalError::Io { source, .. }) => Err(source),
        Err(error) => return Err(error),
    };
    let file = match file {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed)?,
    };
    let metadata = file.metadata().map_err(failed)?;
    refuse(path, metadata.uid(), metadata.mode(), 0o077)?;
    match Memory::open(file, stream).map_err(failed)? {
        None if is_named => Err(failed(no_memory())),
        None => {
            let _ = fs::remove_file(path);
            Ok(None)
        }
        memory => Ok(memory.map(Ring::new)),
    }
}
