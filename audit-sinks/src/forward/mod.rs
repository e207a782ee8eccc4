//! Carrying a journal to another sink.
//!
//! # From the journal to the sink
//!
//! One thread, the [`courier`], reads what the journal has acknowledged ([`source`]) into a [`backlog`], gives it to the
//! sink batch by batch ([`hand`]), and notes in the [`cursor`] how far it has come. A sink that fails is left alone for a while
//! ([`circuit`]); what it will never take becomes a dead [`letter`] in a journal of its own ([`dead`]). A second thread
//! looks for what dead processes have left behind ([`adopt`]).

mod adopt;
mod backlog;
mod carried;
mod circuit;
mod courier;
mod cursor;
mod dead;
mod error;
mod grave;
mod hand;
mod letter;
mod letters;
mod options;
mod refused;
mod shared;
mod source;

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use audit_core::__private::{Guarded, carried, contained};
use audit_core::{AuditSink, Code, SinkError, Timestamp};

#[cfg(feature = "nats")]
pub(crate) use self::backlog::Backlog;
#[cfg(feature = "nats")]
pub(crate) use self::circuit::{Backoff, Breaker};
#[cfg(feature = "nats")]
pub(crate) use self::grave::{Grave, OnDeadLetter};
#[cfg(feature = "nats")]
pub(crate) use self::hand::{HandLimits, Offered};
#[cfg(feature = "nats")]
pub(crate) use self::letter::Key;

use self::adopt::{Adopter, left};
use self::carried::Carried;
pub use self::circuit::Circuit;
use self::courier::Courier;
use self::cursor::CursorFile;
pub use self::cursor::ForwarderCursor;
pub(crate) use self::dead::DeadLetters;
pub use self::error::{DeadLetterError, ForwarderError, NotDelivered};
pub(crate) use self::hand::{Hand, HandSeen};
pub(crate) use self::letter::resolution;
pub use self::letter::{DeadLetter, DeadReason};
pub use self::letters::DeadLetterBox;
pub use self::options::ForwarderBuilder;
use self::options::Settings;
use self::shared::{Command, Shared};
pub use self::shared::{ForwarderLag, ForwarderStats};
use self::source::Source;
use crate::journal::{Journal, JournalWatch};

/// How long dropping a forwarder waits for its thread. A sink that blocks it longer keeps it, not the caller.
const FAREWELL: Duration = Duration::from_secs(1);

/// Carries a journal to another sink: every record at least once, in order, whatever that sink does.
///
/// The service is answered when its journal has a record on the disk; the forwarder brings it to the store a moment
/// later, or an hour later, when the store is back. What is delivered is noted in a cursor beside the journal, so that a
/// crash repeats a little and loses nothing; a repeated record has the same stream, seq and id. The journal must still
/// lead to the cursor when a forwarder is started: one that is shorter or not the same is refused.
///
/// What may pass by itself is tried again for ever, with pauses that grow, and nothing overtakes it. A record of which
/// the sink says [`SinkError::Rejected`] or [`SinkError::Conflict`] is found by halving its batch, and becomes a
/// [`DeadLetter`], which is on the disk before the cursor goes on and stays until somebody resolves it.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use std::time::Duration;
///
/// use audited::{Action, Forwarder, Journal, MemorySink, Recorder, record_action, with_recorder_sync};
///
/// # let directory = std::env::temp_dir().join(format!("forwarder-example-{}", std::process::id()));
/// let journal = Journal::open(&directory)?;
/// let store = MemorySink::new();
/// let forwarder = Forwarder::builder(&journal, store.clone()).name("store").start()?;
///
/// let recorder = Recorder::builder().sink(journal).build()?;
/// with_recorder_sync(recorder, || record_action(Action::new("door.open")).wait())?;
///
/// forwarder.flush(Duration::from_secs(5))?;
/// assert_eq!(store.find("door.open").len(), 1);
/// assert_eq!(forwarder.lag().records, 0);
/// # drop(forwarder);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Dropping it stops its thread, which takes a second at most; a sink that blocks the thread past that keeps it, and the
/// cursor's lock, until it comes back. [`Forwarder::stop`] delivers what is there before.
pub struct Forwarder {
    running: Running,
    adopter: Option<Adopter>,
    dead: Arc<DeadLetters>,
    name: String,
    journal: Carried,
}

impl Forwarder {
    /// Begins to build one that carries this journal to this sink.
    ///
    /// The sink is polled on a thread of the forwarder's own, with a deadline and a panic guard, as the recorder does.
    /// It gets the records as they stand in the journal, with `stream`, `seq` and `prev`, and the journal's own frames
    /// among them, so that a store sees no holes.
    pub fn builder(journal: &Journal, sink: impl AuditSink) -> ForwarderBuilder {
        ForwarderBuilder::new(Carried::Ours(journal.clone()), Arc::new(sink))
    }

    /// Begins to build one that carries a journal which another process writes: all that is said here holds for it, too,
    /// but that the journal's acknowledgements are not known. See [`JournalWatch`].
    pub fn watching(watch: &JournalWatch, sink: impl AuditSink) -> ForwarderBuilder {
        ForwarderBuilder::new(Carried::Another(watch.clone()), Arc::new(sink))
    }

    /// How far it is behind the journal. Journals that it adopts do not count.
    pub fn lag(&self) -> ForwarderLag {
        self.running.shared.lag()
    }

    /// What became of the records so far.
    pub fn stats(&self) -> ForwarderStats {
        let stats = self.running.shared.stats();
        match &self.adopter {
            Some(adopter) => adopter.tell(stats),
            None => stats,
        }
    }

