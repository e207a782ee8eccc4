//! What every sink promises, as one suite, and sinks that break it to show that the suite sees it.

use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use audited::{
    Action, AuditSink, Durability, Journal, JournalOptions, MemorySink, Record, Recorder, SinkError, StoredRecord,
    TracingSink, record_action, with_recorder_sync,
};
use tracing::Dispatch;

use crate::sinks::Events;

/// A sink, and how to see what it has.
pub(crate) struct Fixture {
    pub(crate) sink: Arc<dyn AuditSink>,
    /// The JSON of each record that the sink has, in its order and without what the sink itself has added.
    pub(crate) read: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    /// The subscriber of whichever thread writes.
    pub(crate) dispatch: Dispatch,
}

impl Fixture {
    pub(crate) fn new(sink: impl AuditSink, read: impl Fn() -> Vec<String> + Send + Sync + 'static) -> Self {
        Self { sink: Arc::new(sink), read: Box::new(read), dispatch: Dispatch::none() }
    }

    fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.with(|| block_on(self.sink.write(batch)))
    }

    fn with<T>(&self, inside: impl FnOnce() -> T) -> T {
        tracing::dispatcher::with_default(&self.dispatch, inside)
    }

    /// Asserts that the sink has exactly these records, in this order.
    fn assert_has(&self, records: &[Record]) {
        let found = (self.read)();
        assert_eq!(found.len(), records.len());
        for (found, record) in found.iter().zip(records) {
            assert_eq!(found, record.json());
        }
    }
}

type Case = (&'static str, fn(&Fixture));

const CASES: &[Case] = &[
    ("takes one record", takes_one_record),
    ("takes an empty batch", takes_an_empty_batch),
    ("takes a large batch in its order", takes_a_large_batch_in_its_order),
    ("has what it acknowledged", has_what_it_acknowledged),
    ("takes concurrent callers", takes_concurrent_callers),
    ("goes on after a dropped future", goes_on_after_a_dropped_future),
    ("keeps hostile payloads", keeps_hostile_payloads),
    ("describes itself", describes_itself),
    ("flushes", flushes),
    ("works inside a runtime", works_inside_a_runtime),
    ("works behind a recorder", works_behind_a_recorder),
];

/// The names of the cases that a sink fails; `make` gives a fresh one each time.
pub(crate) fn violations(make: impl Fn() -> Fixture) -> Vec<&'static str> {
    let fails = |case: fn(&Fixture)| catch_unwind(AssertUnwindSafe(|| case(&make()))).is_err();
    CASES.iter().filter(|(_, case)| fails(*case)).map(|(name, _)| *name).collect()
}

/// Asserts that a sink keeps the contract.
pub(crate) fn sink_contract(make: impl Fn() -> Fixture) {
    let violations = violations(make);
    assert!(violations.is_empty(), "{violations:?}");
}

fn takes_one_record(fixture: &Fixture) {
    let record = numbered(0, 0);
    fixture.write(std::slice::from_ref(&record)).unwrap();
    fixture.assert_has(&[record]);
}

fn takes_an_empty_batch(fixture: &Fixture) {
    fixture.write(&[]).unwrap();
    fixture.assert_has(&[]);
}

fn takes_a_large_batch_in_its_order(fixture: &Fixture) {
    let batch: Vec<_> = (0..3000).map(|n| numbered(0, n)).collect();
    fixture.write(&batch).unwrap();
    fixture.assert_has(&batch);
}

fn has_what_it_acknowledged(fixture: &Fixture) {
    let mut all = Vec::new();
    for n in 0..30 {
        let batch: Vec<_> = (0..=n % 3).map(|m| numbered(n, m)).collect();
        fixture.write(&batch).unwrap();
        all.extend(batch);
        fixture.assert_has(&all);
    }
}

fn takes_concurrent_callers(fixture: &Fixture) {
    const EACH: usize = 60;
    thread::scope(|scope| {
        for caller in 0..8 {
            scope.spawn(move || {
                for n in 0..EACH {
                    fixture.write(&[numbered(caller, 2 * n), numbered(caller, 2 * n + 1)]).unwrap();
                }
            });
        }
    });
    let mut next = HashMap::new();
    for json in (fixture.read)() {
        let (caller, n) = number_of(&json);
        let expected: &mut usize = next.entry(caller).or_default();
        assert_eq!(n, *expected, "caller {caller}");
        *expected += 1;
    }
    assert_eq!(next.len(), 8);
    assert!(next.values().all(|count| *count == 2 * EACH));
}

