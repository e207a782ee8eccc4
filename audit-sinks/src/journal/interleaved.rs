//! Every interleaving of callers, queue and writer: `RUSTFLAGS="--cfg loom" cargo test -p audit-sinks --release --lib
//! loom`. A caller that nobody wakes is a deadlock, which the checker reports.

use std::io;
use std::sync::{Mutex, PoisonError};

use audit_core::__private::{Receipt, Ticket};
use audit_core::{Action, Durability, Record, SinkError};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use uuid::Uuid;

use super::JournalOptions;
use super::Queue;
use super::disk::{Disk, DiskFile};
use super::keeper::Keeper;
use super::line::{Body, Head, Text};
use super::lot::Lot;
use super::position::Position;
use super::progress::Progress;
use super::recover::Resume;
use super::ring::Put;
use super::ring::left;
use super::segment::Index;
use super::system::{Because, Began};
use super::writer::{Shape, Writer};
use crate::group::queue::{Number, Turn};
use crate::group::round::ROUND_BYTES;

/// A disk with one file.
#[derive(Clone)]
struct Media {
    /// Nothing else happens while this is locked.
    bytes: std::sync::Arc<Mutex<Vec<u8>>>,
    /// How much of it is synced.
    synced: Arc<AtomicUsize>,
}

impl Media {
    fn new() -> Self {
        Self { bytes: std::sync::Arc::default(), synced: Arc::new(AtomicUsize::new(0)) }
    }

    fn has_synced(&self, action: &str) -> bool {
        let synced = self.synced.load(Ordering::SeqCst);
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes[..synced]).contains(action)
    }
}

impl Disk for Media {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn create(&self, _: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(self.clone()))
    }

    fn open(&self, _: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(self.clone()))
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for Media {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap_or_else(PoisonError::into_inner).len() as u64)
    }

    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Ok(0)
    }

    fn write_at(&self, bytes: &[u8], _: u64) -> io::Result<()> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let len = self.bytes.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.synced.store(len, Ordering::SeqCst);
        Ok(())
    }
}

/// What is the same in every execution.
#[derive(Clone)]
struct Setting {
    head: Head,
    position: Position,
    records: [Record; 2],
}

const ACTIONS: [&str; 2] = ["loom.first", "loom.second"];

impl Setting {
    fn new() -> Self {
        let stream = Uuid::now_v7();
        let records = ACTIONS.map(|action| Record::builder(Action::new(action)).build());
        Self { head: Head::new(stream), position: Position::start(stream), records }
    }

    fn writer(&self, media: &Media) -> Writer {
        let options = JournalOptions::new();
        let keeper = Keeper::new(std::sync::Arc::new(media.clone()), (options.segment_bytes, 0, 0), None);
        let shape = Shape {
            sync_each: options.durability == Durability::Disk,
            segment_bytes: options.segment_bytes,
            rotate_every: None,
            goes_on: false,
        };
        let progress = std::sync::Arc::new(Progress::new(self.position));
        let began = Began::because(Because::Opened);
        let resume = Resume { position: self.position, next_index: Index::FIRST, began, unfinished: None };
        Writer::new(String::new(), shape, resume, std::sync::Arc::new(keeper), progress)
    }

    fn push(&self, queue: &Queue, n: usize) -> (Receipt, Option<Number>) {
        let (ticket, receipt) = Ticket::new();
        let number = queue.push(Lot::One(Body::new(&self.head, Text::of(self.records[n].clone()))), ticket);
        (receipt, number)
    }
}

/// Runs the journal's own writer until the queue is closed.
fn run(setting: &Setting, queue: &Queue, media: &Media) {
    setting.writer(media).run(queue, &|batch, result, _| {
        for entry in batch {
            entry.ticket.settle(result.clone());
        }
    });
}

/// As [`run`], but whoever waits is woken before the sync.
fn run_hastily(setting: &Setting, queue: &Queue, media: &Media) {
    let mut position = setting.position;
    let mut batch = Vec::new();
    while queue.take(&mut batch, ROUND_BYTES, None) != Turn::End {
        let mut text = Vec::new();
        for body in batch.iter().flat_map(|entry| entry.lot.bodies()) {
            position.prev = body.push_line(&mut text, &setting.head, position.next_seq, position.prev);
            position.next_seq += 1;
        }
        DiskFile::write_at(media, &text, 0).unwrap();
        queue.release(&batch);
        for entry in batch.drain(..) {
            entry.ticket.settle(Ok(()));
        }
        DiskFile::sync(media).unwrap();
    }
}

fn explore(model: impl Fn(&Setting) + Send + Sync + 'static) {
    let setting = Setting::new();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || model(&setting));
}

