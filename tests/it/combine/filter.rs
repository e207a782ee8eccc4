use audited::{AuditSink, DiscardCounted, Durability, Filter, MemorySink, Record};

use super::{SHORT, numbers, reason, record, timed, write};
use crate::contract::block_on;
use crate::support::{Behaviour, Capture, PATIENCE};

fn is_odd(record: &Record) -> bool {
    numbers(std::slice::from_ref(record))[0] % 2 == 1
}

#[test]
fn each_way_has_its_records_in_their_order_and_none_is_left_out() {
    let (odd, even) = (Capture::new(), MemorySink::new());
    let filter = Filter::new(is_odd, odd.clone(), even.clone());
    assert_eq!(filter.describe(), "filter(capture, else: memory)");
    let batch: Vec<_> = (0..10).map(record).collect();
    block_on(filter.write(&batch)).unwrap();
    write(&filter, 11).unwrap();
    assert_eq!(numbers(&odd.records()), [1, 3, 5, 7, 9, 11]);
    assert_eq!(numbers(&even.records()), [0, 2, 4, 6, 8]);
    assert_eq!(odd.batches(), 2);
    assert_eq!(filter.stats().map(|stats| stats.acknowledged), [6, 5]);
}

#[test]
fn a_way_that_has_nothing_to_write_is_not_asked() {
    let dead = Capture::new();
    dead.set(Behaviour::Fail);
    let filter = Filter::new(is_odd, dead.clone(), MemorySink::new());
    write(&filter, 2).unwrap();
    assert_eq!(reason(write(&filter, 1)), "failed");
    assert_eq!(dead.batches(), 1);
}

#[test]
fn a_way_that_blocks_does_not_keep_the_other_from_its_records() {
    let (stuck, fine) = (Capture::new(), Capture::new());
    stuck.set(Behaviour::HangBlocking);
    let filter = Filter::new(
        is_odd,
        audited::Member::new(stuck.clone()).deadline(SHORT),
        audited::Member::new(fine.clone()).deadline(SHORT),
    );
    let (answer, took) = timed(|| block_on(filter.write(&[record(1), record(2)])));
    assert_eq!(reason(answer), "deadline");
    assert!(took < PATIENCE / 4, "{took:?}");
    assert_eq!(numbers(&fine.wait_for(1, PATIENCE)), [2]);
    stuck.set(Behaviour::Ok);
}

#[test]
fn a_predicate_that_panics_fails_the_batch_and_nothing_is_written() {
    let (odd, even) = (MemorySink::new(), MemorySink::new());
    let picky = |record: &Record| {
        if numbers(std::slice::from_ref(record)) == [3] {
            std::panic::resume_unwind(Box::new("three"));
        }
        is_odd(record)
    };
    let filter = Filter::new(picky, odd.clone(), even.clone());
    assert_eq!(reason(block_on(filter.write(&[record(1), record(2), record(3)]))), "panicked");
    assert!(odd.is_empty() && even.is_empty());
    write(&filter, 4).unwrap();
}

#[test]
fn to_discard_is_said_aloud_and_promises_nothing() {
    let discarded = DiscardCounted::new();
    let filter = Filter::new(is_odd, MemorySink::new(), discarded.clone());
    assert_eq!(filter.describe(), "filter(memory, else: discard_counted)");
    assert_eq!(filter.durability(), Durability::None);
    block_on(filter.write(&(0..5).map(record).collect::<Vec<_>>())).unwrap();
    assert_eq!(discarded.discarded(), 3);
}
