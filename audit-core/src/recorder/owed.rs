//! What the stream is owed: how many records were lost, and how many denials were counted. It waits until a sink has
//! acknowledged the record that says so.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::flood::{Counted, Counts, DenialKind};
use super::gap::Gap;
use super::watch::Watch;
use crate::contain::contained;
use crate::id::RecordId;
use crate::record::{Flags, Record, Stamp, encode};
use crate::sensitive::Rules;
use crate::sink::SinkError;
use crate::ticket::{Account, Slip, Ticket};
use crate::timestamp::Timestamp;

pub(super) struct Owed {
    state: Mutex<State>,
    landed: Condvar,
    watch: Arc<Watch>,
    rules: Arc<Rules>,
}

#[derive(Default)]
struct State {
    gap: Option<Gap>,
    counts: Counts,
    flying: Flying,
}

/// What is on its way. Meanwhile what is owed in addition waits, so that a sink that hangs holds one record of each.
#[derive(Default)]
struct Flying {
    lost: u64,
    kinds: usize,
    denials: u64,
}

/// What is in no record that a sink has acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Debts {
    pub(super) lost: u64,
    pub(super) denials: u64,
}

impl Owed {
    pub(super) fn new(watch: Arc<Watch>, rules: Arc<Rules>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), landed: Condvar::new(), watch, rules })
    }

    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record was lost.
    pub(super) fn lost(&self, action: &str, reason: &'static str, when: Timestamp) {
        self.lock().gap.get_or_insert_with(|| Gap::at(when)).add(action, reason, when);
        self.watch.gap_due();
    }

    /// Denials were counted.
    pub(super) fn counted(&self, counted: impl Iterator<Item = (DenialKind, Counted)>) {
        let mut state = self.lock();
        counted.for_each(|(kind, counted)| state.counts.add(kind, counted));
    }

    /// The records of what is owed and not on its way. What a sink does not acknowledge is owed again.
    pub(super) fn next(self: &Arc<Self>) -> Vec<(Record, Ticket)> {
        let (gap, counts) = self.lock().take();
        let counts = counts.into_iter().map(|(kind, counted)| Debt::Counted(kind, counted));
        gap.map(Debt::Lost).into_iter().chain(counts).map(|debt| self.record(debt)).collect()
    }

    fn record(self: &Arc<Self>, debt: Debt) -> (Record, Ticket) {
        let now = Timestamp::now();
        let stamp = Stamp { id: RecordId::at(now), occurred_at: now, recorded_at: now, flags: Flags::default() };
        let draft = match &debt {
            Debt::Lost(gap) => gap.draft(),
            Debt::Counted(kind, counted) => kind.draft(counted),
        };
        let record = encode(&draft, None, &stamp, &self.rules);
        let (ticket, _) = Ticket::with_account(Some(Arc::new(DebtEntry { owed: self.clone(), debt })));
        (record, ticket)
    }

    /// Waits until the sink has answered for what is on its way, or the deadline has passed; gives what is owed then.
    pub(super) fn wait_until_landed(&self, until: Option<Instant>) -> Debts {
        let mut state = self.lock();
        while !state.flying.is_none() {
            let Some(until) = until else {
                state = self.landed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.landed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.debts()
    }

    fn landed(&self, debt: &Debt, is_paid: bool) {
        let waits = {
            let mut state = self.lock();
            state.land(debt, is_paid);
            state.gap.is_some() || !state.counts.is_empty()
        };
        self.landed.notify_all();
        if waits && self.watch.is_closed() {
            self.give_up();
        } else if waits {
            self.watch.gap_due();
        }
    }

    /// The recorder is gone, and nobody will ask the sink again.
    fn give_up(&self) {
        let debts = {
            let mut state = self.lock();
            if !state.flying.is_none() {
                return;
            }
            let debts = state.debts();
            (state.gap, state.counts) = (None, Counts::default());
            debts
        };
        if debts == Debts::default() {
            return;
        }
        contained(|| {
            tracing::error!(
                target: "audited::loss",
                lost = debts.lost,
                coalesced = debts.denials,
                "the audit stream does not say what is missing from it"
            );
        });
    }
}

impl State {
    fn take(&mut self) -> (Option<Gap>, Counts) {
        let gap = if self.flying.lost > 0 { None } else { self.gap.take() };
        let counts = if self.flying.kinds > 0 { Counts::default() } else { std::mem::take(&mut self.counts) };
        self.flying.lost += gap.as_ref().map_or(0, |gap| gap.lost);
        self.flying.kinds += counts.kinds();
        self.flying.denials += counts.denials();
        (gap, counts)
    }

    fn land(&mut self, debt: &Debt, is_paid: bool) {
        match debt {
            Debt::Lost(gap) => {
                self.flying.lost = 0;
                if !is_paid {
                    let mut gap = gap.clone();
                    if let Some(newer) = self.gap.take() {
                        gap.merge(newer);
                    }
                    self.gap = Some(gap);
                }
            }
            Debt::Counted(kind, counted) => {
                self.flying.kinds -= 1;
                self.flying.denials -= counted.denials;
                if !is_paid {
                    self.counts.add(kind.clone(), *counted);
                }
            }
        }
    }

    fn debts(&self) -> Debts {
        Debts {
            lost: self.flying.lost + self.gap.as_ref().map_or(0, |gap| gap.lost),
            denials: self.flying.denials + self.counts.denials(),
        }
    }
}

impl Flying {
    fn is_none(&self) -> bool {
        self.lost == 0 && self.kinds == 0
    }
}

enum Debt {
    Lost(Gap),
    Counted(DenialKind, Counted),
}

/// The account of a record that says what is owed.
struct DebtEntry {
    owed: Arc<Owed>,
    debt: Debt,
}

impl Account for DebtEntry {
    fn settled(&self, result: &Result<(), SinkError>, _late: bool) {
        self.owed.landed(&self.debt, result.is_ok());
    }

    fn expired(&self) {}

    fn watch(&self, _slip: &Arc<Slip>, _deadline: Instant) {}
}
