//! The file in the journal's directory that names the memory: from before the first record is left there until the
//! memory is empty and given up.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::super::disk::{Disk, open_for_reading};
use super::super::error::{JournalError, JournalStep};

/// The name of that file.
pub(in super::super) const MARKER: &str = "ahead";

/// The most bytes of one.
const MAX_BYTES: usize = 1 << 16;

/// What it says.
pub(in super::super) struct Marker {
    /// Where the memory is.
    pub(in super::super) path: PathBuf,
    /// Which start of the machine the memory is of, where the system tells that: with the next one it is gone.
    boot: String,
}

impl Marker {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, boot: boot() }
    }

    /// Whether the machine has not been started anew since.
    pub(super) fn is_of_this_boot(&self) -> bool {
        self.boot == boot()
    }

    /// What the directory of a journal says.
    pub(super) fn read(disk: &dyn Disk) -> io::Result<Option<Self>> {
        let file = match disk.open(MARKER) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut text = vec![0; usize::try_from(file.len()?).unwrap_or(MAX_BYTES).min(MAX_BYTES)];
        let read = file.read_at(&mut text, 0)?;
        text.truncate(read);
        Ok(Self::parse(text))
    }

    /// The same, for whoever may only read it.
    pub(in super::super) fn look(journal: &Path) -> Result<Option<Self>, JournalError> {
        let path = journal.join(MARKER);
        let read = |file| io::read_to_string(io::Read::take(file, MAX_BYTES as u64));
        match open_for_reading(&path) {
            Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(file) => match read(file) {
                Ok(text) => Ok(Self::parse(text.into_bytes())),
                Err(error) => Err(JournalError::io(&path, JournalStep::Read, error)),
            },
        }
    }

    /// What is written without its end was never used.
    fn parse(mut text: Vec<u8>) -> Option<Self> {
        text.pop_if(|end| *end == b'\n')?;
        let at = text.iter().position(|byte| *byte == b' ')?;
        let path = text.split_off(at + 1);
        text.truncate(at);
        Some(Self { path: PathBuf::from(OsString::from_vec(path)), boot: String::from_utf8(text).ok()? })
    }

    pub(super) fn write(&self, disk: &dyn Disk) -> io::Result<()> {
        // One that says nothing may be in the way.
        remove(disk)?;
        let file = disk.create(MARKER)?;
        file.write_at(&[self.boot.as_bytes(), b" ", self.path.as_os_str().as_bytes(), b"\n"].concat(), 0)?;
        file.sync()?;
        disk.sync()
    }
}

/// Gives memory up.
pub(super) fn forget(disk: &dyn Disk, path: &Path) {
    // As long as it is named, it must be there.
    if remove(disk).is_ok() {
        let _ = fs::remove_file(path);
        let _ = disk.sync();
    }
}

fn remove(disk: &dyn Disk) -> io::Result<()> {
    match disk.remove(MARKER) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The start of the machine: a UUID, and nothing where that is not told.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}
