//! What a recorder counts, as a metrics recorder hears it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use audited::{
    Action, AuditTransaction, FloodControl, Record, Recorder, RecorderBuilder, Sensitive, SinkError, Vocabulary,
    record_action, with_recorder_sync,
};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit,
    with_local_recorder,
};

use super::{SHORT, record_n, recorder_with};
use crate::support::{Behaviour, Capture, PATIENCE, eventually};

/// Keeps what it hears: of a histogram how many values, and their sum.
#[derive(Clone, Default)]
struct Ears(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    described: Vec<(String, Option<Unit>)>,
    registered: Vec<String>,
    values: BTreeMap<String, f64>,
}

struct Handle {
    ears: Ears,
    key: String,
}

impl Ears {
    fn handle(&self, key: &Key) -> Arc<Handle> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name =
            if labels.is_empty() { key.name().to_owned() } else { format!("{}{{{}}}", key.name(), labels.join(",")) };
        self.0.lock().unwrap().registered.push(name.clone());
        Arc::new(Handle { ears: self.clone(), key: name })
    }

    fn described(&self, key: &KeyName, unit: Option<Unit>) {
        self.0.lock().unwrap().described.push((key.as_str().to_owned(), unit));
    }

    fn value(&self, key: &str) -> f64 {
        self.0.lock().unwrap().values.get(key).copied().unwrap_or_default()
    }

    #[track_caller]
    fn is(&self, key: &str, value: u32) {
        eventually(key, || (self.value(key) - f64::from(value)).abs() < f64::EPSILON);
    }
}

impl Handle {
    fn add(&self, value: f64) {
        *self.ears.0.lock().unwrap().values.entry(self.key.clone()).or_default() += value;
    }
}

impl CounterFn for Handle {
    fn increment(&self, value: u64) {
        self.add(f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, _value: u64) {
        unreachable!("counters are incremented")
    }
}

impl GaugeFn for Handle {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, _value: f64) {
        unreachable!("several recorders share a gauge")
    }
}

impl HistogramFn for Handle {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "seconds: {value}");
        self.add(1.0);
    }
}

