//! Flood control: what is written of many denials, and what is only counted.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audited::{
    Action, AuditContext, Decision, FloodControl, Record, Recorder, Refusal, Source, TenantId, Unacknowledged, audited,
    record_action, with_context_sync, with_recorder_sync,
};

use super::recorder_with;
use crate::support::{Behaviour, Capture, PATIENCE, eventually};

const LONG: Duration = Duration::from_secs(3600);
const LOGIN: Action = Action::new("flood.login");

fn denied_from(recorder: &Recorder, last: u8, reason: &'static str, times: u32) {
    (0..times).for_each(|_| denied_at(recorder, Ipv4Addr::new(192, 0, 2, last).into(), reason).unwrap());
}

fn denied_at(recorder: &Recorder, ip: IpAddr, reason: &'static str) -> Result<(), Unacknowledged> {
    denied_in(recorder, AuditContext::new().source(Source::new().ip(ip)), reason)
}

fn denied_in(recorder: &Recorder, context: AuditContext, reason: &'static str) -> Result<(), Unacknowledged> {
    let record = || with_context_sync(context, || record_action(LOGIN).denied(reason).wait());
    with_recorder_sync(recorder.clone(), record).map(drop)
}

fn counted(sink: &Capture) -> Vec<serde_json::Value> {
    named(sink, "audit.coalesced").iter().map(detail).collect()
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
fn a_count_that_no_sink_takes_is_kept() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(0, LONG)));
    denied_from(&recorder, 1, "bad_password", 6);
    sink.set(Behaviour::Fail);
    for _ in 0..2 {
        let not_flushed = recorder.shutdown(PATIENCE).unwrap_err();
        assert_eq!(not_flushed.coalesced, 5, "{not_flushed}");
        assert!(not_flushed.to_string().contains("5 denials are counted without a record"), "{not_flushed}");
    }
    sink.set(Behaviour::Panic);
    assert_eq!(recorder.shutdown(PATIENCE).unwrap_err().coalesced, 5);
    sink.set(Behaviour::Ok);
    sink.wait_for_action("audit.coalesced", PATIENCE);
    recorder.shutdown(PATIENCE).unwrap();
    let counted = counted(&sink);
    assert_eq!((counted.len(), &counted[0]["denials"]), (1, &5.into()));
    assert!(!recorder.losses().is_empty(), "the stop records");
    assert!(named(&sink, "audit.gap").iter().all(|gap| !gap.json().contains("audit.coalesced")));
}

#[test]
fn a_count_waits_for_a_sink_that_hangs() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| {
        builder.deadline(Duration::from_millis(50)).flood_control(FloodControl::new(0, LONG))
    });
    denied_from(&recorder, 1, "bad_password", 4);
    sink.set(Behaviour::HangAsync);
    assert_eq!(recorder.shutdown(Duration::from_millis(500)).unwrap_err().coalesced, 3);
    sink.set(Behaviour::Ok);
    sink.wait_for_action("audit.coalesced", PATIENCE);
    recorder.shutdown(PATIENCE).unwrap();
    assert_eq!(counted(&sink).iter().map(|count| count["denials"].as_u64().unwrap()).sum::<u64>(), 3);
}

#[test]
fn a_dropped_recorder_writes_its_counts() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(0, LONG)));
    denied_from(&recorder, 1, "bad_password", 5);
    drop(recorder);
    assert_eq!(detail(&sink.wait_for_action("audit.coalesced", PATIENCE))["denials"], 4);

    // One that takes records on the caller's thread.
    let memory = audited::MemorySink::new();
    let builder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed();
    let recorder = builder.flood_control(FloodControl::new(0, LONG)).build().unwrap();
    denied_from(&recorder, 1, "bad_password", 5);
    drop(recorder);
    let last = memory.records().pop().unwrap();
    assert_eq!((&*last.action(), &detail(&last)["denials"]), ("audit.coalesced", &4.into()));
}

#[test]
fn nothing_is_counted_before_the_stream_says_so() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(1, LONG)));
    let ip = IpAddr::from([192, 0, 2, 1]);
    sink.set(Behaviour::Fail);
    for _ in 0..6 {
        denied_at(&recorder, ip, "bad_password").unwrap_err();
    }
    assert_eq!((recorder.stats().coalesced, recorder.stats().lost), (0, 6));
    sink.set(Behaviour::Ok);
    for _ in 0..4 {
        denied_at(&recorder, ip, "bad_password").unwrap();
    }
    assert_eq!(recorder.stats().coalesced, 3);
    let [flagged] = &named(&sink, "flood.login")[..] else { panic!() };
    assert_eq!(flagged.flags(), ["coalescing"]);
}

#[test]
fn denials_beside_the_one_that_says_so_are_written() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.deadline(PATIENCE).flood_control(FloodControl::new(0, LONG)));
    sink.set(Behaviour::HangBlocking);
    let ip = IpAddr::from([192, 0, 2, 1]);
    let denied = || {
        let recorder = recorder.clone();
        std::thread::spawn(move || denied_at(&recorder, ip, "bad_password").unwrap())
    };
    let first = denied();
    sink.wait_for_batches(2, PATIENCE);
    let others: Vec<_> = (0..3).map(|_| denied()).collect();
    // None of them is answered while the sink hangs.
    std::thread::sleep(Duration::from_millis(50));
    assert!(others.iter().all(|other| !other.is_finished()) && recorder.stats().coalesced == 0);
    sink.set(Behaviour::Ok);
    first.join().unwrap();
    for other in others {
        other.join().unwrap();
    }
    denied_from(&recorder, 1, "bad_password", 1);
    assert_eq!(
        (named(&sink, "flood.login").len() as u64 + recorder.stats().coalesced, named(&sink, "audit.gap").len()),
        (5, 0)
    );
    assert!(recorder.stats().coalesced >= 1);
}

