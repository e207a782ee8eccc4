//! Who is answered, when, and what foreign code can do meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};

use super::model::{Operation, Random};
use super::*;
use crate::journal::disk::Disk as _;
use crate::journal::segment::{Index, Segment};

#[test]
fn whoever_comes_during_a_sync_shares_the_next_one() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &JournalOptions::new()).unwrap();
        let before = syncs(&disk);
        disk.block(true);
        let first = submit(&journal, record(0));
        until(|| disk.is_in_sync());
        let others: Vec<_> = (1..=64).map(|n| submit(&journal, record(n))).collect();
        assert_eq!(journal.0.queue.waiting(), 64);
        disk.block(false);
        first.wait().unwrap();
        for receipt in others {
            receipt.wait().unwrap();
        }
        assert_eq!(syncs(&disk) - before, 2, "one for the first, one for the 64 others");
        drop(journal);
        assert_eq!(sound_actions(&disk).len(), 65);
    });
}

#[test]
fn nothing_is_acknowledged_before_it_is_synced() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open(&disk);
        let before = journal.head().seq;
        disk.block(true);
        let mut receipt = submit(&journal, record(0));
        until(|| disk.is_in_sync());
        thread::sleep(Duration::from_millis(20));
        assert!(poll(&mut receipt).is_pending());
        assert_eq!(journal.head().seq, before);
        disk.block(false);
        receipt.wait().unwrap();
        assert_eq!(journal.head().seq, before + 1);
    });
}

#[test]
fn a_batch_is_answered_for_as_one_however_large_it_is() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &JournalOptions::new()).unwrap();
        let batch: Vec<_> = (0..700).map(|n| long_record(n, 8 << 10)).collect();
        disk.fail_now(5);
        assert!(matches!(block_on(journal.write(&batch)), Err(SinkError::Io(_))));
        disk.heal();
        block_on(journal.write(&batch)).unwrap();
        drop(journal);
        assert_eq!(sound_actions(&disk).len(), 700);
    });
}

#[test]
fn dropping_the_last_handle_writes_what_is_waiting() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &options().queue_bytes(2048)).unwrap();
        disk.block(true);
        let mut receipts = vec![submit(&journal, record(0))];
        until(|| disk.is_in_sync());
        receipts.extend((1..10).map(|n| submit(&journal, record(n))));
        let queue = journal.0.queue.clone();
        let waiting = thread::spawn(move || drop(journal));
        until(|| queue.is_closing());
        disk.block(false);
        waiting.join().unwrap();
        for receipt in receipts {
            receipt.wait().unwrap();
        }
        assert_eq!(sound_actions(&disk).len(), 10);
    });
}

#[test]
fn a_future_that_is_dropped_loses_nothing() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open(&disk);
        disk.block(true);
        let batch = [record(0), record(1)];
        let mut writing = journal.write(&batch);
        assert!(poll(&mut writing).is_pending());
        drop(writing);
        drop(submit(&journal, record(2)));
        disk.block(false);
        block_on(journal.flush()).unwrap();
        assert_eq!(sound_actions(&disk), ["test.n0", "test.n1", "test.n2"]);
    });
}

#[test]
fn the_buffer_of_the_operating_system_is_synced_where_a_file_ends() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &JournalOptions::new().os_buffer()).unwrap();
        let before = syncs(&disk);
        (0..5).for_each(|n| write(&journal, n).unwrap());
        assert_eq!(syncs(&disk), before);
        block_on(journal.flush()).unwrap();
        assert_eq!(syncs(&disk), before + 1);
        (5..8).for_each(|n| write(&journal, n).unwrap());
        drop(journal);
        disk.cut_at(disk.operations());
        let _ = disk.names();
        assert!(disk.names().is_ok(), "reading is no cut");
        let _ = disk.sync();
        assert_eq!(sound_actions(&disk.after_the_cut(0).unwrap()).len(), 8, "all of it is on the disk");
    });
}

