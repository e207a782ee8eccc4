//! What is on the disk when the process dies, or ends without waiting.

use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Waker};
use std::time::Duration;

use audited::{Journal, Recorder, Stage, StoredRecord, audited, orphans, with_recorder, with_recorder_sync};

use super::Error;

const JOURNAL: &str = "AUDITED_TEST_DYING_JOURNAL";

#[audited(action = "dying.abort", fields(number), fail_closed)]
fn aborts(number: u32) -> Result<u32, Error> {
    if number > 1 {
        std::process::abort();
    }
    Ok(number)
}

fn on_disk(path: &Path) -> Recorder {
    Recorder::builder().sink(Journal::open(path).unwrap()).build().unwrap()
}

fn read(path: &Path) -> Vec<StoredRecord> {
    Journal::read(path).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The child of the test below; by itself it does nothing.
#[test]
fn child() {
    let Some(journal) = std::env::var_os(JOURNAL) else { return };
    with_recorder_sync(on_disk(journal.as_ref()), || {
        aborts(1).unwrap();
        aborts(2).unwrap();
    });
}

#[test]
fn an_abort_leaves_the_intent() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("audit");
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "attribute::dying::child"])
        .env(JOURNAL, &journal)
        .output()
        .unwrap();
    assert!(!child.status.success());
    let orphans = orphans(Journal::read(&journal).unwrap()).unwrap();
    assert_eq!(orphans.len(), 1);
    assert_eq!(orphans[0].detail(), Some(r#"{"number":2}"#));
    assert_eq!(read(&journal).iter().filter(|record| record.action() == "dying.abort").count(), 3);
}

#[audited(action = "dying.slow")]
async fn slow() {
    std::future::pending::<()>().await;
}

#[test]
fn a_cancelled_call_is_on_the_disk_at_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("audit");
    let recorder = on_disk(&journal);
    for _ in 0..50 {
        let mut call = pin!(with_recorder(recorder.clone(), slow()));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    recorder.shutdown(Duration::from_secs(30)).unwrap();
    let cancelled = read(&journal).iter().filter(|record| record.stage() == Some(Stage::Cancelled)).count();
    assert_eq!(cancelled, 50);
}
