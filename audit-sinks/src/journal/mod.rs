//! The local durable log.
//!
//! # From a caller to the disk
//!
//! A caller encodes its record and hashes it as far as it can ([`line`]), and puts it into the
//! [queue](crate::group::queue). One thread, the [`writer`], takes all that is there, gives each record its place in the
//! chain, writes once, syncs once, and answers. Where memory that outlives the process is enough, the caller leaves its
//! record there instead and is answered at once, and the writer carries it over later ([`ring`]).
//!
//! What nobody waits for, another thread does ([`keeper`]): it fills files ahead, has the next one ready, ends the full
//! ones, and compresses what has ended before.
//!
//! What is in the files, and how to check them without any of this, is in `FORMAT.md`.

mod chain;
#[cfg(feature = "zstd")]
mod compare;
#[cfg(feature = "zstd")]
mod compress;
mod disk;
mod error;
mod handle;
mod hold;
mod inspect;
mod intact;
#[cfg(all(test, loom))]
mod interleaved;
mod keeper;
mod line;
mod lines;
mod lot;
mod options;
mod position;
mod progress;
mod reader;
mod recover;
mod replace;
mod retention;
mod ring;
mod scan;
mod segment;
mod source;
mod span;
mod system;
mod tail;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(feature = "zstd")]
mod unpack;
mod verify;
mod watch;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};

use async_trait::async_trait;
use audit_core::__private::{Inline, Ticket};
use audit_core::{AuditSink, Durability, Record, SinkError};

pub use self::chain::{ChainHash, InvalidHash};
pub use self::error::{JournalDamage, JournalError, JournalStep};
use self::handle::Handle;
pub use self::hold::HoldError;
pub use self::inspect::JournalInspection;
pub use self::intact::Intact;
use self::line::{Body, Head, Text};
use self::lot::Lot;
pub use self::options::{
    DEFAULT_QUEUE_BYTES, DEFAULT_RESERVE_BYTES, DEFAULT_SEGMENT_BYTES, DEFAULT_SHARED_MEMORY_BYTES, JournalOptions,
    MIN_SEGMENT_BYTES, MIN_SHARED_MEMORY_BYTES,
};
pub use self::progress::JournalHead;
pub(crate) use self::progress::Progress;
pub(crate) use self::reader::last_begun;
pub use self::reader::{JournalFile, JournalReader};
pub use self::recover::Recovered;
pub(crate) use self::retention::CURSORS;
pub use self::retention::{Kept, Retained, Retention, RetentionError};
pub use self::verify::{Anchored, MAX_DAMAGE_LISTED, Verification, VerifyOptions, VerifyProgress};
pub use self::watch::JournalWatch;
use crate::group::queue::{self, Number};
use crate::shown::Shown;

/// What callers have handed over.
type Queue = queue::Queue<Lot>;

/// Appends records to files in a directory, one JSON line each, and acknowledges them once they are synced to the
/// disk.
///
/// Many callers share one sync. Each line carries the journal's stream (a UUID), its position in it, `seq`, from 1 and
/// without holes, and `prev`, the hash of the line before: a line that is changed, removed, inserted, swapped or
/// repeated is found by [`Journal::verify`], and by twenty lines of script in any language. What a chain alone cannot
/// show is that its end was cut off, or all of it written anew by somebody who may write the files. Keep
/// [`Journal::head`] elsewhere now and then ([`JournalOptions::on_checkpoint`]), and
/// [`Journal::verify_to`] shows that, too.
///
/// A full file ends with a record that says so, and the next begins with one; their names sort by time. Only the user
/// who runs the process can read them, and one journal at a time writes a directory.
///
/// When a write or a sync fails, what was being written is answered with the error, and the file is not touched any
/// more: after a failed sync the disk may hold less than it shows. The next records go into another file, as soon as
/// the disk takes one.
///
/// Cloning it copies a handle. Dropping the last handle blocks until everything handed over is written. In a child of
/// `fork` it refuses everything.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use audited::{Action, Journal, Recorder, record_action, with_recorder_sync};
///
/// # let directory = std::env::temp_dir().join(format!("journal-example-{}", std::process::id()));
/// let journal = Journal::open(&directory)?;
/// let recorder = Recorder::builder().sink(journal).build()?;
/// with_recorder_sync(recorder, || record_action(Action::new("door.open")).wait())?;
///
/// for record in Journal::read(&directory)? {
///     println!("{}", record?.action());
/// }
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Journal(Arc<Handle>);

