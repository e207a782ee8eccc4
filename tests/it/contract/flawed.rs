//! Sinks that break a promise each, to show that the suite sees it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use audited::testing::{SinkCase, SinkUnderTest, sink_violations};
use audited::{AuditSink, Durability, Record, SinkError};

use super::ours::in_tokio;

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
    NeedsToBeWithoutARuntime,
    IsBusyForEverAfterADroppedFuture,
    RefusesWhatTheFrameworkSays,
    CannotFlush,
    PrintsOverLines,
    DescribesWhatItHas,
    AcknowledgesWhatItCannotKeep,
    LosesWhatItHadWhenItBreaks,
    PanicsOnceItIsMended,
    AcknowledgesWhileItHangs,
    AcknowledgesOnceItIsClosed,
}

/// How its medium is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Medium {
    Whole,
    Broken,
    Hanging,
    Mended,
    Closed,
}

struct Flawed {
    flaw: Flaw,
    kept: Arc<Mutex<Vec<String>>>,
    medium: Arc<Mutex<Medium>>,
    busy: AtomicBool,
}

impl Flawed {
    /// What the medium does with a batch: whether it is kept, or how it is refused.
    async fn try_medium(&self) -> Result<bool, SinkError> {
        loop {
            let medium = *self.medium.lock().unwrap();
            match (medium, self.flaw) {
                (Medium::Broken, Flaw::AcknowledgesWhatItCannotKeep)
                | (Medium::Hanging, Flaw::AcknowledgesWhileItHangs)
                | (Medium::Closed, Flaw::AcknowledgesOnceItIsClosed) => return Ok(false),
                (Medium::Broken, Flaw::LosesWhatItHadWhenItBreaks) => self.kept.lock().unwrap().clear(),
                (Medium::Mended, Flaw::PanicsOnceItIsMended) => panic!("mended"),
                _ => {}
            }
            match medium {
                Medium::Whole | Medium::Mended => return Ok(true),
                Medium::Broken => return Err(SinkError::Full),
                Medium::Closed => return Err(SinkError::Closed),
                Medium::Hanging => tokio_free_pause().await,
            }
        }
    }
}

/// Is pending once, and is woken by a thread a moment later.
async fn tokio_free_pause() {
    let mut asked = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(2));
            waker.wake();
        });
        Poll::Pending
    })
    .await;
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
            Flaw::ChangesWhatItKeeps => lines.iter_mut().for_each(|line| *line = line.replace("\\t", " ")),
            Flaw::PanicsWithoutRecords => assert!(!batch.is_empty(), "no records"),
            Flaw::NeedsARuntime => tokio::time::sleep(Duration::ZERO).await,
            Flaw::NeedsToBeWithoutARuntime => {
                tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {});
            }
            Flaw::IsBusyForEverAfterADroppedFuture => {
                if self.busy.swap(true, Ordering::SeqCst) {
                    return Err(SinkError::Full);
                }
                tokio_free_pause().await;
                self.busy.store(false, Ordering::SeqCst);
            }
            Flaw::RefusesWhatTheFrameworkSays if batch.iter().any(|record| record.action() == "audit.started") => {
                return Err(SinkError::rejected(std::io::Error::other("unknown action")));
            }
            _ => {}
        }
        if self.try_medium().await? {
            self.kept.lock().unwrap().extend(lines);
        }
        Ok(())
    }

    async fn flush(&self) -> Result<(), SinkError> {
        if self.flaw == Flaw::CannotFlush { Err(SinkError::Closed) } else { Ok(()) }
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        match self.flaw {
            Flaw::PrintsOverLines => "bad\nsink".into(),
            Flaw::DescribesWhatItHas => format!("sink({})", self.kept.lock().unwrap().len()),
            _ => "sink".into(),
        }
    }
}

fn flawed(flaw: Flaw) -> SinkUnderTest {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let medium = Arc::new(Mutex::new(Medium::Whole));
    let becomes = |state| {
        let medium = medium.clone();
        move || *medium.lock().unwrap() = state
    };
    SinkUnderTest::new(Flawed { flaw, kept: kept.clone(), medium: medium.clone(), busy: AtomicBool::new(false) })
        .breaks(becomes(Medium::Broken))
        .hangs(becomes(Medium::Hanging))
        .mends(becomes(Medium::Mended))
        .closes(becomes(Medium::Closed))
        .reads(move || kept.lock().unwrap().clone())
        .runs_in(in_tokio)
}

