//! How a journal starts and ends, and what it has in between.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use audit_core::__private::Ticket;
use audit_core::{Durability, SinkError};

use super::disk::Disk;
use super::error::{JournalError, JournalStep};
use super::keeper::{Keeper, Swaps};
use super::line::{Head, Text};
use super::lot::Lot;
use super::options::JournalOptions;
use super::progress::Progress;
use super::recover::{Recovered, Resume};
use super::ring::left::{self, Left};
use super::ring::{Put, Ring};
use super::writer::{Shape, Writer};
use super::{Queue, describe};
use crate::group::queue::Number;
use crate::group::settle::Settler;
use crate::group::thread;

/// What all clones of a journal share.
pub(super) struct Handle {
    pub(super) path: PathBuf,
    pub(super) durability: Durability,
    pub(super) recovered: Recovered,
    pub(super) head: Head,
    pub(super) queue: Arc<Queue>,
    /// Where records are safe before they are in a file.
    pub(super) ring: Option<Arc<Ring>>,
    /// In which directory that is.
    pub(super) shared_memory: Option<PathBuf>,
    pub(super) progress: Arc<Progress>,
    threads: Vec<JoinHandle<()>>,
    pub(super) process: u32,
    /// Taken to change the legal holds.
    pub(super) holds: Mutex<()>,
    /// Taken to remove files.
    pub(super) swaps: Swaps,
}

impl Handle {
    /// Starts the threads of a journal in that directory, once all that was left there is told and written.
    pub(super) fn start(
        path: &Path,
        disk: Arc<dyn Disk>,
        (mut resume, mut recovered): (Resume, Recovered),
        options: &JournalOptions,
    ) -> Result<Self, JournalError> {
        let left = Left::find(&*disk, path, resume.position, options)?;
        left.tell(path, &mut resume, &mut recovered);
        let no_thread = |source| JournalError::Thread { path: path.to_owned(), source };
        let (position, swaps) = (resume.position, Swaps::default());
        // The last file is none that has ended, where it is gone on with.
        let last = resume.unfinished.as_ref().map(|last| last.index).filter(|_| options.goes_on);
        let spare = options.spare(path, &swaps, last.unwrap_or(resume.next_index));
        let progress = Arc::new(Progress::new(position));
        let sizes = (options.segment_bytes, options.preallocate, options.reserve_bytes);
        let keeper = Arc::new(Keeper::new(disk, sizes, options.on_checkpoint.clone()));
        keeper.keep_room();
        let shape = Shape {
            sync_each: options.durability == Durability::Disk,
            segment_bytes: options.segment_bytes,
            rotate_every: options.rotate_every,
            goes_on: options.goes_on,
        };
        let mut writer = Writer::new(describe(path), shape, resume, keeper.clone(), progress.clone());
        let written = |error| JournalError::io(path, JournalStep::Write, error);
        writer.begin_first().map_err(written)?;
        for ahead in left.ahead() {
            writer.carry_over(ahead).map_err(written)?;
        }
        left.forget(keeper.disk());
        let ring = left::create(keeper.disk(), options, writer.position())?.map(|(ring, ahead)| {
            writer.look_at(ahead);
            ring
        });
        let queue = Arc::new(Queue::new(options.queue_bytes));
        let mut handle = Self {
            path: path.to_owned(),
            durability: options.durability,
            recovered,
            head: Head::new(position.stream),
            queue: queue.clone(),
            ring: ring.clone(),
            shared_memory: options.shared_memory.clone(),
            progress: progress.clone(),
            threads: Vec::new(),
            process: std::process::id(),
            holds: Mutex::default(),
            swaps,
        };
        let (told, keeping) = (Told { queue, ring, keeper: keeper.clone(), progress }, keeper);
        handle.spawn("audited-journal", move || run(writer, &told)).map_err(no_thread)?;
        handle.spawn("audited-journal-files", move || keeping.run(spare)).map_err(no_thread)?;
        Ok(handle)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(thread::spawn(name, run)?);
        Ok(())
    }

    pub(super) fn unwritten_bytes(&self) -> u64 {
        self.ring.as_ref().map_or(0, |ring| ring.used())
    }

    /// Leaves records where they are safe before they are in a file: all of them, or none.
    pub(super) fn leave(&self, texts: &[Text]) -> bool {
        let put = self.ring.as_ref().map_or(Put::No, |ring| ring.put(texts));
        if put == Put::DoneAndCall {
            self.queue.call();
        }
        put != Put::No
    }

    /// Hands records over that could not be left.
    pub(super) fn push(&self, lot: Lot, ticket: Ticket) -> Option<Number> {
        let Some(ring) = &self.ring else { return self.queue.push(lot, ticket) };
        Queue::or_closed(ring.divert(|| self.queue.try_push(lot, ticket)))
    }

    /// A child of `fork` has neither the threads nor a right to the files.
    pub(super) fn refuse_in_a_child(&self) -> Result<(), SinkError> {
        if self.process == std::process::id() { Ok(()) } else { Err(SinkError::failed(Forked)) }
    }
}

/// The journal belongs to the process that this one was forked from.
#[derive(Debug, thiserror::Error)]
#[error("the journal belongs to the process that this one was forked from: open one after the fork")]
struct Forked;

impl Drop for Handle {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        self.queue.close();
        thread::join(self.threads.drain(..));
    }
}

/// The writer's thread.
fn run(writer: Writer, told: &Told) {
    let settler = Settler::start("audited-journal-answers");
    writer.run(&told.queue, &|batch, result, busy| settler.answer(batch, result, busy));
}

/// Who is told when the writer has ended, also should it panic.
struct Told {
    queue: Arc<Queue>,
    ring: Option<Arc<Ring>>,
    keeper: Arc<Keeper>,
    progress: Arc<Progress>,
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(ring) = &self.ring {
            ring.close();
        }
        for ticket in self.queue.kill() {
            ticket.settle(Err(SinkError::Poisoned));
        }
        self.keeper.close();
        self.progress.close();
    }
}
