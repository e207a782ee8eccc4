//! What was lost is in the stream.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use audited::{
    Action, AuditSink, Durability, Record, Recorder, Sensitive, SinkError, Timestamp, record_action, with_recorder_sync,
};
use serde_json::Value;

use super::{SHORT, numbers, record_n, recorder_with};
use crate::support::{Behaviour, Capture, PATIENCE, eventually};

fn detail(record: &Record) -> Value {
    serde_json::from_str(record.detail().unwrap()).unwrap()
}

fn gaps(sink: &Capture) -> Vec<Value> {
    sink.all().iter().filter(|record| record.action() == "audit.gap").map(detail).collect()
}

fn lost(sink: &Capture) -> Vec<u64> {
    gaps(sink).iter().map(|gap| gap["lost"].as_u64().unwrap()).collect()
}

/// Waits until gaps say that so many are lost, and gives what they say: one was tried when the first was lost, and the
/// rest are in another.
fn gaps_of(sink: &Capture, count: u64) -> Vec<Value> {
    eventually("all are said to be lost", || lost(sink).iter().sum::<u64>() >= count);
    gaps(sink)
}

/// What all gaps together say under a key.
fn summed(gaps: &[Value], key: &str) -> Value {
    let mut sums = std::collections::BTreeMap::new();
    for (name, count) in gaps.iter().flat_map(|gap| gap[key].as_object().unwrap()) {
        *sums.entry(name).or_insert(0) += count.as_u64().unwrap();
    }
    serde_json::json!(sums)
}

#[test]
fn a_gap_says_how_many_which_why_and_when_and_comes_without_further_traffic() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Fail);
    let before = Timestamp::now();
    record_n(&recorder, 1).unwrap_err();
    record_n(&recorder, 2).unwrap_err();
    sink.set(Behaviour::Panic);
    with_recorder_sync(recorder.clone(), || record_action(Action::new("other.done")).wait()).unwrap_err();
    let after = Timestamp::now();
    sink.set(Behaviour::Ok);
    let gap = sink.wait_for_action("audit.gap", PATIENCE);
    assert_eq!(gap.kind(), Some(audited::Kind::System));
    let gaps = gaps_of(&sink, 3);
    assert_eq!(lost(&sink), [1, 2]);
    assert_eq!(summed(&gaps, "actions"), serde_json::json!({"other.done": 1, "thing.done": 2}));
    assert_eq!(summed(&gaps, "reasons"), serde_json::json!({"failed": 2, "panicked": 1}));
    let moment = |gap: usize, key: &str| gaps[gap][key].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(before <= moment(0, "from") && moment(0, "from") == moment(0, "to"), "{gaps:?}");
    assert!(moment(0, "to") < moment(1, "from") && moment(1, "from") < moment(1, "to"), "{gaps:?}");
    assert!(moment(1, "to") <= after, "{gaps:?}");
}

/// A sink that the operating system refuses something, as long as it is said what.
struct Refused(Capture, Arc<Mutex<Option<ErrorKind>>>);

#[async_trait]
impl AuditSink for Refused {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let kind = *self.1.lock().unwrap();
        match kind {
            Some(kind) => Err(std::io::Error::new(kind, "/secret/place").into()),
            None => self.0.write(batch).await,
        }
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "refused".into()
    }
}

#[test]
fn a_gap_says_what_the_operating_system_said_and_nothing_of_where() {
    let (sink, kind) = (Capture::new(), Arc::new(Mutex::new(None)));
    let builder = Recorder::builder().sink(Refused(sink.clone(), kind.clone())).allow_weak_fail_closed();
    let recorder = builder.build().unwrap();
    sink.wait_for_action("audit.started", PATIENCE);
    let refuse = |why, n| {
        *kind.lock().unwrap() = Some(why);
        record_n(&recorder, n).unwrap_err();
    };
    refuse(ErrorKind::StorageFull, 1);
    refuse(ErrorKind::PermissionDenied, 2);
    refuse(ErrorKind::StorageFull, 3);
    *kind.lock().unwrap() = None;
    let gaps = gaps_of(&sink, 3);
    assert_eq!(summed(&gaps, "reasons"), serde_json::json!({"io": 3}));
    assert_eq!(summed(&gaps, "io"), serde_json::json!({"no storage space": 2, "permission denied": 1}));
    assert!(!format!("{gaps:?}").contains("secret"), "{gaps:?}");
    let losses = recorder.io_losses();
    let of = |kind| losses.get(&kind).copied();
    assert_eq!((of(ErrorKind::StorageFull), of(ErrorKind::PermissionDenied)), (Some(2), Some(1)));
    assert_eq!(losses.values().sum::<u64>(), recorder.losses()["io"]);
}

#[test]
fn a_gap_stands_before_what_comes_after_it() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Fail);
    record_n(&recorder, 1).unwrap_err();
    sink.set(Behaviour::Ok);
    record_n(&recorder, 2).unwrap();
    let actions: Vec<_> = sink.all().iter().map(|record| record.action().into_owned()).collect();
    assert_eq!(actions, ["audit.started", "audit.gap", "thing.done"]);
    record_n(&recorder, 3).unwrap();
    recorder.shutdown(PATIENCE).unwrap();
    assert_eq!(gaps(&sink).len(), 1, "written once");
}

