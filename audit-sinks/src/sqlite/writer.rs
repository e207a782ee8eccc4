//! The writing: one thread has the connection that writes. It takes everything that is waiting, writes it in one
//! transaction, commits once, and only then answers.
//!
//! A commit appends to the write-ahead log, and with `synchronous=FULL` syncs it before it returns. What was committed
//! stays there until a checkpoint has copied it into the database and synced that: nothing that was acknowledged is
//! ever in unsynced pages alone. Checkpoints are run here, after the answers, so that nobody waits for one.
//!
//! After a failed sync nothing is written or synced any more: what reached the disk is unknown, and the kernel forgets
//! the pages that it could not write.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use audit_core::__private::contained;
use audit_core::SinkError;
use event_listener::Event;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::error::{is_failed_sync, sink_error};
use super::insert::{Insert, Prepared, Unwritten};
use super::log::{Log, checkpoint};
use super::schema;
use crate::group::queue::{self, Entry, RECORD_OVERHEAD, Turn};
use crate::group::round::{Round, Rounds};
use crate::group::settle::{Settler, settle};

pub(super) type Queue = queue::Queue<Lot>;

/// What is done on the writing connection between two transactions.
pub(super) type Task = Box<dyn FnOnce(&mut Connection) -> TaskEnd + Send>;

/// How it ended, as far as that concerns others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskEnd {
    Done,
    SyncFailed,
}

/// How many of those who come back together are waited for before they are inserted, while others still come.
const TOGETHER: usize = 8;

/// What is handed over and answered for as one.
pub(super) enum Lot {
    Records(Vec<Prepared>),
    /// Answered once everything before it is.
    Flush,
    Task(Mutex<Option<Task>>),
}

impl queue::Lot for Lot {
    fn bytes(&self) -> usize {
        match self {
            Self::Records(records) => records.iter().map(|record| record.len() + RECORD_OVERHEAD).sum(),
            Self::Flush | Self::Task(_) => 0,
        }
    }
}

/// What the writer has done.
#[derive(Default)]
pub(super) struct Account {
    pub(super) records: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) checkpoints: AtomicU64,
}

pub(super) struct Writer {
    connection: Connection,
    account: Arc<Account>,
    grown: Arc<Event>,
    /// How records are inserted, and for which version of the schema that is right.
    insert: (Insert, Option<i64>),
    log: Log,
    poisoned: bool,
    /// What logs call the store.
    name: String,
}

/// Those of a round that are answered with something else than the commit, by their place in it.
type Refusals = Vec<(usize, SinkError)>;

impl Writer {
    pub(super) fn new(connection: Connection, account: Arc<Account>, grown: Arc<Event>, name: String) -> Self {
        let (insert, log) = ((Insert::Whole, None), Log::new());
        Self { connection, account, grown, insert, log, poisoned: false, name }
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Queue, settler: &Settler<Lot>) {
        let mut rounds = Rounds::new(queue);
        loop {
            match rounds.next(None) {
                Ok(mut round) => {
                    let began = Instant::now();
                    let mut refusals = Refusals::new();
                    let result = self.round(&mut round, queue, &mut refusals);
                    let busy = rounds.ended(&round, began);
                    for (at, refusal) in refusals.into_iter().rev().filter(|_| result.is_ok()) {
                        settle(vec![round.batch.swap_remove(at)], &Err(refusal));
                    }
                    settler.answer(round.batch, &result, busy);
                    rounds.answered();
                    self.checkpoint_when_due();
                }
                Err(Turn::End) => return self.close(),
                Err(Turn::Write | Turn::Idle) => {}
            }
        }
    }

