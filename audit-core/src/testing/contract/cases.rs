//! The cases that a sink passes while nothing is wrong.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use super::subject::SinkUnderTest;
use crate::action::Action;
use crate::record::{Record, StoredRecord};
use crate::recorder::{Recorder, record_action, with_recorder_sync};

pub(super) fn takes_one_record(under: &SinkUnderTest) {
    let record = numbered(0, 0);
    under.takes(std::slice::from_ref(&record), "it refuses a record");
    under.assert_has(&[record]);
}

pub(super) fn takes_an_empty_batch(under: &SinkUnderTest) {
    under.takes(&[], "it refuses a batch without records");
    under.assert_has(&[]);
}

pub(super) fn takes_a_large_batch_in_its_order(under: &SinkUnderTest) {
    let batch: Vec<_> = (0..3000).map(|n| numbered(0, n)).collect();
    under.takes(&batch, "it refuses a batch of 3000 records");
    under.assert_has(&batch);
}

pub(super) fn has_what_it_acknowledged(under: &SinkUnderTest) {
    let mut all = Vec::new();
    for n in 0..30 {
        let batch: Vec<_> = (0..=n % 3).map(|m| numbered(n, m)).collect();
        under.takes(&batch, "it refuses a batch");
        all.extend(batch);
        under.assert_has(&all);
    }
}

pub(super) fn takes_concurrent_callers(under: &SinkUnderTest) {
    let batches: Vec<Vec<[Record; 2]>> = (0..8)
        .map(|caller| (0..60).map(|n| [numbered(caller, 2 * n), numbered(caller, 2 * n + 1)]).collect())
        .collect();
    thread::scope(|scope| {
        for batches in &batches {
            scope.spawn(move || {
                for batch in batches {
                    under.takes(batch, "it refuses one of several callers");
                }
            });
        }
    });
    let Some(found) = under.found() else { return };
    let at: HashMap<_, _> = found.iter().enumerate().map(|(at, found)| (found.id, at)).collect();
    let mut missing = 0;
    for batches in &batches {
        let places = batches.iter().flatten().map(|record| at.get(&record.id().expect("ours have one")));
        let (there, gone): (Vec<_>, Vec<_>) = places.partition(Option::is_some);
        missing += gone.len();
        assert!(there.is_sorted(), "the records of one caller are not in its order");
    }
    let all: Vec<_> = batches.into_iter().flatten().flatten().collect();
    if missing > 0 {
        under.assert_reads_lines();
    }
    let (acknowledged, there) = (all.len(), found.len());
    assert!(
        missing == 0,
        "{missing} of {acknowledged} records that were acknowledged to concurrent callers are not there"
    );
    assert!(
        there == acknowledged,
        "{acknowledged} records were acknowledged to concurrent callers, {there} are in the sink"
    );
    under.assert_has_among_others(&all);
}