#[test]
fn a_flush_covers_the_files_that_ended_before_it() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &JournalOptions::new().os_buffer()).unwrap();
        write(&journal, 0).unwrap();
        block_on(journal.rotate()).unwrap();
        write(&journal, 1).unwrap();
        block_on(journal.flush()).unwrap();
        disk.cut_at(disk.operations());
        drop(journal);
        assert_eq!(sound_actions(&disk.after_the_cut(0).unwrap()), ["test.n0", "test.n1"]);
    });
}

#[test]
fn a_panic_of_the_writer_answers_everybody() {
    bounded(|| {
        for after in 0..2 {
            let disk = ModelDisk::default();
            let journal = open(&disk);
            disk.block(true);
            let first = submit(&journal, record(0));
            until(|| disk.is_in_sync());
            let behind: Vec<_> = (1..5).map(|n| submit(&journal, record(n))).collect();
            disk.panic_at(disk.operations() + after);
            disk.block(false);
            assert_eq!(first.wait().is_ok(), after == 1);
            for receipt in behind {
                assert!(matches!(receipt.wait(), Err(SinkError::Closed | SinkError::Poisoned)));
            }
            until(|| matches!(write(&journal, 9), Err(SinkError::Closed)));
            assert!(matches!(block_on(journal.flush()), Err(SinkError::Closed)));
            let mut following = Vec::new();
            following.extend(block_on(journal.write(&[record(10)])).err());
            assert_eq!(following.len(), 1);
            drop(journal);
        }
    });
}

/// A waker that panics, after it has dropped what it holds.
struct Hostile(Mutex<Option<Journal>>);

impl Wake for Hostile {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().unwrap().take());
        panic!("as the test wants");
    }
}

#[test]
fn a_waker_can_neither_kill_the_writer_nor_block_it_by_dropping_the_last_handle() {
    bounded(|| {
        let disk = ModelDisk::default();
        let journal = open(&disk);
        disk.block(true);
        for holds in [None, Some(journal.clone())] {
            let mut receipt = submit(&journal, record(0));
            let waker = Waker::from(Arc::new(Hostile(Mutex::new(holds))));
            assert!(Pin::new(&mut receipt).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let last = submit(&journal, record(1));
        let queue = journal.0.queue.clone();
        // The last handle is now the one that is dropped on the writer's own thread.
        drop(journal);
        disk.block(false);
        last.wait().unwrap();
        until(|| queue.is_closing() && Arc::strong_count(&queue) == 1);
        assert_eq!(sound_actions(&disk).len(), 3);
    });
}

#[test]
fn the_last_handle_may_be_dropped_by_what_is_told_of_a_checkpoint() {
    bounded(|| {
        let held = Arc::new(Mutex::new(None::<Journal>));
        let told = held.clone();
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &options().on_checkpoint(move |_| drop(told.lock().unwrap().take()))).unwrap();
        let queue = journal.0.queue.clone();
        *held.lock().unwrap() = Some(journal.clone());
        block_on(async move { journal.rotate().await }).unwrap();
        until(|| queue.is_closing() && Arc::strong_count(&queue) == 1);
    });
}

#[test]
fn a_callback_that_never_returns_holds_up_no_record() {
    bounded(|| {
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let (blocks, begun) = (gate.clone(), Arc::new(AtomicBool::new(false)));
        let begins = begun.clone();
        let options = options().on_checkpoint(move |_| {
            begins.store(true, Ordering::SeqCst);
            drop(blocks.1.wait_while(blocks.0.lock().unwrap(), |open| !*open).unwrap());
        });
        let disk = ModelDisk::default();
        let journal = open_with(&disk, &options).unwrap();
        for n in 0..60 {
            submit(&journal, long_record(n, 1000)).wait().unwrap();
        }
        until(|| begun.load(Ordering::SeqCst));
        assert!(disk.contents().len() > 5, "it went on from file to file");
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        drop(journal);
        assert_eq!(sound_actions(&disk).len(), 60);
    });
}

#[test]
fn a_file_ends_in_time_also_while_others_wait() {
    bounded(|| {
        // The first must be written before the file is due. Where the machine was slower than that, it has more time.
        let ends = (0..10).map(|times| Duration::from_millis(30 << times)).any(|every| {
            let disk = ModelDisk::default();
            let has = |text| disk.contents().iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(text));
            let journal = open_with(&disk, &options().rotate_every(every)).unwrap();
            disk.block(true);
            let first = submit(&journal, record(0));
            // It is written, and not synced. Others sync files, too.
            until(|| has("test.n0"));
            let second = submit(&journal, record(1));
            let was_due = has("segment_closed");
            // Now it is due.
            thread::sleep(every);
            disk.block(false);
            first.wait().unwrap();
            second.wait().unwrap();
            assert!(was_due || has("\"lines\":4"), "with the second: {}", shown(&disk));
            drop(journal);
            !was_due
        });
        assert!(ends, "the machine is too slow to tell");
    });
}

