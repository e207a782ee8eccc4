//! What becomes of a call whose transaction does not take its record.

use audited::{Effect, Outcome, Record, Refusal, Stage, StoredDecision, StoredOutcome, audited};

use super::bank::{Answer, Bank, Error, Recorded, Tx};

const MAY_HAVE_HAPPENED: Refusal = Refusal::Unavailable { effect: Effect::MayHaveHappened };
const REFUSING: [Answer; 4] = [Answer::Fail, Answer::Panic, Answer::PanicAtOnce, Answer::Hang];

#[audited(action = "tx.open", unlocked, fields(cents), transaction = tx)]
async fn open(tx: &Tx<'_>, cents: u64) -> Result<u64, Error> {
    tx.add(cents);
    Ok(cents)
}

#[audited(action = "tx.open", unlocked, fields(cents), transaction = tx)]
fn open_sync(tx: &Tx<'_>, cents: u64) -> Result<u64, Error> {
    tx.add(cents);
    Ok(cents)
}

#[audited(action = "tx.closed", unlocked, fields(cents), transaction = tx, fail_closed)]
async fn closed(tx: &Tx<'_>, cents: u64) -> Result<u64, Error> {
    tx.add(cents);
    Ok(cents)
}

#[audited(action = "tx.closed", unlocked, fields(cents), transaction = tx, fail_closed)]
fn closed_sync(tx: &Tx<'_>, cents: u64) -> Result<u64, Error> {
    tx.add(cents);
    Ok(cents)
}

type Call = fn(&Recorded, &Tx<'_>) -> Result<u64, Error>;

const OPEN: [Call; 2] = [|recorded, tx| recorded.run(open(tx, 7)), |recorded, tx| recorded.call(|| open_sync(tx, 7))];
const CLOSED: [Call; 2] =
    [|recorded, tx| recorded.run(closed(tx, 7)), |recorded, tx| recorded.call(|| closed_sync(tx, 7))];

#[track_caller]
fn is_unknown(record: &Record) {
    assert_eq!(record.stage(), Some(Stage::Completed));
    assert_eq!(record.decision(), Some(StoredDecision::Allow));
    assert_eq!(record.outcome(), Some(StoredOutcome::Unknown));
    assert_eq!(record.flags(), ["not_in_transaction"]);
    assert_eq!(record.detail(), Some(r#"{"cents":7}"#));
    assert!(!record.json().contains("s3cret"));
}

#[test]
fn open_it_goes_on_and_the_record_vouches_for_nothing() {
    for (answer, call) in REFUSING.into_iter().flat_map(|answer| OPEN.map(|call| (answer, call))) {
        let (recorded, bank) = (Recorded::hasty(), Bank::new());
        let tx = bank.begin_with(answer);
        assert_eq!(call(&recorded, &tx), Ok(7), "{answer:?}");
        tx.commit();
        assert!(bank.records().is_empty(), "{answer:?}");
        is_unknown(&recorded.only());
        let stats = recorded.recorder.stats();
        assert_eq!((stats.in_transactions, stats.not_in_transactions, stats.lost), (0, 1, 0), "{answer:?}");
        assert!(recorded.additions().is_empty(), "{answer:?}");
    }
}

#[test]
fn closed_it_is_refused_so_that_the_caller_rolls_back() {
    for (answer, call) in REFUSING.into_iter().flat_map(|answer| CLOSED.map(|call| (answer, call))) {
        let (recorded, bank) = (Recorded::hasty(), Bank::new());
        let tx = bank.begin_with(answer);
        assert_eq!(call(&recorded, &tx), Err(Error::Refused(MAY_HAVE_HAPPENED)), "{answer:?}");
        let records = recorded.records();
        assert_eq!(records.len(), 2, "{answer:?}");
        assert_eq!(records[0].call(), records[1].id(), "{answer:?}");
        is_unknown(&records[1]);
        assert_eq!(recorded.recorder.stats().not_in_transactions, 1, "{answer:?}");
    }
}

#[test]
fn closed_it_succeeds_where_the_transaction_takes_the_record() {
    for call in CLOSED {
        let (recorded, bank) = (Recorded::new(), Bank::new());
        let tx = bank.begin();
        assert_eq!(call(&recorded, &tx), Ok(7));
        tx.commit();
        let intent = recorded.only();
        assert_eq!((intent.stage(), intent.flags()), (Some(Stage::Intent), vec!["in_transaction".to_owned()]));
        assert_eq!(bank.records().iter().map(|record| record.id()).collect::<Vec<_>>(), [intent.call()]);
    }
}

#[audited(action = "tx.guarded", unlocked, transaction = tx, require = may, intent)]
async fn guarded(tx: &Tx<'_>, may: bool) -> Result<u64, Error> {
    tx.add(1);
    Ok(1)
}

#[audited(action = "tx.polite", unlocked, transaction = tx, require = may, outcome = |_| Outcome::Success)]
fn polite(tx: &Tx<'_>, may: bool) -> Result<u64, Error> {
    tx.add(1);
    Ok(1)
}

#[test]
fn a_refusal_is_none_the_less_denied_whatever_the_value_says() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    assert_eq!(recorded.call(|| polite(&tx, false)), Err(Error::Refused(Refusal::Denied)));
    assert_eq!(tx.asked.get(), 0);
    assert_eq!(recorded.only().decision(), Some(StoredDecision::Deny { reason: "forbidden".into() }));
}

#[test]
fn whom_the_guard_denies_the_transaction_is_not_asked() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    assert_eq!(recorded.run(guarded(&tx, false)), Err(Error::Refused(Refusal::Denied)));
    assert_eq!((tx.asked.get(), tx.staged.borrow().len()), (0, 0));
    drop(tx);
    let record = recorded.only();
    assert_eq!(record.decision(), Some(StoredDecision::Deny { reason: "forbidden".into() }));
    assert!(record.flags().is_empty());
}
