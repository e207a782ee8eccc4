//! The user's expressions in the attribute: whatever they do, the call has its one record before its answer.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audited::{
    Actor, AuditContext, Effect, Outcome, Refusal, Stage, StoredDecision, StoredOutcome, TenantId, Verdict, audited,
    extend_context, with_context, with_context_sync,
};

use super::{Error, Recorded};
use crate::support::{Behaviour, Capture, PATIENCE, recorder};

async fn slow_id() -> u32 {
    tokio::task::yield_now().await;
    5
}

#[audited(action = "prologue.inner")]
fn inner() -> u32 {
    1
}

#[audited(action = "prologue.awaits", actor = slow_id().await, fields(value = slow_id().await, inner = inner()))]
async fn awaits() -> u32 {
    inner()
}

#[test]
fn captured_expressions_may_await_and_call() {
    let recorded = Recorded::new();
    assert_eq!(recorded.run(awaits()), 1);
    let records = recorded.records();
    assert_eq!(records.len(), 3);
    assert_eq!(records[2].detail(), Some(r#"{"value":5,"inner":1}"#));
    assert!(records[..2].iter().all(|inner| inner.parent() == records[2].id()));
    // Nothing of the call is left on the thread.
    assert!(extend_context(AuditContext::new()).is_err());
}

fn check(allowed: bool) -> Result<(), Error> {
    if allowed { Ok(()) } else { Err(Error::Forbidden) }
}

#[audited(action = "prologue.early", unlocked, require = { check(allowed)?; true }, fail_closed)]
fn early(allowed: bool) -> Result<(), Error> {
    Ok(())
}

#[audited(action = "prologue.early", unlocked, require = { check(allowed)?; true }, fail_closed)]
async fn early_async(allowed: bool) -> Result<(), Error> {
    Ok(())
}

#[audited(action = "prologue.early", unlocked, fields(number = text.parse::<u32>()?))]
fn early_field(text: &str) -> Result<(), Error> {
    Ok(())
}

#[test]
fn an_early_return_is_judged_and_acknowledged_first() {
    type Call = fn() -> Result<(), Error>;
    let calls: [(Call, &str); 3] = [
        (|| early(false), "missing_scope"),
        (
            || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(early_async(false)),
            "missing_scope",
        ),
        (|| early_field("x"), "broken"),
    ];
    for (call, code) in calls {
        let sink = Capture::new();
        let recorded = Recorded { recorder: recorder(sink.clone()), memory: audited::MemorySink::new() };
        sink.set(Behaviour::Slow(Duration::from_millis(20)));
        assert!(recorded.call(call).is_err());
        let records = sink.records();
        assert_eq!(records.len(), 1, "acknowledged before the answer");
        assert_eq!(records[0].stage(), Some(Stage::Completed));
        assert_eq!(records[0].outcome(), Some(StoredOutcome::Failure { code: code.into() }));
    }
}

#[audited(action = "prologue.panic", unlocked, fields(number = number.checked_sub(1).unwrap()))]
fn panics(number: u32) -> u32 {
    number
}

#[audited(action = "prologue.panic", unlocked, fields(number = number.checked_sub(1).unwrap()))]
async fn panics_async(number: u32) -> u32 {
    number
}

#[test]
fn a_captured_expression_that_panics_is_a_panicked_call() {
    for call in [|recorded: &Recorded| recorded.call(|| panics(0)), |recorded: &Recorded| recorded.run(panics_async(0))]
    {
        let recorded = Recorded::new();
        assert!(catch_unwind(AssertUnwindSafe(|| call(&recorded))).is_err());
        assert_eq!(recorded.only().stage(), Some(Stage::Panicked));
    }
}

type Boxed<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

#[audited(action = "prologue.boxed", require = allowed, fail_closed)]
fn boxed(allowed: bool, ran: &AtomicUsize) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
    ran.fetch_add(1, Ordering::SeqCst);
    Box::pin(async { Ok(()) })
}

#[test]
fn no_part_of_a_body_runs_before_its_guard_and_its_intent() {
    let recorded = Recorded::new();
    let ran = AtomicUsize::new(0);
    recorded.call(|| drop::<Boxed<'_>>(boxed(true, &ran)));
    assert_eq!(recorded.run(boxed(false, &ran)), Err(Error::Refused(Refusal::Denied)));
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    assert_eq!(recorded.run(boxed(true, &ran)), Ok(()));
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[test]
fn a_denial_that_nobody_acknowledges_has_not_started() {
    let refused = Err(Error::Refused(Refusal::Unavailable { effect: Effect::NotStarted }));
    let ran = AtomicUsize::new(0);
    let sink = Capture::new();
    let recorded = Recorded { recorder: recorder(sink.clone()), memory: audited::MemorySink::new() };
    sink.wait_for_action("audit.started", PATIENCE);
    sink.set(Behaviour::Fail);
    assert_eq!(recorded.run(boxed(false, &ran)), refused);
    assert_eq!(recorded.call(|| early(false)), refused);
    assert_eq!(recorded.run(early_async(false)), refused);
}

#[audited(action = "prologue.outcome", outcome = |_| { inner(); extend_context(AuditContext::new().role("seen")).unwrap(); Outcome::Success }, ok_fields(|_value| inner = inner()))]
async fn judged() -> u32 {
    1
}

#[test]
fn what_reads_the_value_belongs_to_the_call() {
    let recorded = Recorded::new();
    recorded.run(judged());
    let records = recorded.records();
    assert_eq!(records.len(), 3);
    assert!(records[..2].iter().all(|inner| inner.parent() == records[2].id()));
    assert_eq!(records[2].roles(), ["seen"]);
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::panic_any("again");
        }
    }
}

#[audited(action = "prologue.bomb", outcome = |_| -> Verdict { std::panic::panic_any(Bomb) })]
fn bomb() -> u32 {
    7
}

#[test]
fn a_panic_that_panics_again_while_the_value_is_read_costs_the_verdict_alone() {
    let recorded = Recorded::new();
    assert_eq!(recorded.call(bomb), 7);
    assert_eq!(recorded.only().outcome(), Some(StoredOutcome::Unknown));
}

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::panic_any("dropped");
        }
    }
}

