//! A recorder over a journal whose disk hangs or fails.

use std::sync::atomic::{AtomicBool, Ordering};

use audit_core::{Recorder, record_action, with_recorder_sync};

use super::model::{EIO, ENOSPC};
use super::*;

const DEADLINE: Duration = Duration::from_millis(300);

fn recorder(disk: &ModelDisk) -> Recorder {
    Recorder::builder().sink(open(disk)).deadline(DEADLINE).build().unwrap()
}

fn say(recorder: &Recorder, action: &'static str) -> Result<(), String> {
    let act = || record_action(Action::new(action)).wait().map(drop).map_err(|error| error.to_string());
    with_recorder_sync(recorder.clone(), act)
}

/// All actions in their order.
fn actions(disk: &ModelDisk) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    disk.write_out(directory.path());
    assert!(Journal::verify(directory.path()).unwrap().is_sound());
    let records = Journal::read(directory.path()).unwrap().map(Result::unwrap);
    records.map(|record| record.action().into_owned()).filter(|action| !action.starts_with("audit.segment")).collect()
}

#[test]
fn on_a_frozen_disk_deadlines_hold_and_nothing_is_lost_that_was_handed_over() {
    bounded(|| {
        let disk = ModelDisk::default();
        let recorder = recorder(&disk);
        say(&recorder, "test.before").unwrap();
        disk.block(true);
        for _ in 0..3 {
            let start = Instant::now();
            say(&recorder, "test.frozen").unwrap_err();
            assert!(start.elapsed() < 10 * DEADLINE);
        }
        let stats = recorder.stats();
        assert_eq!((stats.unacknowledged, stats.lost), (3, 0));
        disk.block(false);
        until(|| say(&recorder, "test.after").is_ok());
        recorder.shutdown(PATIENCE).unwrap();
        drop(recorder);
        let found = actions(&disk);
        assert_eq!(found.iter().filter(|action| *action == "test.frozen").count(), 3, "late, and there: {found:?}");
    });
}

#[test]
fn when_the_disk_is_back_the_gap_comes_first() {
    bounded(|| {
        for errno in [EIO, ENOSPC] {
            let disk = ModelDisk::default();
            let recorder = recorder(&disk);
            say(&recorder, "test.before").unwrap();
            disk.fail_now(errno);
            for _ in 0..4 {
                say(&recorder, "test.lost").unwrap_err();
            }
            disk.heal();
            let start = Instant::now();
            until(|| say(&recorder, "test.after").is_ok());
            assert!(start.elapsed() < Duration::from_secs(5));
            recorder.shutdown(PATIENCE).unwrap();
            drop(recorder);
            let found = actions(&disk);
            let at = |action: &str| found.iter().position(|found| found == action);
            assert!(at("audit.gap") < at("test.after"), "{found:?}");
            assert_eq!(at("test.lost"), None);
            assert!(at("test.before") < at("audit.gap"));
        }
    });
}

#[test]
fn a_gap_is_written_also_when_nobody_records_any_more() {
    bounded(|| {
        let disk = ModelDisk::default();
        let recorder = recorder(&disk);
        disk.fail_now(EIO);
        say(&recorder, "test.lost").unwrap_err();
        disk.heal();
        let seen = AtomicBool::new(false);
        let start = Instant::now();
        while !seen.load(Ordering::Relaxed) && start.elapsed() < Duration::from_secs(5) {
            let found = shown(&disk).contains("seq");
            let contents = disk.contents();
            let gap = contents.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("audit.gap"));
            seen.store(found && gap, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(10));
        }
        assert!(seen.load(Ordering::Relaxed), "within five seconds");
    });
}