pub(super) fn goes_on_after_a_dropped_future(under: &SinkUnderTest) {
    let batches: Vec<_> = (0..20).map(|n| [numbered(0, 2 * n), numbered(0, 2 * n + 1)]).collect();
    for batch in &batches {
        let mut writing = under.sink.write(batch);
        under.with(|| {
            let _ = writing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        drop(writing);
    }
    let after: Vec<_> = (0..10).map(|n| numbered(1, n)).collect();
    for record in &after {
        under.takes(std::slice::from_ref(record), "it refuses a record after other callers have left");
    }
    let Some(found) = under.found() else { return };
    let dropped: HashSet<_> = batches.iter().flatten().filter_map(|record| record.id()).collect();
    let mut once = HashSet::new();
    let (left, kept): (Vec<_>, Vec<_>) = found.iter().partition(|found| dropped.contains(&found.id));
    assert!(left.iter().all(|found| once.insert(found.id)), "a record whose caller has left is there twice");
    let (kept, after): (Vec<_>, Vec<_>) =
        (kept.iter().map(|found| found.id).collect(), after.iter().filter_map(|record| record.id()).collect());
    let (missing, acknowledged) = (after.iter().filter(|id| !kept.contains(id)).count(), after.len());
    if missing > 0 {
        under.assert_reads_lines();
    }
    assert!(
        missing == 0,
        "{missing} of {acknowledged} records that were acknowledged after other callers had left are not there"
    );
    let there = kept.len();
    assert!(
        there == acknowledged,
        "{acknowledged} records were acknowledged after other callers had left, {there} are in the sink"
    );
    assert!(kept == after, "the records that were written after other callers had left are not in their order");
}

pub(super) fn keeps_hostile_payloads(under: &SinkUnderTest) {
    let controls: String = (0..=0x9f_u8).map(char::from).collect();
    let payloads = [
        "a\nb\r\nc\u{85}d\u{2028}e\u{2029}f\u{b}g\u{c}h",
        "\"},{\"seq\":1,\"stream\":\"x\"}\n{\"schema\":1}",
        "\\\\\" \\n \\u0000 %s {} {audit}",
        "\u{1b}[2J\u{202e}drow\u{feff}\u{10ffff}\u{1f980}",
        &controls,
        &"\n".repeat(16 << 10),
        &"ü".repeat(8 << 10),
        "",
    ];
    let hostile = |text: &&str| {
        let record = Record::builder(Action::new("contract.hostile")).fields(|fields| {
            fields.plain("text", text);
            fields.plain(text, "as a key");
            fields.plain("seq", "none of yours");
        });
        record.build()
    };
    let batch: Vec<_> = payloads.iter().map(hostile).collect();
    under.takes(&batch, "it refuses records for what they hold");
    under.assert_has(&batch);
    for found in under.found().into_iter().flatten() {
        let Some(json) = found.json else { continue };
        let stored = StoredRecord::parse(json).expect("it was parsed before");
        assert_eq!((stored.seq(), stored.stream()), (None, None), "a payload was taken for a place");
    }
}

pub(super) fn describes_itself(under: &SinkUnderTest) {
    let before = (under.sink.describe(), under.sink.durability());
    under.takes(&[numbered(0, 0)], "it refuses a record");
    let after = (under.sink.describe(), under.sink.durability());
    assert!(before == after, "it described itself as {before:?}, and as {after:?} once it was used");
    assert!(!before.0.is_empty(), "the description is empty");
    let is_one_line = before.0.chars().all(|c| !c.is_control() && c != '\u{2028}' && c != '\u{2029}');
    assert!(is_one_line, "the description is no line of text: {:?}", before.0);
}

pub(super) fn flushes(under: &SinkUnderTest) {
    under.flushes("it cannot be flushed while it is empty");
    let batch = [numbered(0, 0)];
    under.takes(&batch, "it refuses a record once it was flushed");
    under.flushes("it cannot be flushed with a record in it");
    under.assert_has(&batch);
}

pub(super) fn works_behind_a_recorder(under: &SinkUnderTest) {
    let recorder = recorder(under, Duration::from_secs(20));
    let (behind, itself) = (recorder.durability(), under.sink.durability());
    assert!(behind == itself, "it says {itself}, and {behind} behind a recorder");
    let written = Mutex::new(HashSet::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let write = || record_action(Action::new("contract.recorded")).wait();
                    match under.with(|| with_recorder_sync(recorder.clone(), write)) {
                        Ok(id) => _ = written.lock().expect("no other thread has panicked").insert(id),
                        Err(error) => panic!("a record behind a recorder is not acknowledged: {error}"),
                    }
                }
            });
        }
    });
    let flushed = recorder.flush(Duration::from_secs(20));
    flushed.unwrap_or_else(|error| panic!("it cannot be flushed behind a recorder: {error}"));
    assert!(recorder.stats().lost == 0, "it refuses what the framework says of itself");
    let Some(found) = under.found() else { return };
    let written = written.into_inner().expect("no thread has panicked");
    // With the start of the recorder.
    let (acknowledged, there) = (written.len() + 1, found.len());
    if there < acknowledged {
        under.assert_reads_lines();
    }
    let are = if there == 1 { "is" } else { "are" };
    assert!(
        there == acknowledged,
        "{acknowledged} records were acknowledged behind a recorder, {there} {are} in the sink"
    );
    assert!(!written.contains(&found[0].id), "the start of the recorder is not the first of its records");
    let strange = found[1..].iter().filter(|found| !written.contains(&found.id)).count();
    assert!(strange == 0, "{strange} of its {there} records are none that a recorder gave to it");
}

pub(super) fn works_inside_a_runtime(under: &SinkUnderTest) {
    let Some(runs_in) = &under.runs_in else { return };
    let batch: Vec<_> = (0..20).map(|n| numbered(0, n)).collect();
    let (sink, records) = (under.sink.clone(), batch.clone());
    under.with(|| {
        runs_in(Box::pin(async move {
            for record in records {
                let taken = sink.write(&[record]).await;
                taken.unwrap_or_else(|error| panic!("it refuses a record inside of a runtime: {error}"));
            }
            let flushed = sink.flush().await;
            flushed.unwrap_or_else(|error| panic!("it cannot be flushed inside of a runtime: {error}"));
        }));
    });
    under.assert_has(&batch);
}

/// A recorder on the sink.
pub(super) fn recorder(under: &SinkUnderTest, deadline: Duration) -> Recorder {
    let builder = Recorder::builder().sink(under.sink.clone()).deadline(deadline).allow_weak_fail_closed();
    under.with(|| builder.build()).expect("a recorder is built on it")
}

pub(super) fn numbered(caller: usize, n: usize) -> Record {
    Record::builder(Action::new("contract.write")).field("caller", &caller).field("n", &n).build()
}
