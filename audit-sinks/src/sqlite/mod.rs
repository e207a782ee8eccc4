//! Records in one file, found again by queries.
//!
//! # From a caller to the disk and back
//!
//! A caller reads what stands in the [`columns`] of its record and puts both into the [queue](crate::group::queue). One
//! thread, the [`writer`], takes all that is there, [inserts](insert) it, commits once, and answers; now and then it
//! copies the [log] of that into the database. Queries go to [threads that read](readers), as [SQL](select) or, for what
//! [arrives](arrivals), in the order of the commits; those that take a moment are answered [at once](at_once), and those
//! that take [long](pace) [give way](lanes) to others.
//!
//! What the tables are is in [`schema`].

mod answer;
mod arrivals;
#[cfg(test)]
mod asked;
mod at_once;
mod backup;
mod check;
mod columns;
mod error;
mod file;
mod hold;
mod insert;
mod inspect;
mod lanes;
mod log;
mod options;
mod pace;
mod readers;
mod retention;
mod schema;
mod select;
mod task;
mod within;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use audit_core::__private::{Inline, Ticket};
use audit_core::{
    Arrived, AuditSink, AuditStore, CursorKey, Durability, Position, Record, Selection, SinkError, StoreError,
    StoredRecord,
};
use event_listener::Event;
use rusqlite::{Connection, ErrorCode};

use self::arrivals::Watch;
pub use self::check::{MAX_SQLITE_DAMAGE_LISTED, SqliteCheck, SqliteDamage};
pub use self::error::SqliteError;
use self::file::Place;
use self::insert::Prepared;
pub use self::inspect::SqliteInspection;
pub use self::options::{
    DEFAULT_SQLITE_BUSY, DEFAULT_SQLITE_QUERY_TIME_LIMIT, DEFAULT_SQLITE_QUEUE_BYTES, DEFAULT_SQLITE_READERS,
    SqliteOptions,
};
use self::readers::Readers;
pub use self::retention::SqliteRetained;
pub use self::within::SqliteTransaction;
use self::writer::{Account, Lot, Queue, Writer};
use crate::group::queue::Number;
use crate::group::settle::Settler;
use crate::group::thread;
use crate::moment::after;
use crate::shown::Shown;

/// Keeps records in one file, an SQLite database, and finds them again.
///
/// Nothing has to be set up. Many callers share one commit, and what is acknowledged is synced to the disk (a
/// write-ahead log with `synchronous=FULL`): a commit syncs the log, and the log is not written over before a checkpoint
/// has copied it into the database and synced that. The file must be on a local disk: SQLite's locks and shared memory
/// do not work over a network.
///
/// Reads have connections of their own: they never wait for writes, nor writes for them. A short one is answered on the
/// thread that asks, which it may keep for half a millisecond; whatever takes longer is read by threads of the store's.
/// Short ones wait for no long one, and [what takes too long](SqliteOptions::query_time_limit) is ended.
/// Several processes may have the file open and write.
///
/// Triggers refuse to change or remove what is in the tables. They keep mistakes away; who may write the file can
/// remove them. Triggers of an application's own on these tables run, too, and make writing slower.
///
/// Only the user who runs the process can read the file. The tables begin with `audit_`, so that an application can
/// have its own in the same file.
///
/// Cloning it copies a handle. Dropping the last handle blocks until everything handed over is written. In a child of
/// `fork` it refuses everything.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use audited::{Action, AuditStore, Query, Recorder, SqliteStore, record_action, with_recorder};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("sqlite-example-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// let store = SqliteStore::open(directory.join("audit.db"))?;
/// let recorder = Recorder::builder().sink(store.clone()).build()?;
/// with_recorder(recorder, async {
///     record_action(Action::new("door.open")).await?;
///     let page = store.global("example").page(&Query::new().action("door.open")).await?;
///     assert_eq!(page.records.len(), 1);
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })
/// .await?;
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore(Arc<Handle>);

/// How many records are asked for at most where the answer may be there at once.
const MOST_AT_ONCE: usize = 256;

/// What all clones share.
struct Handle {
    place: Place,
    durability: Durability,
    queue: Arc<Queue>,
    account: Arc<Account>,
    readers: Readers,
    watch: Arc<Watch>,
    grown: Arc<Event>,
    ended: Arc<Ended>,
    key: CursorKey,
    /// The writer's is the last.
    threads: Mutex<Vec<JoinHandle<()>>>,
    process: u32,
}

/// What a [`SqliteStore`] has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteStats {
    /// How many records were acknowledged.
    pub records: u64,
    /// How many transactions that took: each was synced once.
    pub commits: u64,
    /// How often the log was copied into the database.
    pub checkpoints: u64,
}

