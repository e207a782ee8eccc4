//! What is acknowledged in memory outlives the process, wherever it dies and whatever the disk does meanwhile.

use std::path::PathBuf;

use tempfile::TempDir;

use super::failing::assert_kept;
use super::model::{EIO, EMFILE, ENOSPC, EROFS, ModelDisk, Operation};
use super::*;

/// A directory in memory.
fn memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

fn in_memory(memory: &TempDir) -> JournalOptions {
    options().shared_memory(memory.path())
}

/// As if its process had died, which lets go of the memory.
fn die(journal: &Journal) {
    journal.0.ring.as_ref().unwrap().unlock();
}

fn names(memory: &TempDir) -> Vec<PathBuf> {
    std::fs::read_dir(memory.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn actions(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("test.n{n}")).collect()
}

/// Records that are all acknowledged, alone and in batches, some through a flush, in files that end.
fn live(journal: &Journal) -> usize {
    for n in 0..6 {
        write(journal, n).unwrap();
    }
    let _ = block_on(journal.flush());
    let batch: Vec<_> = (6..12).map(|n| long_record(n, 100 * n)).collect();
    block_on(journal.write(&batch)).unwrap();
    for n in 12..24 {
        submit(journal, long_record(n, 50 * n)).wait().unwrap();
    }
    let _ = block_on(journal.rotate());
    for n in 24..30 {
        write(journal, n).unwrap();
    }
    let _ = block_on(journal.flush());
    30
}

#[test]
fn all_of_it_is_in_the_files_when_the_journal_is_closed_and_nothing_stays_in_memory() {
    bounded(|| {
        let (disk, memory) = (ModelDisk::default(), memory());
        let journal = open_with(&disk, &in_memory(&memory)).unwrap();
        assert_eq!((journal.durability(), names(&memory).len()), (Durability::OsBuffer, 1));
        let count = live(&journal);
        drop(journal);
        assert_eq!(sound_actions(&disk), actions(0..count));
        assert!(names(&memory).is_empty());
        let again = open(&disk);
        assert_eq!((again.recovered().from_memory, &again.recovered().missing_memory), (0, &None));
    });
}

#[test]
fn it_reaches_the_files_by_itself() {
    bounded(|| {
        let (disk, memory) = (ModelDisk::default(), memory());
        let journal = open_with(&disk, &in_memory(&memory)).unwrap();
        for n in 0..3 {
            write(&journal, n).unwrap();
            until(|| sound_actions(&disk) == actions(0..=n));
            // The writer sleeps before the next one.
            thread::sleep(Duration::from_millis(150));
        }
        assert_eq!(journal.unwritten_bytes(), 0);
    });
}

/// The disk takes nothing from an operation on, as when the process dies there: what is acknowledged lies in memory,
/// and what of it had just been written lies in a file, too.
#[test]
fn what_a_process_leaves_is_carried_over_once_wherever_it_dies() {
    bounded(|| {
        let mut carried = 0;
        for (at, again) in (0..operations()).flat_map(|at| [(at, true), (at, false)]) {
            let (disk, memory) = (ModelDisk::default(), memory());
            disk.fail_from(at, [EROFS, EIO, ENOSPC, EMFILE][at % 4]);
            let Ok(journal) = open_with(&disk, &in_memory(&memory)) else { continue };
            let count = live(&journal);
            let what = format!("{:?} at {at}, {again}", disk.lock().log.get(at));

            let after = disk.after_the_process();
            let left = journal.unwritten_bytes();
            die(&journal);
            let again = if again { in_memory(&memory) } else { options() };
            let next = open_with(&after, &again).unwrap();
            assert_eq!(next.recovered().missing_memory, None, "{what}");
            assert!(left > 0 || next.recovered().from_memory == 0, "{what}");
            carried += next.recovered().from_memory;
            write_at_last(&next, 900);
            drop(next);
            let mut all = actions(0..count);
            all.push("test.n900".into());
            assert_kept(&sound_actions(&after), &all, &what);
            drop(journal);
            assert!(names(&memory).is_empty(), "{what}");
        }
        assert!(carried > 200, "{carried}");
    });
}

#[test]
fn one_failure_at_any_operation_costs_nothing() {
    bounded(|| {
        for at in 0..operations() {
            let (disk, memory) = (ModelDisk::default(), memory());
            disk.fail_at(at, [EIO, ENOSPC, EROFS, EMFILE][at % 4]);
            let Ok(journal) = open_with(&disk, &in_memory(&memory)) else { continue };
            let count = live(&journal);
            let what = format!("{:?} at {at}", disk.lock().log.get(at));
            disk.heal();
            until(|| journal.unwritten_bytes() == 0);
            drop(journal);
            assert_eq!(disk.lock().violations, [""; 0], "{what}: touched after its sync failed");
            let next = open(&disk);
            drop(next);
            assert_kept(&sound_actions(&disk), &actions(0..count), &what);
            assert_eq!(sound_actions(&disk).len(), count, "{what}");
        }
    });
}

#[test]
fn a_process_that_dies_while_it_carries_over_leaves_the_rest_to_the_next() {
    bounded(|| {
        for at in 0..60 {
            let (disk, memory) = (ModelDisk::default(), memory());
            let journal = open_with(&disk, &in_memory(&memory)).unwrap();
            disk.fail_now(EIO);
            let count = live(&journal);
            die(&journal);
            let second = disk.after_the_process();
            second.fail_from(at, EIO);
            let opened = open_with(&second, &in_memory(&memory));
            let opened = opened.inspect(die).is_ok();
            let third = second.after_the_process();
            let last = open_with(&third, &options()).unwrap();
            assert_eq!(last.recovered().missing_memory, None, "at {at}, opened {opened}");
            drop(last);
            assert_eq!(sound_actions(&third), actions(0..count), "at {at}, opened {opened}");
        }
    });
}

#[test]
fn what_finds_no_room_in_memory_waits_until_it_is_in_a_file() {
    bounded(|| {
        let (disk, memory) = (ModelDisk::default(), memory());
        let journal = open_with(&disk, &in_memory(&memory).shared_memory_bytes(0)).unwrap();
        disk.block(true);
        let mut receipts: Vec<_> = (0..200).map(|n| submit(&journal, long_record(n, 1000))).collect();
        let answered = receipts.iter_mut().map(|receipt| poll(receipt).is_ready()).take_while(|ready| *ready).count();
        assert!((20..80).contains(&answered), "{answered} of 64 KiB");
        assert!(receipts.iter_mut().skip(answered).all(|receipt| poll(receipt).is_pending()));
        assert!(journal.unwritten_bytes() > 32 << 10);
        disk.block(false);
        for receipt in receipts.into_iter().skip(answered) {
            receipt.wait().unwrap();
        }
        // More than half of it at once.
        let batch: Vec<_> = (200..240).map(|n| long_record(n, 1000)).collect();
        block_on(journal.write(&batch)).unwrap();
        drop(journal);
        assert_eq!(sound_actions(&disk), actions(0..240));
    });
}

#[test]
fn a_disk_that_takes_nothing_does_not_keep_callers_waiting() {
    bounded(|| {
        let (disk, memory) = (ModelDisk::default(), memory());
        let journal = open_with(&disk, &in_memory(&memory)).unwrap();
        disk.fail_now(ENOSPC);
        for n in 0..50 {
            write(&journal, n).unwrap();
        }
        assert!(block_on(journal.flush()).is_err(), "what was before is in no file");
        assert!(journal.unwritten_bytes() > 0);
        disk.heal();
        until(|| journal.unwritten_bytes() == 0);
        block_on(journal.flush()).unwrap();
        assert_eq!(sound_actions(&disk), actions(0..50));
    });
}

#[test]
fn memory_that_is_gone_is_told() {
    bounded(|| {
        let (disk, memory) = (ModelDisk::default(), memory());
        let journal = open_with(&disk, &in_memory(&memory).continue_last_file()).unwrap();
        write(&journal, 0).unwrap();
        block_on(journal.flush()).unwrap();
        let [path] = &names(&memory)[..] else { panic!("one file in memory") };
        std::fs::remove_file(path).unwrap();
        let after = disk.after_the_process();

        // Who has no memory of its own may see another part of the system than who left it: it is told again.
        for _ in 0..2 {
            let next = open_with(&after, &options().continue_last_file()).unwrap();
            assert_eq!(next.recovered().missing_memory.as_ref(), Some(path));
        }
        let lines = after.contents().into_iter().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(lines.collect::<String>().matches(r#""lost_memory":true"#).count(), 2);
        let next = open_with(&after, &in_memory(&memory)).unwrap();
        assert_eq!(next.recovered().missing_memory.as_ref(), Some(path));
        drop(next);
        assert_eq!(open(&after).recovered().missing_memory, None, "it is over");
    });
}

#[test]
fn memory_is_found_where_the_next_process_has_it() {
    bounded(|| {
        let (disk, memory, elsewhere) = (ModelDisk::default(), memory(), memory());
        let journal = open_with(&disk, &in_memory(&memory)).unwrap();
        disk.fail_now(EIO);
        write(&journal, 0).unwrap();
        die(&journal);
        let [path] = &names(&memory)[..] else { panic!("one file in memory") };
        // Mounted at another place, and opened meanwhile by somebody who cannot see it.
        std::fs::rename(path, elsewhere.path().join(path.file_name().unwrap())).unwrap();
        let after = disk.after_the_process();
        assert!(open(&after).recovered().missing_memory.is_some());
        let next = open_with(&after, &in_memory(&elsewhere)).unwrap();
        assert_eq!((next.recovered().from_memory, &next.recovered().missing_memory), (1, &None));
        drop(next);
        assert_eq!(sound_actions(&after), actions([0]));
        assert!(names(&elsewhere).is_empty());
    });
}

#[test]
fn memory_that_is_removed_under_a_journal_is_used_no_more() {
    bounded(|| {
        let (disk, memory) = (ModelDisk::default(), memory());
        let journal = open_with(&disk, &in_memory(&memory)).unwrap();
        write(&journal, 0).unwrap();
        std::fs::remove_file(&names(&memory)[0]).unwrap();
        until(|| {
            write(&journal, 1).unwrap();
            disk.block(true);
            let mut receipt = submit(&journal, record(1));
            let waits = poll(&mut receipt).is_pending();
            disk.block(false);
            receipt.wait().unwrap();
            waits
        });
    });
}

#[test]
fn a_copy_takes_nothing_from_a_journal_that_lives() {
    bounded(|| {
        let (disk, memory) = (ModelDisk::default(), memory());
        let journal = open_with(&disk, &in_memory(&memory)).unwrap();
        write(&journal, 0).unwrap();
        let error = open_with(&disk.after_the_process(), &options()).unwrap_err();
        assert!(matches!(&error, JournalError::Locked { path } if names(&memory).contains(path)), "{error}");
        write(&journal, 1).unwrap();
        drop(journal);
        assert_eq!(sound_actions(&disk), actions(0..2));
    });
}

/// The nanoseconds of a core that the writers of this process have had.
fn writers_have_had() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let writers = tasks
        .filter(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "audited-journal"));
    let had = writers.filter_map(|task| std::fs::read_to_string(task.join("schedstat")).ok());
    had.map(|had| had.split(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Runs alone, in a process of its own: others have writers, too.
#[test]
fn a_writer_whose_write_failed_rests() {
    const ALONE: &str = "AUDITED_TEST_ALONE";
    let name = thread::current().name().unwrap().to_owned();
    if std::env::var_os(ALONE).is_none() {
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let alone = alone.args(["--exact", &name, "--test-threads=1"]).env(ALONE, "1").output().unwrap();
        assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stdout));
        return;
    }
    let (disk, memory) = (ModelDisk::default(), memory());
    let journal = open_with(&disk, &in_memory(&memory)).unwrap();
    write(&journal, 0).unwrap();
    block_on(journal.flush()).unwrap();
    disk.fail_now(EROFS);
    assert!(block_on(journal.rotate()).is_err());
    for heals in [true, false] {
        if heals {
            disk.heal();
        } else {
            disk.fail_now(EROFS);
            write(&journal, 1).unwrap();
        }
        thread::sleep(Duration::from_millis(300));
        let (before, operations) = (writers_have_had(), disk.operations());
        thread::sleep(Duration::from_secs(1));
        let (had, tried) = (writers_have_had() - before, disk.operations() - operations);
        assert!(had < 100_000_000 && tried < 20, "{had} ns, {tried} operations in an idle second");
    }
}

#[test]
fn whoever_flushes_waits_for_nobody_who_comes_later() {
    bounded(|| {
        let (disk, memory) = (ModelDisk::default(), memory());
        let journal = open_with(&disk, &in_memory(&memory)).unwrap();
        let stops = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stops.load(std::sync::atomic::Ordering::Relaxed) {
                    write(&journal, 0).unwrap();
                }
            });
            // As long as the other one writes, there is never nothing.
            for _ in 0..20 {
                block_on(journal.flush()).unwrap();
                block_on(journal.rotate()).unwrap();
            }
            stops.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    });
}

