//! The bytes of a file of a journal, whether it is compressed or not.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::disk::open_for_reading;
use super::error::{JournalError, JournalStep};
use super::segment::compressed;

/// What a file of a journal holds. Going back in a compressed one is decompressing it again from its beginning.
pub(super) enum Source {
    Plain(File),
    #[cfg(feature = "zstd")]
    Compressed(super::unpack::Unpack<File>),
}

impl Source {
    /// Opens a file by its plain name, or compressed where that is not there; says which it is.
    pub(super) fn open(path: &Path) -> Result<(PathBuf, Self), JournalError> {
        match open_for_reading(path) {
            Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let packed = path.with_file_name(compressed(&path.file_name().unwrap_or_default().to_string_lossy()));
                match open_for_reading(&packed) {
                    // Neither is: the plain name is the one to be told of.
                    Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                        Err(JournalError::io(path, JournalStep::Open, source))
                    }
                    opened => Ok((packed.clone(), Self::unpack(&packed, opened?)?)),
                }
            }
            opened => Ok((path.to_owned(), Self::Plain(opened?))),
        }
    }

    #[cfg(feature = "zstd")]
    fn unpack(path: &Path, file: File) -> Result<Self, JournalError> {
        let unpack = super::unpack::Unpack::new(file);
        unpack.map(Self::Compressed).map_err(|error| JournalError::io(path, JournalStep::Read, error))
    }

    #[cfg(not(feature = "zstd"))]
    fn unpack(path: &Path, _: File) -> Result<Self, JournalError> {
        Err(JournalError::Compressed { path: path.to_owned() })
    }
}

/// Whether an error says that what is compressed is not what was compressed.
#[cfg(feature = "zstd")]
pub(super) fn is_corrupt(error: &io::Error) -> bool {
    super::unpack::is_corrupt(error)
}

/// Whether an error says that what is compressed is not what was compressed.
#[cfg(not(feature = "zstd"))]
pub(super) const fn is_corrupt(_: &io::Error) -> bool {
    false
}

/// The paths under which a file is there, by its plain name: that one first, which is the one that is read.
pub(super) fn all_forms(path: &Path) -> Vec<(PathBuf, Metadata)> {
    let packed = path.with_file_name(compressed(&path.file_name().unwrap_or_default().to_string_lossy()));
    let there = |path: PathBuf| path.symlink_metadata().ok().map(|metadata| (path, metadata));
    [path.to_owned(), packed].into_iter().filter_map(there).collect()
}

/// The path under which a file is there, to be shown.
pub(super) fn shown(path: &Path) -> PathBuf {
    all_forms(path).into_iter().next().map_or_else(|| path.to_owned(), |(path, _)| path)
}

impl Read for Source {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(bytes),
            #[cfg(feature = "zstd")]
            Self::Compressed(unpack) => unpack.read(bytes),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Plain(file) => file.seek(to),
            #[cfg(feature = "zstd")]
            Self::Compressed(unpack) => unpack.seek(to),
        }
    }
}