/// Two callers and a writer; whoever is told that its record is there finds it synced.
fn two_callers(most_bytes: usize, run: fn(&Setting, &Queue, &Media)) {
    explore(move |setting| {
        let (queue, media) = (Arc::new(Queue::new(most_bytes)), Media::new());
        let writes = {
            let (setting, queue, media) = (setting.clone(), queue.clone(), media.clone());
            thread::spawn(move || run(&setting, &queue, &media))
        };
        let call = |n: usize| {
            let (setting, queue, media) = (setting.clone(), queue.clone(), media.clone());
            move || {
                setting.push(&queue, n).0.wait().unwrap();
                assert!(media.has_synced(ACTIONS[n]), "acknowledged and not synced");
            }
        };
        let other = thread::spawn(call(1));
        call(0)();
        other.join().unwrap();
        queue.close();
        writes.join().unwrap();
    });
}

#[test]
fn loom_an_acknowledged_caller_finds_its_record_synced() {
    two_callers(usize::MAX, run);
}

#[test]
fn loom_who_finds_no_room_is_let_in_and_answered() {
    two_callers(1, run);
}

#[test]
#[should_panic(expected = "acknowledged and not synced")]
fn loom_waking_before_the_sync_is_found() {
    two_callers(usize::MAX, run_hastily);
}

#[test]
fn loom_closing_answers_everybody_and_truly() {
    explore(|setting| {
        let (queue, media) = (Arc::new(Queue::new(1)), Media::new());
        let writes = {
            let (setting, queue, media) = (setting.clone(), queue.clone(), media.clone());
            thread::spawn(move || run(&setting, &queue, &media))
        };
        let calls = {
            let (setting, queue, media) = (setting.clone(), queue.clone(), media.clone());
            thread::spawn(move || {
                let receipts = [0, 1].map(|n| setting.push(&queue, n).0);
                for (receipt, action) in receipts.into_iter().zip(ACTIONS) {
                    match receipt.wait() {
                        Ok(()) => assert!(media.has_synced(action)),
                        Err(error) => assert!(matches!(error, SinkError::Closed)),
                    }
                }
            })
        };
        queue.close();
        calls.join().unwrap();
        writes.join().unwrap();
    });
}

#[test]
fn loom_the_end_of_the_writer_answers_everybody() {
    explore(|setting| {
        let queue = Arc::new(Queue::new(1));
        let calls = {
            let (setting, queue) = (setting.clone(), queue.clone());
            thread::spawn(move || {
                let receipts = [0, 1].map(|n| setting.push(&queue, n).0);
                for receipt in receipts {
                    assert!(matches!(receipt.wait(), Err(SinkError::Closed | SinkError::Poisoned)));
                }
            })
        };
        for ticket in queue.kill() {
            ticket.settle(Err(SinkError::Poisoned));
        }
        calls.join().unwrap();
    });
}

#[test]
fn loom_who_stops_waiting_for_room_holds_up_nobody() {
    explore(|setting| {
        let (queue, media) = (Arc::new(Queue::new(1)), Media::new());
        let writes = {
            let (setting, queue, media) = (setting.clone(), queue.clone(), media.clone());
            thread::spawn(move || run(&setting, &queue, &media))
        };
        let first = setting.push(&queue, 0).0;
        let (given_up, number) = setting.push(&queue, 0);
        let last = setting.push(&queue, 1).0;
        if let Some(number) = number {
            queue.withdraw(number);
        }
        first.wait().unwrap();
        assert!(matches!(given_up.wait(), Ok(()) | Err(SinkError::Closed)));
        last.wait().unwrap();
        assert!(media.has_synced(ACTIONS[1]));
        queue.close();
        writes.join().unwrap();
    });
}

/// A caller leaves a record in memory while the writer may be going to sleep; that it is written takes nobody else.
fn left_in_memory(call: fn(&Queue, Put)) {
    explore(move |setting| {
        let (queue, media) = (Arc::new(Queue::new(usize::MAX)), Media::new());
        let memory = tempfile::tempdir_in("/dev/shm").unwrap();
        let options = JournalOptions::new().shared_memory(memory.path()).shared_memory_bytes(0);
        let (ring, ahead) = left::create(&media, &options, setting.position).unwrap().unwrap();
        let writes = {
            let (setting, queue, media) = (setting.clone(), queue.clone(), media.clone());
            thread::spawn(move || {
                let mut writer = setting.writer(&media);
                writer.look_at(ahead);
                writer.run(&queue, &|_, _, _| {});
            })
        };
        call(&queue, ring.put(&[Text::of(setting.records[0].clone())]));
        while !media.has_synced(ACTIONS[0]) {
            thread::yield_now();
        }
        queue.close();
        writes.join().unwrap();
    });
}

#[test]
fn loom_what_is_left_in_memory_is_written() {
    left_in_memory(|queue, put| match put {
        Put::Done => {}
        Put::DoneAndCall => queue.call(),
        Put::No => panic!("there is room"),
    });
}

#[test]
#[should_panic(expected = "exceeded maximum number of branches")]
fn loom_not_calling_the_writer_is_found() {
    left_in_memory(|_, _| {});
}
