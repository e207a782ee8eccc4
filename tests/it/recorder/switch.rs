//! Actions that leave no records for a while, and never in silence.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use audited::{
    Action, Actor, ActorId, AuditContext, BuildError, Recorder, Refusal, SwitchError, audited, current_context,
    extend_context, record_action, with_context, with_context_sync, with_recorder, with_recorder_sync,
};

use super::recorder_with;
use crate::support::{Behaviour, Capture, PATIENCE};

const READ: Action = Action::new("cache.read");

#[audited(action = "cache.read", fields(key), require = key > 0, unlocked)]
fn read(key: u32) -> Result<u32, Refusal> {
    inner(key);
    Ok(key)
}

#[audited(action = "cache.read", fields(key), require = key > 0, intent, unlocked)]
async fn read_later(key: u32) -> Result<u32, Refusal> {
    inner(key);
    tokio::task::yield_now().await;
    inner(key);
    Ok(key)
}

#[audited(action = "cache.read", fields(key), unlocked)]
fn read_boxed(key: u32) -> Pin<Box<dyn Future<Output = Result<u32, Refusal>>>> {
    Box::pin(async move {
        inner(key);
        Ok(key)
    })
}

/// What a call does within.
#[audited(action = "cache.looked_up", fields(key), unlocked)]
fn inner(key: u32) {
    let _ = key;
}

#[audited(action = "cache.panic", unlocked)]
fn panics() {
    panic!("in the body");
}

#[audited(action = "vault.open", fail_closed, unlocked)]
fn open() -> Result<(), Refusal> {
    Ok(())
}

fn run<F: Future>(recorder: &Recorder, context: bool, future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    if context {
        runtime.block_on(with_recorder(recorder.clone(), with_context(AuditContext::new(), future)))
    } else {
        runtime.block_on(with_recorder(recorder.clone(), future))
    }
}

fn call<R>(recorder: &Recorder, context: bool, call: impl FnOnce() -> R) -> R {
    with_recorder_sync(recorder.clone(), || if context { with_context_sync(AuditContext::new(), call) } else { call() })
}

fn actions(sink: &Capture) -> Vec<String> {
    sink.records().iter().map(|record| record.action().into_owned()).collect()
}

type Call = fn(&Recorder, bool, u32) -> Result<u32, Refusal>;

