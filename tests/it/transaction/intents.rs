//! Intents in a journal, which a forwarder carries into the store, and their ends in transactions.

use std::path::Path;

use audited::{Forwarder, Journal, Query, Recorder, Stage, audited, with_recorder_sync};

use super::bank::{Bank, Error, Tx};
use crate::support::PATIENCE;

#[audited(action = "tx.intended", unlocked, fields(cents), transaction = tx, fail_closed)]
fn intended(tx: &Tx<'_>, cents: u64) -> Result<u64, Error> {
    tx.add(cents);
    match cents {
        0 => Err(Error::Forbidden),
        cents => Ok(cents),
    }
}

/// Runs what is given with a journal that is delivered into the bank's store.
fn delivered(bank: &Bank, path: &Path, run: impl FnOnce()) {
    let journal = Journal::open(path).unwrap();
    let forwarder = Forwarder::builder(&journal, bank.store.clone()).start().unwrap();
    let recorder = Recorder::builder().sink(journal).build().unwrap();
    with_recorder_sync(recorder.clone(), run);
    recorder.shutdown(PATIENCE).unwrap();
    forwarder.stop(PATIENCE).unwrap();
}

#[test]
fn an_intent_is_resolved_by_what_committed_and_by_what_was_denied() {
    let (bank, folder) = (Bank::new(), tempfile::tempdir().unwrap());
    delivered(&bank, &folder.path().join("audit"), || {
        let tx = bank.begin();
        assert_eq!(intended(&tx, 7), Ok(7));
        tx.commit();
        let rolled_back = bank.begin();
        assert_eq!(intended(&rolled_back, 0), Err(Error::Forbidden));
    });
    assert!(bank.find(Query::new().orphans()).is_empty());
    let records = bank.find(Query::new().action("tx.intended"));
    let stages: Vec<_> = records.iter().map(|record| (record.stage(), record.detail().map(str::to_owned))).collect();
    let completed = |cents: u8| (Some(Stage::Completed), Some(format!(r#"{{"cents":{cents}}}"#)));
    assert_eq!(stages, [completed(7), completed(0)]);
    assert_eq!((records[0].seq(), bank.cents.get()), (None, 7));
    assert!(records[1].seq().is_some(), "what was denied came by the journal");
}

#[test]
fn of_what_was_rolled_back_the_intent_stays_open() {
    let (bank, folder) = (Bank::new(), tempfile::tempdir().unwrap());
    delivered(&bank, &folder.path().join("audit"), || {
        assert_eq!(intended(&bank.begin(), 7), Ok(7));
        let tx = bank.begin();
        assert_eq!(intended(&tx, 8), Ok(8));
        tx.commit();
    });
    let orphans = bank.find(Query::new().orphans());
    assert_eq!(orphans.iter().map(|record| record.detail()).collect::<Vec<_>>(), [Some(r#"{"cents":7}"#)]);
    assert_eq!(orphans[0].flags(), ["in_transaction"]);
    assert_eq!(bank.find(Query::new().action("tx.intended").succeeded()).len(), 1);
}
