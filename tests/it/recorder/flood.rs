//! Flood control: what is written of many denials, and what is only counted.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audited::{
    Action, AuditContext, Decision, FloodControl, Record, Recorder, Source, audited, record_action, with_context_sync,
    with_recorder_sync,
};

use super::recorder_with;
use crate::support::{Behaviour, Capture, PATIENCE, eventually};

const LONG: Duration = Duration::from_secs(3600);
const LOGIN: Action = Action::new("flood.login");

fn denied_from(recorder: &Recorder, last: u8, reason: &'static str, times: u32) {
    let source = Source::new().ip(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)));
    for _ in 0..times {
        let record = || {
            with_context_sync(AuditContext::new().source(source.clone()), || record_action(LOGIN).denied(reason).wait())
        };
        with_recorder_sync(recorder.clone(), record).unwrap();
    }
}

fn named(sink: &Capture, action: &str) -> Vec<Record> {
    sink.all().into_iter().filter(|record| record.action() == action).collect()
}

fn detail(record: &Record) -> serde_json::Value {
    serde_json::from_str(record.detail().unwrap()).unwrap()
}

#[test]
fn denials_above_the_quota_are_one_record() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(3, LONG)));
    denied_from(&recorder, 1, "bad_password", 1000);
    let written = named(&sink, "flood.login");
    assert_eq!(written.len(), 4, "the quota, and one that says what follows");
    let flagged: Vec<_> = written.iter().map(|record| record.json().contains(r#""flags":["coalescing"]"#)).collect();
    assert_eq!(flagged, [false, false, false, true]);
    assert_eq!(recorder.stats().coalesced, 996);
    recorder.shutdown(PATIENCE).unwrap();
    let [counted] = &named(&sink, "audit.coalesced")[..] else { panic!() };
    let detail = detail(counted);
    assert_eq!(detail["denials"], 996);
    assert_eq!(detail["action"], "flood.login");
    assert_eq!(detail["reason"], "bad_password");
    assert_eq!(detail["ip"], "192.0.2.1");
    assert!(detail["from"].as_str() <= detail["to"].as_str());
    assert_eq!(recorder.stats().lost, 0);
}

#[test]
fn kinds_and_sources_have_quotas_of_their_own() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(1, LONG)));
    for (source, reason) in [(1, "bad_password"), (2, "bad_password"), (1, "locked")] {
        denied_from(&recorder, source, reason, 2);
    }
    assert_eq!(named(&sink, "flood.login").len(), 6, "nobody is above it yet");
    denied_from(&recorder, 2, "bad_password", 5);
    recorder.shutdown(PATIENCE).unwrap();
    let counted: Vec<_> = named(&sink, "audit.coalesced").iter().map(detail).collect();
    assert_eq!(counted.len(), 1);
    assert_eq!((&counted[0]["ip"], &counted[0]["denials"]), (&"192.0.2.2".into(), &5.into()));
}

#[test]
fn a_window_ends_by_itself_and_the_quota_is_there_again() {
    let sink = Capture::new();
    let window = Duration::from_millis(150);
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(0, window)));
    denied_from(&recorder, 1, "bad_password", 10);
    sink.wait_for_action("audit.coalesced", PATIENCE);
    assert_eq!(detail(&named(&sink, "audit.coalesced")[0])["denials"], 9);
    denied_from(&recorder, 1, "bad_password", 1);
    assert_eq!(named(&sink, "flood.login").len(), 2, "the first of each window");
}

#[test]
fn what_is_allowed_never_coalesces() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(0, LONG)));
    with_recorder_sync(recorder.clone(), || {
        for _ in 0..50 {
            record_action(LOGIN).decision(Decision::Allow).wait().unwrap();
            record_action(LOGIN).failed("broken").wait().unwrap();
        }
    });
    assert_eq!(named(&sink, "flood.login").len(), 100);
}

#[derive(Debug, audited::Deny)]
enum Refused {
    #[denied("flood_no")]
    No,
}

#[audited(action = "flood.guarded", intent)]
fn announced() -> Result<(), Refused> {
    Err(Refused::No)
}

#[test]
fn a_call_whose_intent_is_written_has_its_end_written() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(0, LONG)));
    with_recorder_sync(recorder, || (0..20).for_each(|_| drop(announced())));
    assert_eq!(named(&sink, "flood.guarded").len(), 40);
}

#[test]
fn what_was_lost_is_told_and_split_by_reason() {
    let sink = Capture::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let (tell, builds) = (told.clone(), sink.clone());
    let recorder = recorder_with(&builds, move |builder| {
        builder.on_loss(move |loss| {
            tell.lock().unwrap().push((loss.action.to_owned(), loss.reason, loss.for_certain, loss.id.is_some()));
            panic!("it is contained");
        })
    });
    sink.set(Behaviour::Fail);
    with_recorder_sync(recorder.clone(), || record_action(LOGIN).wait()).unwrap_err();
    sink.set(Behaviour::Panic);
    with_recorder_sync(recorder.clone(), || record_action(LOGIN).wait()).unwrap_err();
    eventually("both are told", || told.lock().is_ok_and(|told| told.len() == 2) || told.is_poisoned());
    let told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    assert_eq!(told[0], ("flood.login".into(), "failed", true, true));
    let losses = recorder.losses();
    assert_eq!((losses.get("failed"), losses.get("panicked")), (Some(&1), Some(&1)));
    assert_eq!(losses.values().sum::<u64>(), recorder.stats().lost);
}