    /// Waits until everything that the journal has acknowledged so far is delivered, or is a dead letter. It blocks the
    /// thread.
    ///
    /// # Errors
    ///
    /// [`NotDelivered`] when that takes longer than `within`.
    pub fn flush(&self, within: Duration) -> Result<(), NotDelivered> {
        self.running.shared.wait_until_delivered(within)
    }

    /// Flushes, and ends the forwarder. It blocks the thread, where the sink does not come back a second longer than told.
    ///
    /// # Errors
    ///
    /// As [`Forwarder::flush`]. The forwarder is stopped nevertheless, and what is left is delivered when it is started
    /// again.
    pub fn stop(self, within: Duration) -> Result<(), NotDelivered> {
        let until = Instant::now().checked_add(within);
        let flushed = self.flush(within);
        self.request_stop();
        self.wait_until_ended(left(until).min(within));
        flushed
    }

    /// Reads the dead letters that nobody has resolved.
    ///
    /// # Errors
    ///
    /// [`ForwarderError`] when they cannot be read.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, ForwarderError> {
        self.dead.unresolved()
    }

    /// Gives a dead letter to the sink once more, and where that takes it, records that it is resolved. It blocks the
    /// thread, and waits for the batch that the sink has now.
    ///
    /// # Errors
    ///
    /// [`DeadLetterError`] when the sink does not take it, or not in time: then it may be delivered and resolved later.
    pub fn redeliver(&self, letter: &DeadLetter, within: Duration) -> Result<(), DeadLetterError> {
        let original = letter.original.as_ref().map(carried).ok_or(DeadLetterError::Empty)?;
        let resolution = resolution(letter.key(), &self.name, "redelivered", None);
        let (reply, answer) = sync_channel(1);
        let command = Command::Redeliver { key: letter.key(), original, resolution, reply };
        self.running.shared.command(command);
        answer.recv_timeout(within).unwrap_or_else(|error| {
            Err(DeadLetterError::Sink(match error {
                RecvTimeoutError::Timeout => SinkError::Deadline,
                RecvTimeoutError::Disconnected => SinkError::Closed,
            }))
        })
    }

    /// Records that a dead letter needs no delivery, and why, with the actor of the surrounding context. It blocks the
    /// thread.
    ///
    /// # Errors
    ///
    /// [`DeadLetterError`] when that could not be recorded in time.
    pub fn dismiss(
        &self,
        letter: &DeadLetter,
        reason: impl Into<Code>,
        within: Duration,
    ) -> Result<(), DeadLetterError> {
        let resolution = resolution(letter.key(), &self.name, "dismissed", Some(&reason.into()));
        self.dead.write(resolution, within)?;
        self.running.shared.resolved(&letter.key());
        Ok(())
    }

    fn start(journal: &Carried, sink: &Guarded, settings: Settings, reset: bool) -> Result<Self, ForwarderError> {
        let name = settings.name.clone();
        let running = Running::start(journal, sink.share(), settings.clone(), reset)?;
        let adopter = (!settings.orphans.is_empty()).then(|| Adopter::start(sink.share(), settings, journal.path()));
        let adopter = adopter.transpose()?;
        let dead = running.dead.clone();
        Ok(Self { running, adopter, dead, name, journal: journal.clone() })
    }

    fn request_stop(&self) {
        self.running.shared.stop();
        if let Some(adopter) = &self.adopter {
            adopter.stop();
        }
    }

    fn wait_until_ended(&self, within: Duration) {
        let until = Instant::now().checked_add(within);
        self.running.shared.wait_until_ended(within);
        if let Some(adopter) = &self.adopter {
            adopter.wait_until_ended(left(until).min(within));
        }
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.request_stop();
        self.wait_until_ended(FAREWELL);
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (journal, name) = (&self.journal, &self.name);
        f.debug_struct("Forwarder").field("journal", journal).field("name", name).finish_non_exhaustive()
    }
}

/// The thread of one journal; it is asked to end when this is dropped.
struct Running {
    shared: Arc<Shared>,
    dead: Arc<DeadLetters>,
}

impl Running {
    fn start(journal: &Carried, sink: Guarded, settings: Settings, reset: bool) -> Result<Self, ForwarderError> {
        let name = settings.name.clone();
        let file = CursorFile::open(journal.path(), &name)?;
        let found = if reset { None } else { file.read()? };
        let (source, link) = Source::open(journal, found.as_ref(), &file.path())?;
        let (stream, updated_at) = (journal.head().stream, Timestamp::now());
        let cursor = ForwarderCursor { name, stream, seq: link.seq, hash: link.hash, updated_at, end: None };
        if found.is_none() {
            // From now on nothing is removed that is not delivered.
            file.write(&cursor).map_err(|source| ForwarderError::Io { path: file.path(), source })?;
        }
        let dead = Arc::new(DeadLetters::new(journal.path(), &cursor.name));
        let unresolved = dead.unresolved()?.iter().map(DeadLetter::key).collect();
        let seen = Arc::new(HandSeen::default());
        let shared = Arc::new(Shared::new(journal.progress(), seen.clone(), cursor.seq, unresolved));
        let threads = (shared.clone(), settings.grave(dead.clone()));
        let hand = Hand::new(sink, settings.limits(), settings.breaker(), seen);
        let courier = Courier::new((journal.clone(), source), (cursor, file), (hand, settings), threads);
        let ended = Ended(shared.clone());
        let run = move || {
            let _ended = ended;
            courier.run();
        };
        thread::Builder::new().name("audited-forward".into()).spawn(run).map_err(ForwarderError::Thread)?;
        Ok(Self { shared, dead })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

/// Says that the thread has ended, however it did.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Logs. The subscriber is foreign code.
pub(crate) fn alarm(log: impl FnOnce()) {
    contained(log);
}
