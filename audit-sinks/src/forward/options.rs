//! How a forwarder works.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit_core::__private::Guarded;
use audit_core::{AuditSink, SinkError};

use super::Forwarder;
use super::carried::Carried;
use super::circuit::{Backoff, Breaker};
use super::cursor::is_name;
use super::dead::DeadLetters;
use super::error::ForwarderError;
use super::grave::{Grave, OnDeadLetter};
use super::hand::HandLimits;
use super::letter::DeadLetter;

/// Builds a [`Forwarder`].
#[must_use = "nothing is carried until `start`"]
pub struct ForwarderBuilder {
    journal: Carried,
    sink: Arc<dyn AuditSink>,
    reset: bool,
    settings: Settings,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) batch_records: usize,
    pub(super) batch_bytes: usize,
    pub(super) deadline: Duration,
    retry: (Duration, Duration),
    breaker: (u32, Duration),
    split_after: u32,
    panics: Option<u32>,
    pub(super) cursor_every: Duration,
    on_conflict: Option<Arc<OnDeadLetter>>,
    on_dead_letter: Option<Arc<OnDeadLetter>>,
    pub(super) orphans: Vec<PathBuf>,
    pub(super) adopt_after: Duration,
}

impl ForwarderBuilder {
    pub(super) fn new(journal: Carried, sink: Arc<dyn AuditSink>) -> Self {
        Self { journal, sink, reset: false, settings: Settings::default() }
    }

    /// Names the forwarder: 1 to 64 letters, digits, `-` and `_`; otherwise `default`. Its cursor and its dead letters
    /// go by the name, so that it is never changed in place; each sink of a journal has one of its own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// Sets how many records a batch has at most; otherwise 512. As many again are read while the sink is at work.
    pub fn batch_records(mut self, records: usize) -> Self {
        self.settings.batch_records = records.max(1);
        self
    }

