//! How a feed works.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit_core::{AuditSink, SinkError};

use super::NatsFeed;
use super::consumer::WantedConsumer;
use super::error::NatsFeedError;
use crate::forward::{Backoff, Breaker, DeadLetter, DeadLetters, Grave, HandLimits, OnDeadLetter};
use crate::nats::NatsOptions;
use crate::nats::error::NatsError;
use crate::nats::stream::LONGEST;
use crate::nats::subject::is_plain;

/// Builds a [`NatsFeed`].
#[must_use = "nothing is read until `start`"]
pub struct NatsFeedBuilder {
    pub(super) options: NatsOptions,
    pub(super) store: Arc<dyn AuditSink>,
    pub(super) dead_letters: PathBuf,
    pub(super) settings: Settings,
}

pub(super) struct Settings {
    pub(super) name: String,
    filter: String,
    pub(super) batch_records: usize,
    pub(super) batch_bytes: usize,
    deadline: Duration,
    retry: (Duration, Duration),
    breaker: (u32, Duration),
    split_after: u32,
    panics: Option<u32>,
    pub(super) ack_wait: Duration,
    on_conflict: Option<Arc<OnDeadLetter>>,
    on_dead_letter: Option<Arc<OnDeadLetter>>,
}

impl NatsFeedBuilder {
    pub(in crate::nats) fn new(options: NatsOptions, store: Arc<dyn AuditSink>, dead_letters: PathBuf) -> Self {
        Self { options, store, dead_letters, settings: Settings::default() }
    }

    /// Names the feed, and with it the durable consumer: letters, digits, `-` and `_`; otherwise `audited`. The server keeps
    /// by the name how far it is, so that it is never changed in place; each store has one of its own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// Reads only what is under this subject, which may have wildcards, such as [`NatsOptions::subjects_of`] gives for a
    /// tenant; otherwise all that the stream has.
    pub fn filter(mut self, subject: impl Into<String>) -> Self {
        self.settings.filter = subject.into();
        self
    }

    /// Sets how many records a batch has at most; otherwise 512. Twice as many are kept in memory.
    pub fn batch_records(mut self, records: usize) -> Self {
        self.settings.batch_records = records.clamp(1, 100_000);
        self
    }

    /// Sets how many bytes a batch has, more or less; otherwise 1 MiB. A larger record is a batch by itself.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.settings.batch_bytes = bytes.max(1);
        self
    }

    /// Sets how long the store has for a batch; otherwise 10 seconds. What comes later counts as a failure.
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

    /// Sets after how many failures in a row the store is left alone for at least `pause`, and asked with a single record
    /// then; otherwise 5, and 5 seconds.
    pub fn breaker(mut self, failures: u32, pause: Duration) -> Self {
        self.settings.breaker = (failures, pause);
        self
    }

    /// Sets how often a batch may fail before it is halved, down to a single record; otherwise 3 times.
    pub fn split_after(mut self, failures: u32) -> Self {
        self.settings.split_after = failures.max(1);
        self
    }

    /// Makes a record a dead letter over which, alone in its batch, the store has panicked this many times in a row.
    /// Otherwise it is tried for ever, and everything behind it waits.
    pub fn bury_after_panics(mut self, panics: u32) -> Self {
        self.settings.panics = Some(panics.max(1));
        self
    }

    /// Sets after which time the server gives out again what was not acknowledged; otherwise 10 seconds. For as long a
    /// feed may wait, after a crash or a lost connection, for what was on its way. It holds for a consumer that is
    /// created; one that is there keeps its own.
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        self.settings.ack_wait = wait.clamp(Duration::from_millis(100), LONGEST);
        self
    }

    /// Has conflicts told, on the feed's thread: the store has another record in the place of this one.
    pub fn on_conflict(mut self, told: impl Fn(&DeadLetter, Option<&SinkError>) + Send + Sync + 'static) -> Self {
        self.settings.on_conflict = Some(Arc::new(told));
        self
    }

    /// Has dead letters told, conflicts among them, on the feed's thread.
    pub fn on_dead_letter(mut self, told: impl Fn(&DeadLetter, Option<&SinkError>) + Send + Sync + 'static) -> Self {
        self.settings.on_dead_letter = Some(Arc::new(told));
        self
    }

    /// Connects, creates the consumer where it is not there, and starts the thread. It blocks the thread of the caller.
    ///
    /// # Errors
    ///
    /// [`NatsFeedError`] when there is no connection in time, no stream, or a consumer of that name that will not do.
    pub fn start(self) -> Result<NatsFeed, NatsFeedError> {
        if !is_plain(&self.settings.name, false) {
            return Err(NatsError::Name.into());
        }
        NatsFeed::start(self)
    }
}

impl Settings {
    pub(super) fn consumer(&self) -> WantedConsumer {
        WantedConsumer {
            name: self.name.clone(),
            filter: self.filter.clone(),
            ack_wait: self.ack_wait,
            held: 2 * self.batch_records,
        }
    }

    pub(super) const fn limits(&self) -> HandLimits {
        HandLimits { deadline: self.deadline, split_after: self.split_after, panics: self.panics }
    }

    pub(super) fn breaker(&self) -> Breaker {
        let (failures, pause) = self.breaker;
        Breaker::new(Backoff::new(self.retry.0, self.retry.1), failures, pause)
    }

    /// For what fails on this side.
    pub(super) fn patience(&self) -> Breaker {
        Breaker::new(Backoff::new(self.retry.0, self.retry.1), u32::MAX, Duration::ZERO)
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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "audited".to_owned(),
            filter: String::new(),
            batch_records: 512,
            batch_bytes: 1 << 20,
            deadline: Duration::from_secs(10),
            retry: (Duration::from_millis(100), Duration::from_secs(30)),
            breaker: (5, Duration::from_secs(5)),
            split_after: 3,
            panics: None,
            ack_wait: Duration::from_secs(10),
            on_conflict: None,
            on_dead_letter: None,
        }
    }
}

impl fmt::Debug for NatsFeedBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsFeedBuilder({}, {})", self.options.description(), self.settings.name)
    }
}