#[test]
fn the_records_of_one_caller_stay_in_their_order() {
    bounded(|| {
        // Too many for the memory, and none is waited for; then more than a round may have, and a batch behind them.
        for (room, many) in [(0, 3000), (16 << 20, 5000)] {
            let (disk, memory) = (ModelDisk::default(), memory());
            let large = in_memory(&memory).shared_memory_bytes(room).segment_bytes(64 << 20);
            let journal = open_with(&disk, &large).unwrap();
            disk.block(true);
            let mut receipts: Vec<_> = (0..many / 2).map(|n| submit(&journal, long_record(n, 1000))).collect();
            disk.block(false);
            receipts.extend((many / 2..many).map(|n| submit(&journal, long_record(n, 1000))));
            let batch: Vec<_> = (many..many + 2500).map(|n| long_record(n, 1000)).collect();
            block_on(journal.write(&batch)).unwrap();
            write(&journal, many + 2500).unwrap();
            for receipt in receipts {
                receipt.wait().unwrap();
            }
            drop(journal);
            assert!(sound_actions(&disk) == actions(0..=many + 2500), "of {room} bytes");
        }
    });
}

/// How many operations a life takes, and some more.
fn operations() -> usize {
    let (disk, memory) = (ModelDisk::default(), memory());
    let journal = open_with(&disk, &in_memory(&memory)).unwrap();
    live(&journal);
    drop(journal);
    let log = disk.lock().log.clone();
    assert!(log.iter().any(|operation| matches!(operation, Operation::SetLen(_))));
    log.len() + 10
}
