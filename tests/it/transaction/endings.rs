//! Which calls go into the transaction, and which do not.

use std::panic::{AssertUnwindSafe, catch_unwind};

use audited::{Decide, Decision, Outcome, Stage, StoredOutcome, Verdict, audited};

use super::bank::{Bank, Error, Recorded, Tx, now};

struct Light(Verdict);

impl Decide for Light {
    fn decide(&self) -> Verdict {
        self.0.clone()
    }
}

#[audited(action = "tx.light", unlocked, transaction = tx)]
async fn light(tx: &Tx<'_>, verdict: Verdict) -> Light {
    tx.add(1);
    Light(verdict)
}

#[audited(action = "tx.closure", unlocked, transaction = tx, outcome = |cents| if *cents > 9 { Outcome::failure("much") } else { Outcome::Success })]
fn closure(tx: &Tx<'_>, cents: u64) -> u64 {
    tx.add(cents);
    cents
}

#[audited(action = "tx.alike", unlocked, transaction = tx, errors = failure("any"), ok_fields(|cents| cents = *cents))]
async fn alike(tx: &Tx<'_>, cents: Result<u64, String>) -> Result<u64, String> {
    tx.add(1);
    cents
}

#[test]
fn only_what_was_allowed_and_succeeded_goes_there() {
    let verdicts = [
        (Verdict::success(), true),
        (Verdict::unknown(), false),
        (Verdict::failure("broken"), false),
        (Decision::deny("closed").into(), false),
    ];
    for (verdict, there) in verdicts {
        let (recorded, bank) = (Recorded::new(), Bank::new());
        let tx = bank.begin();
        recorded.run(light(&tx, verdict.clone()));
        tx.commit();
        assert_eq!((bank.records().len(), recorded.records().len()), (usize::from(there), usize::from(!there)));
    }
}

#[test]
fn the_verdict_may_come_from_a_closure_and_the_value_be_captured() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    assert_eq!(recorded.call(|| closure(&tx, 3)), 3);
    assert_eq!(recorded.call(|| closure(&tx, 30)), 30);
    assert_eq!(recorded.run(alike(&tx, Ok(5))), Ok(5));
    assert_eq!(recorded.run(alike(&tx, Err("s3cret".into()))), Err("s3cret".into()));
    tx.commit();
    let actions: Vec<_> = bank.records().iter().map(|record| record.action().into_owned()).collect();
    assert_eq!(actions, ["tx.closure", "tx.alike"]);
    assert_eq!(bank.records()[1].detail(), Some(r#"{"cents":5}"#));
    let ends: Vec<_> = recorded.records().iter().map(|record| format!("{:?}", record.outcome())).collect();
    assert_eq!(ends, [r#"Some(Failure { code: "much" })"#, r#"Some(Failure { code: "any" })"#]);
}

#[audited(action = "tx.early", unlocked, transaction = tx, fields(cents = text.parse::<u64>().map_err(|_| Error::Broken)?))]
async fn early(tx: &Tx<'_>, text: &str) -> Result<(), Error> {
    tx.add(1);
    Ok(())
}

#[test]
fn a_capture_that_returns_ends_the_call_as_it_says() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    assert_eq!(recorded.run(early(&tx, "none")), Err(Error::Broken));
    assert_eq!(recorded.only().outcome(), Some(StoredOutcome::Failure { code: "broken".into() }));
    assert_eq!((tx.asked.get(), tx.cents()), (0, 0));
}

/// Panics when it is dropped.
struct Last<'t, 'b>(&'t Tx<'b>);

impl Drop for Last<'_, '_> {
    fn drop(&mut self) {
        self.0.add(100);
        panic!("s3cret in a panic");
    }
}

#[audited(action = "tx.last", unlocked, transaction = tx)]
async fn last(tx: &Tx<'_>, _last: Last<'_, '_>) {}

#[test]
fn a_panic_behind_the_record_leaves_one_record() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    catch_unwind(AssertUnwindSafe(|| recorded.run(last(&tx, Last(&tx))))).unwrap_err();
    tx.commit();
    let records = bank.records();
    assert_eq!(records.len(), 1);
    assert!(recorded.records().is_empty(), "it is no success and a panic at once");
    let additions = recorded.additions();
    assert_eq!(additions.len(), 1);
    assert_eq!(additions[0].call(), records[0].id());
    assert_eq!(additions[0].flags(), ["undelivered", "in_transaction"]);
}

/// What makes a handle of it panics.
struct Broken;

impl Broken {
    fn within<'t, 'b>(&self, _tx: &'t Tx<'b>) -> &'t Tx<'b> {
        panic!("s3cret in a panic");
    }
}

#[audited(action = "tx.broken", unlocked, transaction = Broken.within(tx))]
async fn broken(tx: &Tx<'_>) {}

#[test]
fn an_expression_that_panics_is_a_panic_of_the_call() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    catch_unwind(AssertUnwindSafe(|| recorded.run(broken(&tx)))).unwrap_err();
    assert_eq!(recorded.only().stage(), Some(Stage::Panicked));
}

#[test]
fn nothing_waits_for_a_runtime() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    now(audited::with_recorder(recorded.recorder.clone(), alike(&tx, Ok(1)))).unwrap();
    tx.commit();
    assert_eq!(bank.records().len(), 1);
}
