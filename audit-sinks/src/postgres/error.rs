//! What can go wrong with a server.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use audit_core::__private::debug_as_display;
use audit_core::{Durability, SinkError, StoreError};
use thiserror::Error;
use tokio_postgres::error::SqlState;

use crate::shown::Said;

/// What can go wrong with a PostgreSQL server.
///
/// Neither `Display` nor `Debug` shows the text of a foreign error, which may hold anything;
/// [`source`](StdError::source) has it.
#[derive(Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The options cannot be understood.
    #[error("{0}")]
    Options(&'static str, #[source] Option<Box<dyn StdError + Send + Sync>>),
    /// The server cannot be reached, or the connection broke.
    #[error("the server cannot be reached, or the connection broke")]
    Connection(#[source] Box<dyn StdError + Send + Sync>),
    /// The server did not answer in time.
    #[error("the server did not answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The server refused. The five characters say why.
    #[error("the server refused with SQLSTATE {code}")]
    Server {
        /// The SQLSTATE.
        code: String,
        /// All that it said.
        #[source]
        source: tokio_postgres::Error,
    },
    /// Nothing is set up, or the role may not see it.
    #[error("the database is not set up, or the role is not granted its use: run `PostgresSetUp` as its owner")]
    NotSetUp(#[source] Option<Box<dyn StdError + Send + Sync>>),
    /// It was set up by another version.
    #[error(
        "the database is set up as version {found}, and this crate wants {wanted}: run `PostgresSetUp` of the newer"
    )]
    Version {
        /// What is there.
        found: i32,
        /// What this crate knows.
        wanted: i32,
    },
    /// The database does not keep texts in UTF-8.
    #[error("the database does not keep texts in UTF-8")]
    Encoding,
    /// The server promises less than the store has stated.
    #[error("the server promises `{found}`, and the store has stated `{stated}`")]
    Weaker {
        /// What the store says.
        stated: Durability,
        /// What the server says.
        found: Durability,
    },
    /// The thread of the store cannot be started.
    #[error("the thread of the store cannot be started: {}", Said(.0))]
    Thread(#[source] io::Error),
    /// A row holds no record of this schema.
    #[error("a row holds no record that this crate can read")]
    Unreadable(#[source] Box<dyn StdError + Send + Sync>),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// Another record has the id, or the place in the stream.
    #[error("the store has another record of that id, or in that place of the stream")]
    Taken,
    /// Other writers of the same records came between, again and again.
    #[error("other writers of the same records came between, again and again")]
    Contended,
}

impl PostgresError {
    /// The SQLSTATE that a server refused with.
    pub fn sql_state(&self) -> Option<&str> {
        match self {
            Self::Server { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the connection is good for nothing, and another may be better.
    pub(super) fn is_of_connection(&self) -> bool {
        matches!(self, Self::Connection(_)) || self.sql_state().is_some_and(|code| code.starts_with("57P"))
    }

    /// Whether another writer of the same records came first.
    pub(super) fn is_race(&self) -> bool {
        [SqlState::UNIQUE_VIOLATION, SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE]
            .iter()
            .any(|state| self.sql_state() == Some(state.code()))
    }

    /// Whether it is a record, and not the moment, that the server does not take: its data, or its size.
    fn is_for_ever(&self) -> bool {
        self.sql_state().is_some_and(|code| code.starts_with("22") || code.starts_with("54"))
    }
}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(state) if *state == SqlState::UNDEFINED_TABLE || *state == SqlState::INVALID_SCHEMA_NAME => {
                Self::NotSetUp(Some(Box::new(error)))
            }
            Some(state) => Self::Server { code: state.code().to_owned(), source: error },
            None => Self::Connection(Box::new(error)),
        }
    }
}

impl From<PostgresError> for SinkError {
    fn from(error: PostgresError) -> Self {
        match error {
            PostgresError::Timeout(_) => Self::Deadline,
            PostgresError::Closed => Self::Closed,
            PostgresError::Taken => Self::conflict(error),
            error if error.is_for_ever() => Self::rejected(error),
            error => Self::failed(error),
        }
    }
}

impl From<PostgresError> for StoreError {
    fn from(error: PostgresError) -> Self {
        match error {
            PostgresError::Closed => Self::Closed,
            error => Self::failed(error),
        }
    }
}

debug_as_display!(PostgresError);
