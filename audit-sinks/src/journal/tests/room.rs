//! How much a journal holds in memory, and who waits for room.

use super::*;

fn tight() -> JournalOptions {
    options().queue_bytes(1)
}

#[test]
fn who_finds_no_room_waits_in_the_order_of_coming() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &tight()).unwrap();
        disk.block(true);
        let first = submit(&journal, record(0));
        until(|| disk.is_in_sync());
        // A batch that only fits alone, between others: it is neither passed over nor does it hold them up.
        let batch = [record(1), record(2), record(3)];
        let mut writing = journal.write(&batch);
        assert!(poll(&mut writing).is_pending());
        let mut behind: Vec<_> = (4..10).map(|n| submit(&journal, record(n))).collect();
        assert!(behind.iter_mut().all(|receipt| poll(receipt).is_pending()));
        assert_eq!(journal.0.queue.waiting(), 0, "none of them was let in");
        disk.block(false);
        first.wait().unwrap();
        block_on(writing).unwrap();
        for receipt in behind {
            receipt.wait().unwrap();
        }
        drop(journal);
        assert_eq!(sound_actions(&disk), (0..10).map(|n| format!("test.n{n}")).collect::<Vec<_>>());
    });
}

#[test]
fn a_large_batch_is_not_starved_by_small_records() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &options().queue_bytes(8 << 10)).unwrap();
        let ends = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    while !ends.load(std::sync::atomic::Ordering::Relaxed) {
                        write(&journal, 0).unwrap();
                    }
                });
            }
            let large: Vec<_> = (0..64).map(|n| long_record(n, 1000)).collect();
            for _ in 0..5 {
                block_on(journal.write(&large)).unwrap();
            }
            ends.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    });
}

#[test]
fn who_stops_waiting_for_room_leaves_nothing_in_memory_and_nobody_stuck() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &tight()).unwrap();
        disk.block(true);
        let first = submit(&journal, record(0));
        until(|| disk.is_in_sync());
        for n in 1..100 {
            let batch = [record(n)];
            assert!(poll(&mut journal.write(&batch)).is_pending());
        }
        let last = submit(&journal, record(100));
        disk.block(false);
        first.wait().unwrap();
        last.wait().unwrap();
        drop(journal);
        assert_eq!(sound_actions(&disk), ["test.n0", "test.n100"]);
    });
}

#[test]
fn a_flush_and_a_close_take_no_room() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &tight()).unwrap();
        disk.block(true);
        let receipts: Vec<_> = (0..20).map(|n| submit(&journal, record(n))).collect();
        let other = journal.clone();
        let mut flushing = other.flush();
        assert!(poll(&mut flushing).is_pending());
        disk.block(false);
        block_on(flushing).unwrap();
        let mut receipts = receipts;
        assert!(receipts.iter_mut().all(|receipt| poll(receipt).is_ready()), "what came before a flush is answered");
        receipts.clear();
        drop((journal, other));
        assert_eq!(sound_actions(&disk).len(), 20);
    });
}

#[test]
fn a_full_disk_leaves_room_for_the_last_records() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open(&disk);
        write(&journal, 0).unwrap();
        let used = || disk.contents().iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        disk.limit(Some(used()));
        let mut kept = vec!["test.n0".to_owned()];
        let full = (1..1000).find(|n| {
            let answer = write(&journal, *n);
            kept.extend(answer.is_ok().then(|| format!("test.n{n}")));
            answer.is_err()
        });
        assert!(!disk.contents().iter().any(|(name, _)| name == "reserve"), "it was given up");
        let files = disk.contents().len();
        assert!(files >= 2 && full > Some(3), "the reserve was written to: {full:?} in {files} files");
        drop(journal);
        assert_kept_and_sound(&disk, &kept);
        // Room is made: it goes on, and keeps some again.
        disk.limit(None);
        drop(open(&disk));
        assert!(disk.contents().iter().any(|(name, bytes)| name == "reserve" && bytes.len() == 2048));
    });
}

#[test]
fn a_full_disk_is_opened_on_what_was_kept_for_it() {
    bounded(|| {
        let disk = ModelDisk::default();
        drop(open(&disk));
        let used = disk.contents().iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        disk.limit(Some(used));
        let journal = open(&disk);
        write(&journal, 1).unwrap();
        drop(journal);
        assert_eq!(sound_actions(&disk), ["test.n1"]);
    });
}

#[track_caller]
fn assert_kept_and_sound(disk: &ModelDisk, kept: &[String]) {
    super::failing::assert_kept(&sound_actions(disk), kept, "on a full disk");
}
