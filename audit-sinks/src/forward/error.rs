//! What can be wrong with a forwarder.

use std::io;
use std::path::PathBuf;

use audit_core::__private::debug_as_display;
use audit_core::SinkError;
use thiserror::Error;
use uuid::Uuid;

use crate::journal::JournalError;
use crate::shown::{Said, Shown};

/// A forwarder cannot be started, or what it keeps cannot be read.
#[derive(Error)]
#[non_exhaustive]
pub enum ForwarderError {
    /// The name cannot be the name of a file.
    #[error("a forwarder's name has 1 to 64 letters, digits, `-` and `_`")]
    Name,
    /// A forwarder of that name carries this journal already.
    #[error(
        "{} is locked: a forwarder of that name is at work, or one that was stopped has not ended yet",
        Shown(path)
    )]
    Busy {
        /// Its lock.
        path: PathBuf,
    },
    /// The cursor is of another journal.
    #[error(
        "{} is of stream {cursor}, and the journal of stream {journal}: whoever put another journal here has to say so. \
         Give the forwarder another name, or `reset` this one to deliver the journal from its oldest record on",
        Shown(path)
    )]
    OtherStream {
        /// The cursor.
        path: PathBuf,
        /// Its stream.
        cursor: Uuid,
        /// The stream of the journal.
        journal: Uuid,
    },
    /// The journal ends before the cursor.
    #[error(
        "{} says that record {cursor} is delivered, and the journal ends with record {journal}: its end was cut off, or \
         an older copy was restored. Bring back the journal that was here; or give the forwarder another name, or `reset` \
         it, and the store will tell which records differ",
        Shown(path)
    )]
    Shorter {
        /// The cursor.
        path: PathBuf,
        /// The last delivered record.
        cursor: u64,
        /// The last record that is there.
        journal: u64,
    },
    /// The journal does not lead to the cursor.
    #[error(
        "{} has another hash for record {seq} than the journal: what was delivered is not what stands here now. Bring \
         back the journal that was here; or give the forwarder another name, or `reset` it, and the store will tell which \
         records differ",
        Shown(path)
    )]
    Different {
        /// The cursor.
        path: PathBuf,
        /// The record.
        seq: u64,
    },
    /// Records that were not delivered are gone.
    #[error(
        "{} says that record {after} is the last that is delivered, and the journal begins with record {first}: files \
         were removed that had not been delivered. Bring them back; or give the forwarder another name, or `reset` it, and \
         it goes on with what is there",
        Shown(path)
    )]
    Missing {
        /// The cursor.
        path: PathBuf,
        /// The last delivered record.
        after: u64,
        /// The first record that is there.
        first: u64,
    },
    /// The cursor is none.
    #[error(
        "{} is no cursor: a forwarder replaces its cursor as a whole, so that somebody else wrote this",
        Shown(path)
    )]
    NoCursor {
        /// The cursor.
        path: PathBuf,
    },
    /// A record among the dead letters is none.
    #[error("record {seq} in {} is no dead letter, although it says so", Shown(path))]
    NoLetter {
        /// The journal of the dead letters.
        path: PathBuf,
        /// The position of the record in it.
        seq: u64,
    },
    /// The operating system refused.
    #[error("{} could not be read or written: {}", Shown(path), Said(source))]
    Io {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The journal, or the one of the dead letters, could not be read or opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The thread could not be started.
    #[error("the thread of the forwarder could not be started: {}", Said(.0))]
    Thread(#[source] io::Error),
}

debug_as_display!(ForwarderError);

/// Not everything was delivered in time. It stays where it is, in the journal or in the stream, and is delivered later.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[error("{records} records were not delivered in time; they are kept, and delivered later")]
#[non_exhaustive]
pub struct NotDelivered {
    /// How many were left.
    pub records: u64,
}

debug_as_display!(NotDelivered);

/// A dead letter could not be resolved, and stays one.
#[derive(Error)]
#[non_exhaustive]
pub enum DeadLetterError {
    /// What it is about cannot be read any more, so that there is nothing to deliver.
    #[error("the letter holds no record: dismiss it")]
    Empty,
    /// The sink did not take it, or not in time.
    #[error("the sink did not take the record: {0}")]
    Sink(#[source] SinkError),
    /// That it is resolved could not be recorded, or not in time.
    #[error("the resolution could not be recorded: {0}")]
    NotRecorded(#[source] SinkError),
    /// The journal of the dead letters could not be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

debug_as_display!(DeadLetterError);