#[test]
fn a_gap_that_cannot_be_written_is_neither_lost_nor_doubled() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Fail);
    record_n(&recorder, 1).unwrap_err();
    // Retries of the gap, without any traffic.
    let batches = sink.batches();
    sink.wait_for_batches(batches + 2, PATIENCE);
    record_n(&recorder, 2).unwrap_err();
    sink.set(Behaviour::Ok);
    sink.wait_for_action("audit.gap", PATIENCE);
    record_n(&recorder, 3).unwrap();
    assert_eq!(lost(&sink), [1, 1], "that which was tried, and what was lost since");
    assert_eq!(recorder.stats().lost, 2, "a gap is not counted among the lost");
}

#[test]
fn a_shutdown_writes_the_gap_first() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Fail);
    record_n(&recorder, 1).unwrap_err();
    sink.set(Behaviour::Ok);
    recorder.shutdown(PATIENCE).unwrap();
    let actions: Vec<_> = sink.all().iter().map(|record| record.action().into_owned()).collect();
    assert_eq!(actions, ["audit.started", "audit.gap", "audit.stopped"]);
}

#[test]
fn a_dropped_recorder_tries_a_last_time() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Fail);
    record_n(&recorder, 1).unwrap_err();
    sink.set(Behaviour::Ok);
    drop(recorder);
    assert_eq!(detail(&sink.wait_for_action("audit.gap", PATIENCE))["lost"], 1);
}

#[test]
fn a_gap_is_asked_for_at_a_steady_pace_whatever_the_traffic() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(PATIENCE));
    sink.set(Behaviour::Fail);
    record_n(&recorder, 1).unwrap_err();
    for n in 0..100 {
        record_n(&recorder, n).unwrap_err();
    }
    // One batch each, and one for each retry of the gap: far fewer than there are records.
    assert!(sink.batches() < 150, "{} batches", sink.batches());
}

#[test]
fn a_refused_record_is_in_the_gap_of_a_sink_that_hung() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(Duration::from_millis(20)));
    sink.set(Behaviour::HangBlocking);
    eventually("refused", || record_n(&recorder, 1).is_err() && recorder.stats().lost > 0);
    sink.set(Behaviour::Ok);
    sink.wait_for_action("audit.gap", PATIENCE);
    recorder.shutdown(PATIENCE).unwrap();
    assert_eq!(lost(&sink).iter().sum::<u64>(), recorder.stats().lost);
    assert_eq!(numbers(&sink).len() as u64, recorder.stats().late);
}

/// A field of the name of an action that is lost.
#[derive(Sensitive)]
#[allow(dead_code)]
struct NamedLikeAnAction {
    #[sensitive]
    gap_payment: String,
}

#[test]
fn a_marked_field_of_the_name_of_an_action_hides_no_count() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Fail);
    for action in ["gap_payment", "token"] {
        with_recorder_sync(recorder.clone(), || record_action(Action::new(action)).wait()).unwrap_err();
    }
    sink.set(Behaviour::Ok);
    let gaps = gaps_of(&sink, 2);
    assert_eq!(summed(&gaps, "actions"), serde_json::json!({ "gap_payment": 1, "token": 1 }));
}

#[test]
fn many_actions_are_summed_up() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Fail);
    for n in 0..41 {
        let action = Action::parse(format!("thing.n{n:02}")).unwrap();
        with_recorder_sync(recorder.clone(), || record_action(action).wait()).unwrap_err();
    }
    sink.set(Behaviour::Ok);
    let gaps = gaps_of(&sink, 41);
    let actions = gaps[1]["actions"].as_object().unwrap();
    assert_eq!(lost(&sink), [1, 40]);
    assert_eq!(actions.len(), 33);
    assert_eq!(actions["…"], 8);
    assert_eq!(actions.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), 40);
}

#[test]
fn no_room_is_a_loss_with_its_reason() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(SHORT).max_in_flight(1));
    sink.set(Behaviour::HangBlocking);
    record_n(&recorder, 1).unwrap_err();
    record_n(&recorder, 2).unwrap_err();
    sink.set(Behaviour::Ok);
    let gap = detail(&sink.wait_for_action("audit.gap", PATIENCE));
    assert_eq!(gap["reasons"], serde_json::json!({"full": 1}));
    assert_eq!(recorder.stats().late, 1);
}

#[test]
fn dropping_the_recorder_ends_its_threads() {
    fn threads() -> usize {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .filter(|name| name.starts_with("audited-"))
            .count()
    }

    // Other tests run beside this one, so that only a fall by as many as there were can be told.
    let recorders: Vec<_> = (0..64)
        .map(|_| {
            let sink = Capture::new();
            let recorder = recorder_with(&sink, |builder| builder);
            sink.set(Behaviour::Fail);
            record_n(&recorder, 1).unwrap_err();
            recorder
        })
        .collect();
    // A thread gives itself its name when it gets to run.
    eventually("the threads are there", || threads() >= 128);
    drop::<Vec<Recorder>>(recorders);
    eventually("the threads end", || threads() < 64);
}