/// A child has another process id than the handle that it has inherited, and nothing else tells them apart.
#[test]
fn a_child_of_fork_is_refused_and_closes_nothing() {
    bounded(|| {
        let disk = ModelDisk::default();
        let mut journal = open(&disk);
        Arc::get_mut(&mut journal.0).unwrap().process += 1;
        let before = disk.operations();
        for refused in [
            write(&journal, 0),
            block_on(journal.write(&[record(1)])),
            block_on(journal.flush()),
            block_on(journal.rotate()),
        ] {
            let source = std::error::Error::source(&refused.unwrap_err()).unwrap().to_string();
            assert!(source.contains("forked") && source.contains("open one after the fork"), "{source}");
        }
        let queue = journal.0.queue.clone();
        drop(journal);
        assert!(!queue.is_closing());
        assert_eq!(disk.operations(), before);
        queue.close();
        until(|| Arc::strong_count(&queue) == 1);
    });
}

#[test]
fn nothing_is_filled_where_records_are() {
    bounded(|| {
        for seed in 1..20 {
            let (disk, mut random) = (ModelDisk::default(), Random::new(seed));
            let mut segment = Segment::new(Index::FIRST, disk.create(&Index::FIRST.to_string()).unwrap(), 0, 3 << 20);
            let (filler, ends) = (segment.filler(), AtomicBool::new(false));
            let mut written = Vec::new();
            thread::scope(|scope| {
                scope.spawn(|| {
                    let file = disk.open(&Index::FIRST.to_string()).unwrap();
                    while !ends.load(Ordering::Relaxed) {
                        filler.run(&*file, || false);
                        thread::yield_now();
                    }
                });
                while written.len() < 2 << 20 {
                    let some = vec![
                        b'a' + u8::try_from(random.next() % 26).unwrap();
                        usize::try_from(random.next() % 300_000).unwrap()
                    ];
                    segment.append(&some).unwrap();
                    written.extend_from_slice(&some);
                }
                ends.store(true, Ordering::Relaxed);
            });
            let contents = disk.contents().remove(0).1;
            assert_eq!(contents[..written.len()], written, "seed {seed}");
            assert!(contents[written.len()..].iter().all(|byte| *byte == b'\n'));
        }
    });
}

#[test]
fn a_file_that_was_given_up_is_not_filled() {
    let disk = ModelDisk::default();
    let segment = Segment::new(Index::FIRST, disk.create("file").unwrap(), 0, 3 << 20);
    let (before, file) = (disk.operations(), disk.open("file").unwrap());
    segment.stop_filling();
    segment.filler().run(&*file, || false);
    assert_eq!(disk.operations(), before + 1);
}

fn syncs(disk: &ModelDisk) -> usize {
    disk.lock().log.iter().filter(|operation| matches!(operation, Operation::Sync(name) if name != "reserve")).count()
}