    /// Writes a round and commits it.
    fn round(&mut self, round: &mut Round<Lot>, queue: &Queue, refusals: &mut Refusals) -> Result<(), SinkError> {
        if self.poisoned {
            return Err(SinkError::Poisoned);
        }
        let (mut done, mut records) = (0, 0);
        let mut written = Ok(());
        round.entries(queue, TOGETHER, &mut |entries| {
            for entry in entries {
                if written.is_ok() {
                    written = match self.write(entry) {
                        Ok(fresh) => {
                            records += fresh;
                            Ok(())
                        }
                        Err(Unwritten::Refused(refusal)) => {
                            refusals.push((done, refusal));
                            Ok(())
                        }
                        Err(Unwritten::Failed(error)) => Err(error),
                    };
                }
                done += 1;
            }
        });
        let result = written.and_then(|()| self.commit());
        match result {
            Ok(()) => {
                self.account.records.fetch_add(records, Ordering::Relaxed);
                self.tasks(round);
                Ok(())
            }
            Err(error) => {
                self.give_up(&error);
                Err(sink_error(error))
            }
        }
    }

    /// Writes what is answered for as one, all of it or nothing; says how many records that were.
    fn write(&mut self, entry: &Entry<Lot>) -> Result<u64, Unwritten> {
        let Lot::Records(records) = &entry.lot else { return Ok(0) };
        if self.connection.is_autocommit() && !records.is_empty() {
            self.begin()?;
        }
        let how = self.insert.0;
        match records.as_slice() {
            [] => {}
            [record] => record.insert(&self.connection, how)?,
            records => {
                self.connection.prepare_cached("SAVEPOINT audit_batch")?.execute([])?;
                let written = records.iter().try_for_each(|record| record.insert(&self.connection, how));
                if let Err(Unwritten::Refused(_)) = written {
                    self.connection.prepare_cached("ROLLBACK TO audit_batch")?.execute([])?;
                }
                self.connection.prepare_cached("RELEASE audit_batch")?.execute([])?;
                written?;
            }
        }
        Ok(records.len() as u64)
    }

    /// Begins a transaction, and sees how records are inserted in it: nobody else changes the schema before it ends.
    fn begin(&mut self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let version = self.connection.prepare_cached("PRAGMA main.schema_version")?.query_row([], |row| row.get(0))?;
        if self.insert.1 != Some(version) {
            let how = if schema::has_other_triggers(&self.connection)? { Insert::Whole } else { Insert::Bare };
            self.insert = (how, Some(version));
        }
        Ok(())
    }

    fn commit(&mut self) -> rusqlite::Result<()> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.log.committed();
        self.account.commits.fetch_add(1, Ordering::Relaxed);
        self.grown.notify(usize::MAX);
        Ok(())
    }

    fn give_up(&mut self, error: &rusqlite::Error) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        let code = error.sqlite_error().map_or(0, |error| error.extended_code);
        self.tell(code, "writing failed; what was being written is not acknowledged");
        if is_failed_sync(error) {
            self.poison();
        }
    }

    /// Has nothing synced any more, not even when it is closed.
    fn poison(&mut self) {
        self.poisoned = true;
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        self.tell(0, "a sync failed: nothing more is acknowledged until the store is opened again");
    }

    fn tell(&self, code: i32, what: &str) {
        // The subscriber is foreign code.
        contained(|| tracing::error!(target: "audited::sqlite", store = self.name, code, "{what}"));
    }

    fn tasks(&mut self, round: &Round<Lot>) {
        for entry in &round.batch {
            if let Lot::Task(task) = &entry.lot
                && let Some(task) = task.lock().unwrap_or_else(PoisonError::into_inner).take()
            {
                if task(&mut self.connection) == TaskEnd::SyncFailed {
                    self.poison();
                }
                self.grown.notify(usize::MAX);
            }
        }
    }

    fn checkpoint_when_due(&mut self) {
        if self.poisoned {
            return;
        }
        match self.log.copy_when_due(&self.connection) {
            Ok(true) => drop(self.account.checkpoints.fetch_add(1, Ordering::Relaxed)),
            Err(error) if is_failed_sync(&error) => self.poison(),
            Ok(false) | Err(_) => {}
        }
    }

    fn close(self) {
        if !self.poisoned {
            // Whoever reads is not waited for: the log is found by whoever opens the file next.
            let _ = self.connection.busy_timeout(Duration::ZERO);
            let _ = checkpoint(&self.connection, "TRUNCATE");
        }
    }
}
