//! The local durable log.

mod error;
mod line;
mod open;
mod queue;
mod reader;
mod recover;
mod scan;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use audit_core::__private::{Inline, Ticket};
use audit_core::{AuditSink, Durability, Record, SinkError};
use uuid::Uuid;

use self::error::Shown;
pub use self::error::{JournalDamage, JournalError, JournalStep};
use self::queue::{Lot, Queue};
pub use self::reader::JournalReader;
pub use self::recover::Recovered;
use self::recover::recover;
use self::writer::{Media, Writer};

/// How many bytes a journal holds in memory for records on their way, unless its options say otherwise.
pub const DEFAULT_QUEUE_BYTES: usize = 64 << 20;

/// Appends records to a file, one JSON line each, and acknowledges them once they are synced to the disk.
///
/// Many callers share one sync. Each line carries the journal's stream (a UUID) and its position in it, `seq`, from
/// 1 and without holes. Only the user who runs the process can read the file, and only one journal writes it.
///
/// When a write or a sync fails, the journal is poisoned: what it was writing is answered with the error, and
/// everything after with [`SinkError::Poisoned`]. Its file stays as it is, and locked, until the last handle is
/// dropped. Whoever opens it again gets the whole lines, among them some that were not acknowledged, without the torn
/// one; after a failed sync it is wiser to start a new file, since the disk may hold less than it shows.
///
/// Cloning it copies a handle. Dropping the last handle blocks until everything handed over is written.
///
/// ```
/// use audit_core::{Action, Recorder, record_action, with_recorder_sync};
/// use audit_sinks::Journal;
///
/// # let path = std::env::temp_dir().join(format!("journal-example-{}.jsonl", std::process::id()));
/// let journal = Journal::open(&path)?;
/// let recorder = Recorder::builder().sink(journal).build()?;
/// with_recorder_sync(recorder, || record_action(Action::new("door.open")).wait())?;
///
/// for record in Journal::read(&path)? {
///     println!("{}", record?.action());
/// }
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Journal(Arc<Handle>);

/// What all clones share.
struct Handle {
    path: PathBuf,
    durability: Durability,
    recovered: Recovered,
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
}

impl Journal {
    /// Opens the journal at `path`, or starts one there, with the default options. Its directory must exist.
    ///
    /// A torn last line, left by a crash, is cut off; [`Journal::recovered`] says so. The whole file is read and
    /// checked, which blocks the thread for as long.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the path is no regular file (a symbolic link is none), cannot be opened or locked, has
    /// another writer, or holds a line that is not the next record of its stream. The file is not changed then.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        JournalOptions::new().open(path)
    }

    /// Reads the records at `path`, while a journal writes there or not.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the path is no regular file or cannot be opened. The iterator gives an error, and then
    /// nothing more, at the first line that is not the next record of the stream.
    pub fn read(path: impl AsRef<Path>) -> Result<JournalReader, JournalError> {
        JournalReader::open(path.as_ref())
    }

    /// What was in the file when it was opened.
    pub fn recovered(&self) -> Recovered {
        self.0.recovered
    }

    /// Where the file is, as it was given.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    fn start(
        path: &Path,
        media: impl Media,
        stream: Uuid,
        recovered: Recovered,
        options: &JournalOptions,
    ) -> Result<Self, JournalError> {
        let queue = Arc::new(Queue::new(options.queue_bytes));
        let writer = Writer {
            media,
            stream,
            next_seq: recovered.next_seq,
            sync_each: options.durability == Durability::Disk,
            name: describe(path),
        };
        let theirs = queue.clone();
        let writer = thread::Builder::new()
            .name("audited-journal".into())
            .spawn(move || writer.run(&theirs))
            .map_err(|source| JournalError::Thread { path: path.to_owned(), source })?;
        let (path, durability) = (path.to_owned(), options.durability);
        Ok(Self(Arc::new(Handle { path, durability, recovered, queue, writer: Some(writer) })))
    }

    /// Hands records over at once and waits for the answer; who stops waiting loses none of them.
    async fn hand_over(&self, records: Vec<Record>) -> Result<(), SinkError> {
        let (ticket, receipt) = Ticket::new();
        self.0.queue.push(Lot::Many(records), ticket);
        receipt.await
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take()
            // What the writer wakes may drop the last handle; it ends by itself then.
            && writer.thread().id() != thread::current().id()
        {
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &self.0.path).field("durability", &self.0.durability).finish()
    }
}

#[async_trait]
impl AuditSink for Journal {
    /// A batch has its lines in a row, and is answered for as one.
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.hand_over(batch.to_vec()).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.hand_over(Vec::new()).await
    }

    fn durability(&self) -> Durability {
        self.0.durability
    }

    fn describe(&self) -> String {
        describe(&self.0.path)
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for Journal {
    fn submit(&self, record: Record, ticket: Ticket) {
        self.0.queue.push(Lot::One(record), ticket);
    }
}

fn describe(path: &Path) -> String {
    format!("journal({})", Shown(path))
}

/// How a [`Journal`] works.
///
/// ```
/// use audit_sinks::JournalOptions;
///
/// # let path = std::env::temp_dir().join(format!("journal-options-{}.jsonl", std::process::id()));
/// let journal = JournalOptions::new().queue_bytes(8 << 20).open(&path)?;
/// assert_eq!(journal.recovered().next_seq, 1);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `open`"]
pub struct JournalOptions {
    durability: Durability,
    queue_bytes: usize,
}

impl JournalOptions {
    /// Starts from the defaults: [`Durability::Disk`], [`DEFAULT_QUEUE_BYTES`].
    pub const fn new() -> Self {
        Self { durability: Durability::Disk, queue_bytes: DEFAULT_QUEUE_BYTES }
    }

    /// Acknowledges what the operating system has, without waiting for the disk ([`Durability::OsBuffer`]): it is
    /// lost when the machine fails, and kept when the process does. `fail_closed` functions refuse such a journal.
    pub const fn os_buffer(mut self) -> Self {
        self.durability = Durability::OsBuffer;
        self
    }

    /// Sets how many bytes are held in memory for records on their way. What comes beyond is refused
    /// ([`SinkError::Full`]).
    pub const fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Opens the journal at `path`, or starts one there.
    ///
    /// # Errors
    ///
    /// As [`Journal::open`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Journal, JournalError> {
        let path = path.as_ref();
        let file = open::for_writing(path)?;
        let (position, recovered) = recover(path, &file.0)?;
        Journal::start(path, file, position.stream.unwrap_or_else(Uuid::now_v7), recovered, self)
    }
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self::new()
    }
}
