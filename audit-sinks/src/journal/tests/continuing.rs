//! A journal that goes on in its last file.

use audit_core::StoredRecord;

use super::super::disk::Disk as _;
use super::failing::{assert_goes_on_with, assert_kept, live};
use super::model::{EFBIG, EIO, EMFILE, ENOSPC, EROFS, ModelDisk};
use super::*;
use crate::JournalWatch;

fn continuing() -> JournalOptions {
    options().continue_last_file()
}

/// A process that writes one record.
fn run(disk: &ModelDisk, options: &JournalOptions, n: usize) {
    write(&open_with(disk, options).unwrap(), n).unwrap();
}

fn files(disk: &ModelDisk) -> Vec<String> {
    disk.contents().into_iter().map(|(name, _)| name).filter(|name| name.starts_with("audit-")).collect()
}

fn numbers(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("test.n{n}")).collect()
}

#[test]
fn many_short_lives_share_a_file_until_it_is_full() {
    bounded(|| {
        let disk = ModelDisk::default();
        for n in 0..6 {
            run(&disk, &continuing(), n);
            assert_eq!(files(&disk).len(), 1, "{}", shown(&disk));
        }
        for n in 6..100 {
            run(&disk, &continuing(), n);
        }
        assert_eq!(sound_actions(&disk), numbers(0..100));
        let written: u64 = disk.contents().iter().map(|(_, bytes)| bytes.len() as u64).sum();
        assert!(files(&disk).len() as u64 <= written.div_ceil(SEGMENT) + 1, "{:?}", files(&disk));
        // A full file has its last line, which knows of all that was written by all of them.
        let mut ends = 0;
        for (name, bytes) in disk.contents() {
            let text = String::from_utf8(bytes).unwrap();
            let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
            let (Some(first), Some(last)) = (lines.first(), lines.last()) else { continue };
            if last.contains("audit.segment_closed") {
                let first = StoredRecord::parse(*first).unwrap().seq().unwrap();
                assert!(
                    last.contains(&format!("\"first_seq\":{first},")) && last.contains("\"oldest\""),
                    "{name}: {last}"
                );
                ends += 1;
            }
        }
        assert_eq!(ends, files(&disk).len() - 1);
    });
}

#[test]
fn what_was_ended_is_not_written_again() {
    bounded(|| {
        let disk = ModelDisk::default();
        run(&disk, &options(), 0);
        let (name, before) = disk.contents().remove(0);
        run(&disk, &continuing(), 1);
        run(&disk, &options(), 2);
        run(&disk, &continuing(), 3);
        assert_eq!(disk.contents().into_iter().find(|(other, _)| *other == name), Some((name, before)));
        // The second left its file open, the third found that and began its own, as it does after a crash.
        assert_eq!((files(&disk).len(), sound_actions(&disk)), (4, numbers(0..4)));
    });
}

#[test]
fn a_torn_end_is_told_by_the_first_line_of_another_file() {
    bounded(|| {
        let disk = ModelDisk::default();
        run(&disk, &continuing(), 0);
        let (name, bytes) = disk.contents().remove(0);
        disk.open(&name).unwrap().write_at(&bytes[..60], bytes.len() as u64).unwrap();
        run(&disk, &continuing(), 1);
        assert_eq!((files(&disk).len(), sound_actions(&disk)), (2, numbers(0..2)));
        let (_, second) = disk.contents().remove(1);
        assert!(String::from_utf8_lossy(&second).contains("\"cut_bytes\":60"), "{}", shown(&disk));
        run(&disk, &continuing(), 2);
        assert_eq!((files(&disk).len(), sound_actions(&disk)), (2, numbers(0..3)));
    });
}

#[test]
fn what_was_acknowledged_outlives_a_power_cut_at_any_operation() {
    let mut cuts = 0;
    while bounded(move || outlives_a_cut(cuts)) {
        cuts += 1;
    }
    assert!(cuts > 60, "{cuts}");
}

/// Says whether there was such an operation.
fn outlives_a_cut(at: usize) -> bool {
    let disk = ModelDisk::default();
    disk.cut_at(at);
    let acknowledged = live(&disk, &continuing()).acknowledged();
    (0..4).all(|seed| {
        let Some(after) = disk.after_the_cut(seed) else { return false };
        assert_goes_on_with(&after, &acknowledged, &format!("cut at {at}, seed {seed}"), &continuing());
        true
    })
}

#[test]
fn one_failure_at_any_operation_costs_only_what_was_being_written() {
    bounded(|| {
        let disk = ModelDisk::default();
        live(&disk, &continuing());
        for at in 0..disk.operations() + 10 {
            let disk = ModelDisk::default();
            disk.fail_at(at, [EIO, ENOSPC, EFBIG, EMFILE, EROFS][at % 5]);
            let answers = live(&disk, &continuing());
            let what = format!("at {at}, {:?}", disk.lock().log.get(at));
            assert_eq!(disk.lock().violations, [""; 0], "{what}: touched after its sync failed");
            assert_kept(&sound_actions(&disk), &answers.acknowledged(), &what);
            assert_goes_on_with(&disk.after_the_process(), &answers.acknowledged(), &what, &continuing());
        }
    });
}

#[test]
fn who_follows_in_another_process_sees_what_is_added_and_a_head_is_told_at_each_end() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit");
        let heads = Arc::new(std::sync::Mutex::new(Vec::new()));
        let theirs = heads.clone();
        let options = continuing().on_checkpoint(move |head| theirs.lock().unwrap().push(head));
        write(&options.open(&path).unwrap(), 0).unwrap();
        let watch = JournalWatch::open(&path).unwrap();
        let mut reader = Journal::read(&path).unwrap();
        let mut read = || reader.by_ref().map(|record| record.unwrap().action().into_owned()).collect::<Vec<_>>();
        assert_eq!(read(), ["audit.segment_opened", "test.n0"]);
        let journal = options.open(&path).unwrap();
        assert_eq!((journal.head(), journal.recovered().last_seq), (watch.head(), 2));
        let mut following = journal.follow().unwrap().from_seq(3).unwrap();
        write(&journal, 1).unwrap();
        assert_eq!(following.next().unwrap().unwrap().action(), "test.n1");
        drop(journal);
        assert_eq!(read(), ["test.n1"]);
        until(|| watch.head().seq == 3);
        let heads = heads.lock().unwrap().clone();
        assert_eq!(heads.iter().map(|head| head.seq).collect::<Vec<_>>(), [2, 3]);
        assert!(Journal::verify_to(&path, heads[0]).unwrap().is_sound());
        assert!(Journal::verify_to(&path, heads[1]).unwrap().is_sound());
    });
}
