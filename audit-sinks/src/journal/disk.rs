//! The operations on a journal's directory and its files. They are a trait so that tests can make any of them fail.

use std::fs::{File, FileType};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::error::{JournalError, JournalStep};

/// A directory.
pub(super) trait Disk: Send + Sync + 'static {
    /// The names in it, in no order.
    fn names(&self) -> io::Result<Vec<String>>;
    /// A new file; an error where there is one of that name.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// A file that is there.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Gives a file another name, and takes that from the one that has it.
    #[cfg_attr(not(feature = "zstd"), allow(dead_code, reason = "only a compressed file gets another name"))]
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Returns when what was created, renamed and removed is so on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// A file.
pub(super) trait DiskFile: Send + Sync + 'static {
    fn len(&self) -> io::Result<u64>;
    /// Whether going back in it is reading it again from its beginning.
    fn goes_forward(&self) -> bool {
        false
    }
    /// Reads as much as is there, up to the buffer's length.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Returns when everything written is on the disk.
    fn sync(&self) -> io::Result<()>;
    /// Has what is read next come from the disk, as far as the system will: what was written must be synced before.
    #[cfg_attr(not(feature = "zstd"), allow(dead_code, reason = "only what was compressed is read back"))]
    fn uncache(&self) {}
}

/// The directory of a journal, as the operating system has it.
pub(super) struct Directory {
    fd: File,
    path: PathBuf,
}

impl Directory {
    /// Opens a directory, which must be one of ours that nobody else may write. `create` makes it where it is missing.
    pub(super) fn open(path: &Path, create: bool) -> Result<Self, JournalError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match rustix::fs::open(path, flags, Mode::empty()) {
            Err(Errno::NOENT) if create => {
                make(path)?;
                rustix::fs::open(path, flags, Mode::empty())
            }
            opened => opened,
        };
        let fd = match fd {
            Ok(fd) => File::from(fd),
            Err(Errno::NOTDIR | Errno::LOOP) => return Err(no_directory(path)),
            Err(error) => return Err(JournalError::io(path, JournalStep::Open, error)),
        };
        Ok(Self { fd, path: path.to_owned() })
    }

    /// Refuses a directory in which others could put files.
    pub(super) fn refuse_foreign(&self) -> Result<(), JournalError> {
        let metadata = self.fd.metadata().map_err(|error| JournalError::io(&self.path, JournalStep::Open, error))?;
        refuse(&self.path, metadata.uid(), metadata.mode(), 0o022)
    }

    /// Takes the lock of the directory.
    pub(super) fn lock(&self) -> Result<(), JournalError> {
        match self.fd.try_lock() {
            Ok(()) => Ok(()),
            Err(std::fs::TryLockError::WouldBlock) => Err(JournalError::Locked { path: self.path.clone() }),
            Err(std::fs::TryLockError::Error(error)) => Err(JournalError::io(&self.path, JournalStep::Lock, error)),
        }
    }

    /// Refuses files that are not regular, not ours, or open to others.
    pub(super) fn refuse_foreign_file(&self, name: &str) -> Result<(), JournalError> {
        let path = self.path.join(name);
        let metadata = path.symlink_metadata().map_err(|error| JournalError::io(&path, JournalStep::Open, error))?;
        if !metadata.file_type().is_file() {
            return Err(JournalError::NotAFile { path, found: describe(metadata.file_type()) });
        }
        refuse(&path, metadata.uid(), metadata.mode(), 0o077)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn fd(&self) -> &File {
        &self.fd
    }

    /// As [`Disk::create`].
    pub(super) fn new_file(&self, name: &str) -> io::Result<File> {
        self.open_file(name, OFlags::CREATE | OFlags::EXCL)
    }

    /// As [`Disk::open`].
    pub(super) fn existing(&self, name: &str) -> io::Result<File> {
        self.open_file(name, OFlags::empty())
    }

    fn open_file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        // A FIFO or a terminal must neither block nor become ours before it is seen to be one.
        let flags = flags | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd: OwnedFd = rustix::fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)?;
        let file = File::from(fd);
        if !file.metadata()?.file_type().is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no regular file"));
        }
        Ok(file)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread is just starting has it open until it executes.
        let _ = self.fd.unlock();
    }
}

/// Makes a directory that only its user may enter, and sees to it that it is there after a crash.
fn make(path: &Path) -> Result<(), JournalError> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(JournalError::io(path, JournalStep::Open, error)),
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let synced = File::open(parent).and_then(|parent| parent.sync_all());
    synced.map_err(|error| JournalError::io(path, JournalStep::Sync, error))
}

/// Refuses what is not ours, or open to others.
pub(super) fn refuse(path: &Path, owner: u32, mode: u32, open_to: u32) -> Result<(), JournalError> {
    let ours = rustix::process::geteuid().as_raw();
    if owner != ours {
        return Err(JournalError::Owner { path: path.to_owned(), owner, ours });
    }
    if mode & open_to != 0 {
        return Err(JournalError::Mode { path: path.to_owned(), mode: mode & 0o7777 });
    }
    Ok(())
}

fn no_directory(path: &Path) -> JournalError {
    let found = path.symlink_metadata().map_or("no directory", |metadata| describe(metadata.file_type()));
    JournalError::NotADirectory { path: path.to_owned(), found }
}

pub(super) fn describe(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_file() {
        "a regular file"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

impl Disk for Directory {
    fn names(&self) -> io::Result<Vec<String>> {
        // Names that are no UTF-8 are none of ours.
        Ok(std::fs::read_dir(&self.path)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.new_file(name).map(|file| Box::new(file) as _)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.existing(name).map(|file| Box::new(file) as _)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.fd, from, &self.fd, to)?)
    }

    fn sync(&self) -> io::Result<()> {
        self.fd.sync_all()
    }
}

impl DiskFile for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut read = 0;
        while read < bytes.len() {
            match std::os::unix::fs::FileExt::read_at(self, &mut bytes[read..], offset + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    #[cfg(target_os = "linux")]
    fn uncache(&self) {
        let _ = rustix::fs::fadvise(self, 0, None, rustix::fs::Advice::DontNeed);
    }
}

/// Opens a file to read it, whoever writes it.
pub(super) fn open_for_reading(path: &Path) -> Result<File, JournalError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let refuse = |found| JournalError::NotAFile { path: path.to_owned(), found };
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(Errno::LOOP) => return Err(refuse("a symbolic link")),
        Err(Errno::NXIO) => return Err(refuse("a socket")),
        Err(error) => return Err(JournalError::io(path, JournalStep::Open, error)),
    };
    let kind = file.metadata().map_err(|error| JournalError::io(path, JournalStep::Open, error))?.file_type();
    if kind.is_file() { Ok(file) } else { Err(refuse(describe(kind))) }
}
