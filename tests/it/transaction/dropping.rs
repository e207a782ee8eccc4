//! Calls whose future is dropped.

use audited::{Outcome, Stage, StoredOutcome, audited};

use super::bank::{Answer, Bank, Error, Recorded, Tx};
use crate::support::{Behaviour, Capture, PATIENCE, recorder};

#[audited(action = "tx.steps", unlocked, fields(cents = 7_u8), transaction = tx)]
async fn steps(tx: &Tx<'_>) -> Result<u64, Error> {
    tokio::task::yield_now().await;
    tx.add(7);
    tokio::task::yield_now().await;
    Ok(7)
}

#[test]
fn in_the_body_it_is_cancelled() {
    for polls in 1..=2 {
        let (recorded, bank) = (Recorded::new(), Bank::new());
        let tx = bank.begin();
        recorded.drop_after(polls, steps(&tx));
        tx.commit();
        assert!(bank.records().is_empty());
        let record = recorded.only();
        assert_eq!((record.stage(), record.outcome()), (Some(Stage::Cancelled), Some(StoredOutcome::Unknown)));
        assert!(recorded.additions().is_empty() && record.flags().is_empty());
    }
}

#[test]
fn while_the_transaction_is_asked_nobody_says_that_it_was_cancelled() {
    for polls in 3..=5 {
        let (recorded, bank) = (Recorded::new(), Bank::new());
        let tx = bank.begin_with(Answer::TakeAfter(4));
        recorded.drop_after(polls, steps(&tx));
        assert_eq!(tx.asked.get(), polls - 2);
        tx.commit();
        assert!(bank.records().is_empty() && recorded.records().is_empty());
        let additions = recorded.additions();
        assert_eq!(additions.len(), 1);
        assert_eq!(additions[0].flags(), ["undelivered", "in_transaction"]);
        assert!(additions[0].call().is_some());
        assert_eq!(recorded.recorder.stats().not_in_transactions, 1);
    }
    // One poll more, and it is over.
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin_with(Answer::TakeAfter(4));
    assert_eq!(recorded.run(steps(&tx)), Ok(7));
    tx.commit();
    assert_eq!((bank.records().len(), recorded.additions().len()), (1, 0));
}

#[test]
fn while_the_recorder_is_asked_instead_it_is_completed_and_undelivered() {
    let sink = Capture::new();
    let recorder = recorder(sink.clone());
    sink.wait_for_action("audit.started", PATIENCE);
    sink.set(Behaviour::HangAsync);
    let bank = Bank::new();
    let tx = bank.begin_with(Answer::Fail);
    {
        let calls = Recorded::with(recorder, audited::MemorySink::new());
        calls.drop_after(3, steps(&tx));
        sink.wait_for_batches(2, PATIENCE);
    }
    sink.set(Behaviour::Ok);
    let addition = sink.wait_for_action("audit.undelivered", PATIENCE);
    let record = sink.wait_for(1, PATIENCE).remove(0);
    assert_eq!((record.stage(), record.flags()), (Some(Stage::Completed), vec!["not_in_transaction".to_owned()]));
    assert_eq!(record.outcome(), Some(StoredOutcome::Unknown));
    assert_eq!((addition.call(), addition.flags()), (record.id(), vec!["undelivered".to_owned()]));
}

#[audited(action = "tx.never", unlocked, transaction = tx, outcome = |()| Outcome::Success)]
async fn never(tx: &Tx<'_>) {
    tx.add(1);
}

#[test]
fn never_polled_it_leaves_nothing() {
    let (recorded, bank) = (Recorded::new(), Bank::new());
    let tx = bank.begin();
    recorded.call(|| drop(never(&tx)));
    assert!(recorded.records().is_empty() && recorded.additions().is_empty());
}
