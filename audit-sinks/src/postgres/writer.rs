//! What callers hand over, and the connections that write it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::{Record, SinkError};
use event_listener::Event;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Mutex as AsyncMutex, oneshot};

use super::entry::Entry;
use super::error::PostgresError;
use super::insert::{Sql, write_missing, write_new};
use super::pool::Pool;

/// How many batches wait at most; who hands over more waits before that.
const WAITING: usize = 64;
/// How many records, and how many bytes, are written at once where several callers wait.
const TOGETHER: usize = 1_000;
const TOGETHER_BYTES: usize = 4 << 20;
/// How often a connection may break over the same records before that is said.
const CONNECTIONS_TRIED: usize = 3;
/// How long the server may take for its answer beyond the time of a statement, which it keeps itself.
const GRACE: Duration = Duration::from_millis(500);

/// Where callers hand over.
pub(super) struct Queue {
    jobs: Sender<Job>,
    under_way: Arc<UnderWay>,
}

/// The other end.
pub(super) struct Writers {
    jobs: AsyncMutex<Receiver<Job>>,
    under_way: Arc<UnderWay>,
    /// Notified of what is written.
    pub(super) grown: Arc<Event>,
    pub(super) pool: Arc<Pool>,
    pub(super) sql: Arc<Sql>,
    pub(super) timeout: Duration,
}

struct Job {
    number: u64,
    records: Vec<Record>,
    bytes: usize,
    answer: oneshot::Sender<Result<(), SinkError>>,
}

/// The batches that are not answered for.
#[derive(Default)]
struct UnderWay {
    state: Mutex<State>,
    settled: Event,
}

#[derive(Default)]
struct State {
    next: u64,
    open: BTreeSet<u64>,
    /// Why a batch was not written whose caller had gone.
    untold: Option<SinkError>,
}

pub(super) fn queue(pool: Arc<Pool>, sql: Arc<Sql>, grown: Arc<Event>, timeout: Duration) -> (Queue, Arc<Writers>) {
    let (sender, receiver) = channel(WAITING);
    let under_way = Arc::<UnderWay>::default();
    let writers = Writers { jobs: AsyncMutex::new(receiver), under_way: under_way.clone(), grown, pool, sql, timeout };
    (Queue { jobs: sender, under_way }, Arc::new(writers))
}

impl Queue {
    /// Hands a batch over, and waits until it is written. From when it is handed over it is written, whether anybody
    /// waits or not.
    pub(super) async fn write(&self, records: Vec<Record>) -> Result<(), SinkError> {
        let place = self.jobs.reserve().await.map_err(|_| SinkError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let bytes = records.iter().map(|record| record.json().len()).sum();
        place.send(Job { number: self.under_way.begin(), records, bytes, answer });
        answered.await.unwrap_or(Err(SinkError::Closed))
    }

    /// Waits until everything that was handed over before is answered for.
    pub(super) async fn flush(&self) -> Result<(), SinkError> {
        let before = self.under_way.lock().next;
        loop {
            let settled = self.under_way.settled.listen();
            {
                let mut state = self.under_way.lock();
                if state.open.first().is_none_or(|first| *first >= before) {
                    return state.untold.take().map_or(Ok(()), Err);
                }
            }
            settled.await;
        }
    }
}

impl UnderWay {
    fn begin(&self) -> u64 {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.open.insert(number);
        number
    }

    fn settle(&self, job: Job, result: Result<(), SinkError>) {
        let untold = job.answer.send(result).err();
        let mut state = self.lock();
        state.open.remove(&job.number);
        if let Some(Err(error)) = untold {
            state.untold = Some(error);
        }
        drop(state);
        self.settled.notify(usize::MAX);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writers {
    /// Writes what is handed over until nobody can any more.
    pub(super) async fn run(self: Arc<Self>) {
        while let Some(jobs) = self.next().await {
            self.write(jobs).await;
        }
    }

    /// What waits, as much as is written at once; `None` when nothing comes any more.
    async fn next(&self) -> Option<Vec<Job>> {
        let mut waiting = self.jobs.lock().await;
        let first = waiting.recv().await?;
        let (mut records, mut bytes) = (first.records.len(), first.bytes);
        let mut jobs = vec![first];
        while records < TOGETHER
            && bytes < TOGETHER_BYTES
            && let Ok(job) = waiting.try_recv()
        {
            records += job.records.len();
            bytes += job.bytes;
            jobs.push(job);
        }
        Some(jobs)
    }

    async fn write(&self, jobs: Vec<Job>) {
        let all: Vec<_> = jobs.iter().flat_map(|job| &job.records).collect();
        let together = self.with_connection(&all, false).await;
        let alone = matches!(&together, Err(error) if error.sql_state().is_some() && !error.is_of_connection());
        if let Ok(()) = &together {
            self.grown.notify(usize::MAX);
        }
        if !alone {
            let error = together.err().map(SinkError::from);
            for job in jobs {
                self.under_way.settle(job, error.clone().map_or(Ok(()), Err));
            }
            return;
        }
        // One of them has what is known, or what the server does not take: the others are not to suffer for it.
        for job in jobs {
            let records: Vec<_> = job.records.iter().collect();
            let result = self.with_connection(&records, true).await;
            if result.is_ok() {
                self.grown.notify(usize::MAX);
            }
            self.under_way.settle(job, result.map_err(SinkError::from));
        }
    }

    /// Writes with one connection, or with the next where it breaks: again is the same. No longer than a statement may
    /// take.
    async fn with_connection(&self, records: &[&Record], known: bool) -> Result<(), PostgresError> {
        let attempts = async {
            let mut tried = 0;
            loop {
                tried += 1;
                let result = async {
                    let mut client = self.pool.get().await?;
                    let result = if known {
                        let entries: Vec<_> = records.iter().filter_map(|record| Entry::of(record)).collect();
                        write_missing(&mut client, &self.sql, &entries.iter().collect::<Vec<_>>()).await
                    } else {
                        write_new(&client, &self.sql, records).await
                    };
                    match &result {
                        Err(error) if error.is_of_connection() => {}
                        _ => client.give_back(),
                    }
                    result
                };
                match result.await {
                    Err(error) if error.is_of_connection() && tried < CONNECTIONS_TRIED => {}
                    result => return result,
                }
            }
        };
        let within = self.timeout + GRACE;
        tokio::time::timeout(within, attempts).await.unwrap_or(Err(PostgresError::Timeout(self.timeout)))
    }
}
