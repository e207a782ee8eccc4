//! The journal over a disk that blocks, fails and loses its power on demand.

mod answers;
#[cfg(feature = "zstd")]
mod compressing;
mod continuing;
mod failing;
mod following;
mod memory;
mod model;
mod power;
mod recorded;
mod room;
mod tails;
#[cfg(not(feature = "zstd"))]
mod unreadable;

use std::future::Future;
use std::panic::resume_unwind;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use audit_core::__private::{Inline as _, Receipt, Ticket};
use audit_core::{Action, AuditSink as _, Durability, Record, SinkError};

use self::model::ModelDisk;
use super::handle::Handle;
use super::recover::recover_on;
use super::{Journal, JournalError, JournalOptions};

/// Small files, so that a few records fill one.
const SEGMENT: u64 = 8 << 10;

/// Long enough that only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(120);

fn options() -> JournalOptions {
    JournalOptions { segment_bytes: SEGMENT, reserve_bytes: 2048, ..JournalOptions::new() }
}

fn open_with(disk: &ModelDisk, options: &JournalOptions) -> Result<Journal, JournalError> {
    let path = Path::new("model");
    let found = recover_on(disk, &|_| Ok(()), path)?;
    Handle::start(path, Arc::new(disk.clone()), found, options).map(Journal::new)
}

fn open(disk: &ModelDisk) -> Journal {
    open_with(disk, &options()).unwrap()
}

fn record(n: usize) -> Record {
    Record::builder(Action::parse(format!("test.n{n}")).unwrap()).build()
}

/// A record with so much text in it.
fn long_record(n: usize, bytes: usize) -> Record {
    let text = "x".repeat(bytes);
    let action = Action::parse(format!("test.n{n}")).unwrap();
    Record::builder(action).fields(|fields| fields.plain("text", &text)).build()
}

fn submit(journal: &Journal, record: Record) -> Receipt {
    let (ticket, receipt) = Ticket::new();
    journal.submit(record, ticket);
    receipt
}

fn write(journal: &Journal, n: usize) -> Result<(), SinkError> {
    submit(journal, record(n)).wait()
}

/// Writes until that succeeds; the disk is well by now.
fn write_at_last(journal: &Journal, n: usize) {
    let start = Instant::now();
    while let Err(error) = write(journal, n) {
        assert!(start.elapsed() < Duration::from_secs(5), "it does not go on: {error}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn poll<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()))
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

#[track_caller]
fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never happened");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Runs a test on a thread of its own, so that a hang is a failure.
#[track_caller]
fn bounded<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (ends, ended) = channel();
    let thread = thread::spawn(move || {
        let _ends = ends;
        test()
    });
    let still_runs = ended.recv_timeout(PATIENCE) == Err::<(), _>(RecvTimeoutError::Timeout);
    assert!(!still_runs, "it hangs");
    thread.join().unwrap_or_else(|panicked| resume_unwind(panicked))
}

/// The actions of the tests' own records, as a reader finds them on that disk; panics at damage.
fn sound_actions(disk: &ModelDisk) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    disk.write_out(directory.path());
    let found = Journal::verify(directory.path()).unwrap();
    assert!(found.is_sound(), "{:#?}\n{}", found.damage, shown(disk));
    let records = Journal::read(directory.path()).unwrap().map(Result::unwrap);
    records.map(|record| record.action().into_owned()).filter(|action| action.starts_with("test.")).collect()
}

/// What is on a disk, short enough to be read in the message of a test that failed.
fn shown(disk: &ModelDisk) -> String {
    let mut text = Vec::new();
    for (name, bytes) in disk.contents() {
        text.push(format!("== {name}, {} bytes", bytes.len()));
        for line in String::from_utf8_lossy(&bytes).split('\n').filter(|line| !line.trim_matches('\0').is_empty()) {
            let line: Vec<_> = line.chars().collect();
            let part = |chars: &[char]| chars.iter().collect::<String>().escape_debug().to_string();
            let (start, end) = (&line[..line.len().min(130)], &line[line.len().saturating_sub(90)..]);
            text.push(format!("{} .. {}", part(start), part(end)));
        }
    }
    text.join("\n")
}
