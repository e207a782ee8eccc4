//! The records that stand behind a gap which no sink has acknowledged yet.
//!
//! They wait as those in a sink's queue do: up to their deadline, and nobody is blocked. How many there are is bounded
//! as all that are on their way. A record is lost with the gap before it only if that was tried after the record came:
//! a try that was under way already says nothing of what the sink does now.

use std::collections::VecDeque;

use crate::record::Record;
use crate::sink::SinkError;
use crate::ticket::Ticket;

#[derive(Default)]
pub(super) struct Line {
    waiting: VecDeque<Waiting>,
    /// How many tries to write a gap have begun.
    tries: u64,
    /// What the last of them ended with, if in vain.
    failed: Option<SinkError>,
}

struct Waiting {
    record: Record,
    ticket: Ticket,
    /// The number of the gap.
    behind: u64,
    /// How many tries had begun when it came.
    tries: u64,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn push(&mut self, record: Record, ticket: Ticket, behind: u64) {
        self.waiting.push_back(Waiting { record, ticket, behind, tries: self.tries });
    }

    /// A gap is given to the sink, of which there is one at a time; all stand behind this one then, if any.
    pub(super) fn try_begins(&mut self, behind: Option<u64>) {
        self.tries += 1;
        if let Some(behind) = behind {
            self.waiting.iter_mut().for_each(|waiting| waiting.behind = behind);
        }
    }

    pub(super) fn try_failed(&mut self, error: SinkError) {
        self.failed = Some(error);
    }

    /// Takes out those whose gap is in the stream.
    pub(super) fn release(&mut self, paid: u64) -> Vec<(Record, Ticket)> {
        let released = self.take_while(|waiting| waiting.behind <= paid);
        released.map(|waiting| (waiting.record, waiting.ticket)).collect()
    }

    /// Takes out those that are lost with the try that failed.
    pub(super) fn refuse(&mut self) -> Option<(Vec<Ticket>, SinkError)> {
        let (error, tries) = (self.failed.take()?, self.tries);
        let refused: Vec<_> = self.take_while(|waiting| waiting.tries < tries).map(|waiting| waiting.ticket).collect();
        if refused.is_empty() { None } else { Some((refused, error)) }
    }

    fn take_while(&mut self, leaves: impl Fn(&Waiting) -> bool) -> impl Iterator<Item = Waiting> {
        // What came later stands behind no earlier gap, and has seen no fewer tries.
        let leaving = self.waiting.iter().take_while(|waiting| leaves(waiting)).count();
        self.waiting.drain(..leaving)
    }
}
