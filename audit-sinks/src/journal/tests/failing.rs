//! Each operation fails once, or it and all after it.

use audit_core::SinkError;

use super::model::{EFBIG, EIO, EMFILE, ENOSPC, EROFS, ModelDisk, Operation};
use super::*;

/// How the caller of each record was answered.
#[derive(Default)]
pub(super) struct Answers(pub(super) Vec<(usize, Result<(), SinkError>)>);

impl Answers {
    /// Which were acknowledged.
    pub(super) fn acknowledged(&self) -> Vec<String> {
        self.0.iter().filter(|(_, answer)| answer.is_ok()).map(|(n, _)| format!("test.n{n}")).collect()
    }

    fn failed(&self) -> usize {
        self.0.iter().filter(|(_, answer)| answer.is_err()).count()
    }
}

/// A life of a journal: opened, written by one and by many, rotated on demand and by size, closed, opened again.
pub(super) fn live(disk: &ModelDisk, options: &JournalOptions) -> Answers {
    let mut answers = Answers::default();
    if let Ok(journal) = open_with(disk, options) {
        for n in 0..3 {
            answers.0.push((n, write(&journal, n)));
        }
        let together: Vec<_> = (3..8).map(|n| (n, submit(&journal, record(n)))).collect();
        answers.0.extend(together.into_iter().map(|(n, receipt)| (n, receipt.wait())));
        // Many sectors that share one sync.
        let batch: Vec<_> = (30..36).map(|n| long_record(n, 40 * n)).collect();
        let answer = block_on(journal.write(&batch));
        answers.0.extend((30..36).map(|n| (n, answer.clone())));
        let _ = block_on(journal.rotate());
        for n in 8..20 {
            answers.0.push((n, submit(&journal, long_record(n, 100 * n)).wait()));
        }
        let _ = block_on(journal.flush());
    }
    if let Ok(journal) = open_with(disk, options) {
        for n in 20..23 {
            answers.0.push((n, write(&journal, n)));
        }
    }
    answers
}

/// Asserts that all that was acknowledged is there, in its order and once; and nothing twice.
#[track_caller]
pub(super) fn assert_kept(found: &[String], acknowledged: &[String], what: &str) {
    let mut rest = found.iter();
    for action in acknowledged {
        assert!(rest.any(|found| found == action), "{what}: {action} is lost or out of order: {found:?}");
    }
    for action in found {
        assert_eq!(found.iter().filter(|other| *other == action).count(), 1, "{what}: {action} is there twice");
    }
}

/// Opens the journal again on a disk that is well, and goes on.
#[track_caller]
pub(super) fn assert_goes_on(disk: &ModelDisk, acknowledged: &[String], what: &str) {
    assert_goes_on_with(disk, acknowledged, what, &options());
}

#[track_caller]
pub(super) fn assert_goes_on_with(disk: &ModelDisk, acknowledged: &[String], what: &str, options: &JournalOptions) {
    let journal = open_with(disk, options).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(journal.recovered().damage, None, "{what}\n{}", shown(disk));
    write_at_last(&journal, 900);
    drop(journal);
    let mut all = acknowledged.to_vec();
    all.push("test.n900".to_owned());
    assert_kept(&sound_actions(disk), &all, what);
}

#[test]
fn a_life_without_failures_keeps_everything() {
    bounded(|| {
        let disk = ModelDisk::default();
        let answers = live(&disk, &options());
        assert_eq!((answers.acknowledged().len(), answers.failed()), (29, 0));
        assert_eq!(sound_actions(&disk), answers.acknowledged());
        assert_goes_on(&disk, &answers.acknowledged(), "well");
    });
}

#[test]
fn one_failure_at_any_operation_costs_only_what_was_being_written() {
    bounded(|| {
        let most = operations();
        for at in 0..most {
            let disk = ModelDisk::default();
            let errno = [EIO, ENOSPC, EFBIG, EMFILE, EROFS][at % 5];
            disk.fail_at(at, errno);
            let answers = live(&disk, &options());
            let what = format!("{errno} at {at}, {:?}", disk.lock().log.get(at));
            assert_eq!(disk.lock().violations, [""; 0], "{what}: touched after its sync failed");
            if disk.operations() > at {
                // As the process dies now, and as it goes on.
                assert_kept(&sound_actions(&disk), &answers.acknowledged(), &what);
                assert_goes_on(&disk.after_the_process(), &answers.acknowledged(), &what);
            }
        }
    });
}

#[test]
fn a_disk_that_fails_from_any_operation_on_gets_nothing_acknowledged_and_comes_back() {
    bounded(|| {
        for at in 0..operations() {
            let disk = ModelDisk::default();
            let errno = [EROFS, EIO, ENOSPC, EFBIG, EMFILE][at % 5];
            disk.fail_from(at, errno);
            let answers = live(&disk, &options());
            let what = format!("{errno} from {at} on");
            assert!(answers.0.iter().skip_while(|(_, answer)| answer.is_ok()).all(|(_, answer)| answer.is_err()));
            assert_goes_on(&disk.after_the_process(), &answers.acknowledged(), &what);
        }
    });
}

#[test]
fn a_journal_comes_back_with_its_disk_and_is_not_opened_anew() {
    bounded(|| {
        for errno in [EIO, ENOSPC, EFBIG, EMFILE, EROFS] {
            let disk = ModelDisk::default();
            let journal = open(&disk);
            write(&journal, 0).unwrap();
            disk.fail_now(errno);
            for n in 1..10 {
                let error = write(&journal, n).unwrap_err();
                let SinkError::Io(source) = &error else { panic!("{error}") };
                assert_eq!(source.kind(), std::io::Error::from_raw_os_error(errno).kind());
            }
            disk.heal();
            write_at_last(&journal, 10);
            drop(journal);
            assert_eq!(sound_actions(&disk), ["test.n0", "test.n10"]);
        }
    });
}

#[test]
fn a_failed_sync_ends_the_file_for_good_and_each_of_its_waiters_is_told() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open(&disk);
        disk.block(true);
        let first = submit(&journal, record(0));
        until(|| disk.is_in_sync());
        let behind: Vec<_> = (1..10).map(|n| submit(&journal, record(n))).collect();
        let at = disk.operations();
        disk.fail_at(at, EIO);
        disk.block(false);
        assert!(matches!(first.wait(), Err(SinkError::Io(_))));
        // What came meanwhile was in no file yet.
        for receipt in behind {
            receipt.wait().unwrap();
        }
        drop(journal);
        let state = disk.lock();
        let poisoned = "audit-0000000001.jsonl";
        assert_eq!(state.log[at], Operation::Sync(poisoned.to_owned()));
        let touches = |operation: &&Operation| {
            matches!(operation, Operation::Sync(name) | Operation::Write(name, ..) | Operation::SetLen(name)
                if name == poisoned)
        };
        assert_eq!(state.log[at + 1..].iter().find(touches), None);
        drop(state);
        assert_eq!(sound_actions(&disk), (1..10).map(|n| format!("test.n{n}")).collect::<Vec<_>>());
    });
}

/// How many operations a life takes, and some more: the threads of a journal do not always do as much.
fn operations() -> usize {
    let disk = ModelDisk::default();
    live(&disk, &options());
    disk.operations() + 10
}
