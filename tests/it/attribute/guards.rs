//! `require = …`: denied before anything happens, and recorded.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;

use audited::{
    Actor, AuditContext, Decision, Deny, Refusal, Stage, StoredDecision, Verdict, audited, current_context,
    with_context,
};

use super::{Error, Recorded};

const DENIED: Error = Error::Refused(Refusal::Denied);

#[audited(action = "door.open", unlocked, require = key == 7, fields(key), fail_closed)]
async fn open(key: u32, opened: &Cell<bool>) -> Result<u32, Error> {
    opened.set(true);
    Ok(key)
}

#[audited(action = "door.open", unlocked, require = key == 7, fields(key), fail_closed)]
fn open_sync(key: u32, opened: &Cell<bool>) -> Result<u32, Error> {
    opened.set(true);
    Ok(key)
}

#[audited(action = "door.open", unlocked, require = key == 7, fields(key), fail_closed)]
fn open_boxed<'a>(key: u32, opened: &'a Cell<bool>) -> Pin<Box<dyn Future<Output = Result<u32, Error>> + 'a>> {
    Box::pin(async move {
        opened.set(true);
        Ok(key)
    })
}

#[test]
fn a_denial_is_recorded_and_answered_without_intent_or_body() {
    type Open = fn(&Recorded, u32, &Cell<bool>) -> Result<u32, Error>;
    let opens: [Open; 3] = [
        |recorded, key, opened| recorded.run(open(key, opened)),
        |recorded, key, opened| recorded.call(|| open_sync(key, opened)),
        |recorded, key, opened| recorded.run(open_boxed(key, opened)),
    ];
    for open in opens {
        let (recorded, opened) = (Recorded::new(), Cell::new(false));
        assert_eq!(open(&recorded, 1, &opened), Err(DENIED));
        let record = recorded.only();
        assert_eq!(record.stage(), Some(Stage::Completed));
        assert_eq!(record.decision(), Some(StoredDecision::Deny { reason: "forbidden".into() }));
        assert_eq!(record.detail(), Some(r#"{"key":1}"#));
        assert!(!opened.get());

        let recorded = Recorded::new();
        assert_eq!(open(&recorded, 7, &opened), Ok(7));
        assert_eq!(recorded.records().len(), 2);
        assert!(opened.get());
    }
}

fn decides(reason: Option<&'static str>) -> Decision {
    reason.map_or(Decision::Allow, Decision::deny)
}

async fn asks(reason: Option<&'static str>) -> Result<Decision, Broken> {
    tokio::task::yield_now().await;
    if reason == Some("down") { Err(Broken) } else { Ok(decides(reason)) }
}

struct Broken;

impl Deny for Broken {
    fn deny(&self) -> Verdict {
        Verdict::failure("policy_unavailable")
    }
}

#[audited(action = "guard.decision", require = decides(reason))]
fn by_decision(reason: Option<&'static str>) -> Result<(), Error> {
    Ok(())
}

#[audited(action = "guard.result", require = asks(reason).await)]
async fn by_result(reason: Option<&'static str>) -> Result<(), Error> {
    Ok(())
}

#[track_caller]
fn denied(recorded: &Recorded, expected: &str) {
    assert_eq!(recorded.only().decision(), Some(StoredDecision::Deny { reason: expected.into() }));
}

#[test]
fn guards_are_bools_decisions_and_results_of_them() {
    let recorded = Recorded::new();
    assert_eq!(recorded.call(|| by_decision(Some("closed"))), Err(DENIED));
    denied(&recorded, "closed");
    let recorded = Recorded::new();
    assert_eq!(recorded.run(by_result(Some("closed"))), Err(DENIED));
    denied(&recorded, "closed");
    // A guard that fails lets nobody pass.
    let recorded = Recorded::new();
    assert_eq!(recorded.run(by_result(Some("down"))), Err(DENIED));
    denied(&recorded, "policy_unavailable");
    let recorded = Recorded::new();
    assert_eq!(recorded.call(|| by_decision(None)), Ok(()));
    assert_eq!(recorded.run(by_result(None)), Ok(()));
}

fn is_somebody() -> bool {
    current_context().is_some_and(|context| context != AuditContext::new())
}

#[audited(action = "guard.context", require = is_somebody())]
async fn by_context() -> Result<(), Error> {
    Ok(())
}

#[test]
fn the_context_is_in_sight() {
    let recorded = Recorded::new();
    assert_eq!(recorded.run(by_context()), Err(DENIED));
    let context = AuditContext::new().actor(Actor::user(1_u64));
    assert_eq!(recorded.run(with_context(context, by_context())), Ok(()));
}