#[test]
fn what_is_switched_off_leaves_nothing_and_does_what_it_did() {
    // Inside of a context, and outside of any: the one that the call brings along is there all the same.
    for context in [true, false] {
        let sink = Capture::new();
        let recorder = recorder_with(&sink, |builder| builder);
        run(&recorder, context, recorder.switch_off(READ, "too many")).unwrap();
        assert_eq!(recorder.switched_off(), ["cache.read"]);

        let calls: [Call; 3] = [
            |recorder, context, key| call(recorder, context, || read(key)),
            |recorder, context, key| run(recorder, context, read_later(key)),
            |recorder, context, key| run(recorder, context, async move { read_boxed(key).await }),
        ];
        for (at, called) in calls.iter().enumerate() {
            let before = sink.records().len();
            assert_eq!(called(&recorder, context, 7), Ok(7));
            let records = sink.records().split_off(before);
            let inner = if at == 1 { 2 } else { 1 };
            assert_eq!(records.len(), inner, "the calls within are recorded, and nothing else");
            for record in &records {
                assert_eq!((&*record.action(), record.detail()), ("cache.looked_up", Some(r#"{"key":7}"#)));
                assert!(record.get("parent").is_none(), "it would lead to no record");
            }
        }
        // Their guards stay.
        for called in &calls[..2] {
            assert_eq!(called(&recorder, context, 0), Err(Refusal::Denied));
        }
        call(&recorder, context, || record_action(READ).wait()).unwrap();
        run(&recorder, context, async { record_action(READ).await }).unwrap();
        assert!(actions(&sink).iter().all(|action| action == "cache.looked_up"));
    }
}

#[test]
fn it_is_recorded_who_switches_what_and_why() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    let operator = AuditContext::new().actor(Actor::user(ActorId::plain("ann")));
    let off = with_context(operator.clone(), recorder.switch_off(READ, "too many"));
    run(&recorder, false, off).unwrap();
    let record = sink.wait_for_action("audit.switched_off", PATIENCE);
    assert_eq!(record.detail(), Some(r#"{"action":"cache.read","reason":"too many"}"#));
    assert_eq!(record.get("actor"), Some(r#"{"kind":"user","id":"ann"}"#));

    run(&recorder, false, with_context(operator, recorder.switch_on(READ, "the auditor asked"))).unwrap();
    let record = sink.wait_for_action("audit.switched_on", PATIENCE);
    assert_eq!(record.detail(), Some(r#"{"action":"cache.read","reason":"the auditor asked"}"#));
    call(&recorder, true, || read(7)).unwrap();
    assert_eq!(actions(&sink), ["cache.looked_up", "cache.read"]);

    // What is on is not switched on again.
    let before = sink.all().len();
    run(&recorder, false, recorder.switch_on(READ, "again")).unwrap();
    assert_eq!(sink.all().len(), before);

    let sink = Capture::new();
    recorder_with(&sink, |builder| builder.switched_off(READ, "too many"));
    let started = sink.wait_for_action("audit.started", PATIENCE);
    let detail = started.detail().unwrap();
    assert!(detail.contains(r#""switched_off":[{"action":"cache.read","reason":"too many"}]"#), "{detail}");
}

#[test]
fn nothing_is_switched_off_without_a_record_of_it() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    sink.set(Behaviour::Fail);
    let refused = run(&recorder, false, recorder.switch_off(READ, "too many")).unwrap_err();
    assert!(matches!(refused, SwitchError::Unacknowledged(_)), "{refused}");
    assert!(recorder.switched_off().is_empty());
}

#[test]
fn what_must_be_recorded_cannot_be_switched_off() {
    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| builder);
    assert_eq!(call(&recorder, false, open), Ok(()));
    for (name, said) in [
        ("vault.open", "it is the action of a `fail_closed` function, which does not run without a record"),
        ("audit.switched_off", "are of records that the framework writes itself"),
        ("http.request", "are of records that the framework writes itself"),
    ] {
        let refused = run(&recorder, false, recorder.switch_off(Action::parse(name).unwrap(), "no")).unwrap_err();
        assert!(refused.to_string().contains(name) && refused.to_string().contains(said), "{refused}");
        let built = Recorder::builder().sink(sink.clone()).allow_weak_fail_closed();
        let refused = built.switched_off(Action::parse(name).unwrap(), "no").build();
        assert!(matches!(refused, Err(BuildError::SwitchedOff(_))));
    }
    assert!(recorder.switched_off().is_empty());
}

#[test]
fn recorders_know_their_own_switches_alone() {
    let (sink, other_sink) = (Capture::new(), Capture::new());
    let (recorder, other) = (recorder_with(&sink, |builder| builder), recorder_with(&other_sink, |builder| builder));
    for round in 1..=3 {
        run(&recorder, true, recorder.switch_off(READ, "too many")).unwrap();
        call(&recorder, true, || read(7)).unwrap();
        call(&other, true, || read(7)).unwrap();
        run(&other, true, other.switch_off(Action::new("cache.warm"), "too many")).unwrap();
        call(&other, true, || read(7)).unwrap();
        run(&recorder, true, recorder.switch_on(READ, "again")).unwrap();
        call(&recorder, true, || read(7)).unwrap();
        let read = |sink: &Capture| actions(sink).iter().filter(|action| *action == "cache.read").count();
        assert_eq!((read(&sink), read(&other_sink)), (round, 2 * round));
    }
}

#[test]
fn a_call_that_is_switched_off_leaves_the_code_around_it_as_it_was() {
    #[audited(action = "cache.outer", fields(key), unlocked)]
    fn outer(key: u32) {
        let _ = std::panic::catch_unwind(panics);
        let _ = read(key);
        extend_context(AuditContext::new().actor(Actor::user(ActorId::plain("ann")))).unwrap();
        inner(key);
    }

    let sink = Capture::new();
    let recorder = recorder_with(&sink, |builder| {
        builder.switched_off(READ, "too many").switched_off(Action::new("cache.panic"), "too many")
    });
    call(&recorder, true, || outer(7));
    let records = sink.records();
    assert_eq!(actions(&sink), ["cache.looked_up", "cache.looked_up", "cache.outer"]);
    let [within, beside, outer] = &records[..] else { unreachable!() };
    assert_eq!(outer.detail(), Some(r#"{"key":7}"#), "nothing of another call");
    let id = format!("\"{}\"", outer.id().unwrap());
    assert_eq!((within.get("parent"), beside.get("parent")), (Some(&*id), Some(&*id)));
    assert!(outer.get("actor").is_some() && beside.get("actor").is_some());

    // A future that is dropped half-way, and one that comes to its context only later.
    let mut dropped = Box::pin(with_recorder(recorder.clone(), with_context(AuditContext::new(), read_later(7))));
    assert!(dropped.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(dropped);
    let alone = pin!(with_recorder(recorder.clone(), async {
        let _ = read(7);
        current_context()
    }));
    let Poll::Ready(context) = alone.poll(&mut Context::from_waker(Waker::noop())) else { unreachable!() };
    assert!(context.is_none());
    assert!(actions(&sink)[3..].iter().all(|action| action == "cache.looked_up"));
}
