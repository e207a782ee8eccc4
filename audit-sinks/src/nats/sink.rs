//! The sink.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use audit_core::{AuditSink, Durability, Record, SinkError};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};

use super::error::NatsError;
use super::link::Link;
use super::options::NatsOptions;
use super::publish::{Job, publish};

/// What a record takes in memory and on the wire besides its text.
const RECORD_OVERHEAD: usize = 512;
/// A batch is handed over in so many parts of the window, so that some are answered while others are sent.
const PARTS: usize = 4;

/// Writes records to a stream of NATS `JetStream`, which keeps them in files, on one server or on several.
///
/// `Ok` means that the stream has acknowledged every record of the batch. What that is worth is read from the server when
/// the connection is made, and [`durability`](AuditSink::durability) says it: NATS acknowledges before it syncs, so that a
/// stream in files is [`OsBuffer`](Durability::OsBuffer) however many servers keep it, unless the operator says that they
/// sync always ([`NatsOptions::servers_sync_always`]). A stream that would lose records is refused
/// ([`NatsError::Unfit`]), at first and after every reconnection; one that has become weaker gets no record more.
///
/// Each record is a message of its own, under the subject `PREFIX.<tenant>.<action>` ([`NatsOptions::subject`]).
///
/// # Repeats and conflicts
///
/// A message has an identity, the record's `stream` and `seq`, or its id where it has none. Within the stream's duplicate
/// window the same record again is there once: the sink reads what is there and compares, so that another record with the
/// same identity is [`SinkError::Conflict`]. What comes again later than that is in the stream twice, and a conflict is
/// found by the store that a [`NatsFeed`](crate::NatsFeed) fills.
///
/// A record that is larger than the server or the stream takes is [`SinkError::Rejected`]. Everything else may pass. Records
/// are sent in their order; when a batch fails half-way and is written again, a record may come to stand behind one that
/// followed it.
///
/// # Threads
///
/// The connection lives on a thread with a runtime of its own: writers need none, and may leave at any time. What is on
/// its way is bounded ([`NatsOptions::window`]); whoever writes more waits.
///
/// ```no_run
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use std::time::Duration;
///
/// use audited::{Forwarder, Journal, NatsOptions, Recorder};
///
/// let stream = NatsOptions::new("tls://nats.example.org", "AUDIT")
///     .credentials_file("/run/secrets/audit.creds")
///     .create_stream()
///     .replicas(3);
///
/// let journal = Journal::open("audit")?;
/// let forwarder = Forwarder::builder(&journal, stream.connect_later()?).name("nats").start()?;
/// let recorder = Recorder::builder().sink(journal).build()?;
/// # recorder.shutdown(Duration::from_secs(5))?;
/// # forwarder.stop(Duration::from_secs(30))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Clones share the connection, which ends with the last of them.
#[derive(Clone)]
pub struct NatsSink(Arc<Inner>);

struct Inner {
    jobs: UnboundedSender<Job>,
    window: Window,
    description: String,
    durability: Durability,
    /// Dropped last: what runs on it ends then.
    _link: Link,
}

/// What may be on its way.
struct Window {
    records: (Arc<Semaphore>, usize),
    bytes: (Arc<Semaphore>, usize),
}

impl NatsSink {
    pub(super) fn new(options: &NatsOptions, link: Link, durability: Option<Durability>) -> Self {
        let (jobs, queue) = unbounded_channel();
        link.spawn(publish(link.line.clone(), queue));
        let of = |room: usize| (Arc::new(Semaphore::new(room)), room);
        Self(Arc::new(Inner {
            jobs,
            window: Window { records: of(options.window_records), bytes: of(options.window_bytes) },
            description: format!("nats({})", options.description()),
            durability: durability.unwrap_or(Durability::None),
            _link: link,
        }))
    }
}

#[async_trait]
impl AuditSink for NatsSink {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let mut answers: Vec<oneshot::Receiver<Result<(), NatsError>>> = Vec::new();
        let mut rest = batch;
        while !rest.is_empty() {
            let (records, after) = rest.split_at(self.0.window.part(rest));
            rest = after;
            let room = self.0.window.room(records).await?;
            // Room may have come from a part that has failed: nothing is to overtake it.
            for heard in answers.extract_if(.., |answer| !answer.is_empty()) {
                heard.await.map_err(|_| SinkError::Closed)??;
            }
            let (reply, answer) = oneshot::channel();
            let job = Job { records: records.to_vec(), room, reply };
            self.0.jobs.send(job).map_err(|_| SinkError::Closed)?;
            answers.push(answer);
        }
        for answer in answers {
            answer.await.map_err(|_| SinkError::Closed)??;
        }
        Ok(())
    }

    /// Waits until nothing is on its way any more.
    async fn flush(&self) -> Result<(), SinkError> {
        let (records, all) = &self.0.window.records;
        let all = u32::try_from(*all).unwrap_or(u32::MAX);
        records.acquire_many(all).await.map(drop).map_err(|_| SinkError::Closed)
    }

    fn durability(&self) -> Durability {
        self.0.durability
    }

    fn describe(&self) -> String {
        self.0.description.clone()
    }
}

impl fmt::Debug for NatsSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.description)
    }
}

impl Window {
    /// How many of the next records are handed over together.
    fn part(&self, records: &[Record]) -> usize {
        let (most_records, most_bytes) = ((self.records.1 / PARTS).max(1), self.bytes.1 / PARTS);
        let mut bytes = 0;
        let fits = records.iter().take(most_records).take_while(|record| {
            bytes += size(record);
            bytes <= most_bytes
        });
        fits.count().max(1)
    }

    /// Waits for room, in the order in which it is asked for.
    async fn room(
        &self,
        records: &[Record],
    ) -> Result<(tokio::sync::OwnedSemaphorePermit, tokio::sync::OwnedSemaphorePermit), SinkError> {
        let take = async |(semaphore, all): &(Arc<Semaphore>, usize), amount: usize| {
            let amount = u32::try_from(amount.min(*all)).unwrap_or(u32::MAX);
            semaphore.clone().acquire_many_owned(amount).await.map_err(|_| SinkError::Closed)
        };
        let count = take(&self.records, records.len()).await?;
        let bytes = take(&self.bytes, records.iter().map(size).sum()).await?;
        Ok((count, bytes))
    }
}

fn size(record: &Record) -> usize {
    record.json().len() + RECORD_OVERHEAD
}
