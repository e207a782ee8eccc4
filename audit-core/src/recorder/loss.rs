//! The account of what was not acknowledged.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::meter::{Flight, Meter};
use super::owed::Owed;
use crate::aside::log_aside;
use crate::contain::contained;
use crate::id::RecordId;
use crate::record::{Flag, Flags, Record};
use crate::sink::SinkError;
use crate::timestamp::Timestamp;

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
    /// Written into a transaction of the caller's, whatever became of that. They are among none of the others, and
    /// neither are those below.
    pub in_transactions: u64,
    /// Not written into a transaction of the caller's, or too late for anybody to know. None of them is lost in silence:
    /// the caller was told, and of an audited call there is another record.
    pub not_in_transactions: u64,
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
    /// Why: `full`, `deadline`, `io`, and the other reasons of a [`SinkError`](crate::SinkError).
    pub reason: &'static str,
    /// What the operating system said, where the reason is `io`: of a full disk
    /// [`StorageFull`](std::io::ErrorKind::StorageFull).
    pub io: Option<ErrorKind>,
    /// Whether it is lost; otherwise its caller was answered without an acknowledgement, which may still come.
    pub for_certain: bool,
}

pub(super) type OnLoss = dyn Fn(&Loss<'_>) + Send + Sync;

pub(super) struct Losses {
    state: Mutex<State>,
    /// Counted by each record that all is well with, and so apart.
    acknowledged: AtomicU64,
    owed: Arc<Owed>,
    on_loss: Option<Box<OnLoss>>,
    meter: Meter,
}

#[derive(Default)]
struct State {
    stats: Stats,
    /// How many were lost, by reason.
    reasons: BTreeMap<&'static str, u64>,
    /// Of those that the operating system refused, by what it said.
    io: BTreeMap<ErrorKind, u64>,
}

impl Losses {
    pub(super) fn new(owed: Arc<Owed>, on_loss: Option<Box<OnLoss>>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            acknowledged: AtomicU64::new(0),
            owed,
            on_loss,
            meter: Meter::register(),
        })
    }

    /// What the stream has yet to say.
    pub(super) fn owed(&self) -> &Arc<Owed> {
        &self.owed
    }

    pub(super) fn reasons(&self) -> BTreeMap<&'static str, u64> {
        self.lock().reasons.clone()
    }

    pub(super) fn io(&self) -> BTreeMap<ErrorKind, u64> {
        self.lock().io.clone()
    }

    pub(super) fn stats(&self) -> Stats {
        Stats { acknowledged: self.acknowledged.load(Ordering::Relaxed), ..self.lock().stats }
    }

    pub(super) fn tell(&self, loss: &Loss<'_>) {
        if let Some(told) = &self.on_loss {
            // Foreign code.
            contained(|| told(loss));
        }
    }

    pub(super) fn coalesced(&self) {
        self.lock().stats.coalesced += 1;
        self.meter.coalesced();
    }

    /// A record was written into a transaction of the caller's, or was not.
    pub(super) fn transacted(&self, is_written: bool) {
        {
            let stats = &mut self.lock().stats;
            let count = if is_written { &mut stats.in_transactions } else { &mut stats.not_in_transactions };
            *count += 1;
        }
        self.meter.transacted(is_written);
    }

    /// A record takes off.
    pub(super) fn took_off(&self) -> Flight {
        self.meter.took_off()
    }

    /// It is answered for, and forgotten.
    pub(super) fn landed(&self) {
        self.meter.landed();
    }

    pub(super) fn acknowledged(&self, flight: &Flight, late: bool) {
        {
            if late {
                self.lock().stats.late += 1;
            } else {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.meter.acknowledged(flight, late);
    }

    /// What was found out about a record.
    pub(super) fn flagged(&self, flags: Flags, fell_back: bool) {
        {
            let stats = &mut self.lock().stats;
            stats.unknown += u64::from(flags.has(Flag::UnknownAction));
            stats.drift += u64::from(flags.has(Flag::Drift));
            stats.violations += u64::from(flags.has(Flag::Surface));
            stats.redaction_fallbacks += u64::from(fell_back);
        }
        self.meter.flagged(flags, fell_back);
    }

    pub(super) fn expired(&self) {
        self.lock().stats.unacknowledged += 1;
        self.meter.unacknowledged();
    }

    pub(super) fn lost(&self, record: &Record, error: &SinkError, late: bool) {
        let (action, when) = (record.action(), record.occurred_at().unwrap_or_else(Timestamp::now));
        {
            let mut state = self.lock();
            state.stats.lost += 1;
            *state.reasons.entry(error.reason()).or_default() += 1;
            if let Some(kind) = error.io_kind() {
                *state.io.entry(kind).or_default() += 1;
            }
            if !late {
                state.stats.unacknowledged += 1;
            }
        }
        self.owed.lost(&action, error, when);
        self.meter.lost(error.reason());
        if !late {
            self.meter.unacknowledged();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says in the logs what became of a record.
pub(super) fn log(what: &'static str, record: &Record, error: &SinkError) {
    let (record, error) = (record.clone(), error.clone());
    log_aside(move || {
        tracing::error!(
            target: "audited::loss",
            action = &*record.action(),
            correlation_id = record.correlation_id().as_deref(),
            id = record.get("id").map(|id| id.trim_matches('"')),
            reason = error.reason(),
            io = error.io_kind().map(tracing::field::display),
            "{what}"
        );
    });
}

impl<'a> Loss<'a> {
    pub(super) fn of(record: &'a Record, error: &SinkError, for_certain: bool) -> Self {
        let text = |key| record.get(key).map(|json| json.trim_matches('"'));
        Self {
            action: text("action").unwrap_or_default(),
            id: record.id(),
            correlation_id: text("correlation_id"),
            reason: error.reason(),
            io: error.io_kind(),
            for_certain,
        }
    }
}
