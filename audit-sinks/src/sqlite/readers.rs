//! The reading: connections of their own, that only read, each on a thread of its own. In a write-ahead log readers and
//! the writer do not wait for each other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use audit_core::{Selection, StoreError, StoredRecord};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;

use super::answer::{Answer, answer};
use super::at_once::AtOnce;
use super::error::{SqliteError, store_error};
use super::file::Place;
use super::lanes::{End, Job, Lane, Lanes};
use super::options::SqliteOptions;
use super::pace::{Pace, Stopped};
use crate::group::thread;

/// The function of SQL that asks a selection about a record.
pub(super) const HOLDS: &str = "audited_holds";

/// A connection that reads, and whom its function asks.
pub(super) struct Reading {
    pub(super) connection: Connection,
    asked: Arc<Mutex<Option<Selection>>>,
}

/// The threads that read. Each query that comes wakes one of them, unless it is answered at once.
pub(super) struct Readers {
    lanes: Arc<Lanes>,
    at_once: AtOnce,
    /// How long a query may be read.
    limit: Duration,
}

impl Readers {
    /// Starts them.
    pub(super) fn start(place: &Place, options: &SqliteOptions) -> Result<(Self, Vec<JoinHandle<()>>), SqliteError> {
        let lanes = Arc::new(Lanes::new(options.readers));
        let readers = Self { lanes, at_once: AtOnce::open(place)?, limit: options.query_time_limit };
        let mut threads = Vec::new();
        for _ in 0..readers.lanes.threads() {
            match readers.thread(place, options) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    readers.close();
                    return Err(error);
                }
            }
        }
        Ok((readers, threads))
    }

    fn thread(&self, place: &Place, options: &SqliteOptions) -> Result<JoinHandle<()>, SqliteError> {
        let failed = |error| SqliteError::sqlite(&place.path, error);
        let mut reading = Reading::new(place.reading(options.busy)?).map_err(failed)?;
        let lanes = self.lanes.clone();
        let watched = Pace::of(&mut reading.connection, lanes.clone()).map_err(failed)?;
        let started = thread::spawn("audited-sqlite-reader", move || run(reading, &lanes, &watched));
        started.map_err(|source| SqliteError::Thread { path: place.path.clone(), source })
    }

    /// Has a query read, without blocking the thread. It may be begun more than once.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Reading) -> Result<T, StoreError> + Send + 'static,
    {
        let limit = self.limit;
        let (asker, answer) = answer();
        let read = move |reading: &mut Reading, pace: &Pace| {
            // Whoever asked may have gone.
            if !asker.begins(&reading.connection) {
                return End::Answered;
            }
            match (read(reading), pace.stopped()) {
                (Err(_), Some(Stopped::GivesWay)) => {
                    asker.puts_off();
                    return End::PutOff;
                }
                (Err(_), Some(Stopped::TooLong)) => asker.give(Err(StoreError::TooLong { limit })),
                (read, _) => asker.give(read),
            }
            End::Answered
        };
        self.answered(answer, Job { read: Box::new(read), limit }, Lane::Short).await
    }

    /// Has something read that is no query: it takes its time, and is begun once.
    pub(super) async fn read_long<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Reading) -> Result<T, StoreError> + Send + 'static,
    {
        let (asker, answer) = answer();
        let mut read = Some(read);
        let read = move |reading: &mut Reading, _: &Pace| {
            if asker.begins(&reading.connection)
                && let Some(read) = read.take()
            {
                let read = read(reading);
                asker.give(read);
            }
            End::Answered
        };
        self.answered(answer, Job { read: Box::new(read), limit: Duration::MAX }, Lane::Long).await
    }

    async fn answered<T>(&self, answer: Answer<T>, job: Job, lane: Lane) -> Result<T, StoreError> {
        if self.lanes.push(job, lane) { answer.get().await } else { Err(StoreError::Closed) }
    }

    /// As [`read`](Self::read), on this thread where that takes a moment.
    pub(super) async fn read_at_once<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Reading) -> Result<T, StoreError> + Send + 'static,
    {
        match self.at_once.read(&read) {
            Some(answer) => answer,
            None => self.read(read).await,
        }
    }

    /// Takes nothing any more; the threads end once what is waiting is answered.
    pub(super) fn close(&self) {
        self.at_once.close();
        self.lanes.close();
    }

    /// Leaves the connection that has no thread, in a child of `fork`.
    pub(super) fn leave(&self) {
        self.at_once.leave();
    }
}

fn run(mut reading: Reading, lanes: &Lanes, pace: &Pace) {
    while let Some((mut job, lane)) = lanes.next() {
        pace.begins(lane, job.limit);
        // Whoever asked is told that it is closed; the next one is not to blame.
        let end = catch_unwind(AssertUnwindSafe(|| (job.read)(&mut reading, pace)));
        let lane = pace.ended();
        reading.ends();
        if matches!(end, Ok(End::PutOff)) {
            lanes.put_off(job);
        }
        lanes.ended(lane);
    }
}

impl Reading {
    pub(super) fn new(connection: Connection) -> rusqlite::Result<Self> {
        let asked = Arc::new(Mutex::new(None::<Selection>));
        let asking = asked.clone();
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        connection.create_scalar_function(HOLDS, 1, flags, move |context| {
            let Ok(json) = context.get_raw(0).as_str() else { return Ok(false) };
            let asked = asking.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(selection) = asked.as_ref() else { return Ok(false) };
            Ok(StoredRecord::parse(json).is_ok_and(|record| selection.matches(&record)))
        })?;
        connection.pragma_update(None, "query_only", true)?;
        // A plan that depends on what is asked for would be made anew with every answer.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self { connection, asked })
    }

    /// Has the function ask this selection.
    pub(super) fn asks(&self, selection: Option<Selection>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = selection;
    }

    /// Leaves nothing behind for the next reading: what was stopped or panicked may have left a snapshot open. Says whether
    /// none is.
    pub(super) fn ends(&self) -> bool {
        self.asks(None);
        self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok()
    }
}

/// Reads the texts that a query found.
pub(super) fn parse(json: String) -> Result<StoredRecord, StoreError> {
    StoredRecord::parse(json).map_err(StoreError::failed)
}

/// For `?` on what SQLite says.
pub(super) fn failed<T>(result: rusqlite::Result<T>) -> Result<T, StoreError> {
    result.map_err(store_error)
}

#[cfg(test)]
mod tests;
