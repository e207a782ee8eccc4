//! One batch and the answers of all members to it.

use std::sync::{Arc, Mutex, PoisonError};

use audit_core::__private::Ticket;
use audit_core::{Durability, Record, SinkError};

use super::ledger::Ledger;

/// How many of some members, which follow each other, must have acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) need: usize,
    pub(super) members: std::ops::Range<usize>,
}

impl Group {
    /// What the acknowledgement of any `need` of its members promises, at worst: the weakest may be those that answer,
    /// and the best of them counts.
    pub(super) fn durability(&self, of: &[Durability]) -> Durability {
        let mut members = of[self.members.clone()].to_vec();
        members.sort_unstable();
        members.get(self.need - 1).copied().unwrap_or(Durability::None)
    }
}

pub(super) struct Ballot {
    groups: Arc<[Group]>,
    ledgers: Vec<Arc<Ledger>>,
    batch: Arc<[Record]>,
    state: Mutex<State>,
}

struct State {
    /// Of each member: nothing yet, or why not.
    votes: Vec<Option<Result<(), &'static str>>>,
    /// Until it is decided.
    ticket: Option<Ticket>,
    acknowledged: bool,
}

impl Ballot {
    pub(super) fn new(
        groups: Arc<[Group]>,
        ledgers: Vec<Arc<Ledger>>,
        batch: Arc<[Record]>,
        ticket: Ticket,
    ) -> Arc<Self> {
        let state = State { votes: vec![None; ledgers.len()], ticket: Some(ticket), acknowledged: false };
        Arc::new(Self { groups, ledgers, batch, state: Mutex::new(state) })
    }

    /// Enters the answer of a member, and answers the caller once that decides.
    pub(super) fn vote(&self, member: usize, result: Result<(), SinkError>) {
        let (decided, missed) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.votes[member] = Some(result.as_ref().map_err(SinkError::reason).copied());
            let decision = if state.ticket.is_some() { self.decision(&state.votes, result) } else { None };
            let ticket = decision.is_some().then(|| state.ticket.take()).flatten();
            state.acknowledged |= matches!(decision, Some(Ok(())));
            let missed = match &decision {
                // Those who had said no before somebody else's yes.
                Some(Ok(())) => state.failed(0..self.ledgers.len()),
                None if state.acknowledged => state.failed(member..member + 1),
                _ => Vec::new(),
            };
            for (member, _) in &missed {
                self.ledgers[*member].missed(self.batch.len());
            }
            (ticket.zip(decision), missed)
        };
        if let Some((ticket, decision)) = decided {
            ticket.settle(decision);
        }
        for (member, reason) in missed {
            self.ledgers[member].log_missed(&self.batch, reason);
        }
    }

    /// `latest` is the answer that came last, which gives the error where it was one too many.
    fn decision(
        &self,
        votes: &[Option<Result<(), &'static str>>],
        latest: Result<(), SinkError>,
    ) -> Option<Result<(), SinkError>> {
        let count = |group: &Group, ok: bool| {
            votes[group.members.clone()].iter().flatten().filter(|vote| vote.is_ok() == ok).count()
        };
        if self.groups.iter().any(|group| count(group, false) > group.members.len() - group.need) {
            return Some(latest);
        }
        self.groups.iter().all(|group| count(group, true) >= group.need).then_some(Ok(()))
    }
}

impl State {
    fn failed(&self, members: std::ops::Range<usize>) -> Vec<(usize, &'static str)> {
        members.filter_map(|member| Some((member, self.votes[member]?.err()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_a_quorum_can_mean_is_the_nth_lowest() {
        use Durability::{Disk, Memory, None, Replicated};
        let of = [Memory, Replicated, None, Disk];
        let durability = |need| Group { need, members: 0..4 }.durability(&of);
        assert_eq!([durability(1), durability(2), durability(3), durability(4)], [None, Memory, Disk, Replicated]);
    }
}