fn goes_on_after_a_dropped_future(fixture: &Fixture) {
    for n in 0..20 {
        let batch = [numbered(0, 2 * n), numbered(0, 2 * n + 1)];
        let mut writing = fixture.sink.write(&batch);
        fixture.with(|| {
            let _ = writing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        drop(writing);
    }
    let after: Vec<_> = (0..10).map(|n| numbered(1, n)).collect();
    for record in &after {
        fixture.write(std::slice::from_ref(record)).unwrap();
    }
    let (mut dropped, mut kept) = (Vec::new(), Vec::new());
    for json in (fixture.read)() {
        let (caller, n) = number_of(&json);
        if caller == 0 { dropped.push(n) } else { kept.push(json) }
    }
    // A record whose writer left is there or not, but whole and once.
    let found = dropped.len();
    dropped.sort_unstable();
    dropped.dedup();
    assert_eq!(dropped.len(), found);
    assert_eq!(kept, after.iter().map(|record| record.json().to_owned()).collect::<Vec<_>>());
}

fn keeps_hostile_payloads(fixture: &Fixture) {
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
    let batch: Vec<_> = payloads
        .iter()
        .map(|text| {
            Record::builder(Action::new("contract.hostile"))
                .fields(|fields| {
                    fields.plain("text", text);
                    fields.plain(text, "as a key");
                    fields.plain("seq", "none of yours");
                })
                .build()
        })
        .collect();
    fixture.write(&batch).unwrap();
    fixture.assert_has(&batch);
    for json in (fixture.read)() {
        let stored = StoredRecord::parse(json).unwrap();
        assert_eq!((stored.seq(), stored.stream()), (None, None));
    }
}

fn describes_itself(fixture: &Fixture) {
    let before = (fixture.sink.describe(), fixture.sink.durability());
    fixture.write(&[numbered(0, 0)]).unwrap();
    assert_eq!(before, (fixture.sink.describe(), fixture.sink.durability()));
    assert!(!before.0.is_empty());
    assert!(before.0.chars().all(|c| !c.is_control() && c != '\u{2028}'), "{:?}", before.0);
}

fn flushes(fixture: &Fixture) {
    fixture.with(|| block_on(fixture.sink.flush())).unwrap();
    let batch = [numbered(0, 0)];
    fixture.write(&batch).unwrap();
    fixture.with(|| block_on(fixture.sink.flush())).unwrap();
    fixture.assert_has(&batch);
}

fn works_inside_a_runtime(fixture: &Fixture) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let batch: Vec<_> = (0..20).map(|n| numbered(0, n)).collect();
    fixture.with(|| {
        runtime.block_on(async {
            for record in &batch {
                let (sink, record) = (fixture.sink.clone(), record.clone());
                tokio::spawn(async move { sink.write(&[record]).await }).await.unwrap().unwrap();
            }
            fixture.sink.flush().await.unwrap();
        });
    });
    fixture.assert_has(&batch);
}

fn works_behind_a_recorder(fixture: &Fixture) {
    let recorder = fixture.with(|| {
        let builder = Recorder::builder().sink(fixture.sink.clone()).deadline(Duration::from_secs(20));
        builder.allow_weak_fail_closed().build().unwrap()
    });
    assert_eq!(recorder.durability(), fixture.sink.durability());
    let written = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let write = || record_action(Action::new("contract.recorded")).wait().unwrap();
                    let id = fixture.with(|| with_recorder_sync(recorder.clone(), write));
                    written.lock().unwrap().push(id);
                }
            });
        }
    });
    recorder.flush(Duration::from_secs(20)).unwrap();
    let found: Vec<_> = (fixture.read)().into_iter().map(|json| StoredRecord::parse(json).unwrap()).collect();
    assert_eq!(found[0].action(), "audit.started");
    let mut found: Vec<_> = found[1..].iter().map(|record| record.id().unwrap()).collect();
    let mut written = written.into_inner().unwrap();
    found.sort_unstable();
    written.sort_unstable();
    assert_eq!(found, written);
}

fn numbered(caller: usize, n: usize) -> Record {
    Record::builder(Action::new("contract.write")).field("caller", &caller).field("n", &n).build()
}

fn number_of(json: &str) -> (usize, usize) {
    let detail: HashMap<String, usize> = StoredRecord::parse(json).unwrap().detail_as().unwrap();
    (detail["caller"], detail["n"])
}

/// Drives a future without any runtime; one that hangs fails the test.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    let start = Instant::now();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(Duration::from_secs(1)),
        }
        assert!(start.elapsed() < Duration::from_secs(30), "it hangs");
    }
}

/// The record as it was before a journal put `stream` in front, and `seq` and `prev` behind.
pub(crate) fn without_position(record: &StoredRecord) -> String {
    let json = record.json();
    let own = json.find("\"schema\"").expect("a record has a schema");
    let end = json.rfind(",\"seq\":").expect("a journal's record has a position");
    format!("{{{}}}", &json[own..end])
}

