//! No more than so many.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use audit_core::__private::Guarded;
use audit_core::{AuditSink, Durability, Record, SinkError};

use super::clock::sleep;
use super::poll::guarded;

/// How long a batch waits for its turn at a [`RateLimit`].
pub const DEFAULT_RATE_LIMIT_WAIT: Duration = Duration::from_secs(1);

/// Writes no more than so many records a second, and at most a burst at once.
///
/// A batch that is over waits for its turn, in the order of arrival, up to a bound; one that would wait longer is refused
/// at once with [`SinkError::Full`] and counted, so that a flood neither piles up nor slips away. A batch larger than the
/// burst waits for the part that is over, and one for which the bound can never be enough is always refused.
///
/// Around what must have everything, such as a journal, it has no place; around the way to a log that is paid by
/// volume, as the `any` of a [`FanOut`](super::FanOut), it does.
///
/// Cloning it shares the rate.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use std::num::NonZeroU32;
/// use audited::{AuditSink, MemorySink, RateLimit};
///
/// let (a_second, burst) = (NonZeroU32::new(100).unwrap(), NonZeroU32::new(500).unwrap());
/// let limit = RateLimit::new(MemorySink::new(), a_second, burst);
/// assert_eq!(limit.describe(), "rate_limit(memory)");
/// assert_eq!(limit.stats().refused, 0);
/// ```
#[derive(Clone)]
pub struct RateLimit {
    shared: Arc<Shared>,
    max_wait: Duration,
}

struct Shared {
    sink: Guarded,
    bucket: Mutex<Bucket>,
}

/// What a [`RateLimit`] has let through so far, in records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitStats {
    /// Let through, whatever became of them, those that had to wait included.
    pub passed: u64,
    /// Of those, had to wait for their turn.
    pub delayed: u64,
    /// Refused, since they would have waited too long.
    pub refused: u64,
}

impl RateLimit {
    /// Lets so many records a second through, and at most `burst` of them at once; waits up to [`DEFAULT_RATE_LIMIT_WAIT`].
    pub fn new(sink: impl AuditSink, per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let bucket = Mutex::new(Bucket::new(per_second, burst, Instant::now()));
        let shared = Arc::new(Shared { sink: Guarded::new(Arc::new(sink)), bucket });
        Self { shared, max_wait: DEFAULT_RATE_LIMIT_WAIT }
    }

    /// Sets how long a batch may wait; nothing refuses at once whatever is over.
    #[must_use]
    pub const fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    /// What it has let through.
    pub fn stats(&self) -> RateLimitStats {
        self.bucket().stats
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.shared.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AuditSink for RateLimit {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let wait = self.bucket().take(batch.len(), Instant::now(), self.max_wait).ok_or(SinkError::Full)?;
        if !wait.is_zero() {
            sleep(wait).await;
        }
        guarded(&self.shared.sink, |sink| sink.write(batch)).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        guarded(&self.shared.sink, |sink| sink.flush()).await
    }

    fn durability(&self) -> Durability {
        self.shared.sink.durability()
    }

    fn describe(&self) -> String {
        format!("rate_limit({})", self.shared.sink.description())
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// A bucket that leaks, kept as the moment at which it will be empty: no thread fills it.
struct Bucket {
    per_second: NonZeroU32,
    /// How much time's worth it holds.
    depth: Duration,
    empty_at: Instant,
    stats: RateLimitStats,
}

impl Bucket {
    fn new(per_second: NonZeroU32, burst: NonZeroU32, now: Instant) -> Self {
        let depth = worth(u64::from(burst.get()), per_second);
        Self { per_second, depth, empty_at: now, stats: RateLimitStats::default() }
    }

    /// The time to wait for that many, which then have their turn; `None` when it is more than `most`.
    fn take(&mut self, records: usize, now: Instant, most: Duration) -> Option<Duration> {
        let records = records as u64;
        let full_until = self.empty_at.max(now).checked_add(worth(records, self.per_second));
        let wait = full_until.map(|at| at.saturating_duration_since(now).saturating_sub(self.depth));
        let Some((full_until, wait)) = full_until.zip(wait).filter(|(_, wait)| records == 0 || *wait <= most) else {
            self.stats.refused += records;
            return None;
        };
        self.empty_at = full_until;
        self.stats.passed += records;
        if !wait.is_zero() {
            self.stats.delayed += records;
        }
        Some(wait)
    }
}

fn worth(records: u64, per_second: NonZeroU32) -> Duration {
    Duration::from_secs(records) / per_second.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_WAIT: Duration = Duration::ZERO;
    const SECOND: Duration = Duration::from_secs(1);

    fn bucket(now: Instant) -> Bucket {
        Bucket::new(NonZeroU32::new(10).unwrap(), NonZeroU32::new(5).unwrap(), now)
    }

    #[test]
    fn a_burst_goes_at_once_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut bucket = bucket(start);
        assert_eq!(bucket.take(5, start, NO_WAIT), Some(NO_WAIT));
        assert_eq!(bucket.take(1, start, NO_WAIT), None);
        assert_eq!(bucket.take(2, start, SECOND), Some(SECOND / 5), "two at ten a second");
        assert_eq!(bucket.take(1, start, SECOND), Some(SECOND * 3 / 10), "behind those");
        assert_eq!(bucket.take(1, start + SECOND * 4 / 10, NO_WAIT), Some(NO_WAIT));
        let stats = RateLimitStats { passed: 9, delayed: 3, refused: 1 };
        assert_eq!(bucket.stats, stats);
    }

    #[test]
    fn over_any_time_no_more_than_rate_and_burst_pass() {
        let start = Instant::now();
        let mut bucket = bucket(start);
        let passed = (0..10_000).filter(|n| bucket.take(1, start + SECOND * *n / 1000, NO_WAIT).is_some()).count();
        assert!((100..=105).contains(&passed), "{passed}");
    }

    #[test]
    fn a_batch_beyond_the_burst_waits_for_what_is_over() {
        let start = Instant::now();
        assert_eq!(bucket(start).take(10, start, SECOND), Some(SECOND / 2));
        assert_eq!(bucket(start).take(100, start, SECOND), None);
        assert_eq!(bucket(start).take(0, start, NO_WAIT), Some(NO_WAIT));
    }
}