impl SqliteStore {
    /// Opens the store in a file, or starts one there, with the default options. The directory must exist.
    ///
    /// The tables of an older version become those of this one; older versions refuse the file then.
    ///
    /// # Errors
    ///
    /// [`SqliteError`] when the path leads to something other than a file of this user alone, when it is no database,
    /// when something in it has one of our names and is not ours, or when a later version has written it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        SqliteOptions::new().open(path)
    }

    /// Where the file is, as it was given.
    pub fn path(&self) -> &Path {
        &self.0.place.path
    }

    /// What it has done since it was opened.
    pub fn stats(&self) -> SqliteStats {
        let Account { records, commits, checkpoints } = &*self.0.account;
        SqliteStats {
            records: records.load(Ordering::Relaxed),
            commits: commits.load(Ordering::Relaxed),
            checkpoints: checkpoints.load(Ordering::Relaxed),
        }
    }

    /// Writes everything that was handed over, answers what was asked, and ends. Whoever comes after is told that the
    /// store is closed.
    pub async fn close(&self) {
        if self.0.refuse_in_a_child().is_err() {
            return;
        }
        self.0.close_readers();
        self.0.queue.close();
        loop {
            let ended = self.0.ended.told.listen();
            if self.0.ended.is.load(Ordering::Acquire) {
                return;
            }
            ended.await;
        }
    }

    fn start(path: &Path, options: &SqliteOptions) -> Result<Self, SqliteError> {
        let place = Place::find_or_create(path)?;
        let (connection, key) = prepare(&place, options)?;
        let (account, grown, ended) = (Arc::<Account>::default(), Arc::new(Event::new()), Arc::<Ended>::default());
        let queue = Arc::new(Queue::new(options.queue_bytes));
        let watch = Arc::new(Watch::new(grown.clone()));
        let watching = place.reading(options.busy)?;
        let (readers, threads) = Readers::start(&place, options)?;
        let handle = Handle {
            durability: options.durability,
            queue: queue.clone(),
            account: account.clone(),
            readers,
            watch: watch.clone(),
            grown: grown.clone(),
            ended: ended.clone(),
            key,
            threads: Mutex::new(threads),
            process: std::process::id(),
            place,
        };
        let writer = Writer::new(connection, account, grown, describe(path));
        let told = Told { queue, ended };
        handle.spawn("audited-sqlite-watch", move || watch.run(&watching))?;
        handle.spawn("audited-sqlite", move || {
            let settler = Settler::start("audited-sqlite-answers");
            writer.run(&told.queue, &settler);
        })?;
        Ok(Self(Arc::new(handle)))
    }

    fn submit_lot(&self, records: impl Iterator<Item = Record>, ticket: Ticket) {
        match self.0.refuse_in_a_child() {
            Ok(()) => drop(self.0.queue.push(Lot::Records(records.filter_map(Prepared::new).collect()), ticket)),
            Err(refused) => ticket.settle(Err(refused)),
        }
    }

    async fn hand_over(&self, lot: Lot) -> Result<(), SinkError> {
        self.0.refuse_in_a_child()?;
        let (ticket, receipt) = Ticket::new();
        let number = self.0.queue.push(lot, ticket);
        let _outside = number.map(|number| Outside(&self.0.queue, number));
        receipt.await
    }
}

/// Opens the connection that writes, and makes the tables what they must be.
fn prepare(place: &Place, options: &SqliteOptions) -> Result<(Connection, CursorKey), SqliteError> {
    let failed = |error| SqliteError::sqlite(&place.path, error);
    let unfit = |why| SqliteError::Unfit { path: place.path.clone(), why };
    let mut connection = place.writing(options.busy)?;
    let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0));
    if text("PRAGMA main.encoding").map_err(failed)? != "UTF-8" {
        return Err(unfit("does not keep its texts as UTF-8"));
    }
    let until = after(Instant::now(), options.busy);
    let mode = loop {
        match text("PRAGMA main.journal_mode = WAL") {
            // SQLite itself does not wait where another connection changes the mode, too.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            mode => break mode.map_err(failed)?,
        }
    };
    if mode != "wal" {
        return Err(unfit("cannot have a write-ahead log"));
    }
    let synchronous = if options.durability == Durability::Disk { "FULL" } else { "NORMAL" };
    connection
        .execute_batch(&format!(
            "PRAGMA main.synchronous = {synchronous};
            PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
            PRAGMA wal_autocheckpoint = 0; PRAGMA main.journal_size_limit = 67108864;
            PRAGMA trusted_schema = OFF;"
        ))
        .map_err(failed)?;
    schema::migrate(&mut connection).map_err(|refused| refused.at(&place.path))?;
    // What an earlier process left in the log, it may have failed to sync.
    let _ = log::checkpoint(&connection, "PASSIVE");
    let key = "SELECT value FROM main.audit_meta WHERE key = 'cursor_key'";
    let key = connection.query_row(key, [], |row| row.get(0)).map_err(failed)?;
    Ok((connection, CursorKey::from_bytes(key)))
}

