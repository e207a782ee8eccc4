//! The same batch again.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use audit_core::__private::Guarded;
use audit_core::{AuditSink, Durability, Record, SinkError};
use backon::{BackoffBuilder, ExponentialBuilder};

use super::clock::{sleep, within};
use super::poll::guarded;

/// How many times a [`Retry`] asks, the first included.
pub const DEFAULT_RETRY_ATTEMPTS: usize = 4;

/// How long a [`Retry`] goes on. It is less than a recorder waits.
pub const DEFAULT_RETRY_TOTAL: Duration = Duration::from_secs(4);

/// Writes a batch again when the sink has not acknowledged it.
///
/// The time between two attempts is drawn between nothing and a bound that doubles each time, so that services that
/// failed together do not come back together. After [`SinkError::Poisoned`] and [`SinkError::Closed`], which cannot get
/// better, it does not try again. It ends after so many attempts, and after so much time: an attempt that is under way
/// then is dropped.
///
/// Every attempt writes the same records with the same ids. An attempt that failed may have written some of them, all
/// of them, or all but the answer: **the sink may have a record more than once**, and tells them apart by
/// [`Fields::id`](audit_core::Fields::id).
///
/// Meanwhile whoever waits for it waits. Around a sink that hangs, give each attempt a
/// [`Timeout`](super::Timeout): `Retry::new(Timeout::new(sink, …))`. One that blocks its thread blocks the one that polls
/// this, which is why a recorder and a [`FanOut`](super::FanOut) have one for it.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use std::time::Duration;
/// use audited::{AuditSink, MemorySink, Retry, Timeout};
///
/// let postgres = MemorySink::new();
/// let retry = Retry::new(Timeout::new(postgres, Duration::from_millis(500))).attempts(5);
/// assert_eq!(retry.describe(), "retry(timeout(memory))");
/// ```
#[derive(Clone)]
pub struct Retry {
    sink: Arc<Guarded>,
    attempts: usize,
    min: Duration,
    max: Duration,
    total: Duration,
}

impl Retry {
    /// Takes a sink, with the defaults: [`DEFAULT_RETRY_ATTEMPTS`] within [`DEFAULT_RETRY_TOTAL`], 50 ms at first and at most 1 s
    /// between them.
    pub fn new(sink: impl AuditSink) -> Self {
        Self {
            sink: Arc::new(Guarded::new(Arc::new(sink))),
            attempts: DEFAULT_RETRY_ATTEMPTS,
            min: Duration::from_millis(50),
            max: Duration::from_secs(1),
            total: DEFAULT_RETRY_TOTAL,
        }
    }

    /// Sets how many times it asks, the first included; at least one.
    #[must_use]
    pub const fn attempts(mut self, attempts: usize) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets the most time before the second attempt, which doubles with each, and the most before any.
    #[must_use]
    pub const fn delays(mut self, first: Duration, most: Duration) -> Self {
        self.min = first;
        self.max = most;
        self
    }

    /// Sets how long it goes on, attempts and the time between them.
    #[must_use]
    pub const fn total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }

    async fn attempts_at(&self, batch: &[Record]) -> Result<(), SinkError> {
        let start = Instant::now();
        let mut bounds = ExponentialBuilder::new()
            .with_min_delay(self.min)
            .with_max_delay(self.max)
            .with_max_times(self.attempts.saturating_sub(1))
            .build();
        loop {
            let error = match guarded(&self.sink, |sink| sink.write(batch)).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let Some(bound) = bounds.next().filter(|_| can_get_better(&error)) else { return Err(error) };
            let delay = bound.mul_f64(fastrand::f64());
            if start.elapsed().saturating_add(delay) >= self.total {
                return Err(error);
            }
            sleep(delay).await;
        }
    }
}

const fn can_get_better(error: &SinkError) -> bool {
    !matches!(error, SinkError::Poisoned | SinkError::Closed)
}

#[async_trait]
impl AuditSink for Retry {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        within(self.total, self.attempts_at(batch)).await
    }

    /// Flushes the sink once.
    async fn flush(&self) -> Result<(), SinkError> {
        within(self.total, guarded(&self.sink, |sink| sink.flush())).await
    }

    fn durability(&self) -> Durability {
        self.sink.durability()
    }

    fn describe(&self) -> String {
        format!("retry({})", self.sink.description())
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}
