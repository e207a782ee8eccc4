//! How far a forwarder has come, kept beside the journal.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use audit_core::Timestamp;
use rustix::fs::{AtFlags, Mode, OFlags};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::ForwarderError;
use crate::journal::{CURSORS, ChainHash, Journal, last_begun};

const SUFFIX: &str = ".json";
/// The most bytes that are read of what should be a cursor.
const MAX_BYTES: u64 = 64 << 10;

/// What a journal writes that is opened and closed.
const FRAMES: [&str; 2] = ["audit.segment_opened", "audit.segment_closed"];

/// The last record of a journal that a forwarder has delivered.
///
/// It stands in a file of the journal's directory, `cursors/NAME.json`, which is replaced as a whole. Whatever removes
/// files of a journal reads all of them first, and removes nothing behind the least. The file of a forwarder that is
/// gone for good is removed by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForwarderCursor {
    /// The name of the forwarder.
    pub name: String,
    /// The journal's stream.
    pub stream: Uuid,
    /// The position of the record; everything up to it is delivered, or is a dead letter.
    pub seq: u64,
    /// The hash of its line.
    pub hash: ChainHash,
    /// When this was written.
    pub updated_at: Timestamp,
    /// The file that was the journal's last when everything in it was delivered, after its process had died.
    pub(super) end: Option<String>,
}

impl ForwarderCursor {
    /// Reads the cursors of all forwarders of a journal.
    ///
    /// # Errors
    ///
    /// [`ForwarderError`] when one cannot be read: what that forwarder has delivered is not known then.
    pub fn all(journal: impl AsRef<Path>) -> Result<Vec<Self>, ForwarderError> {
        let directory = journal.as_ref().join(CURSORS);
        let failed = |source| ForwarderError::Io { path: directory.clone(), source };
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            names.extend(name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).map(str::to_owned));
        }
        names.sort_unstable();
        names.iter().filter_map(|name| read(&directory, name).transpose()).collect()
    }

    /// Whether a journal, left behind by a process that died, was delivered to its end since it was last written.
    ///
    /// That it was opened since, as the forwarder of another name does that delivers it, too, makes no difference.
    ///
    /// # Errors
    ///
    /// [`ForwarderError`] when the journal cannot be read.
    pub fn is_complete(&self, journal: impl AsRef<Path>) -> Result<bool, ForwarderError> {
        let journal = journal.as_ref();
        if self.end.is_none() || self.end == last_begun(journal)? {
            return Ok(self.end.is_some());
        }
        let behind = Journal::read(journal)?.from_seq(self.seq + 1)?;
        Ok(behind.into_iter().all(|record| record.is_ok_and(|record| FRAMES.contains(&&*record.action()))))
    }
}

/// As it stands in the file.
#[derive(Deserialize, Serialize)]
struct Shape {
    version: u32,
    stream: String,
    seq: u64,
    hash: String,
    updated_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<String>,
}

const VERSION: u32 = 1;

impl Shape {
    fn into_cursor(self, name: &str) -> Option<ForwarderCursor> {
        let ours = self.version == VERSION;
        Some(ForwarderCursor {
            name: name.to_owned(),
            stream: self.stream.parse().ok().filter(|_| ours)?,
            seq: self.seq,
            hash: self.hash.parse().ok()?,
            updated_at: self.updated_at.parse().ok()?,
            end: self.end,
        })
    }
}

/// The file of a cursor, locked against other forwarders of its name.
pub(super) struct CursorFile {
    directory: File,
    path: PathBuf,
    name: String,
    lock: File,
}

impl CursorFile {
    /// Takes the lock; the directory is made where it is missing.
    pub(super) fn open(journal: &Path, name: &str) -> Result<Self, ForwarderError> {
        let path = journal.join(CURSORS);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error: rustix::io::Errno| ForwarderError::Io { path, source: error.into() }
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::mkdir(&path, Mode::RWXU) {
            Err(rustix::io::Errno::EXIST) => {}
            made => made.map_err(failed(&path))?,
        }
        let io = |source| ForwarderError::Io { path: path.clone(), source };
        File::open(journal).and_then(|journal| journal.sync_all()).map_err(io)?;
        let directory = File::from(rustix::fs::open(&path, flags, Mode::empty()).map_err(failed(&path))?);
        let lock_path = path.join(format!("{name}.lock"));
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let lock = rustix::fs::open(&lock_path, flags, Mode::RUSR | Mode::WUSR).map_err(failed(&lock_path))?;
        let lock = File::from(lock);
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory, path, name: name.to_owned(), lock }),
            Err(fs::TryLockError::WouldBlock) => Err(ForwarderError::Busy { path: lock_path }),
            Err(fs::TryLockError::Error(source)) => Err(ForwarderError::Io { path: lock_path, source }),
        }
    }

    /// Where the cursor is.
    pub(super) fn path(&self) -> PathBuf {
        self.path.join(format!("{}{SUFFIX}", self.name))
    }

    pub(super) fn read(&self) -> Result<Option<ForwarderCursor>, ForwarderError> {
        read(&self.path, &self.name)
    }

    /// Replaces the cursor: after a crash, the old or the new one is there.
    pub(super) fn write(&self, cursor: &ForwarderCursor) -> io::Result<()> {
        let shape = Shape {
            version: VERSION,
            stream: cursor.stream.to_string(),
            seq: cursor.seq,
            hash: cursor.hash.to_string(),
            updated_at: cursor.updated_at.to_string(),
            end: cursor.end.clone(),
        };
        let (name, new) = (format!("{}{SUFFIX}", self.name), format!("{}.new", self.name));
        let text = serde_json::to_string(&shape)? + "\n";
        // Each time another file: one whose sync failed is not to be trusted again.
        match rustix::fs::unlinkat(&self.directory, &new, AtFlags::empty()) {
            Err(rustix::io::Errno::NOENT) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.directory, &new, flags, Mode::RUSR | Mode::WUSR)?);
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        rustix::fs::renameat(&self.directory, &new, &self.directory, &name)?;
        self.directory.sync_all()
    }
}