impl Journal {
    /// Opens the journal in a directory, or starts one there, with the default options. The directory above it must
    /// exist.
    ///
    /// The end of the last file is read. What a crash has torn there is cut off, and damage is left as it is:
    /// [`Journal::recovered`] says so, and so does the first record of the file that is begun.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the path is no directory, or it or a file in it is of another user, open to others, no
    /// regular file, or cannot be opened, written or locked; and where the last file is compressed and was cut off, so that
    /// nobody knows how far it went: no position is given away twice.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, JournalError> {
        JournalOptions::new().open(directory)
    }

    /// Reads the records in a directory, while a journal writes there or not.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the directory cannot be read.
    pub fn read(directory: impl AsRef<Path>) -> Result<JournalReader, JournalError> {
        JournalReader::open(directory.as_ref(), None)
    }

    /// Reads this journal as far as it is acknowledged, from its oldest record on.
    ///
    /// # Errors
    ///
    /// As [`Journal::read`].
    pub fn follow(&self) -> Result<JournalReader, JournalError> {
        JournalReader::open(&self.0.path, Some(self.0.progress.clone()))
    }

    /// Checks every line in a directory, on as many threads as there are cores.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the directory or a file in it cannot be read. Damage is no error here, but what it finds.
    pub fn verify(directory: impl AsRef<Path>) -> Result<Verification, JournalError> {
        Self::verify_with(directory, &VerifyOptions::new())
    }

    /// As [`Journal::verify`], and whether the journal leads to a head that was kept elsewhere.
    ///
    /// # Errors
    ///
    /// As [`Journal::verify`].
    pub fn verify_to(directory: impl AsRef<Path>, anchor: JournalHead) -> Result<Verification, JournalError> {
        Self::verify_with(directory, &VerifyOptions::new().anchor(anchor))
    }

    /// As [`Journal::verify`], and tells how far it is.
    ///
    /// # Errors
    ///
    /// As [`Journal::verify`].
    pub fn verify_with(directory: impl AsRef<Path>, options: &VerifyOptions) -> Result<Verification, JournalError> {
        verify::verify(directory.as_ref(), options)
    }

    /// Finds the journals of further streams below a directory, in the order in which they were begun:
    /// [`JournalOptions::or_own_stream`] makes them.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the directory cannot be read.
    pub fn streams(directory: impl AsRef<Path>) -> Result<Vec<PathBuf>, JournalError> {
        options::streams(directory.as_ref())
    }

    /// What was there when it was opened.
    pub fn recovered(&self) -> &Recovered {
        &self.0.recovered
    }

    /// The last line that is acknowledged. What is acknowledged in [shared memory](JournalOptions::shared_memory) and in
    /// no file yet has no line.
    pub fn head(&self) -> JournalHead {
        self.0.progress.head()
    }

    /// Where its files are, as it was given.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// How many bytes are acknowledged and in no file yet, in [shared memory](JournalOptions::shared_memory): some
    /// milliseconds' worth, or more where the disk takes nothing.
    pub fn unwritten_bytes(&self) -> u64 {
        self.0.unwritten_bytes()
    }

    /// Ends the file that is written, and answers once that is done; the next record begins another.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub async fn rotate(&self) -> Result<(), SinkError> {
        self.0.refuse_in_a_child()?;
        self.hand_over(Lot::Rotate).await
    }

    /// How far it is, for whoever follows it without keeping it open.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.0.progress.clone()
    }

    fn new(handle: Handle) -> Self {
        Self(Arc::new(handle))
    }

    /// Nothing is replaced by its compressed file meanwhile.
    fn removing(&self) -> MutexGuard<'_, ()> {
        self.0.swaps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing_holds(&self) -> MutexGuard<'_, ()> {
        self.0.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over without waiting for room: what has none stays outside of the queue until there is.
    fn submit_texts<T: AsRef<[Text]>>(&self, texts: T, lot: impl FnOnce(&Head, T) -> Lot, ticket: Ticket) {
        match self.0.refuse_in_a_child() {
            Ok(()) if self.0.leave(texts.as_ref()) => ticket.settle(Ok(())),
            Ok(()) => drop(self.0.push(lot(&self.0.head, texts), ticket)),
            Err(refused) => ticket.settle(Err(refused)),
        }
    }

    async fn hand_over(&self, lot: Lot) -> Result<(), SinkError> {
        let (ticket, receipt) = Ticket::new();
        let number = self.0.push(lot, ticket);
        let _outside = number.map(|number| Outside(&self.0.queue, number));
        receipt.await
    }
}

/// A lot that there was no room for. Who stops waiting takes it back: what is given up and tried again must not pile up.
struct Outside<'a>(&'a Queue, Number);

impl Drop for Outside<'_> {
    fn drop(&mut self) {
        self.0.withdraw(self.1);
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &self.0.path).field("durability", &self.0.durability).finish()
    }
}

#[async_trait]
impl AuditSink for Journal {
    /// A batch has its lines in a row, and is answered for as one. Where the journal has no room, it waits for some.
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.0.refuse_in_a_child()?;
        let texts: Vec<_> = batch.iter().cloned().map(Text::of).collect();
        if self.0.leave(&texts) {
            return Ok(());
        }
        self.hand_over(Lot::many(&self.0.head, texts)).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.0.refuse_in_a_child()?;
        self.hand_over(Lot::Flush).await
    }

    fn durability(&self) -> Durability {
        self.0.durability
    }

    fn describe(&self) -> String {
        match &self.0.shared_memory {
            Some(memory) => format!("journal({}, by way of {})", Shown(&self.0.path), Shown(memory)),
            None => describe(&self.0.path),
        }
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for Journal {
    fn submit(&self, record: Record, ticket: Ticket) {
        self.submit_texts([Text::of(record)], |head, [text]| Lot::One(Body::new(head, text)), ticket);
    }

    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        let texts: Vec<_> = batch.iter().cloned().map(Text::of).collect();
        self.submit_texts(texts, Lot::many, ticket);
    }
}

fn describe(path: &Path) -> String {
    format!("journal({})", Shown(path))
}