/// A lot that there was no room for. Who stops waiting takes it back: what is given up and tried again must not pile up.
struct Outside<'a>(&'a Queue, Number);

impl Drop for Outside<'_> {
    fn drop(&mut self) {
        self.0.withdraw(self.1);
    }
}

/// Whether the writer has ended.
#[derive(Default)]
struct Ended {
    is: AtomicBool,
    told: Event,
}

/// Who is told when the writer has ended, also should it panic.
struct Told {
    queue: Arc<Queue>,
    ended: Arc<Ended>,
}

impl Drop for Told {
    fn drop(&mut self) {
        for ticket in self.queue.kill() {
            ticket.settle(Err(SinkError::Poisoned));
        }
        self.ended.is.store(true, Ordering::Release);
        self.ended.told.notify(usize::MAX);
    }
}

impl Handle {
    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), SqliteError> {
        let thread = thread::spawn(name, run);
        let thread = thread.map_err(|source| SqliteError::Thread { path: self.place.path.clone(), source })?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// A child of `fork` has none of the threads, and SQLite must not be used there.
    fn refuse_in_a_child(&self) -> Result<(), SinkError> {
        if self.process == std::process::id() { Ok(()) } else { Err(SinkError::failed(Forked)) }
    }

    /// Those that read, but in a child.
    fn readers(&self) -> Result<&Readers, StoreError> {
        self.refuse_in_a_child().map_err(|_| StoreError::failed(Forked))?;
        Ok(&self.readers)
    }

    /// Answers what was asked, and nothing more.
    fn close_readers(&self) {
        self.readers.close();
        self.watch.close();
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut readers::Reading) -> Result<T, StoreError> + Send + 'static,
    {
        self.readers()?.read(read).await
    }

    /// As [`read`](Self::read), of what is no query.
    async fn read_long<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut readers::Reading) -> Result<T, StoreError> + Send + 'static,
    {
        self.readers()?.read_long(read).await
    }

    /// As [`read`](Self::read), on the thread of whoever asks where that takes a moment.
    async fn read_at_once<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut readers::Reading) -> Result<T, StoreError> + Send + 'static,
    {
        self.readers()?.read_at_once(read).await
    }
}

/// The store belongs to the process that this one was forked from.
#[derive(Debug, thiserror::Error)]
#[error("the store belongs to the process that this one was forked from: open one after the fork")]
struct Forked;

impl Drop for Handle {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            self.readers.leave();
            return;
        }
        // Who closes the file last tidies it up, and that is for the writer to do.
        self.close_readers();
        let mut threads = std::mem::take(self.threads.get_mut().unwrap_or_else(PoisonError::into_inner));
        let writer = threads.pop();
        thread::join(threads);
        self.queue.close();
        thread::join(writer);
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Handle { place, durability, .. } = &*self.0;
        f.debug_struct("SqliteStore").field("path", &place.path).field("durability", durability).finish()
    }
}

#[async_trait]
impl AuditSink for SqliteStore {
    /// A batch is written whole or not at all. Where the store has no room, it waits for some.
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.hand_over(Lot::Records(batch.iter().cloned().filter_map(Prepared::new).collect())).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.hand_over(Lot::Flush).await
    }

    fn durability(&self) -> Durability {
        self.0.durability
    }

    fn describe(&self) -> String {
        describe(&self.0.place.path)
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for SqliteStore {
    fn submit(&self, record: Record, ticket: Ticket) {
        self.submit_lot(std::iter::once(record), ticket);
    }

    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        self.submit_lot(batch.iter().cloned(), ticket);
    }
}

#[async_trait]
impl AuditStore for SqliteStore {
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        let selection = selection.clone();
        let is_short = selection.limit() <= MOST_AT_ONCE;
        let read = move |reading: &mut readers::Reading| select::select(reading, &selection);
        if is_short { self.0.read_at_once(read).await } else { self.0.read(read).await }
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        let selection = selection.clone();
        self.0.read(move |reading| select::count(reading, &selection)).await
    }

    async fn arrived(&self, selection: &Selection, after: &Position) -> Result<Arrived, StoreError> {
        let (selection, after) = (selection.clone(), arrivals::row(after)?);
        self.0.read(move |reading| arrivals::arrived(reading, &selection, after)).await
    }

    async fn position(&self) -> Result<Position, StoreError> {
        self.0.read_at_once(|reading| arrivals::newest(&reading.connection)).await.map(arrivals::position)
    }

    async fn grown(&self, after: &Position) -> Result<(), StoreError> {
        let after = arrivals::row(after)?;
        let _waiting = self.0.watch.wait();
        loop {
            let grown = self.0.grown.listen();
            if self.0.read_at_once(|reading| arrivals::newest(&reading.connection)).await? > after {
                return Ok(());
            }
            grown.await;
        }
    }

    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        Ok(self.0.key.clone())
    }
}

fn describe(path: &Path) -> String {
    format!("sqlite({})", Shown(path))
}
