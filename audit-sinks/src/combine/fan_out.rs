//! One batch to several sinks at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use audit_core::__private::{Inline, Ticket};
use audit_core::{AuditSink, Durability, Record, SinkError};

use super::ballot::{Ballot, Group};
use super::error::FanOutError;
use super::lane::Late;
use super::ledger::MemberStats;
use super::member::Member;
use super::poll::join;
use super::seat::Seat;

/// Writes to several sinks at once, and answers as soon as enough of them have.
///
/// Each sink has a deadline and, unless it is one of the framework's own, a thread with a bounded queue: one that hangs,
/// blocks or panics delays nobody else. When the answer is given, the others go on. What one of them misses although
/// the records were acknowledged is counted ([`FanOut::stats`]) and logged on the target `audited::loss`.
///
/// What had to wait for a sink is written to it at once, up to 1024 records, in its order, and has one answer.
///
/// Every part has to hold: all sinks of `all` and `required`, one of each `any`, `n` of each `quorum`. The first part
/// that no longer can answers with the error that settled it.
///
/// `Ok` promises the weakest that it can mean: of `all` the best of its sinks, of a quorum of `n` the `n`-th lowest, of
/// several parts the best of them.
///
/// Cloning it copies a handle. When the last is dropped, the threads still write what waits, without anybody waiting for
/// them: flush before, as [`Recorder::shutdown`](audit_core::Recorder::shutdown) does.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use std::sync::Arc;
/// use audited::{AuditSink, Durability, FanOut, MemorySink, TracingSink};
///
/// let archive: Arc<dyn AuditSink> = Arc::new(MemorySink::new());
/// let siem: Arc<dyn AuditSink> = Arc::new(TracingSink::new());
/// let fan_out = FanOut::builder().required(MemorySink::new()).any([archive, siem]).build()?;
/// assert_eq!(fan_out.describe(), "fan_out(all: memory, any: [memory, tracing])");
/// assert_eq!(fan_out.durability(), Durability::Memory);
/// # Ok::<(), audited::FanOutError>(())
/// ```
#[derive(Clone)]
pub struct FanOut(Arc<Inner>);

struct Inner {
    seats: Vec<Seat>,
    groups: Arc<[Group]>,
    durability: Durability,
    description: String,
}

impl FanOut {
    /// Starts without sinks.
    pub fn builder() -> FanOutBuilder {
        FanOutBuilder::default()
    }

    /// What became of the records at each sink, in the order in which they describe themselves.
    pub fn stats(&self) -> Vec<MemberStats> {
        self.0.seats.iter().map(Seat::stats).collect()
    }

    fn start(&self, batch: &Arc<[Record]>, ticket: Ticket) {
        let ledgers = self.0.seats.iter().map(|seat| seat.ledger().clone()).collect();
        let ballot = Ballot::new(self.0.groups.clone(), ledgers, batch.clone(), ticket);
        for (member, seat) in self.0.seats.iter().enumerate() {
            let ballot = ballot.clone();
            seat.submit(batch, move |result| ballot.vote(member, result));
        }
    }
}

#[async_trait]
impl AuditSink for FanOut {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let (ticket, receipt) = Ticket::new();
        self.submit_batch(batch, ticket);
        receipt.await
    }

    /// Flushes all sinks at once, each within its deadline. An error when any of them has one, needed or not: then it may
    /// lack what the others have.
    async fn flush(&self) -> Result<(), SinkError> {
        join(self.0.seats.iter().map(Seat::flush)).await
    }

    fn durability(&self) -> Durability {
        self.0.durability
    }

    fn describe(&self) -> String {
        self.0.description.clone()
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for FanOut {
    fn submit(&self, record: Record, ticket: Ticket) {
        self.start(&Arc::from([record]), ticket);
    }

    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        if batch.is_empty() { ticket.settle(Ok(())) } else { self.start(&Arc::from(batch), ticket) }
    }
}

impl fmt::Debug for FanOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.description)
    }
}

/// Builds a [`FanOut`].
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct FanOutBuilder {
    all: Vec<Member>,
    quorums: Vec<Quorum>,
    deadline: Option<Duration>,
    empty: Option<&'static str>,
}

#[derive(Debug)]
struct Quorum {
    name: String,
    need: usize,
    members: Vec<Member>,
}

impl FanOutBuilder {
    /// Adds a sink that must acknowledge.
    pub fn required(mut self, sink: impl Into<Member>) -> Self {
        self.all.push(sink.into());
        self
    }

    /// Adds sinks that must all acknowledge.
    pub fn all<M: Into<Member>>(mut self, sinks: impl IntoIterator<Item = M>) -> Self {
        let before = self.all.len();
        self.all.extend(sinks.into_iter().map(Into::into));
        if self.all.len() == before {
            self.empty = Some("all");
        }
        self
    }

    /// Adds sinks of which one must acknowledge.
    pub fn any<M: Into<Member>>(mut self, sinks: impl IntoIterator<Item = M>) -> Self {
        let members: Vec<_> = sinks.into_iter().map(Into::into).collect();
        if members.is_empty() {
            self.empty = Some("any");
        }
        self.quorums.push(Quorum { name: "any".into(), need: 1, members });
        self
    }

    /// Adds sinks of which `needed` must acknowledge.
    pub fn quorum<M: Into<Member>>(mut self, needed: usize, sinks: impl IntoIterator<Item = M>) -> Self {
        let members = sinks.into_iter().map(Into::into).collect();
        self.quorums.push(Quorum { name: format!("quorum({needed})"), need: needed, members });
        self
    }

    /// Sets the deadline of all sinks, instead of that of each [`Member`].
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Builds it. Threads are started when they are first needed.
    ///
    /// # Errors
    ///
    /// [`FanOutError`] when it has no sinks, an empty list, or a quorum that is zero or more than there are sinks.
    pub fn build(self) -> Result<FanOut, FanOutError> {
        if let Some(group) = self.empty {
            return Err(FanOutError::Empty { group });
        }
        let all = Quorum { name: "all".into(), need: self.all.len(), members: self.all };
        let all = if all.members.is_empty() { None } else { Some(all) };
        let (mut seats, mut groups, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for Quorum { name, need, members } in all.into_iter().chain(self.quorums) {
            if need == 0 || need > members.len() {
                return Err(FanOutError::Quorum { needed: need, members: members.len() });
            }
            let first = seats.len();
            seats.extend(members.into_iter().map(|member| {
                let deadline = self.deadline.unwrap_or(member.deadline);
                Seat::new(member.deadline(deadline), Late::Finish)
            }));
            groups.push(Group { need, members: first..seats.len() });
            parts.push(format!("{name}: {}", list(&seats[first..])));
        }
        if seats.is_empty() {
            return Err(FanOutError::NoMembers);
        }
        let each: Vec<_> = seats.iter().map(Seat::durability).collect();
        let durability = groups.iter().map(|group| group.durability(&each)).max().unwrap_or(Durability::None);
        let description = format!("fan_out({})", parts.join(", "));
        Ok(FanOut(Arc::new(Inner { seats, groups: groups.into(), durability, description })))
    }
}

fn list(seats: &[Seat]) -> String {
    match seats {
        [one] => one.description().to_owned(),
        several => format!("[{}]", several.iter().map(Seat::description).collect::<Vec<_>>().join(", ")),
    }
}
