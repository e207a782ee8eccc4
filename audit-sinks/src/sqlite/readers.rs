//! The reading: connections of their own, that only read, each on a thread of its own. In a write-ahead log readers and
//! the writer do not wait for each other.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use audit_core::{Selection, StoreError, StoredRecord};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;

use super::answer::answer;
use super::at_once::AtOnce;
use super::error::{SqliteError, store_error};
use super::file::Place;
use super::options::SqliteOptions;
use crate::group::thread;

/// The function of SQL that asks a selection about a record.
pub(super) const HOLDS: &str = "audited_holds";

/// A connection that reads, and whom its function asks.
pub(super) struct Reading {
    pub(super) connection: Connection,
    asked: Arc<Mutex<Option<Selection>>>,
}

type Job = Box<dyn FnOnce(&mut Reading) + Send>;

/// What is to be read, and the threads that read. Each that comes wakes one of them, unless it is answered at once.
pub(super) struct Readers {
    jobs: Arc<Jobs>,
    at_once: AtOnce,
}

#[derive(Default)]
struct Jobs {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Readers {
    /// Starts them.
    pub(super) fn start(place: &Place, options: &SqliteOptions) -> Result<(Self, Vec<JoinHandle<()>>), SqliteError> {
        let readers = Self { jobs: Arc::default(), at_once: AtOnce::open(place)? };
        let mut threads = Vec::new();
        for _ in 0..options.readers.max(1) {
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
        let reading = place.reading(options.busy)?;
        let reading = Reading::new(reading).map_err(|error| SqliteError::sqlite(&place.path, error))?;
        let jobs = self.jobs.clone();
        let started = thread::spawn("audited-sqlite-reader", move || run(reading, &jobs));
        started.map_err(|source| SqliteError::Thread { path: place.path.clone(), source })
    }

    /// Has something read, without blocking the thread.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Reading) -> Result<T, StoreError> + Send + 'static,
    {
        let (asker, answer) = answer();
        let job: Job = Box::new(move |reading| {
            // Whoever asked may have gone.
            if asker.begins(&reading.connection) {
                let read = read(reading);
                asker.give(read);
            }
        });
        if self.jobs.push(job) { answer.get().await } else { Err(StoreError::Closed) }
    }

    /// The same, on this thread where that takes a moment.
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
        self.jobs.lock().closed = true;
        self.jobs.changed.notify_all();
    }

    /// Leaves the connection that has no thread, in a child of `fork`.
    pub(super) fn leave(&self) {
        self.at_once.leave();
    }
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether it is still taken.
    fn push(&self, job: Job) -> bool {
        {
            let mut waiting = self.lock();
            if waiting.closed {
                return false;
            }
            waiting.jobs.push_back(job);
        }
        self.changed.notify_one();
        true
    }

    /// Waits for the next one; none where nothing comes any more.
    fn next(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            match waiting.jobs.pop_front() {
                None if !waiting.closed => {
                    waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                }
                job => return job,
            }
        }
    }
}

fn run(mut reading: Reading, jobs: &Jobs) {
    while let Some(job) = jobs.next() {
        // Whoever asked is told that it is closed; the next one is not to blame.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut reading)));
        reading.asks(None);
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
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::mpsc::channel;
    use std::task::{Context, Waker};
    use std::time::Duration;

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn what_nobody_waits_for_any_more_ends() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::find_or_create(&directory.path().join("audit.db")).unwrap();
        let (readers, threads) = Readers::start(&place, &SqliteOptions::new().readers(1)).unwrap();
        let endless = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
        let (begun, begins) = channel();
        {
            let mut counting = pin!(readers.read(move |reading| {
                begun.send(()).unwrap();
                failed(reading.connection.query_row(endless, [], |row| row.get::<_, i64>(0)))
            }));
            assert!(counting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            begins.recv().unwrap();
            // Until it is inside of SQLite.
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(block_on(readers.read(|_| Ok(7))).unwrap(), 7);
        readers.close();
        for thread in threads {
            thread.join().unwrap();
        }
    }

    #[test]
    fn what_takes_a_moment_is_read_where_it_is_asked_and_what_takes_longer_by_a_thread() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::find_or_create(&directory.path().join("audit.db")).unwrap();
        let (readers, _threads) = Readers::start(&place, &SqliteOptions::new().readers(1)).unwrap();
        let counted = |most: u32| {
            block_on(readers.read_at_once(move |reading| {
                let sql =
                    "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT ?1) SELECT count(*) FROM c";
                let count = reading.connection.query_row(sql, [most], |row| row.get::<_, u32>(0));
                Ok((failed(count)?, std::thread::current().id()))
            }))
            .unwrap()
        };
        let here = std::thread::current().id();
        assert_eq!(counted(3), (3, here));
        let (count, thread) = counted(1_000_000);
        assert_eq!(count, 1_000_000);
        assert_ne!(thread, here);
        assert_eq!(counted(3), (3, here));
    }

    #[test]
    fn a_reading_that_panics_is_an_error_and_the_next_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::find_or_create(&directory.path().join("audit.db")).unwrap();
        let (readers, _threads) = Readers::start(&place, &SqliteOptions::new().readers(1)).unwrap();
        let panicked = block_on(readers.read(|_| -> Result<(), StoreError> { panic!("in a reading") }));
        assert!(matches!(panicked, Err(StoreError::Closed)));
        assert_eq!(block_on(readers.read(|_| Ok(7))).unwrap(), 7);
    }
}