/// The records that were written into a journal, as they were before.
pub(crate) fn records_of_a_journal(path: &Path) -> Vec<String> {
    let records = Journal::read(path).unwrap().map(Result::unwrap);
    records.filter(is_no_frame).map(|record| without_position(&record)).collect()
}

/// Whether a record is not what the journal says about its files.
pub(crate) fn is_no_frame(record: &StoredRecord) -> bool {
    !matches!(&*record.action(), "audit.segment_opened" | "audit.segment_closed")
}

fn memory() -> Fixture {
    let memory = MemorySink::new();
    let reader = memory.clone();
    Fixture::new(memory, move || reader.records().iter().map(|record| record.json().to_owned()).collect())
}

fn journal(options: &JournalOptions) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let journal = options.open(directory.path().join("audit\n\u{2028}")).unwrap();
    let path = journal.path().to_owned();
    let read = move || {
        assert!(directory.path().exists(), "the directory lives as long as its reader");
        records_of_a_journal(&path)
    };
    Fixture::new(journal, read)
}

fn tracing_json() -> Fixture {
    let events = Events::default();
    let dispatch = events.dispatch();
    let read = move || events.records().into_iter().map(|mut fields| fields.remove("audit").unwrap()).collect();
    Fixture { dispatch, ..Fixture::new(TracingSink::json(), read) }
}

#[test]
fn memory_keeps_it() {
    sink_contract(memory);
}

#[test]
fn the_journal_keeps_it() {
    sink_contract(|| journal(&JournalOptions::new()));
}

#[test]
fn the_journal_without_a_sync_keeps_it() {
    sink_contract(|| journal(&JournalOptions::new().os_buffer()));
}

#[test]
fn tracing_keeps_it() {
    sink_contract(tracing_json);
}

/// What a bad sink does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    AcknowledgesWithoutKeeping,
    AcknowledgesBeforeKeeping,
    Reorders,
    KeepsTwice,
    LosesTheEndOfLargeBatches,
    ChangesWhatItKeeps,
    PanicsWithoutRecords,
    NeedsARuntime,
    CannotFlush,
    PrintsOverLines,
}

struct Flawed {
    flaw: Flaw,
    kept: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl AuditSink for Flawed {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let mut lines: Vec<_> = batch.iter().map(|record| record.json().to_owned()).collect();
        match self.flaw {
            Flaw::AcknowledgesWithoutKeeping => lines.clear(),
            Flaw::AcknowledgesBeforeKeeping => {
                let kept = self.kept.clone();
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(2));
                    kept.lock().unwrap().extend(lines);
                });
                return Ok(());
            }
            Flaw::Reorders => lines.reverse(),
            Flaw::KeepsTwice => lines.extend(lines.clone()),
            Flaw::LosesTheEndOfLargeBatches => lines.truncate(1024),
            Flaw::ChangesWhatItKeeps => lines.iter_mut().for_each(|line| *line = line.replace("\\n", " ")),
            Flaw::PanicsWithoutRecords => assert!(!batch.is_empty(), "no records"),
            Flaw::NeedsARuntime => tokio::time::sleep(Duration::ZERO).await,
            Flaw::None | Flaw::CannotFlush | Flaw::PrintsOverLines => {}
        }
        self.kept.lock().unwrap().extend(lines);
        Ok(())
    }

    async fn flush(&self) -> Result<(), SinkError> {
        if self.flaw == Flaw::CannotFlush { Err(SinkError::Closed) } else { Ok(()) }
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        if self.flaw == Flaw::PrintsOverLines { "bad\nsink".into() } else { "sink".into() }
    }
}

fn violations_of(flaw: Flaw) -> Vec<&'static str> {
    violations(|| {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let reader = kept.clone();
        Fixture::new(Flawed { flaw, kept }, move || reader.lock().unwrap().clone())
    })
}

#[test]
fn a_sink_of_somebody_else_keeps_it() {
    assert_eq!(violations_of(Flaw::None), [] as [&str; 0]);
}

#[test]
fn the_suite_sees_every_flaw() {
    for (flaw, seen_by) in [
        (Flaw::AcknowledgesWithoutKeeping, "takes one record"),
        (Flaw::AcknowledgesBeforeKeeping, "has what it acknowledged"),
        (Flaw::Reorders, "takes a large batch in its order"),
        (Flaw::KeepsTwice, "takes concurrent callers"),
        (Flaw::LosesTheEndOfLargeBatches, "takes a large batch in its order"),
        (Flaw::ChangesWhatItKeeps, "keeps hostile payloads"),
        (Flaw::PanicsWithoutRecords, "takes an empty batch"),
        (Flaw::NeedsARuntime, "takes one record"),
        (Flaw::CannotFlush, "flushes"),
        (Flaw::PrintsOverLines, "describes itself"),
    ] {
        let violations = violations_of(flaw);
        assert!(violations.contains(&seen_by), "{flaw:?} was seen by {violations:?} only");
    }
}
