//! The writer over a file that blocks and fails on demand.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use audit_core::__private::{Inline as _, Receipt, Ticket};
use audit_core::{Action, AuditSink as _, Record, SinkError};
use uuid::Uuid;

use super::line::Position;
use super::recover::Recovered;
use super::scan::{Found, Scan};
use super::writer::Media;
use super::{Journal, JournalOptions};

/// A file in memory. Its operations are counted over both kinds.
#[derive(Clone, Default)]
struct Disk(Arc<(Mutex<DiskState>, Condvar)>);

#[derive(Default)]
struct DiskState {
    bytes: Vec<u8>,
    synced: usize,
    operations: usize,
    syncs: usize,
    fail_at: Option<usize>,
    panic_at: Option<usize>,
    blocked: bool,
    in_sync: bool,
}

impl Disk {
    fn lock(&self) -> MutexGuard<'_, DiskState> {
        self.0.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn failing_at(operation: usize) -> Self {
        let disk = Self::default();
        disk.lock().fail_at = Some(operation);
        disk
    }

    fn block(&self, blocked: bool) {
        self.lock().blocked = blocked;
        self.0.1.notify_all();
    }

    fn wait_until_in_sync(&self) {
        let mut state = self.lock();
        while !state.in_sync {
            state = self.0.1.wait(state).unwrap();
        }
    }

    /// The actions of the whole lines among `bytes`; panics at one that is no record or out of its place.
    fn actions(bytes: &[u8]) -> Vec<String> {
        let (mut scan, mut position, mut actions) = (Scan::new(bytes), Position::START, Vec::new());
        while let Found::Line(line) = scan.next().unwrap() {
            actions.push(position.advance(line).unwrap().action().into_owned());
        }
        actions
    }

    fn synced_actions(&self) -> Vec<String> {
        let state = self.lock();
        Self::actions(&state.bytes[..state.synced])
    }
}

impl DiskState {
    /// Counts an operation, and says whether it fails.
    fn begin(&mut self) -> bool {
        let operation = self.operations;
        self.operations += 1;
        assert_ne!(self.panic_at, Some(operation), "as the test wants");
        self.fail_at == Some(operation)
    }
}

impl Media for Disk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        if state.begin() {
            // As a disk that is full: a part is there.
            state.bytes.extend_from_slice(&bytes[..bytes.len() / 2]);
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.lock();
        state.in_sync = true;
        self.0.1.notify_all();
        while state.blocked {
            state = self.0.1.wait(state).unwrap();
        }
        state.in_sync = false;
        state.syncs += 1;
        if state.begin() {
            // As the kernel does: the pages count as clean, and the next sync succeeds without them.
            return Err(io::Error::other("the disk"));
        }
        state.synced = state.bytes.len();
        Ok(())
    }
}

fn open(disk: &Disk) -> Journal {
    open_with(disk, &JournalOptions::new())
}

fn open_with(disk: &Disk, options: &JournalOptions) -> Journal {
    let recovered = Recovered { cut_bytes: 0, records: 0, next_seq: 1 };
    Journal::start(Path::new("test"), disk.clone(), Uuid::now_v7(), recovered, options).unwrap()
}

fn record(n: usize) -> Record {
    Record::builder(Action::parse(format!("test.n{n}")).unwrap()).build()
}

fn submit(journal: &Journal, n: usize) -> Receipt {
    let (ticket, receipt) = Ticket::new();
    journal.submit(record(n), ticket);
    receipt
}

fn poll<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    pin!(&mut future).poll(&mut Context::from_waker(Waker::noop()))
}

fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never happened");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn whoever_comes_during_a_sync_shares_the_next_one() {
    let disk = Disk::default();
    let journal = open(&disk);
    disk.block(true);
    let first = submit(&journal, 0);
    disk.wait_until_in_sync();
    thread::scope(|scope| {
        for n in 1..=64 {
            let journal = &journal;
            scope.spawn(move || submit(journal, n).wait().unwrap());
        }
        until(|| journal.0.queue.waiting() == 64);
        disk.block(false);
    });
    first.wait().unwrap();
    let state = disk.lock();
    assert_eq!(state.syncs, 2, "one for the first, one for the 64 others");
    assert_eq!(state.operations, 4, "and as many writes");
    assert_eq!(Disk::actions(&state.bytes).len(), 65);
}

#[test]
fn nothing_is_acknowledged_before_it_is_synced() {
    let disk = Disk::default();
    let journal = open(&disk);
    disk.block(true);
    let mut receipt = submit(&journal, 0);
    disk.wait_until_in_sync();
    thread::sleep(Duration::from_millis(20));
    assert!(poll(&mut receipt).is_pending());
    disk.block(false);
    receipt.wait().unwrap();
    assert_eq!(disk.synced_actions(), ["test.n0"]);
}

#[test]
fn after_a_failure_at_any_operation_nothing_is_written_synced_or_acknowledged() {
    for failing in 0..8 {
        let disk = Disk::failing_at(failing);
        let journal = open(&disk);
        let answers: Vec<_> = (0..8).map(|n| submit(&journal, n).wait()).collect();
        // Each record took a write and a sync; the one in whose turn it failed was told so, the others follow.
        let good = failing / 2;
        for (n, answer) in answers.iter().enumerate() {
            match answer {
                Ok(()) => assert!(n < good, "{n} of {failing}"),
                Err(SinkError::Io(_)) => assert_eq!(n, good),
                Err(SinkError::Poisoned) => assert!(n > good),
                Err(other) => panic!("{other}"),
            }
        }
        assert!(matches!(poll(journal.flush()), Poll::Ready(Err(SinkError::Poisoned))));
        assert!(matches!(poll(journal.write(&[record(9)])), Poll::Ready(Err(SinkError::Poisoned))));
        drop(journal);
        assert_eq!(disk.lock().operations, failing + 1, "the file was touched after operation {failing} had failed");
        assert_eq!(disk.synced_actions().len(), good);
        // What is left behind are whole lines and at most one torn.
        assert!(Disk::actions(&disk.lock().bytes).len() <= good + 1);
    }
}