#[audited(action = "prologue.denied", require = false)]
async fn denied(argument: PanicsOnDrop) -> Result<(), Error> {
    drop(argument);
    Ok(())
}

#[test]
fn a_denied_call_that_panics_stays_denied() {
    let recorded = Recorded::new();
    assert!(catch_unwind(AssertUnwindSafe(|| recorded.run(denied(PanicsOnDrop)))).is_err());
    let record = recorded.only();
    assert_eq!(record.stage(), Some(Stage::Panicked));
    assert_eq!(record.decision(), Some(StoredDecision::Deny { reason: "forbidden".into() }));
}

#[audited(action = "prologue.moved", actor = user, tenant = user)]
fn moved(user: u64) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> {
    let _ = user;
    Box::pin(async { Ok(()) })
}

#[test]
fn what_was_captured_in_one_context_is_not_lost_in_another() {
    let context = |id: u64| AuditContext::new().actor(Actor::user(id)).tenant(TenantId::from(id));
    let make = || with_context_sync(context(9), || moved(9));
    let recorded = Recorded::new();
    recorded.run(make()).unwrap();
    recorded.run(with_context(context(9), make())).unwrap();
    recorded.run(with_context(context(8), make())).unwrap();
    let [bare, same, other] = &recorded.records()[..] else { panic!("three records") };
    for record in [bare, same] {
        assert_eq!(record.get("actor"), Some(r#"{"kind":"user","id":"9"}"#));
        assert_eq!((record.tenant().as_deref(), record.claimed()), (Some("9"), None));
    }
    assert_eq!(other.tenant().as_deref(), Some("8"));
    assert_eq!(other.claimed(), Some(r#"{"actor":{"kind":"user","id":"9"},"tenant":"9"}"#));
}

#[test]
fn a_future_is_sync_and_unwind_safe_where_the_plain_one_is() {
    fn is_both<T: Sync + std::panic::UnwindSafe>(_: &T) {}
    is_both(&early_async(true));
    is_both(&panics_async(1));
}
