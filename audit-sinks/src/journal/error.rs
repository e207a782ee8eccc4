//! What can be wrong with a journal.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use audit_core::__private::debug_as_display;
use audit_core::InvalidRecord;
use thiserror::Error;

use crate::shown::{Said, Shown, mend};

/// A journal cannot be opened or read.
#[derive(Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The path leads to something that is no directory.
    #[error("{} is {found}, and a journal is a directory: name another path", Shown(path))]
    NotADirectory {
        /// The path.
        path: PathBuf,
        /// What is there: `a regular file`, `a symbolic link`, `a FIFO`, `a device`, `a socket`.
        found: &'static str,
    },
    /// A file of the journal is no regular file.
    #[error("{} is {found}, and a journal consists of regular files: move it away", Shown(path))]
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
    /// Others may change it, or read a file of it.
    #[error(
        "{} has mode {mode:o} and is open to others: chmod 700 the directory, and 600 the files in it",
        Shown(path)
    )]
    Mode {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
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
    #[error("{} could not be {step}: {}{}", Shown(path), Said(source), mend(source.kind()))]
    Io {
        /// The path.
        path: PathBuf,
        /// What was being done.
        step: JournalStep,
        /// What the operating system said.
        source: io::Error,
    },
    /// The directory for what is acknowledged before it is in a file lies on a disk, which can make a caller wait.
    #[error(
        "{} lies on {found}, and what is there must be in memory: name a directory on a tmpfs, such as /dev/shm",
        Shown(path)
    )]
    NoMemory {
        /// The path.
        path: PathBuf,
        /// What it lies on: `ext4`.
        found: String,
    },
    /// Records that a process left in memory cannot be read.
    #[error(
        "{} has records of {} that are in no file yet, and cannot be read: {}. Mend that, or give them up: remove the \
         file `ahead` from the journal",
        Shown(path),
        Shown(journal),
        Said(source)
    )]
    Left {
        /// The path of what lies in memory.
        path: PathBuf,
        /// The path of the journal.
        journal: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A line is not what the journal wrote. The file was left as it is.
    #[error("{}, line {line}: {damage}. The file is left as it is", Shown(path))]
    Damaged {
        /// The path.
        path: PathBuf,
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        damage: JournalDamage,
    },
    /// A file of the journal is compressed, and this program was built without what it takes to read it.
    #[error(
        "{} is compressed: build with the feature `zstd` of `audited`, or decompress it with `zstd -d`",
        Shown(path)
    )]
    Compressed {
        /// The path.
        path: PathBuf,
    },
    /// There is no line in it yet.
    #[error("{} is a journal without a line: whoever writes it has to open it first", Shown(path))]
    Empty {
        /// The path.
        path: PathBuf,
    },
    /// Records that were read while another process wrote them are others now.
    #[error(
        "{} had a record at seq {first} that was read up to seq {last}, and has others there now: a write or a sync of \
         its process failed, and it never acknowledged them. Start the forwarder again: it says what differs",
        Shown(path)
    )]
    TakenBack {
        /// The path.
        path: PathBuf,
        /// The first position that was given to another record.
        first: u64,
        /// The last one that was read before.
        last: u64,
    },
    /// A thread that writes or watches could not be started.
    #[error("a thread for {} could not be started: {}", Shown(path), Said(source))]
    Thread {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

debug_as_display!(JournalError);

/// What was being done with a journal's file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalStep {
    /// Opening or creating it.
    Open,
    /// Writing to it.
    Write,
    /// Taking its lock.
    Lock,
    /// Reading it.
    Read,
    /// Cutting off a torn end.
    Cut,
    /// Removing it.
    Remove,
    /// Syncing it, or its directory.
    Sync,
}

impl fmt::Display for JournalStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "opened",
            Self::Write => "written",
            Self::Lock => "locked",
            Self::Read => "read",
            Self::Cut => "cut behind its last whole line",
            Self::Remove => "removed",
            Self::Sync => "synced",
        })
    }
}

/// What is wrong with a line of a journal.
#[derive(Error)]
#[non_exhaustive]
pub enum JournalDamage {
    /// No journal wrote it: it does not begin and end as a line does.
    #[error("no line of a journal stands here")]
    NotALine,
    /// It is a line whose JSON is no record, or not even JSON.
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
    /// It is a record of another stream.
    #[error("the record is of another stream than the one before")]
    OtherStream,
    /// It is not the next record of the stream: lines are missing, repeated, or in another order.
    #[error("the record with seq {expected} belongs here, and the one with seq {found} stands here")]
    Seq {
        /// The position that belongs here.
        expected: u64,
        /// The position that is here.
        found: u64,
    },
    /// Its `prev` is not the hash of the line before: that line, or this one, is not what was written.
    #[error("the hash of the line before is not the one that stands here: one of the two was changed")]
    Chain,
    /// The file is compressed, and what is from here on cannot be decompressed: it is not what was compressed.
    #[error("what is compressed from here on is not what was compressed")]
    Undecodable,
    /// The lines before it are gone, and no record says that they were removed.
    #[error("the lines before seq {seq} are gone, and no record of a retention says so")]
    Missing {
        /// The position of the line.
        seq: u64,
    },
}

debug_as_display!(JournalDamage);

impl JournalError {
    pub(super) fn io(path: &Path, step: JournalStep, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.to_owned(), step, source: source.into() }
    }

    pub(super) fn damaged(path: &Path, line: u64, damage: JournalDamage) -> Self {
        Self::Damaged { path: path.to_owned(), line, damage }
    }
}