impl Drop for CursorFile {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread is just starting has it open until it executes.
        let _ = self.lock.unlock();
    }
}

/// Where a forwarder of that name keeps its dead letters.
pub(super) fn dead_letters_of(journal: &Path, name: &str) -> PathBuf {
    journal.join(CURSORS).join(format!("{name}.dead"))
}

pub(super) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

fn read(directory: &Path, name: &str) -> Result<Option<ForwarderCursor>, ForwarderError> {
    let path = directory.join(format!("{name}{SUFFIX}"));
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut text = String::new();
    let opened = rustix::fs::open(&path, flags, Mode::empty()).map(File::from).map_err(io::Error::from);
    match opened.and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ForwarderError::Io { path, source }),
    }
    let cursor = serde_json::from_str::<Shape>(&text).ok().and_then(|shape| shape.into_cursor(name));
    cursor.map(Some).ok_or(ForwarderError::NoCursor { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(seq: u64) -> ForwarderCursor {
        let stream = Uuid::now_v7();
        let (hash, updated_at) = (ChainHash::of_stream(stream), Timestamp::now());
        ForwarderCursor { name: "store".to_owned(), stream, seq, hash, updated_at, end: None }
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let file = CursorFile::open(directory.path(), "store").unwrap();
        assert_eq!(file.read().unwrap(), None);
        assert_eq!(ForwarderCursor::all(directory.path()).unwrap(), []);
        for seq in 0..3 {
            let written = cursor(seq);
            file.write(&written).unwrap();
            assert_eq!(file.read().unwrap().unwrap(), written);
            assert_eq!(ForwarderCursor::all(directory.path()).unwrap(), [written]);
        }
    }

    #[test]
    fn one_forwarder_of_a_name_has_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = CursorFile::open(directory.path(), "store").unwrap();
        let second = CursorFile::open(directory.path(), "store");
        assert!(matches!(second, Err(ForwarderError::Busy { .. })));
        CursorFile::open(directory.path(), "other").unwrap();
        drop(file);
        CursorFile::open(directory.path(), "store").unwrap();
    }

    #[test]
    fn what_cannot_be_written_leaves_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let file = CursorFile::open(directory.path(), "store").unwrap();
        let old = cursor(1);
        file.write(&old).unwrap();
        let in_the_way = directory.path().join("cursors/store.new");
        fs::create_dir(&in_the_way).unwrap();
        assert!(file.write(&cursor(2)).is_err());
        assert_eq!(file.read().unwrap().unwrap(), old);
        fs::remove_dir(&in_the_way).unwrap();
        file.write(&cursor(3)).unwrap();
        assert_eq!(file.read().unwrap().unwrap().seq, 3);
    }

    #[test]
    fn what_was_torn_before_the_rename_is_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = CursorFile::open(directory.path(), "store").unwrap();
        file.write(&cursor(1)).unwrap();
        fs::write(directory.path().join("cursors/store.new"), "{\"vers").unwrap();
        assert_eq!(ForwarderCursor::all(directory.path()).unwrap().len(), 1);
        file.write(&cursor(2)).unwrap();
        assert_eq!(file.read().unwrap().unwrap().seq, 2);
    }

    #[test]
    fn what_is_no_cursor_is_an_error_and_not_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = CursorFile::open(directory.path(), "store").unwrap();
        for text in ["", "{}", "[1]", "{\"version\":2,\"stream\":\"x\",\"seq\":1,\"hash\":\"x\",\"updated_at\":\"x\"}"]
        {
            fs::write(file.path(), text).unwrap();
            assert!(matches!(file.read(), Err(ForwarderError::NoCursor { .. })), "{text}");
            assert!(ForwarderCursor::all(directory.path()).is_err());
        }
    }

    #[test]
    fn names_are_names_of_files() {
        for good in ["postgres", "a", "A-b_9", &"x".repeat(64)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a.b", "ä", " ", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