#[test]
fn all_who_wait_behind_a_failed_sync_are_told() {
    let disk = Disk::failing_at(1);
    let journal = open(&disk);
    disk.block(true);
    let first = submit(&journal, 0);
    disk.wait_until_in_sync();
    let behind: Vec<_> = (1..10).map(|n| submit(&journal, n)).collect();
    disk.block(false);
    assert!(matches!(first.wait(), Err(SinkError::Io(_))));
    for receipt in behind {
        assert!(matches!(receipt.wait(), Err(SinkError::Poisoned)));
    }
    assert_eq!(disk.lock().operations, 2);
}

#[test]
fn a_failure_in_the_middle_of_a_large_round_fails_all_of_it() {
    // Two and a half chunks: operations 0 to 2 write, 3 syncs.
    let text = "x".repeat(8 << 10);
    let large = Record::builder(Action::new("test.large")).fields(|fields| fields.plain("text", &text)).build();
    let batch = vec![large; (5 << 20) / (2 * (8 << 10))];
    for failing in 0..4 {
        let disk = Disk::failing_at(failing);
        let journal = open(&disk);
        assert!(matches!(block_on(journal.write(&batch)), Err(SinkError::Io(_))), "{failing}");
        drop(journal);
        let state = disk.lock();
        assert_eq!((state.operations, state.synced), (failing + 1, 0));
    }
}

#[test]
fn dropping_the_last_handle_writes_what_is_waiting() {
    let disk = Disk::default();
    let journal = open(&disk);
    disk.block(true);
    let mut receipts = vec![submit(&journal, 0)];
    disk.wait_until_in_sync();
    receipts.extend((1..10).map(|n| submit(&journal, n)));
    let queue = journal.0.queue.clone();
    let waiting = thread::spawn(move || drop(journal));
    until(|| queue.is_closing());
    disk.block(false);
    waiting.join().unwrap();
    for mut receipt in receipts {
        assert!(matches!(poll(&mut receipt), Poll::Ready(Ok(()))));
    }
    assert_eq!(disk.synced_actions().len(), 10);
}

#[test]
fn a_future_that_is_dropped_loses_nothing() {
    let disk = Disk::default();
    let journal = open(&disk);
    disk.block(true);
    let batch = [record(0), record(1)];
    let mut writing = journal.write(&batch);
    assert!(poll(&mut writing).is_pending());
    drop(writing);
    disk.block(false);
    block_on(journal.flush()).unwrap();
    assert_eq!(disk.synced_actions(), ["test.n0", "test.n1"]);
}

#[test]
fn what_does_not_fit_is_refused_until_there_is_room() {
    let disk = Disk::default();
    let journal = open_with(&disk, &JournalOptions::new().queue_bytes(1));
    disk.block(true);
    let alone = submit(&journal, 0);
    disk.wait_until_in_sync();
    assert!(matches!(submit(&journal, 1).wait(), Err(SinkError::Full)), "what is being written counts");
    let mut flushing = journal.flush();
    assert!(poll(&mut flushing).is_pending(), "a flush takes no room");
    disk.block(false);
    alone.wait().unwrap();
    block_on(flushing).unwrap();
    submit(&journal, 2).wait().unwrap();
    drop(journal);
    assert_eq!(disk.synced_actions(), ["test.n0", "test.n2"]);
}

#[test]
fn the_buffer_of_the_operating_system_is_synced_once_at_the_end() {
    let disk = Disk::default();
    let journal = open_with(&disk, &JournalOptions::new().os_buffer());
    for n in 0..5 {
        submit(&journal, n).wait().unwrap();
    }
    assert_eq!(disk.lock().syncs, 0);
    drop(journal);
    assert_eq!(disk.lock().syncs, 1);
    assert_eq!(disk.synced_actions().len(), 5);
}

#[test]
fn a_failed_write_is_not_synced_at_the_end_either() {
    let disk = Disk::failing_at(0);
    let journal = open_with(&disk, &JournalOptions::new().os_buffer());
    assert!(matches!(submit(&journal, 0).wait(), Err(SinkError::Io(_))));
    drop(journal);
    assert_eq!(disk.lock().operations, 1);
}

#[test]
fn a_panic_of_the_writer_answers_everybody() {
    for at in 0..2 {
        let disk = Disk::default();
        disk.lock().panic_at = Some(at);
        let journal = open(&disk);
        assert!(matches!(submit(&journal, 0).wait(), Err(SinkError::Closed | SinkError::Poisoned)));
        until(|| matches!(submit(&journal, 1).wait(), Err(SinkError::Poisoned)));
        drop(journal);
        assert_eq!(disk.lock().operations, at + 1);
    }
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
fn a_waker_can_neither_kill_the_writer_nor_block_it() {
    let disk = Disk::default();
    let journal = open(&disk);
    disk.block(true);
    for holds in [None, Some(journal.clone())] {
        let mut receipt = submit(&journal, 0);
        let waker = Waker::from(Arc::new(Hostile(Mutex::new(holds))));
        assert!(pin!(&mut receipt).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let last = submit(&journal, 0);
    // The last handle is now the one that is dropped on the writer's own thread.
    drop(journal);
    disk.block(false);
    last.wait().unwrap();
    until(|| Arc::strong_count(&disk.0) == 1);
    assert_eq!(disk.synced_actions().len(), 3);
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
