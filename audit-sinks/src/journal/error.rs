//! What can be wrong with a journal's file.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use audit_core::InvalidRecord;
use thiserror::Error;

/// A journal cannot be opened or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The path leads to something that is no regular file.
    #[error("{} is {found}, and a journal is a regular file: name another path", Shown(path))]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there: `a directory`, `a symbolic link`, `a FIFO`, `a device`, `a socket`.
        found: &'static str,
    },
    /// It has a writer.
    #[error(
        "{} is locked by another process, or by another journal of this one, and a journal has one writer: close that \
         one, or name another path",
        Shown(path)
    )]
    Locked {
        /// The path.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{} could not be {step}: {}{}", Shown(path), source.kind(), mend(source.kind()))]
    Io {
        /// The path.
        path: PathBuf,
        /// What was being done.
        step: JournalStep,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line is not what the journal wrote. The file was left as it is.
    #[error(
        "{}, line {line}: {damage}. The file was left as it is; move it aside as evidence, and a new one is started",
        Shown(path)
    )]
    Damaged {
        /// The path.
        path: PathBuf,
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        damage: JournalDamage,
    },
    /// The thread that writes could not be started.
    #[error("the thread that writes {} could not be started: {}", Shown(path), source.kind())]
    Thread {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// What was being done with a journal's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalStep {
    /// Opening or creating it.
    Open,
    /// Taking its lock.
    Lock,
    /// Reading it.
    Read,
    /// Cutting off a torn last line.
    Cut,
    /// Syncing it, or its directory.
    Sync,
}

impl fmt::Display for JournalStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "opened",
            Self::Lock => "locked",
            Self::Read => "read",
            Self::Cut => "cut behind its last whole line",
            Self::Sync => "synced",
        })
    }
}

/// What is wrong with a line of a journal.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalDamage {
    /// It is no JSON object.
    #[error("no JSON object stands here")]
    NotAnObject,
    /// It is a JSON object that is no record, or not even JSON.
    #[error("no record stands here: {0}")]
    NotARecord(#[from] InvalidRecord),
    /// It is no UTF-8.
    #[error("no UTF-8 stands here")]
    NotUtf8,
    /// It is longer than any record.
    #[error("the line is longer than {max} bytes, as no record is")]
    TooLong {
        /// The most bytes of a line.
        max: usize,
    },
    /// It is a record without the UUID of a stream.
    #[error("the record has no stream, so that no journal wrote it")]
    NoStream,
    /// It is a record of another stream.
    #[error("the record is of another stream than the first one of this file")]
    OtherStream,
    /// It is not the next record of the stream.
    #[error("the record with seq {expected} belongs here, and {} stands here", Found(*found))]
    Seq {
        /// The position that belongs here.
        expected: u64,
        /// The position that is here.
        found: Option<u64>,
    },
    /// The last line has no end, and is not the beginning of a line of this journal either.
    #[error("the last line has no end, and no journal began it")]
    Foreign,
}

struct Found(Option<u64>);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(seq) => write!(f, "the one with seq {seq}"),
            None => f.write_str("one without a seq"),
        }
    }
}

impl JournalError {
    pub(super) fn io(path: &Path, step: JournalStep, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.to_owned(), step, source: source.into() }
    }

    pub(super) fn damaged(path: &Path, line: u64, damage: JournalDamage) -> Self {
        Self::Damaged { path: path.to_owned(), line, damage }
    }
}

/// A path on one line, whatever it holds.
pub(super) struct Shown<'a>(pub(super) &'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.to_string_lossy().chars() {
            match c {
                '\'' | '"' | '\\' => f.write_char(c)?,
                _ => write!(f, "{}", c.escape_debug())?,
            }
        }
        Ok(())
    }
}

const fn mend(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "; its directory must be there before",
        io::ErrorKind::PermissionDenied => "; this process must be allowed to read and write it, and its directory",
        io::ErrorKind::ReadOnlyFilesystem => "; name a path on a writable disk",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room on that disk",
        _ => "",
    }
}