fn violations_of(flaw: Flaw) -> Vec<SinkCase> {
    sink_violations(|_| flawed(flaw)).into_iter().map(|violation| violation.case).collect()
}

#[test]
fn a_sink_without_a_flaw_is_seen_to_have_none() {
    assert_eq!(violations_of(Flaw::None), []);
}

#[test]
fn the_suite_sees_every_flaw() {
    for (flaw, seen_by) in [
        (Flaw::AcknowledgesWithoutKeeping, SinkCase::TakesOneRecord),
        (Flaw::AcknowledgesBeforeKeeping, SinkCase::HasWhatItAcknowledged),
        (Flaw::Reorders, SinkCase::TakesALargeBatchInItsOrder),
        (Flaw::Reorders, SinkCase::TakesConcurrentCallers),
        (Flaw::KeepsTwice, SinkCase::TakesConcurrentCallers),
        (Flaw::LosesTheEndOfLargeBatches, SinkCase::TakesALargeBatchInItsOrder),
        (Flaw::ChangesWhatItKeeps, SinkCase::KeepsHostilePayloads),
        (Flaw::PanicsWithoutRecords, SinkCase::TakesAnEmptyBatch),
        (Flaw::NeedsARuntime, SinkCase::TakesOneRecord),
        (Flaw::NeedsToBeWithoutARuntime, SinkCase::WorksInsideARuntime),
        (Flaw::IsBusyForEverAfterADroppedFuture, SinkCase::GoesOnAfterADroppedFuture),
        (Flaw::RefusesWhatTheFrameworkSays, SinkCase::WorksBehindARecorder),
        (Flaw::CannotFlush, SinkCase::Flushes),
        (Flaw::PrintsOverLines, SinkCase::DescribesItself),
        (Flaw::DescribesWhatItHas, SinkCase::DescribesItself),
        (Flaw::AcknowledgesWhatItCannotKeep, SinkCase::RefusesWhatItCannotKeep),
        (Flaw::LosesWhatItHadWhenItBreaks, SinkCase::RefusesWhatItCannotKeep),
        (Flaw::PanicsOnceItIsMended, SinkCase::RefusesWhatItCannotKeep),
        (Flaw::PanicsOnceItIsMended, SinkCase::HurtsNobodyWhileItHangs),
        (Flaw::AcknowledgesWhileItHangs, SinkCase::HurtsNobodyWhileItHangs),
        (Flaw::AcknowledgesOnceItIsClosed, SinkCase::RefusesOnceItIsClosed),
    ] {
        let violations = violations_of(flaw);
        assert!(violations.contains(&seen_by), "{flaw:?} was seen by {violations:?} only");
    }
}

#[test]
fn a_violation_says_what_and_how() {
    let violations = sink_violations(|_| flawed(Flaw::AcknowledgesWithoutKeeping));
    let first = violations[0].to_string();
    assert!(first.starts_with("takes_one_record: it has not what it acknowledged"), "{first}");
}

/// How a case says that a sink with this flaw breaks it.
fn how(flaw: Flaw, case: SinkCase) -> String {
    let violations = sink_violations(|_| flawed(flaw));
    violations.into_iter().find(|violation| violation.case == case).expect("it is seen").how
}

#[test]
fn a_violation_counts_what_is_missing() {
    for (case, expected) in [
        (
            SinkCase::TakesConcurrentCallers,
            "960 of 960 records that were acknowledged to concurrent callers are not there",
        ),
        (
            SinkCase::GoesOnAfterADroppedFuture,
            "10 of 10 records that were acknowledged after other callers had left are not there",
        ),
        (SinkCase::WorksBehindARecorder, "101 records were acknowledged behind a recorder, 0 are in the sink"),
    ] {
        assert_eq!(how(Flaw::AcknowledgesWithoutKeeping, case), expected);
    }
}

#[test]
fn a_violation_does_not_read_like_a_promise() {
    for (flaw, case, expected) in [
        (
            Flaw::IsBusyForEverAfterADroppedFuture,
            SinkCase::GoesOnAfterADroppedFuture,
            "it refuses a record after other callers have left: the sink is full",
        ),
        (Flaw::CannotFlush, SinkCase::Flushes, "it cannot be flushed while it is empty: the sink is closed"),
    ] {
        assert_eq!(how(flaw, case), expected);
    }
}

/// A sink whose records are lines of another format.
struct Csv(std::path::PathBuf);