    /// Sets how many bytes a batch has, more or less; otherwise 1 MiB. A larger record is a batch by itself.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.settings.batch_bytes = bytes.max(1);
        self
    }

    /// Sets how long the sink has for a batch; otherwise 10 seconds. What comes later counts as a failure.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// Sets how long to pause after a failure: at random up to `first`, twice that after the next one, and never longer
    /// than `longest`; otherwise 100 milliseconds and 30 seconds. A failed batch is tried again for ever.
    pub fn retry(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.retry = (first, longest);
        self
    }

    /// Sets after how many failures in a row the sink is left alone for at least `pause`, and asked with a single record
    /// then; otherwise 5, and 5 seconds.
    pub fn breaker(mut self, failures: u32, pause: Duration) -> Self {
        self.settings.breaker = (failures, pause);
        self
    }

    /// Sets how often a batch may fail before it is halved, down to a single record; otherwise 3 times. It finds the
    /// record over which a sink panics or hangs, lets those before it through, and is gentle with a sink that is too slow
    /// for a whole batch.
    pub fn split_after(mut self, failures: u32) -> Self {
        self.settings.split_after = failures.max(1);
        self
    }

    /// Makes a record a dead letter over which, alone in its batch, the sink has panicked this many times in a row.
    /// Otherwise it is tried for ever, and everything behind it waits.
    pub fn bury_after_panics(mut self, panics: u32) -> Self {
        self.settings.panics = Some(panics.max(1));
        self
    }

    /// Sets how often the cursor is written at most, a sync of the disk each time; otherwise every 200 milliseconds. A
    /// crash repeats what was delivered since. [`Duration::MAX`] writes it once, and then when the forwarder stops.
    pub fn cursor_every(mut self, every: Duration) -> Self {
        self.settings.cursor_every = every;
        self
    }

    /// Has conflicts told, on the forwarder's thread: the sink has another record in the place of this one. Somebody has
    /// written history anew, here or there, or two machines carry one journal.
    pub fn on_conflict(mut self, told: impl Fn(&DeadLetter, Option<&SinkError>) + Send + Sync + 'static) -> Self {
        self.settings.on_conflict = Some(Arc::new(told));
        self
    }

    /// Has dead letters told, conflicts among them, on the forwarder's thread.
    pub fn on_dead_letter(mut self, told: impl Fn(&DeadLetter, Option<&SinkError>) + Send + Sync + 'static) -> Self {
        self.settings.on_dead_letter = Some(Arc::new(told));
        self
    }

    /// Adopts the journals of dead processes: those in the directories below this one, or this one itself where it is a
    /// journal, whose lock is free and that were not written for a while ([`Self::adopt_after`]). Each is opened,
    /// recovered, delivered to its end by a forwarder of this name, and marked. While that lasts, nobody else can open
    /// it.
    ///
    /// One that cannot be delivered keeps none of the others from it, and is tried again later; [`stats`](crate::Forwarder::stats) say
    /// how many there are, and what is wrong.
    ///
    /// Its dead letters stay with it, and count nowhere here, although they are told: to resolve them, open that journal
    /// and start a forwarder of the same name on it.
    pub fn adopt(mut self, parent: impl Into<PathBuf>) -> Self {
        self.settings.orphans.push(parent.into());
        self
    }

    /// Sets how long a journal was not written before it counts as an orphan, and how often orphans are looked for;
    /// otherwise a minute. A service that is just being restarted is not to find its journal taken.
    pub fn adopt_after(mut self, after: Duration) -> Self {
        self.settings.adopt_after = after;
        self
    }

    /// Forgets what was delivered, and begins with the oldest record of the journal. A store knows by stream and seq what
    /// it has.
    pub fn reset(mut self) -> Self {
        self.reset = true;
        self
    }

    /// Starts to carry: from the cursor on, or from the oldest record, where there is none.
    ///
    /// The forwarder keeps the journal open.
    ///
    /// # Errors
    ///
    /// [`ForwarderError`] when the journal does not lead to the cursor, or one of them cannot be read or written.
    pub fn start(self) -> Result<Forwarder, ForwarderError> {
        if !is_name(&self.settings.name) {
            return Err(ForwarderError::Name);
        }
        Forwarder::start(&self.journal, &Guarded::new(self.sink), self.settings, self.reset)
    }
}

impl Settings {
    pub(super) fn breaker(&self) -> Breaker {
        let (failures, pause) = self.breaker;
        Breaker::new(Backoff::new(self.retry.0, self.retry.1), failures, pause)
    }

    pub(super) const fn limits(&self) -> HandLimits {
        HandLimits { deadline: self.deadline, split_after: self.split_after, panics: self.panics }
    }

    pub(super) fn grave(&self, dead: Arc<DeadLetters>) -> Grave {
        Grave {
            dead,
            name: self.name.clone(),
            deadline: self.deadline,
            on_conflict: self.on_conflict.clone(),
            on_dead_letter: self.on_dead_letter.clone(),
        }
    }

    /// For what fails on this side.
    pub(super) fn patience(&self) -> Breaker {
        Breaker::new(Backoff::new(self.retry.0, self.retry.1), u32::MAX, Duration::ZERO)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            batch_records: 512,
            batch_bytes: 1 << 20,
            deadline: Duration::from_secs(10),
            retry: (Duration::from_millis(100), Duration::from_secs(30)),
            breaker: (5, Duration::from_secs(5)),
            split_after: 3,
            panics: None,
            cursor_every: Duration::from_millis(200),
            on_conflict: None,
            on_dead_letter: None,
            orphans: Vec::new(),
            adopt_after: Duration::from_secs(60),
        }
    }
}

impl fmt::Debug for ForwarderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (journal, name) = (&self.journal, &self.settings.name);
        f.debug_struct("ForwarderBuilder").field("journal", journal).field("name", name).finish_non_exhaustive()
    }
}
