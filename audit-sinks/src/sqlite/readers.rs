//! The reading: connections of their own, that only read, each on a thread of its own. In a write-ahead log readers and
//! the writer do not wait for each other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use audit_core::{Selection, StoreError, StoredRecord};
use event_listener::Event;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

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

/// The threads that read.
pub(super) struct Readers(Mutex<Option<Sender<Job>>>);

impl Readers {
    /// Starts them.
    pub(super) fn start(place: &Place, options: &SqliteOptions) -> Result<(Self, Vec<JoinHandle<()>>), SqliteError> {
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut threads = Vec::new();
        for _ in 0..options.readers.max(1) {
            let reading =
                Reading::new(place.reading(options.busy)?).map_err(|error| SqliteError::sqlite(&place.path, error))?;
            let waiting = waiting.clone();
            let started = thread::spawn("audited-sqlite-reader", move || run(reading, &waiting));
            threads.push(started.map_err(|source| SqliteError::Thread { path: place.path.clone(), source })?);
        }
        Ok((Self(Mutex::new(Some(jobs))), threads))
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
            if Arc::strong_count(&asker.0) > 1 {
                asker.give(read(reading));
            }
        });
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|jobs| jobs.send(job));
        match sent {
            Some(Ok(())) => answer.get().await,
            _ => Err(StoreError::Closed),
        }
    }

    /// Takes nothing any more; the threads end once what is waiting is answered.
    pub(super) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn run(mut reading: Reading, waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
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
        Ok(Self { connection, asked })
    }

    /// Has the function ask this selection.
    pub(super) fn asks(&self, selection: Option<Selection>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = selection;
    }
}

/// One answer, for somebody who waits for it without blocking a thread.
struct Answer<T>(Arc<(Mutex<State<T>>, Event)>);

struct Asker<T>(Arc<(Mutex<State<T>>, Event)>);

enum State<T> {
    Open,
    Given(Result<T, StoreError>),
}

fn answer<T>() -> (Asker<T>, Answer<T>) {
    let shared = Arc::new((Mutex::new(State::Open), Event::new()));
    (Asker(shared.clone()), Answer(shared))
}

impl<T> Asker<T> {
    fn give(&self, answer: Result<T, StoreError>) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Given(answer);
        self.0.1.notify(usize::MAX);
    }
}

impl<T> Drop for Asker<T> {
    fn drop(&mut self) {
        let is_open = matches!(&*self.0.0.lock().unwrap_or_else(PoisonError::into_inner), State::Open);
        if is_open {
            self.give(Err(StoreError::Closed));
        }
    }
}

impl<T> Answer<T> {
    async fn get(self) -> Result<T, StoreError> {
        loop {
            let given = self.0.1.listen();
            {
                let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
                if let State::Given(answer) = std::mem::replace(&mut *state, State::Open) {
                    return answer;
                }
            }
            given.await;
        }
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
