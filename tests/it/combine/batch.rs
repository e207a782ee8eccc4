use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use audited::{AuditSink, Batch, Member, MemorySink};

use super::{numbers, reason, record, timed, write};
use crate::contract::block_on;
use crate::support::{Behaviour, Capture, PATIENCE, eventually};

const LONG: Duration = Duration::from_secs(600);

fn batch(sink: &Capture) -> audited::BatchBuilder {
    Batch::builder(Member::new(sink.clone()).deadline(PATIENCE)).delay(LONG)
}

#[test]
fn callers_share_a_write_and_none_is_answered_before_it_is() {
    let sink = Capture::new();
    sink.set(Behaviour::HangAsync);
    let batch = batch(&sink).records(8).build();
    let start = Barrier::new(4);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                let (batch, start) = (&batch, &start);
                scope.spawn(move || {
                    start.wait();
                    block_on(batch.write(&[record(2 * caller), record(2 * caller + 1)]))
                })
            })
            .collect();
        sink.wait_for_batches(1, PATIENCE);
        thread::sleep(Duration::from_millis(50));
        assert!(callers.iter().all(|caller| !caller.is_finished()), "the sink has not answered");
        sink.set(Behaviour::Ok);
        for caller in callers {
            caller.join().unwrap().unwrap();
        }
    });
    assert_eq!(sink.batches(), 1);
    let mut found = numbers(&sink.records());
    assert!(found.chunks(2).all(|pair| pair[0] + 1 == pair[1]), "no caller's batch is torn apart: {found:?}");
    found.sort_unstable();
    assert_eq!(found, (0..8).collect::<Vec<_>>());
}

#[test]
fn all_callers_of_a_write_share_its_error() {
    let sink = Capture::new();
    sink.set(Behaviour::Fail);
    let batch = batch(&sink).records(3).build();
    thread::scope(|scope| {
        let callers: Vec<_> = (0..3)
            .map(|n| {
                scope.spawn({
                    let batch = &batch;
                    move || write(batch, n)
                })
            })
            .collect();
        for caller in callers {
            assert_eq!(reason(caller.join().unwrap()), "failed");
        }
    });
    assert_eq!((sink.batches(), batch.stats().failed["failed"]), (1, 3));
}

#[test]
fn it_waits_for_more_no_longer_than_it_says() {
    let sink = Capture::new();
    let delay = Duration::from_millis(200);
    let batch = batch(&sink).delay(delay).build();
    let (answer, took) = timed(|| write(&batch, 1));
    answer.unwrap();
    assert!(took >= delay && took < PATIENCE / 4, "{took:?}");
}

#[test]
fn enough_records_or_bytes_and_a_flush_end_the_waiting() {
    let sink = Capture::new();
    block_on(batch(&sink).records(2).build().write(&[record(1), record(2), record(3)])).unwrap();
    write(&batch(&sink).bytes(1).build(), 4).unwrap();

    let by_flush = batch(&sink).build();
    thread::scope(|scope| {
        let writing = scope.spawn(|| write(&by_flush, 5));
        eventually("it was flushed", || {
            block_on(by_flush.flush()).unwrap();
            writing.is_finished()
        });
        writing.join().unwrap().unwrap();
    });
    assert_eq!(numbers(&sink.records()), [1, 2, 3, 4, 5]);
}

#[test]
fn it_collects_also_for_a_sink_of_the_framework_and_writes_what_is_left_in_the_end() {
    let memory = MemorySink::new();
    let batch = Batch::builder(memory.clone()).delay(LONG).build();
    let records = [record(1)];
    let mut writing = batch.write(&records);
    assert!(writing.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending());
    assert!(memory.is_empty());
    drop(writing);
    drop(batch);
    memory.wait_for("combine.done", 1, PATIENCE).unwrap();
}