#[async_trait]
impl AuditSink for Csv {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        use std::io::Write as _;

        let mut file = std::fs::File::options().create(true).append(true).open(&self.0)?;
        for record in batch {
            writeln!(file, "{},{},\u{1b}[1m{}", record.action(), record.id().unwrap(), "x".repeat(500))?;
        }
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::OsBuffer
    }

    fn describe(&self) -> String {
        "csv".into()
    }
}

#[test]
fn lines_that_are_no_records_are_named_as_that() {
    let violations = sink_violations(|place| {
        let path = place.join("audit.csv");
        SinkUnderTest::new(Csv(path.clone())).reads_lines_of(path)
    });
    let first = violations[0].to_string();
    let (start, end) = (
        "takes_one_record: 1 line of audit.csv is no JSON record (it begins `contract.write,",
        "…`): for another format use `reads(…)`",
    );
    assert!(first.starts_with(start) && first.ends_with(end), "{first}");
    assert!(first.len() < 250 && !first.contains(char::is_control), "{first}");
    let many = violations.iter().find(|violation| violation.case == SinkCase::TakesALargeBatchInItsOrder).unwrap();
    assert!(many.how.starts_with("3000 lines of audit.csv are no JSON records (the first begins `"), "{many}");
}

#[test]
fn that_nothing_shows_a_sync_is_said_of_a_sink_that_promises_one() {
    let said_of = |sink: &str| {
        let test = format!("contract::ours::{sink}::says_what_is_not_proven");
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let output = child.args(["--exact", &test]).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let disk = said_of("the_journal_keeps_it");
    let line = "does not prove that it syncs: it says disk, and a killed process loses nothing that the system has\n";
    assert!(disk.contains(line), "{disk}");
    let memory = said_of("memory_keeps_it");
    assert!(memory.contains("does not prove") && !memory.contains("syncs"), "{memory}");
}

#[test]
fn what_nobody_can_read_back_is_told_by_its_answers_alone() {
    let blind = |flaw| {
        let medium = Arc::new(Mutex::new(Medium::Whole));
        SinkUnderTest::new(Flawed { flaw, kept: Arc::default(), medium, busy: AtomicBool::new(false) })
    };
    assert_eq!(sink_violations(|_| blind(Flaw::AcknowledgesWithoutKeeping)), []);
    assert!(!sink_violations(|_| blind(Flaw::PanicsWithoutRecords)).is_empty());
}

#[test]
fn ids_alone_tell_what_is_missing_but_not_what_is_changed() {
    let by_ids = |flaw| {
        let kept = Arc::new(Mutex::new(Vec::<String>::new()));
        let medium = Arc::new(Mutex::new(Medium::Whole));
        let sink = Flawed { flaw, kept: kept.clone(), medium, busy: AtomicBool::new(false) };
        let id = |line: &String| audited::StoredRecord::parse(line.clone()).unwrap().id().unwrap();
        SinkUnderTest::new(sink).reads_ids(move || kept.lock().unwrap().iter().map(id).collect::<Vec<_>>())
    };
    assert_eq!(sink_violations(|_| by_ids(Flaw::ChangesWhatItKeeps)), []);
    assert!(!sink_violations(|_| by_ids(Flaw::Reorders)).is_empty());
}

/// A sink that says that the system has it, and writes a file when it is full or dropped.
struct Forgetful(Mutex<Vec<String>>, std::path::PathBuf);

impl Drop for Forgetful {
    fn drop(&mut self) {
        std::fs::write(&self.1, self.0.lock().unwrap().join("\n")).unwrap();
    }
}

#[async_trait]
impl AuditSink for Forgetful {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.0.lock().unwrap().extend(batch.iter().map(|record| record.json().to_owned()));
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::OsBuffer
    }

    fn describe(&self) -> String {
        "forgetful".into()
    }
}

fn forgetful(place: &Path) -> SinkUnderTest {
    let path = place.join("lines");
    let sink = Forgetful(Mutex::default(), path.clone());
    let read =
        move || std::fs::read_to_string(&path).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
    SinkUnderTest::new(sink).reads(read).is_opened_again()
}

/// The child that is killed runs the test of this name.
#[test]
fn outlives_a_kill() {
    let run = || SinkCase::OutlivesAKill.run(forgetful, module_path!());
    let how = std::panic::catch_unwind(run).expect_err("it does not");
    let how = how.downcast::<String>().unwrap();
    assert_eq!(*how, "a record that it acknowledged is there 0 times");
}
