//! Writing a record, on whichever connection.

use audit_core::{Record, SinkError};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};
use thiserror::Error;

use super::columns::Columns;
use super::error::sink_error;

/// A record and what stands in its columns: read on the thread of whoever hands it over.
pub(super) struct Prepared {
    record: Record,
    columns: Columns,
}

/// Why a record was not written.
pub(super) enum Unwritten {
    /// This record will not be taken; the transaction goes on without it and those that are answered for with it.
    Refused(SinkError),
    /// The transaction is good for nothing any more.
    Failed(rusqlite::Error),
}

/// Which statement inserts a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Insert {
    /// It is undone where it fails, also what triggers of somebody else's have done for it.
    Whole,
    /// It fails before it has changed anything, and so nothing is kept to undo it: for tables without such triggers.
    Bare,
}

macro_rules! insert {
    ($verb:literal) => {
        concat!(
            $verb,
            " INTO main.audit_records (id, at, stream, seq, digest, tenant, action, kind, stage, call, actor_kind,
                actor_id, resource_kind, resource_id, decision, reason, outcome, code, correlation_id, json)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)"
        )
    };
}

impl Insert {
    const fn sql(self) -> &'static str {
        match self {
            Self::Whole => insert!("INSERT"),
            Self::Bare => insert!("INSERT OR FAIL"),
        }
    }
}

impl Prepared {
    /// `None` where it has no id, which no record lacks.
    pub(super) fn new(record: Record) -> Option<Self> {
        Columns::of(&record).map(|columns| Self { record, columns })
    }

    /// How many bytes its text has.
    pub(super) fn len(&self) -> usize {
        self.record.json().len()
    }

    /// Writes it, once: where it is already, it is well.
    pub(super) fn insert(&self, connection: &Connection, how: Insert) -> Result<(), Unwritten> {
        let Columns { id, at, stream, seq, digest, tenant, action, kind, stage, call, .. } = &self.columns;
        let Columns { actor_kind, actor_id, resource_kind, resource_id, decision, reason, .. } = &self.columns;
        let Columns { outcome, code, correlation_id, subjects, .. } = &self.columns;
        let mut insert = connection.prepare_cached(how.sql())?;
        let inserted = insert.execute(params![
            id,
            at,
            stream,
            seq,
            digest,
            tenant,
            action,
            kind,
            stage,
            call,
            actor_kind,
            actor_id,
            resource_kind,
            resource_id,
            decision,
            reason,
            outcome,
            code,
            correlation_id,
            self.record.json()
        ]);
        match inserted {
            Ok(1) => {}
            // A trigger of somebody else's.
            Ok(_) => return Err(Unwritten::Refused(SinkError::failed(Ignored))),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                return self.is_known(connection, error);
            }
            Err(error) => return Err(error.into()),
        }
        if !subjects.is_empty() {
            let position = connection.last_insert_rowid();
            let sql = "INSERT INTO main.audit_subjects VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
            let mut insert = connection.prepare_cached(sql)?;
            for (id, kind) in subjects {
                insert.execute(params![position, kind, id])?;
            }
        }
        Ok(())
    }

    /// Whether it is there already; a conflict where another one has its place. One that was written without a place
    /// is the same in any.
    fn is_known(&self, connection: &Connection, error: rusqlite::Error) -> Result<(), Unwritten> {
        let Columns { id, stream, seq, digest, .. } = &self.columns;
        let sql = "SELECT id FROM main.audit_records WHERE stream = ?1 AND seq = ?2";
        let at_place: Option<[u8; 16]> =
            connection.prepare_cached(sql)?.query_row(params![stream, seq], |row| row.get(0)).optional()?;
        let is_occupied = at_place.is_some_and(|other| other != *id);
        let sql = "
            SELECT digest = ?2, stream IS NOT NULL AND ?3 IS NOT NULL AND (stream IS NOT ?3 OR seq IS NOT ?4)
            FROM main.audit_records WHERE id = ?1";
        let by_id: Option<(bool, bool)> = connection
            .prepare_cached(sql)?
            .query_row(params![id, digest, stream, seq], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match by_id {
            Some((true, false)) if !is_occupied => Ok(()),
            None if !is_occupied => Err(error.into()),
            _ => Err(Unwritten::Refused(SinkError::conflict(Taken))),
        }
    }
}

impl From<rusqlite::Error> for Unwritten {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::TooBig) => Self::Refused(sink_error(error)),
            _ => Self::Failed(error),
        }
    }
}

/// Another record has the id, or the place in the stream.
#[derive(Debug, Error)]
#[error("the store has another record of that id, or in that place of the stream")]
struct Taken;

/// A record that was to be written is not there.
#[derive(Debug, Error)]
#[error("a trigger that is not the store's keeps records from being written")]
struct Ignored;
