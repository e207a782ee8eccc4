//! The account of what was not acknowledged.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::action::Action;
use crate::record::{Draft, Kind, Record};
use crate::sensitive::Redaction;
use crate::timestamp::Timestamp;

/// The most actions that one gap record lists; the rest is counted under `…`.
const MAX_LISTED: usize = 32;

/// What became of the records so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Acknowledged in time.
    pub acknowledged: u64,
    /// Not acknowledged in time, whatever came of them later.
    pub unacknowledged: u64,
    /// Of those, acknowledged too late for the caller.
    pub late: u64,
    /// Lost for certain: the sink said no, or there was no room.
    pub lost: u64,
}

#[derive(Default)]
pub(super) struct Losses(Mutex<State>);

#[derive(Default)]
struct State {
    stats: Stats,
    gap: Option<Gap>,
    gap_on_its_way: bool,
}

/// What is lost and not yet in the stream.
#[derive(Clone, Debug)]
struct Gap {
    lost: u64,
    actions: BTreeMap<String, u64>,
    reasons: BTreeMap<&'static str, u64>,
    from: Timestamp,
    to: Timestamp,
}

impl Losses {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stats(&self) -> Stats {
        self.lock().stats
    }

    /// Says whether a gap is waiting to be written, now that the sink takes records.
    pub(super) fn acknowledged(&self, late: bool) -> bool {
        let mut state = self.lock();
        if late {
            state.stats.late += 1;
        } else {
            state.stats.acknowledged += 1;
        }
        state.gap.is_some() && !state.gap_on_its_way
    }

    pub(super) fn expired(&self) {
        self.lock().stats.unacknowledged += 1;
    }

    pub(super) fn lost(&self, action: &str, reason: &'static str, late: bool) {
        let now = Timestamp::now();
        let mut state = self.lock();
        state.stats.lost += 1;
        if !late {
            state.stats.unacknowledged += 1;
        }
        let gap = state.gap.get_or_insert_with(|| Gap::new(now));
        gap.lost += 1;
        gap.to = gap.to.max(now);
        gap.count_action(action, 1);
        *gap.reasons.entry(reason).or_default() += 1;
    }

    /// Takes the gap to write it, unless there is none or one is on its way.
    pub(super) fn begin_gap(&self) -> Option<PendingGap> {
        let mut state = self.lock();
        if state.gap_on_its_way {
            return None;
        }
        let gap = state.gap.take()?;
        state.gap_on_its_way = true;
        Some(PendingGap(gap))
    }

    /// The gap is in the stream, or (`back`) it is not and must be written again. Says whether one is waiting.
    pub(super) fn end_gap(&self, back: Option<PendingGap>) -> bool {
        let mut state = self.lock();
        state.gap_on_its_way = false;
        if let Some(PendingGap(mut gap)) = back {
            if let Some(newer) = state.gap.take() {
                gap.merge(newer);
            }
            state.gap = Some(gap);
        }
        state.gap.is_some()
    }
}

/// A gap that is being written.
#[derive(Clone)]
pub(super) struct PendingGap(Gap);

impl PendingGap {
    pub(super) fn draft(&self) -> Draft {
        let Self(gap) = self;
        let mut draft = Draft::new(Action::new("audit.gap"), Kind::System);
        draft.detail.add(Redaction::default(), |fields| {
            fields.value("lost", &gap.lost);
            fields.plain("actions", &gap.actions);
            fields.plain("reasons", &gap.reasons);
            fields.value("from", &gap.from);
            fields.value("to", &gap.to);
        });
        draft
    }
}

/// The action of a record, for the account.
pub(super) fn action_of(record: &Record) -> String {
    record.action().into_owned()
}

impl Gap {
    fn new(now: Timestamp) -> Self {
        Self { lost: 0, actions: BTreeMap::new(), reasons: BTreeMap::new(), from: now, to: now }
    }

    fn count_action(&mut self, action: &str, count: u64) {
        let listed = self.actions.len() < MAX_LISTED || self.actions.contains_key(action);
        *self.actions.entry(if listed { action.to_owned() } else { "…".to_owned() }).or_default() += count;
    }

    fn merge(&mut self, newer: Self) {
        self.lost += newer.lost;
        self.from = self.from.min(newer.from);
        self.to = self.to.max(newer.to);
        for (action, count) in newer.actions {
            self.count_action(&action, count);
        }
        for (reason, count) in newer.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
    }
}
