//! A sink, and another for when it fails.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use audit_core::__private::{Inline, Ticket, contained};
use audit_core::{AuditSink, Durability, Record, SinkError};

use super::breaker::{Ask, Breaker, FailoverState};
use super::lane::Late;
use super::ledger::MemberStats;
use super::member::Member;
use super::poll::join;
use super::seat::Seat;

/// After how many failures in a row a [`Failover`] stops asking its first sink.
pub const DEFAULT_FAILOVER_FAILURES: u32 = 5;

/// How long a [`Failover`] leaves a failed sink alone.
pub const DEFAULT_FAILOVER_PAUSE: Duration = Duration::from_secs(10);

/// Writes to a first sink, and to a second what the first has not acknowledged within its deadline.
///
/// After some failures in a row the first is not asked any more, so that it costs nobody its deadline; once in a while
/// one batch tries whether it is back, and then all go there again. [`Failover::state`] says which it is, and each
/// change is a log line on the target `audited::loss`. What only the second has is counted as missed by the first.
///
/// A batch may be in both: a first sink that is late has not said no. Both deadlines together should be less than the
/// recorder's, or the second comes too late for its caller; it is asked nevertheless.
///
/// `Ok` promises the lesser of what the two promise. Cloning it copies a handle.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use audited::{AuditSink, Failover, FailoverState, MemorySink, TracingSink};
///
/// let failover = Failover::new(MemorySink::new(), TracingSink::new());
/// assert_eq!(failover.describe(), "failover(memory, then: tracing)");
/// assert_eq!(failover.state(), FailoverState::First);
/// ```
#[derive(Clone)]
pub struct Failover(Arc<Inner>);

struct Inner {
    first: Seat,
    second: Seat,
    breaker: Mutex<Breaker>,
}

impl Failover {
    /// Takes both, with the defaults.
    pub fn new(first: impl Into<Member>, second: impl Into<Member>) -> Self {
        Self::builder(first, second).build()
    }

    /// Takes both, to be set up further.
    pub fn builder(first: impl Into<Member>, second: impl Into<Member>) -> FailoverBuilder {
        let (first, second) = (first.into(), second.into());
        FailoverBuilder { first, second, failures: DEFAULT_FAILOVER_FAILURES, pause: DEFAULT_FAILOVER_PAUSE }
    }

    /// Where it writes now.
    pub fn state(&self) -> FailoverState {
        self.0.breaker().state()
    }

    /// What became of the records at the first and at the second. Each of the second was missed by the first.
    pub fn stats(&self) -> [MemberStats; 2] {
        [self.0.first.stats(), self.0.second.stats()]
    }

    fn start(&self, batch: &Arc<[Record]>, ticket: Ticket) {
        let inner = self.0.clone();
        let ask = inner.breaker().ask(Instant::now());
        let Ask::First { probe } = ask else { return inner.second(batch, ticket) };
        let answer = {
            let (inner, batch) = (inner.clone(), batch.clone());
            move |result: Result<(), SinkError>| {
                inner.first_answered(probe, &result);
                match result {
                    Ok(()) => ticket.settle(Ok(())),
                    Err(_) => inner.second(&batch, ticket),
                }
            }
        };
        inner.first.submit(batch, answer);
    }
}

impl Inner {
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first_answered(&self, probe: bool, result: &Result<(), SinkError>) {
        let (before, after) = {
            let mut breaker = self.breaker();
            let before = breaker.state();
            breaker.answered(probe, result.is_ok(), Instant::now());
            (before, breaker.state())
        };
        let (first, second) = (self.first.description(), self.second.description());
        let reason = result.as_ref().err().map(SinkError::reason);
        // The subscriber is foreign code.
        contained(|| match (before, after) {
            (FailoverState::First, FailoverState::Second) => {
                tracing::error!(target: "audited::loss", first, second, reason, "audit records go to the second sink");
            }
            (FailoverState::Second | FailoverState::Probing, FailoverState::First) => {
                tracing::warn!(target: "audited::loss", first, second, "audit records go to the first sink again");
            }
            _ => {}
        });
    }

    fn second(self: &Arc<Self>, batch: &Arc<[Record]>, ticket: Ticket) {
        let (inner, records) = (self.clone(), batch.len());
        self.second.submit(batch, move |result| {
            if result.is_ok() {
                inner.first.ledger().missed(records);
            }
            ticket.settle(result);
        });
    }
}

#[async_trait]
impl AuditSink for Failover {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let (ticket, receipt) = Ticket::new();
        self.submit_batch(batch, ticket);
        receipt.await
    }

    /// Flushes both at once, each within its deadline; an error when either has one.
    async fn flush(&self) -> Result<(), SinkError> {
        join([&self.0.first, &self.0.second].map(Seat::flush)).await
    }

    fn durability(&self) -> Durability {
        self.0.first.durability().min(self.0.second.durability())
    }

    fn describe(&self) -> String {
        format!("failover({}, then: {})", self.0.first.description(), self.0.second.description())
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for Failover {
    fn submit(&self, record: Record, ticket: Ticket) {
        self.start(&Arc::from([record]), ticket);
    }

    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        if batch.is_empty() { ticket.settle(Ok(())) } else { self.start(&Arc::from(batch), ticket) }
    }
}

impl fmt::Debug for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// Builds a [`Failover`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct FailoverBuilder {
    first: Member,
    second: Member,
    failures: u32,
    pause: Duration,
}

impl FailoverBuilder {
    /// Sets after how many failures in a row the first sink is not asked any more; at least one.
    pub const fn open_after(mut self, failures: u32) -> Self {
        self.failures = failures;
        self
    }

    /// Sets how long it is left alone before one batch tries it again.
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Builds it. Threads are started when they are first needed.
    pub fn build(self) -> Failover {
        let [first, second] = [self.first, self.second].map(|member| Seat::new(member, Late::Abandon));
        Failover(Arc::new(Inner { first, second, breaker: Mutex::new(Breaker::new(self.failures, self.pause)) }))
    }
}
