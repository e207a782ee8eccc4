//! How a call ends: returned, panicked, dropped.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use audited::{
    Decide, Decision, Deny, Outcome, Record, Sensitive, Stage, StoredDecision, StoredOutcome, Verdict, audited,
    with_recorder,
};

use super::{Error, Recorded};
use crate::support::{Behaviour, Capture, PATIENCE, recorder};

fn verdict(record: &Record) -> (String, String) {
    let decision = match record.decision() {
        Some(StoredDecision::Allow) => "allow".into(),
        Some(StoredDecision::Deny { reason }) => format!("deny {reason}"),
        _ => "-".into(),
    };
    let outcome = match record.outcome() {
        Some(StoredOutcome::Success) => "success".into(),
        Some(StoredOutcome::Failure { code }) => format!("failure {code}"),
        Some(StoredOutcome::Unknown) => "unknown".into(),
        _ => "-".into(),
    };
    (decision, outcome)
}

#[track_caller]
fn ends<T>(call: impl FnOnce() -> T, decision: &str, outcome: &str) {
    let recorded = Recorded::new();
    recorded.call(call);
    assert_eq!(verdict(&recorded.only()), (decision.into(), outcome.into()));
}

#[audited]
fn result(error: Option<Error>) -> Result<u32, Error> {
    error.map_or(Ok(1), Err)
}

#[audited]
fn decision(decision: Decision) -> Decision {
    decision
}

#[audited]
fn decision_in_result(decision: Result<Decision, Error>) -> Result<Decision, Error> {
    decision
}

#[audited]
fn data(value: bool) -> bool {
    value
}

#[audited]
fn option() -> Option<u32> {
    None
}

#[audited(errors = failure("not_found"))]
fn all_failures(found: bool) -> Result<u32, String> {
    if found { Ok(1) } else { Err("s3cret".into()) }
}

#[audited(errors = denied("no_entry"))]
fn all_denied(found: bool) -> Result<u32, ()> {
    if found { Ok(1) } else { Err(()) }
}

#[audited(outcome = |allowed: &bool| if *allowed { Decision::Allow } else { Decision::deny("closed") })]
fn by_closure(allowed: bool) -> bool {
    allowed
}

#[audited(outcome = |text| if text.is_empty() { Outcome::failure("empty") } else { Outcome::Success })]
fn by_outcome(text: &str) -> &str {
    text
}

struct Light {
    green: bool,
}

impl Decide for Light {
    fn decide(&self) -> Verdict {
        if self.green { Verdict::success() } else { Verdict::denied("red") }
    }
}

#[audited]
fn own_decision(green: bool) -> Light {
    Light { green }
}

#[test]
fn the_returned_value_says_it() {
    ends(|| result(None), "allow", "success");
    ends(|| result(Some(Error::Forbidden)), "deny missing_scope", "failure missing_scope");
    ends(|| result(Some(Error::Broken)), "allow", "failure broken");
    ends(|| decision(Decision::Allow), "allow", "success");
    ends(|| decision(Decision::deny("no")), "deny no", "failure no");
    ends(|| decision_in_result(Ok(Decision::deny("no"))), "deny no", "failure no");
    ends(|| decision_in_result(Err(Error::Broken)), "allow", "failure broken");
    ends(|| data(false), "allow", "success");
    ends(option, "allow", "success");
    ends(|| all_failures(true), "allow", "success");
    ends(|| all_failures(false), "allow", "failure not_found");
    ends(|| all_denied(false), "deny no_entry", "failure no_entry");
    ends(|| by_closure(true), "allow", "success");
    ends(|| by_closure(false), "deny closed", "failure closed");
    ends(|| by_outcome(""), "allow", "failure empty");
    ends(|| own_decision(true), "allow", "success");
    ends(|| own_decision(false), "deny red", "failure red");
}

struct Treacherous;

impl Decide for Treacherous {
    fn decide(&self) -> Verdict {
        panic!("s3cret");
    }
}

#[audited]
fn treacherous() -> Treacherous {
    Treacherous
}

#[test]
fn a_verdict_that_panics_leaves_the_value_alone_and_nothing_known() {
    ends(treacherous, "allow", "unknown");
}

#[audited]
fn panics() -> u32 {
    std::panic::panic_any("s3cret in a panic".to_owned())
}

