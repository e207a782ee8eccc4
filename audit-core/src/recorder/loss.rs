//! The account of what was not acknowledged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::watch::Watch;
use crate::action::Action;
use crate::contain::contained;
use crate::id::RecordId;
use crate::record::{Draft, Flag, Flags, Kind, Record, Stamp, encode};
use crate::sensitive::{Encoder, Redaction};
use crate::sink::SinkError;
use crate::ticket::{Account, Slip, Ticket};
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
    /// Events that are not in the recorder's [`Vocabulary`](crate::Vocabulary).
    pub unknown: u64,
    /// Events whose payload is not what the [`Vocabulary`](crate::Vocabulary) says.
    pub drift: u64,
    /// Records of what may only be recorded from another [`Surface`](crate::Surface).
    pub violations: u64,
    /// Denials that [`FloodControl`](crate::FloodControl) counted instead of writing them.
    pub coalesced: u64,
    /// Records in which a value could not be written as its type says: it could not be encoded, or there was no key to
    /// hash it with. It is redacted.
    pub redaction_fallbacks: u64,
}

/// A record that was not acknowledged, as it is told to [`RecorderBuilder::on_loss`](crate::RecorderBuilder::on_loss).
#[derive(Debug)]
#[non_exhaustive]
pub struct Loss<'a> {
    /// Its action.
    pub action: &'a str,
    /// Its id.
    pub id: Option<RecordId>,
    /// What ties it to other records and to logs.
    pub correlation_id: Option<&'a str>,
    /// Why: `full`, `deadline`, `io`, and the other reasons of a [`SinkError`].
    pub reason: &'static str,
    /// Whether it is lost; otherwise its caller was answered without an acknowledgement, which may still come.
    pub for_certain: bool,
}

pub(super) type OnLoss = dyn Fn(&Loss<'_>) + Send + Sync;

pub(super) struct Losses {
    state: Mutex<State>,
    watch: Arc<Watch>,
    on_loss: Option<Box<OnLoss>>,
}

#[derive(Default)]
struct State {
    stats: Stats,
    /// How many were lost, by reason.
    reasons: BTreeMap<&'static str, u64>,
    gap: Option<Gap>,
    gap_on_its_way: bool,
}

/// What is lost and not yet in the stream.
#[derive(Clone, Debug)]
struct Gap {
    lost: u64,
    actions: BTreeMap<String, u64>,
    reasons: BTreeMap<&'static str, u64>,
    /// When the first of the lost happened.
    from: Timestamp,
    /// When the last of them happened.
    to: Timestamp,
}

impl Losses {
    pub(super) fn new(watch: Arc<Watch>, on_loss: Option<Box<OnLoss>>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), watch, on_loss })
    }

    pub(super) fn reasons(&self) -> BTreeMap<&'static str, u64> {
        self.lock().reasons.clone()
    }

    pub(super) fn tell(&self, loss: &Loss<'_>) {
        if let Some(told) = &self.on_loss {
            // Foreign code.
            contained(|| told(loss));
        }
    }

    pub(super) fn coalesced(&self) {
        self.lock().stats.coalesced += 1;
    }

    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stats(&self) -> Stats {
        self.lock().stats
    }

    pub(super) fn acknowledged(&self, late: bool) {
        let mut state = self.lock();
        if late {
            state.stats.late += 1;
        } else {
            state.stats.acknowledged += 1;
        }
    }

    /// What was found out about a record.
    pub(super) fn flagged(&self, flags: Flags, fell_back: bool) {
        let stats = &mut self.lock().stats;
        stats.unknown += u64::from(flags.has(Flag::UnknownAction));
        stats.drift += u64::from(flags.has(Flag::Drift));
        stats.violations += u64::from(flags.has(Flag::Surface));
        stats.redaction_fallbacks += u64::from(fell_back);
    }

    pub(super) fn expired(&self) {
        self.lock().stats.unacknowledged += 1;
    }

    pub(super) fn lost(&self, record: &Record, reason: &'static str, late: bool) {
        let (action, when) = (record.action(), record.occurred_at().unwrap_or_else(Timestamp::now));
        {
            let mut state = self.lock();
            state.stats.lost += 1;
            *state.reasons.entry(reason).or_default() += 1;
            if !late {
                state.stats.unacknowledged += 1;
            }
            let gap = state.gap.get_or_insert_with(|| Gap::at(when));
            gap.lost += 1;
            gap.from = gap.from.min(when);
            gap.to = gap.to.max(when);
            gap.count_action(&action, 1);
            *gap.reasons.entry(reason).or_default() += 1;
        }
        self.watch.gap_due();
    }

    /// The record of the gap that waits, if one does and none is on its way. Should it not be acknowledged, the gap
    /// waits again.
    pub(super) fn next_gap(self: &Arc<Self>) -> Option<(Record, Ticket)> {
        let gap = {
            let mut state = self.lock();
            if state.gap_on_its_way {
                return None;
            }
            let gap = state.gap.take()?;
            state.gap_on_its_way = true;
            gap
        };
        let now = Timestamp::now();
        let stamp = Stamp { id: RecordId::at(now), occurred_at: now, recorded_at: now, flags: Flags::default() };
        let record = encode(&gap.draft(), None, &stamp, Redaction::default().rules);
        let (ticket, _) = Ticket::with_account(Some(Arc::new(GapEntry { losses: self.clone(), gap })));
        Some((record, ticket))
    }

    fn end_gap(&self, lost_again: Option<Gap>) {
        let waits = {
            let mut state = self.lock();
            state.gap_on_its_way = false;
            if let Some(mut gap) = lost_again {
                if let Some(newer) = state.gap.take() {
                    gap.merge(newer);
                }
                state.gap = Some(gap);
            }
            state.gap.is_some()
        };
        if waits {
            self.watch.gap_due();
        }
    }
}

impl<'a> Loss<'a> {
    pub(super) fn of(record: &'a Record, reason: &'static str, for_certain: bool) -> Self {
        let text = |key| record.get(key).map(|json| json.trim_matches('"'));
        Self {
            action: text("action").unwrap_or_default(),
            id: record.id(),
            correlation_id: text("correlation_id"),
            reason,
            for_certain,
        }
    }
}

/// The account of a gap record.
struct GapEntry {
    losses: Arc<Losses>,
    gap: Gap,
}

impl Account for GapEntry {
    fn settled(&self, result: &Result<(), SinkError>, _late: bool) {
        self.losses.end_gap(result.is_err().then(|| self.gap.clone()));
    }

    fn expired(&self) {}

    fn watch(&self, _slip: &Arc<Slip>, _deadline: Instant) {}
}

/// Writes names of actions or of reasons, which no field hides that is named like one.
fn counted<K: AsRef<str>>(counts: &BTreeMap<K, u64>, encoder: &mut Encoder<'_>) {
    encoder.object(|fields| counts.iter().for_each(|(name, count)| fields.value(name.as_ref(), count)));
}

impl Gap {
    fn draft(&self) -> Draft {
        let mut draft = Draft::new(Action::new("audit.gap"), Kind::System);
        draft.detail.add(Redaction::default(), &mut |fields| {
            fields.value("lost", &self.lost);
            fields.field("actions", |encoder| counted(&self.actions, encoder));
            fields.field("reasons", |encoder| counted(&self.reasons, encoder));
            fields.value("from", &self.from);
            fields.value("to", &self.to);
        });
        draft
    }

    fn at(when: Timestamp) -> Self {
        Self { lost: 0, actions: BTreeMap::new(), reasons: BTreeMap::new(), from: when, to: when }
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
