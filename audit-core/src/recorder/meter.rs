//! What a recorder measures, through the facade `metrics`.
//!
//! The handles are registered once, where the recorder is built, and nothing is allocated per record. No label holds
//! what a caller says: not the action, of which a vocabulary known only at run time has any number.

use std::time::Instant;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Unit};

use crate::contain::contained;
use crate::record::{Flag, Flags};
use crate::sink::SinkError;

const RECORDS: &str = "audited_records_total";
const LATE: &str = "audited_records_late_total";
const LOST: &str = "audited_records_lost_total";
const IN_FLIGHT: &str = "audited_records_in_flight";
const ACKNOWLEDGEMENT: &str = "audited_acknowledgement_seconds";
const TRANSACTED: &str = "audited_records_in_transactions_total";
const COALESCED: &str = "audited_denials_coalesced_total";
const UNKNOWN: &str = "audited_events_unknown_total";
const DRIFT: &str = "audited_events_drift_total";
const VIOLATIONS: &str = "audited_surface_violations_total";
const FALLBACKS: &str = "audited_redaction_fallbacks_total";

static RESULTS: [[Label; 1]; 2] =
    [[Label::from_static_parts("result", "acknowledged")], [Label::from_static_parts("result", "unacknowledged")]];

static WRITTEN: [[Label; 1]; 2] =
    [[Label::from_static_parts("result", "written")], [Label::from_static_parts("result", "refused")]];

static REASONS: [[Label; 1]; SinkError::REASONS.len()] = [
    [Label::from_static_parts("reason", "io")],
    [Label::from_static_parts("reason", "failed")],
    [Label::from_static_parts("reason", "full")],
    [Label::from_static_parts("reason", "deadline")],
    [Label::from_static_parts("reason", "panicked")],
    [Label::from_static_parts("reason", "poisoned")],
    [Label::from_static_parts("reason", "closed")],
    [Label::from_static_parts("reason", "rejected")],
    [Label::from_static_parts("reason", "conflict")],
];

static METADATA: Metadata<'static> = Metadata::new("audited", Level::INFO, Some("audited"));

/// The handles of one recorder. What they do is foreign code.
pub(super) struct Meter {
    acknowledged: Counter,
    unacknowledged: Counter,
    late: Counter,
    lost: Vec<(&'static str, Counter)>,
    in_flight: Gauge,
    acknowledgement: Histogram,
    transacted: Counter,
    not_transacted: Counter,
    coalesced: Counter,
    unknown: Counter,
    drift: Counter,
    violations: Counter,
    fallbacks: Counter,
}

/// When a record took off.
pub(super) struct Flight(Instant);

impl Meter {
    /// Registers with the metrics recorder that is current here.
    pub(super) fn register() -> Self {
        describe();
        Self {
            acknowledged: counter(RECORDS, &RESULTS[0]),
            unacknowledged: counter(RECORDS, &RESULTS[1]),
            late: counter(LATE, &[]),
            lost: REASONS.iter().map(|reason| (reason[0].value(), counter(LOST, reason))).collect(),
            in_flight: gauge(IN_FLIGHT),
            acknowledgement: histogram(ACKNOWLEDGEMENT),
            transacted: counter(TRANSACTED, &WRITTEN[0]),
            not_transacted: counter(TRANSACTED, &WRITTEN[1]),
            coalesced: counter(COALESCED, &[]),
            unknown: counter(UNKNOWN, &[]),
            drift: counter(DRIFT, &[]),
            violations: counter(VIOLATIONS, &[]),
            fallbacks: counter(FALLBACKS, &[]),
        }
    }

    pub(super) fn took_off(&self) -> Flight {
        contained(|| self.in_flight.increment(1.0));
        Flight(Instant::now())
    }

    pub(super) fn landed(&self) {
        contained(|| self.in_flight.decrement(1.0));
    }

    pub(super) fn acknowledged(&self, flight: &Flight, late: bool) {
        increment(if late { &self.late } else { &self.acknowledged });
        contained(|| self.acknowledgement.record(flight.0.elapsed()));
    }

    pub(super) fn unacknowledged(&self) {
        increment(&self.unacknowledged);
    }

    pub(super) fn lost(&self, reason: &'static str) {
        if let Some((_, lost)) = self.lost.iter().find(|(name, _)| *name == reason) {
            increment(lost);
        }
    }

    pub(super) fn transacted(&self, is_written: bool) {
        increment(if is_written { &self.transacted } else { &self.not_transacted });
    }

    pub(super) fn coalesced(&self) {
        increment(&self.coalesced);
    }

    pub(super) fn flagged(&self, flags: Flags, fell_back: bool) {
        let found = [
            (flags.has(Flag::UnknownAction), &self.unknown),
            (flags.has(Flag::Drift), &self.drift),
            (flags.has(Flag::Surface), &self.violations),
            (fell_back, &self.fallbacks),
        ];
        found.into_iter().filter(|(is_so, _)| *is_so).for_each(|(_, counter)| increment(counter));
    }
}

fn increment(counter: &Counter) {
    contained(|| counter.increment(1));
}

fn counter(name: &'static str, labels: &'static [Label]) -> Counter {
    let key = Key::from_static_parts(name, labels);
    contained(|| metrics::with_recorder(|recorder| recorder.register_counter(&key, &METADATA)))
        .unwrap_or_else(Counter::noop)
}

fn gauge(name: &'static str) -> Gauge {
    let key = Key::from_static_name(name);
    contained(|| metrics::with_recorder(|recorder| recorder.register_gauge(&key, &METADATA)))
        .unwrap_or_else(Gauge::noop)
}

fn histogram(name: &'static str) -> Histogram {
    let key = Key::from_static_name(name);
    contained(|| metrics::with_recorder(|recorder| recorder.register_histogram(&key, &METADATA)))
        .unwrap_or_else(Histogram::noop)
}

fn describe() {
    let counters = [
        (RECORDS, "Records, by whether they were acknowledged in time"),
        (LATE, "Records acknowledged too late for their caller, which are among the unacknowledged"),
        (LOST, "Records lost for certain, by reason"),
        (TRANSACTED, "Records for transactions of the callers', by whether these took them"),
        (COALESCED, "Denials counted by flood control instead of written"),
        (UNKNOWN, "Events that the vocabulary does not expect"),
        (DRIFT, "Events whose payload is not what the vocabulary says"),
        (VIOLATIONS, "Records of what may only be recorded from another surface"),
        (FALLBACKS, "Records in which a value was redacted for want of a key or an encoding"),
    ];
    let name = KeyName::from_const_str;
    for (counter, what) in counters {
        contained(|| {
            metrics::with_recorder(|recorder| recorder.describe_counter(name(counter), Some(Unit::Count), what.into()));
        });
    }
    contained(|| {
        let what = "Records that the sink has and has not answered for";
        metrics::with_recorder(|recorder| recorder.describe_gauge(name(IN_FLIGHT), Some(Unit::Count), what.into()));
    });
    contained(|| {
        let what = "How long records took to be acknowledged, those that were late among them";
        let key = name(ACKNOWLEDGEMENT);
        metrics::with_recorder(|recorder| recorder.describe_histogram(key, Some(Unit::Seconds), what.into()));
    });
}