#[test]
fn a_client_has_one_quota_for_all_of_its_addresses() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(0, LONG)));
    for address in ["2001:db8:0:7::1", "2001:db8:0:7:ffff::2", "2001:db8:0:7::3", "2001:db8:0:8::1"] {
        denied_at(&recorder, address.parse().unwrap(), "bad_password").unwrap();
    }
    for address in ["192.0.2.9", "::ffff:192.0.2.9"] {
        denied_at(&recorder, address.parse().unwrap(), "bad_password").unwrap();
    }
    recorder.shutdown(PATIENCE).unwrap();
    let mut counted: Vec<_> =
        counted(&sink).iter().map(|count| (count["ip"].clone(), count["denials"].clone())).collect();
    counted.sort_by_key(|(ip, _)| ip.to_string());
    assert_eq!(counted, [("192.0.2.9".into(), 1.into()), ("2001:db8:0:7::/64".into(), 2.into())]);
}

#[test]
fn the_count_of_a_tenant_is_the_tenants() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(0, LONG)));
    for (tenant, times) in [("acme", 3), ("umbrella", 4)] {
        let context = AuditContext::new().tenant(TenantId::plain(tenant));
        (0..times).for_each(|_| denied_in(&recorder, context.clone(), "bad_password").unwrap());
    }
    recorder.shutdown(PATIENCE).unwrap();
    let counts = named(&sink, "audit.coalesced");
    let mut counts: Vec<_> =
        counts.iter().map(|count| (count.tenant().unwrap(), detail(count)["denials"].clone())).collect();
    counts.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert_eq!(counts, [("acme".into(), 2.into()), ("umbrella".into(), 3.into())]);
}

#[test]
fn more_sources_than_are_told_apart_share_one_quota() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(0, LONG)));
    for n in 0..3000_u32 {
        denied_at(&recorder, Ipv4Addr::from_bits(0x0a00_0000 + n).into(), "bad_password").unwrap();
    }
    assert_eq!(named(&sink, "flood.login").len(), 1025);
    recorder.shutdown(PATIENCE).unwrap();
    let [others] = &counted(&sink)[..] else { panic!() };
    assert_eq!((&others["action"], &others["denials"], others.get("ip")), (&"…".into(), &1975.into(), None));
}

#[test]
fn the_shortest_and_the_longest_window_and_quota_are_such_too() {
    for control in [
        FloodControl::new(0, Duration::ZERO),
        FloodControl::new(0, Duration::MAX),
        FloodControl::new(u32::MAX, Duration::MAX),
    ] {
        let sink = Capture::new();
        let recorder = recorder_with(&sink, |builder| builder.flood_control(control));
        denied_from(&recorder, 1, "bad_password", 30);
        recorder.shutdown(PATIENCE).unwrap();
        let said: u64 = counted(&sink).iter().map(|count| count["denials"].as_u64().unwrap()).sum();
        assert_eq!(said, recorder.stats().coalesced, "{control:?}");
        assert_eq!(named(&sink, "flood.login").len() as u64 + said, 30, "{control:?}");
    }
}

#[audited(action = "flood.vault", unlocked, require = key == 7, fail_closed, errors = failure("refused"))]
fn vault(key: u32) -> Result<u32, Refusal> {
    Ok(key)
}

#[test]
fn a_guard_denies_whether_it_is_counted_or_written() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(2, LONG)));
    with_recorder_sync(recorder.clone(), || {
        for _ in 0..10 {
            assert_eq!(vault(1), Err(Refusal::Denied));
        }
        for _ in 0..10 {
            assert_eq!(vault(7), Ok(7));
        }
        assert_eq!(recorder.stats().coalesced, 7);
        assert_eq!(named(&sink, "flood.vault").len(), 3 + 20, "each that is allowed has its intent and its end");
        // Nothing starts without a sink, and a denial that is counted needs none.
        sink.set(Behaviour::Fail);
        assert_eq!(vault(1), Err(Refusal::Denied));
        assert!(matches!(vault(7), Err(Refusal::Unavailable { .. })));
    });
    assert_eq!(recorder.stats().coalesced, 8);
}

#[audited(action = "flood.panics", unlocked)]
fn panics() -> Result<(), Refused> {
    panic!("no")
}

#[test]
fn calls_that_panic_are_written() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder.flood_control(FloodControl::new(0, LONG)));
    with_recorder_sync(recorder.clone(), || {
        for _ in 0..5 {
            std::panic::catch_unwind(panics).unwrap_err();
        }
    });
    recorder.shutdown(PATIENCE).unwrap();
    assert_eq!((named(&sink, "flood.panics").len(), recorder.stats().coalesced), (5, 0));
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
