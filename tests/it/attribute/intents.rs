//! Intents, what is left of them after a crash, and what is captured of the returned value.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Waker};

use audited::{Kind, Record, Stage, StoredRecord, audited, orphans, with_recorder};

use super::{Error, Recorded};
use crate::support::{Behaviour, Capture, PATIENCE, recorder};

#[audited(action = "job.run", unlocked, intent, fields(number))]
async fn job(number: u32) -> u32 {
    tokio::task::yield_now().await;
    number
}

#[audited(action = "job.run", unlocked, intent, fields(number))]
fn job_sync(number: u32) -> u32 {
    number
}

#[test]
fn intent_alone_writes_one_and_refuses_nothing() {
    let recorded = Recorded::new();
    assert_eq!(recorded.run(job(1)), 1);
    assert_eq!(recorded.call(|| job_sync(2)), 2);
    let records = recorded.records();
    let stages: Vec<_> = records.iter().filter_map(|record| record.stage()).collect();
    assert_eq!(stages, [Stage::Intent, Stage::Completed, Stage::Intent, Stage::Completed]);
    assert_eq!(records[0].call(), records[1].id());

    let sink = Capture::new();
    let recorded = Recorded { recorder: recorder(sink.clone()), memory: audited::MemorySink::new() };
    sink.wait_for_action("audit.started", PATIENCE);
    sink.set(Behaviour::Fail);
    assert_eq!(recorded.run(job(3)), 3);
    assert_eq!(recorded.call(|| job_sync(4)), 4);
}

fn open(records: impl IntoIterator<Item = Record>) -> Vec<StoredRecord> {
    let Ok(open) = orphans(records.into_iter().map(|record| Ok::<_, Infallible>(record.into())));
    open
}

#[test]
fn an_intent_without_an_end_is_an_orphan() {
    let recorded = Recorded::new();
    let mut running = pin!(with_recorder(recorded.recorder.clone(), job(1)));
    assert!(running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    recorded.run(job(2));
    let orphans = open(recorded.memory.records());
    assert_eq!(orphans.len(), 1);
    assert_eq!(orphans[0].detail(), Some(r#"{"number":1}"#));
    assert_eq!(orphans[0].kind(), Some(Kind::Call));
    assert!(running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert!(open(recorded.memory.records()).is_empty());
}

struct Receipt {
    number: u64,
    note: String,
}

#[audited(action = "shop.buy", fields(items), ok_fields(|receipt| number = receipt.number, note = plain(receipt.note)))]
async fn buy(items: u32) -> Result<Receipt, Error> {
    if items == 0 {
        return Err(Error::Broken);
    }
    Ok(Receipt { number: u64::from(items) * 10, note: "thanks".into() })
}

#[audited(action = "shop.count", ok_fields(|count| count = *count))]
fn count() -> usize {
    3
}

#[test]
fn the_returned_value_can_be_captured_unless_it_is_an_error() {
    let recorded = Recorded::new();
    assert_eq!(recorded.run(buy(2)).map(|receipt| receipt.note), Ok("thanks".into()));
    assert!(recorded.run(buy(0)).is_err());
    assert_eq!(recorded.call(count), 3);
    let details: Vec<_> = recorded.records().iter().map(|record| record.detail().map(str::to_owned)).collect();
    let expected = [r#"{"items":2,"number":20,"note":"thanks"}"#, r#"{"items":0}"#, r#"{"count":3}"#];
    assert_eq!(details, expected.map(|detail| Some(detail.to_owned())));
}
