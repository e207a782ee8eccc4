//! From a stream to a store.
//!
//! One thread, the [`courier`], is given messages in their order ([`intake`]), which asks a durable consumer for them on
//! the thread of the connection. It gives the records to the store as a forwarder does, acknowledges those that the store
//! has, and buries what it will never take.

mod consumer;
mod courier;
mod error;
mod intake;
mod options;
mod shared;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use audit_core::__private::{Guarded, carried};
use audit_core::Code;

use self::courier::Courier;
pub use self::error::NatsFeedError;
use self::intake::Intake;
pub use self::options::NatsFeedBuilder;
use self::shared::Shared;
pub use self::shared::{NatsFeedLag, NatsFeedStats};
use super::error::NatsError;
use super::link::Link;
use crate::forward::{DeadLetter, DeadLetterError, DeadLetters, Hand, HandSeen, NotDelivered, resolution};

/// How long dropping a feed waits for its thread.
const FAREWELL: Duration = Duration::from_secs(1);

/// Fills a store from a `JetStream` stream: every record at least once, in the order of the stream, whatever the store does.
///
/// It reads through a durable consumer, which the server keeps, so that it goes on where it was, on whichever machine. A
/// message is acknowledged once the store has said `Ok`: after a crash a little is repeated, and nothing lost. A store
/// knows a repeat by the record's `stream` and `seq`, or by its id. What was on its way to a process that died is kept back
/// until the server gives it out again ([`NatsFeedBuilder::ack_wait`]), so that nothing overtakes it.
///
/// What may pass by itself is tried again for ever, with pauses that grow. A record of which the store says
/// [`Rejected`](audit_core::SinkError::Rejected) or [`Conflict`](audit_core::SinkError::Conflict) is found by halving its
/// batch, and becomes a [`DeadLetter`], which is on the disk before the message is acknowledged. A message that is no
/// record becomes one, too, without its content, which stays in the stream: [`DeadReason::NoRecord`](crate::DeadReason)
/// with its place there.
///
/// ```no_run
/// # use audit_sinks as audited;
/// use std::time::Duration;
///
/// use audited::{MemorySink, NatsOptions};
///
/// let store = MemorySink::new(); // or any other
/// let feed = NatsOptions::new("nats://127.0.0.1:4222", "AUDIT").feed(store, "dead-letters").name("store").start()?;
/// println!("{:?}", feed.lag()); // records, age
/// feed.stop(Duration::from_secs(30))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// One feed of a name at a time keeps the order; several share the work, lose nothing, and do not.
///
/// Dropping it stops its thread, which takes a second at most; [`NatsFeed::stop`] delivers what is there before.
pub struct NatsFeed {
    shared: Arc<Shared>,
    dead: Arc<DeadLetters>,
    sink: Guarded,
    name: String,
    description: String,
}

impl NatsFeed {
    /// How far it is behind the stream.
    pub fn lag(&self) -> NatsFeedLag {
        self.shared.lag()
    }

    /// What became of the records so far.
    pub fn stats(&self) -> NatsFeedStats {
        self.shared.stats()
    }

    /// Waits until everything that the stream has by now is in the store, or is a dead letter. It blocks the thread.
    ///
    /// # Errors
    ///
    /// [`NotDelivered`] when that takes longer than `within`, with what is known of the rest.
    pub fn flush(&self, within: Duration) -> Result<(), NotDelivered> {
        self.shared.flush(within)
    }

    /// Flushes, and ends the feed. It blocks the thread, where the store or the server does not answer a second longer than
    /// told.
    ///
    /// # Errors
    ///
    /// As [`NatsFeed::flush`]. The feed is stopped nevertheless, and goes on with what is left when it is started again.
    pub fn stop(self, within: Duration) -> Result<(), NotDelivered> {
        let until = Instant::now().checked_add(within);
        let flushed = self.flush(within);
        self.shared.stop();
        let left = until.map_or(within, |until| until.saturating_duration_since(Instant::now()));
        self.shared.wait_until_ended(left.max(FAREWELL));
        flushed
    }

    /// Reads the dead letters that nobody has resolved.
    ///
    /// # Errors
    ///
    /// [`NatsFeedError`] when they cannot be read.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, NatsFeedError> {
        Ok(self.dead.unresolved()?)
    }

    /// Gives a dead letter to the store once more, on this thread, and where that takes it, records that it is resolved.
    ///
    /// # Errors
    ///
    /// [`DeadLetterError`] when the store does not take it, or not in time.
    pub fn redeliver(&self, letter: &DeadLetter, within: Duration) -> Result<(), DeadLetterError> {
        let original = letter.original.as_ref().map(carried).ok_or(DeadLetterError::Empty)?;
        self.sink.write(&[original], within).map_err(DeadLetterError::Sink)?;
        self.resolve(letter, "redelivered", None, within)
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
        self.resolve(letter, "dismissed", Some(&reason.into()), within)
    }

    fn resolve(
        &self,
        letter: &DeadLetter,
        how: &str,
        reason: Option<&Code>,
        within: Duration,
    ) -> Result<(), DeadLetterError> {
        self.dead.write(resolution(letter.key(), &self.name, how, reason), within)?;
        self.shared.resolved(&letter.key());
        Ok(())
    }

    fn start(builder: NatsFeedBuilder) -> Result<Self, NatsFeedError> {
        let NatsFeedBuilder { options, store, dead_letters, settings } = builder;
        let sink = Guarded::new(store);
        let description = format!("nats({}, {}) to {}", options.description(), settings.name, sink.description());
        let dead = Arc::new(DeadLetters::at(dead_letters));
        let unresolved = dead.unresolved()?.iter().map(DeadLetter::key).collect();
        let link = Link::open(&options)?;
        let seen = Arc::new(HandSeen::default());
        let shared = Arc::new(Shared::new(seen.clone(), unresolved));
        let opened = Intake::open(link.line.clone(), settings.consumer(), shared.clone(), options.connect_within);
        let intake = link.run(opened)?;
        let hand = Hand::new(sink.share(), settings.limits(), settings.breaker(), seen);
        let grave = settings.grave(dead.clone());
        let name = settings.name.clone();
        let courier = Courier::new(link, intake, hand, grave, (shared.clone(), settings));
        let ended = Ended(shared.clone());
        let run = move || {
            let _ended = ended;
            courier.run();
        };
        thread::Builder::new()
            .name("audited-feed".into())
            .spawn(run)
            .map_err(|error| NatsError::Thread(Arc::new(error)))?;
        Ok(Self { shared, dead, sink, name, description })
    }
}

impl Drop for NatsFeed {
    fn drop(&mut self) {
        self.shared.stop();
        self.shared.wait_until_ended(FAREWELL);
    }
}

impl fmt::Debug for NatsFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsFeed({})", self.description)
    }
}

/// Says that the thread has ended, however it did.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.end();
    }
}
