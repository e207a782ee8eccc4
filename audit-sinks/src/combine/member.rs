//! A sink and what it is granted inside of a combination.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use audit_core::{AuditSink, DEFAULT_MAX_IN_FLIGHT};

/// How long a sink has to answer inside of a combination, unless its [`Member`] says otherwise. It is less than a
/// recorder waits, so that there is time left to act on it.
pub const DEFAULT_MEMBER_DEADLINE: Duration = Duration::from_secs(2);

/// How many records a sink inside of a combination may have and not have answered for, unless its [`Member`] says
/// otherwise: as many as a recorder has on their way.
pub const DEFAULT_MEMBER_RECORDS: usize = DEFAULT_MAX_IN_FLIGHT;

/// How many bytes of records that may be, unless its [`Member`] says otherwise.
pub const DEFAULT_MEMBER_BYTES: usize = 32 << 20;

/// A sink inside of a combination, with its deadline and the room of its queue.
///
/// Wherever one is expected, a sink alone will do, with the defaults. A list of different ones is made of
/// `Member::from(…)` or of `Arc<dyn AuditSink>`.
///
/// ```
/// # use audit_sinks as audited;
/// use std::time::Duration;
/// use audited::{FanOut, Member, MemorySink};
///
/// let slow = Member::new(MemorySink::new()).deadline(Duration::from_secs(30)).queue(100_000, 256 << 20);
/// let fan_out = FanOut::builder().required(MemorySink::new()).any([slow, MemorySink::new().into()]).build()?;
/// # Ok::<(), audited::FanOutError>(())
/// ```
pub struct Member {
    pub(super) sink: Arc<dyn AuditSink>,
    pub(super) deadline: Duration,
    pub(super) records: usize,
    pub(super) bytes: usize,
}

impl Member {
    /// Takes a sink, with the defaults.
    pub fn new(sink: impl AuditSink) -> Self {
        Self {
            sink: Arc::new(sink),
            deadline: DEFAULT_MEMBER_DEADLINE,
            records: DEFAULT_MEMBER_RECORDS,
            bytes: DEFAULT_MEMBER_BYTES,
        }
    }

    /// Sets how long it has to answer, from the moment it is asked; the time in its queue counts.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how much it may have and not have answered for, whoever has given up waiting for it among that. What comes
    /// beyond fails with [`SinkError::Full`](audit_core::SinkError::Full) and is counted as dropped.
    ///
    /// Where all records need this sink, it is not less than what the recorder has on their way
    /// ([`max_in_flight`](audit_core::RecorderBuilder::max_in_flight)).
    #[must_use]
    pub const fn queue(mut self, records: usize, bytes: usize) -> Self {
        self.records = records;
        self.bytes = bytes;
        self
    }
}

impl<S: AuditSink> From<S> for Member {
    fn from(sink: S) -> Self {
        Self::new(sink)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}