impl metrics::Recorder for Ears {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.described(&key, unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.described(&key, unit);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.described(&key, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.handle(key).into()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.handle(key).into()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.handle(key).into()
    }
}

fn heard(configure: impl FnOnce(RecorderBuilder) -> RecorderBuilder) -> (Ears, Capture, Recorder) {
    let (ears, sink) = (Ears::default(), Capture::new());
    let recorder = with_local_recorder(&ears, || recorder_with(&sink, configure));
    ears.is("audited_records_total{result=acknowledged}", 1);
    (ears, sink, recorder)
}

#[test]
fn acknowledgements_and_losses_are_counted_wherever_they_are_found_out() {
    let (ears, sink, recorder) = heard(|builder| builder.deadline(SHORT));
    record_n(&recorder, 1).unwrap();
    ears.is("audited_records_total{result=acknowledged}", 2);
    ears.is("audited_acknowledgement_seconds", 2);
    sink.set(Behaviour::Fail);
    record_n(&recorder, 2).unwrap_err();
    sink.set(Behaviour::Panic);
    record_n(&recorder, 3).unwrap_err();
    ears.is("audited_records_lost_total{reason=failed}", 1);
    ears.is("audited_records_lost_total{reason=panicked}", 1);
    ears.is("audited_records_total{result=unacknowledged}", 2);
    ears.is("audited_records_in_flight", 0);
    sink.set(Behaviour::HangBlocking);
    record_n(&recorder, 4).unwrap_err();
    ears.is("audited_records_in_flight", 1);
    ears.is("audited_records_total{result=unacknowledged}", 3);
    ears.is("audited_records_late_total", 0);
    sink.set(Behaviour::Ok);
    ears.is("audited_records_late_total", 1);
    ears.is("audited_records_in_flight", 0);
    ears.is("audited_acknowledgement_seconds", 3);
    let stats = recorder.stats();
    assert_eq!((stats.acknowledged, stats.unacknowledged, stats.late, stats.lost), (2, 3, 1, 2));
}

/// A transaction that takes a record, or does not.
struct Takes(bool);

impl AuditTransaction for Takes {
    async fn write(&self, _: &Record) -> Result<(), SinkError> {
        if self.0 { Ok(()) } else { Err(SinkError::Full) }
    }
}

#[test]
fn what_goes_into_transactions_is_counted_apart() {
    let (ears, _sink, recorder) = heard(|builder| builder);
    with_recorder_sync(recorder, || {
        let record = || record_action(Action::new("metered.moved"));
        record().wait_in_transaction(&Takes(true)).unwrap();
        record().wait_in_transaction(&Takes(true)).unwrap();
        record().wait_in_transaction(&Takes(false)).unwrap_err();
    });
    ears.is("audited_records_in_transactions_total{result=written}", 2);
    ears.is("audited_records_in_transactions_total{result=refused}", 1);
    ears.is("audited_records_total{result=acknowledged}", 1);
    ears.is("audited_records_lost_total{reason=full}", 0);
    ears.is("audited_records_in_flight", 0);
}

#[derive(Sensitive)]
struct Metered {
    #[sensitive(hash)]
    metered_device: String,
}

#[test]
fn what_is_found_out_about_records_is_counted() {
    let (ears, _sink, recorder) = heard(|builder| {
        let vocabulary = Vocabulary::builder().build().unwrap();
        builder.vocabulary(vocabulary).flood_control(FloodControl::new(0, PATIENCE))
    });
    let login = Action::new("metered.login");
    with_recorder_sync(recorder.clone(), || {
        for _ in 0..4 {
            record_action(login.clone()).denied("bad_password").wait().unwrap();
        }
        let keyless = Metered { metered_device: "phone".into() };
        record_action(Action::new("metered.seen")).field("metered", &keyless).wait().unwrap();
    });
    let stats = recorder.stats();
    assert_eq!((stats.coalesced, stats.unknown, stats.redaction_fallbacks), (3, 2, 1));
    ears.is("audited_denials_coalesced_total", 3);
    ears.is("audited_events_unknown_total", 2);
    ears.is("audited_redaction_fallbacks_total", 1);
    ears.is("audited_events_drift_total", 0);
    ears.is("audited_surface_violations_total", 0);
}

#[test]
fn handles_are_registered_once_and_name_nothing_of_a_caller() {
    let (ears, _sink, recorder) = heard(|builder| builder);
    let registered = ears.0.lock().unwrap().registered.clone();
    for n in 0..20 {
        let action = Action::parse(format!("metered.n{n}")).unwrap();
        with_recorder_sync(recorder.clone(), || record_action(action).wait()).unwrap();
    }
    recorder.shutdown(PATIENCE).unwrap();
    let heard = ears.0.lock().unwrap();
    assert_eq!(heard.registered, registered, "nothing is registered later");
    assert!(!registered.iter().any(|key| key.contains("metered")), "{registered:?}");
    let mut names: Vec<_> = registered.iter().map(|key| key.split('{').next().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    let mut described: Vec<_> = heard.described.iter().map(|(name, _)| &**name).collect();
    described.sort_unstable();
    assert_eq!(described, names, "each is described");
    assert!(heard.described.contains(&("audited_acknowledgement_seconds".into(), Some(Unit::Seconds))));
}

/// Panics in its handles, or already when one is asked of it.
struct Grumpy {
    has_handles: bool,
}

struct GrumpyHandle;

impl CounterFn for GrumpyHandle {
    fn increment(&self, _: u64) {
        panic!("increment")
    }

    fn absolute(&self, _: u64) {
        panic!("absolute")
    }
}

impl GaugeFn for GrumpyHandle {
    fn increment(&self, _: f64) {
        panic!("increment")
    }

    fn decrement(&self, _: f64) {
        panic!("decrement")
    }

    fn set(&self, _: f64) {
        panic!("set")
    }
}

impl HistogramFn for GrumpyHandle {
    fn record(&self, _: f64) {
        panic!("record")
    }
}

impl Grumpy {
    fn handle(&self) -> Arc<GrumpyHandle> {
        assert!(self.has_handles, "register");
        Arc::new(GrumpyHandle)
    }
}

impl metrics::Recorder for Grumpy {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("describe")
    }

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("describe")
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("describe")
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        self.handle().into()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        self.handle().into()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        self.handle().into()
    }
}

#[test]
fn a_metrics_recorder_that_panics_hurts_nobody() {
    for has_handles in [false, true] {
        let sink = Capture::new();
        let recorder = with_local_recorder(&Grumpy { has_handles }, || recorder_with(&sink, |builder| builder));
        record_n(&recorder, 1).unwrap();
        sink.set(Behaviour::Fail);
        record_n(&recorder, 2).unwrap_err();
        sink.set(Behaviour::Ok);
        record_n(&recorder, 3).unwrap();
        recorder.shutdown(PATIENCE).unwrap();
        let stats = recorder.stats();
        assert_eq!((stats.acknowledged, stats.lost), (4, 1));
    }
}