#[audited]
async fn panics_async() -> u32 {
    tokio::task::yield_now().await;
    std::panic::panic_any("s3cret in a panic".to_owned())
}

#[test]
fn a_panic_is_recorded_without_its_payload_and_resumes_with_it() {
    type Call = fn(&Recorded) -> u32;
    for call in [(|recorded| recorded.call(panics)) as Call, |recorded| recorded.run(panics_async())] {
        let recorded = Recorded::new();
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call(&recorded))).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), "s3cret in a panic");
        let record = recorded.only();
        assert_eq!(record.stage(), Some(Stage::Panicked));
        assert_eq!(verdict(&record), ("allow".into(), "failure panicked".into()));
        assert!(!record.json().contains("s3cret"));
    }
}

#[tokio::test]
async fn a_panic_in_a_spawned_task_is_recorded() {
    let recorded = Recorded::new();
    let task = tokio::spawn(with_recorder(recorded.recorder.clone(), panics_async()));
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(recorded.only().stage(), Some(Stage::Panicked));
}

#[audited(fields(steps))]
async fn steps(steps: u32) -> u32 {
    for _ in 0..steps {
        tokio::task::yield_now().await;
    }
    steps
}

#[test]
fn dropped_at_any_await_point_it_is_one_cancelled_record() {
    for polls in 1..4 {
        let recorded = Recorded::new();
        {
            let mut future = pin!(with_recorder(recorded.recorder.clone(), steps(5)));
            for _ in 0..polls {
                assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
        }
        let record = recorded.only();
        assert_eq!(record.stage(), Some(Stage::Cancelled));
        assert_eq!(verdict(&record), ("-".into(), "unknown".into()));
        assert_eq!(record.detail(), Some(r#"{"steps":5}"#));
    }
}

#[test]
fn never_polled_it_leaves_nothing() {
    let recorded = Recorded::new();
    recorded.call(|| drop(steps(5)));
    drop(with_recorder(recorded.recorder.clone(), steps(5)));
    assert!(recorded.records().is_empty());
}

#[test]
fn dropped_outside_of_its_scope_it_is_recorded_where_it_began() {
    let recorded = Recorded::new();
    let mut future = Box::pin(steps(5));
    recorded.call(|| assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()));
    drop(future);
    assert_eq!(recorded.only().stage(), Some(Stage::Cancelled));
}

#[test]
fn dropped_while_the_acknowledgement_is_awaited_it_is_completed_and_undelivered() {
    let sink = Capture::new();
    let recorder = recorder(sink.clone());
    sink.wait_for_action("audit.started", PATIENCE);
    sink.set(Behaviour::HangAsync);
    {
        let mut future = pin!(with_recorder(recorder, steps(0)));
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
        sink.wait_for_batches(2, PATIENCE);
    }
    sink.set(Behaviour::Ok);
    let addition = sink.wait_for_action("audit.undelivered", PATIENCE);
    let record = sink.wait_for(1, PATIENCE).remove(0);
    assert_eq!(record.stage(), Some(Stage::Completed));
    assert_eq!(addition.call(), record.id());
    assert_eq!(addition.flags(), ["undelivered"]);
}

#[test]
fn what_the_bodys_values_record_while_they_are_dropped_belongs_to_the_call() {
    struct Nested;

    #[audited(action = "nested.drop")]
    fn on_drop() {}

    impl Drop for Nested {
        fn drop(&mut self) {
            on_drop();
        }
    }

    #[audited(action = "outer.call")]
    async fn outer() {
        let _nested = Nested;
        std::future::pending::<()>().await;
    }

    let recorded = Recorded::new();
    {
        let mut future = pin!(with_recorder(recorded.recorder.clone(), outer()));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let records = recorded.records();
    assert_eq!(records.iter().map(|record| record.action()).collect::<Vec<_>>(), ["nested.drop", "outer.call"]);
    assert_eq!(records[0].parent(), records[1].id());
}

#[audited]
fn nested(result: Result<Result<u8, Error>, Error>) -> Result<Result<u8, Error>, Error> {
    result
}

#[audited]
fn borrowed(result: &Result<u8, Error>) -> &Result<u8, Error> {
    result
}

#[audited]
fn optional(result: Option<Result<u8, Error>>) -> Option<Result<u8, Error>> {
    result
}

#[audited]
fn boxed(result: Result<u8, Error>) -> Box<Result<u8, Error>> {
    Box::new(result)
}

#[audited]
fn optional_decision(decision: Option<Decision>) -> Option<Decision> {
    decision
}

struct Cell<T>(T);

impl<T> Cell<T> {
    #[audited(action = "cell.take")]
    fn take(self) -> T {
        self.0
    }
}

#[test]
fn a_result_inside_of_something_else_is_not_taken_for_data() {
    const DENIED: (&str, &str) = ("deny missing_scope", "failure missing_scope");
    ends(|| nested(Ok(Err(Error::Forbidden))), DENIED.0, DENIED.1);
    ends(|| nested(Err(Error::Forbidden)), DENIED.0, DENIED.1);
    ends(|| nested(Ok(Ok(1))), "allow", "success");
    ends(|| borrowed(&Err(Error::Forbidden)).is_err(), DENIED.0, DENIED.1);
    ends(|| optional(Some(Err(Error::Forbidden))), DENIED.0, DENIED.1);
    ends(|| optional(None), "allow", "success");
    ends(|| boxed(Err(Error::Broken)), "allow", "failure broken");
    ends(|| optional_decision(Some(Decision::deny("no"))), "deny no", "failure no");
    ends(|| optional_decision(None), "allow", "success");
    // Where the type is a parameter, nobody can tell.
    ends(|| Cell(Err::<u8, Error>(Error::Forbidden)).take(), "allow", "unknown");
    ends(|| Cell(3).take(), "allow", "success");
}

#[derive(Deny, Sensitive)]
#[denied("declined")]
struct Declined {
    cents: u64,
    #[sensitive]
    account: String,
}

#[audited(action = "pay.decline", unlocked)]
fn declined() -> Result<u8, Declined> {
    Err(Declined { cents: 7, account: "s3cret".into() })
}

#[audited(action = "pay.decline", unlocked, fields(error = 1_u8), ok_fields(|number| number = *number))]
async fn declined_async() -> Result<u8, Declined> {
    declined()
}

#[audited(action = "pay.decline", unlocked, errors = failure("any"))]
fn declined_alike() -> Result<u8, Declined> {
    Err(Declined { cents: 7, account: "s3cret".into() })
}

#[test]
fn what_a_classified_error_shows_is_recorded_beside_its_code() {
    let recorded = Recorded::new();
    assert!(recorded.call(declined).is_err());
    let record = recorded.only();
    assert_eq!(record.detail(), Some(r#"{"error":{"cents":7,"account":"<redacted>"}}"#));
    assert_eq!(record.redacted(), ["error.account"]);
    let recorded = Recorded::new();
    assert!(recorded.run(declined_async()).is_err());
    let records = recorded.memory.records();
    assert_eq!(records.last().unwrap().detail(), Some(r#"{"error":1}"#));
    let recorded = Recorded::new();
    assert!(recorded.call(declined_alike).is_err());
    assert_eq!(recorded.only().detail(), None);
}

#[audited(action = "report.print", unlocked)]
fn print(time: Duration) {
    std::thread::sleep(time);
}

#[audited(action = "report.print", unlocked, intent)]
async fn print_later(time: Duration) {
    std::thread::sleep(time);
}

#[test]
fn a_call_took_what_lies_between_its_moments() {
    let time = Duration::from_millis(20);
    for is_async in [false, true] {
        let recorded = Recorded::new();
        if is_async {
            recorded.run(print_later(time));
        } else {
            recorded.call(|| print(time));
        }
        let records = recorded.records();
        let record = records.last().unwrap();
        let [began, ended] =
            [record.occurred_at(), record.recorded_at()].map(|moment| moment.unwrap().as_unix_micros());
        let latency = record.latency().unwrap();
        // The clock may be slewed meanwhile, not by that much.
        assert!(latency > time / 2, "{latency:?}");
        assert_eq!(i64::try_from(latency.as_micros()).unwrap(), ended - began);
        // An intent says when it was made, and not how long anything took.
        assert!(records[..records.len() - 1].iter().all(|intent| intent.latency().is_none()));
    }
}
