//! The thread for what no caller waits for: filling files ahead, having the next one ready, ending those that are
//! full, and telling where the stream is.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::disk::Disk;
use super::position::Position;
use super::progress::JournalHead;
use super::segment::{Filler, Index, MIN_AHEAD, Segment, fill_new};

/// The name of the file that keeps room on the disk.
pub(super) const RESERVE: &str = "reserve";

/// Told where the stream is, each time a file has ended and once when the journal is closed.
pub(super) type OnCheckpoint = dyn Fn(JournalHead) + Send + Sync;

/// Held while a file is replaced by its compressed one, and while files are removed: neither must bring back what the
/// other has just removed.
pub(super) type Swaps = Arc<Mutex<()>>;

/// What is done while there is nothing else to do, in steps that are short.
pub(super) trait Spare: Send {
    fn has_work(&self) -> bool;
    fn step(&mut self, disk: &dyn Disk);
    /// A file has ended.
    fn ended(&mut self, index: Index);
    /// Nothing more will be done: what is not finished is as if it had never been begun.
    fn stop(&mut self, disk: &dyn Disk);
}

pub(super) struct Keeper {
    disk: Arc<dyn Disk>,
    segment_bytes: u64,
    /// How much of a file is filled before it is used.
    ready_bytes: u64,
    reserve_bytes: u64,
    on_checkpoint: Option<Arc<OnCheckpoint>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    ready: Ready,
    has_reserve: bool,
    closed: bool,
}

/// The next file.
#[derive(Default)]
enum Ready {
    #[default]
    No,
    Asked,
    Making,
    Yes(Segment),
}

enum Job {
    Prepare(Index),
    Fill(Filler),
    End(Segment, JournalHead),
    Leave(Segment, JournalHead),
    Abandon(Segment),
    Spare,
}

impl Keeper {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        (segment_bytes, ready_bytes, reserve_bytes): (u64, u64, u64),
        on_checkpoint: Option<Arc<OnCheckpoint>>,
    ) -> Self {
        let ready_bytes = ready_bytes.max(MIN_AHEAD).min(segment_bytes);
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self { disk, segment_bytes, ready_bytes, reserve_bytes, on_checkpoint, state, changed }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, job: Job) {
        self.lock().jobs.push_back(job);
        self.changed.notify_all();
    }

    /// Has the next file made ready.
    pub(super) fn prepare(&self, index: Index) {
        let mut state = self.lock();
        if matches!(state.ready, Ready::No) {
            state.ready = Ready::Asked;
            state.jobs.push_back(Job::Prepare(index));
            drop(state);
            self.changed.notify_all();
        }
    }

    /// The file of that index: the one that is ready, or a new one without anything in it.
    pub(super) fn begin(&self, index: Index) -> io::Result<Segment> {
        let mut state = self.lock();
        while matches!(state.ready, Ready::Making) && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        // What has not been begun may wait for ever behind foreign code.
        state.jobs.retain(|job| !matches!(job, Job::Prepare(_)));
        match std::mem::take(&mut state.ready) {
            Ready::Yes(segment) if segment.index == index => return Ok(segment),
            Ready::Yes(segment) => state.jobs.push_back(Job::Abandon(segment)),
            Ready::No | Ready::Asked | Ready::Making => {}
        }
        drop(state);
        self.create(index, 0)
    }

    pub(super) fn fill(&self, filler: Filler) {
        self.enqueue(Job::Fill(filler));
    }

    /// Ends a file whose last line is written.
    pub(super) fn end(&self, segment: Segment, position: Position) {
        self.enqueue(Job::End(segment, position.into()));
    }

    /// Leaves a file that the journal may go on in when it is opened again.
    pub(super) fn leave(&self, segment: Segment, position: Position) {
        segment.stop_filling();
        self.enqueue(Job::Leave(segment, position.into()));
    }

    /// Leaves a file as it is, or removes it where nothing in it counts.
    pub(super) fn abandon(&self, segment: Segment, remove: bool) {
        segment.stop_filling();
        if remove {
            self.enqueue(Job::Abandon(segment));
        }
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Gives up the room that was kept, so that what is most urgent can still be written.
    pub(super) fn free_reserve(&self) {
        let had = std::mem::take(&mut self.lock().has_reserve);
        if had {
            let _ = self.disk.remove(RESERVE);
        }
    }

    /// Does what it is asked until it is closed, and then what is left to do, but for what it does in spare time.
    pub(super) fn run(&self, mut spare: Option<Box<dyn Spare>>) {
        while let Some(job) = self.next(spare.as_ref().is_some_and(|spare| spare.has_work())) {
            match job {
                Job::Prepare(index) => self.make_ready(index),
                Job::Fill(filler) => {
                    if let Ok(file) = self.disk.open(&filler.index.to_string()) {
                        filler.run(&*file, || self.has_other_work());
                    }
                }
                Job::End(segment, head) => {
                    self.finish(&segment, head);
                    if let Some(spare) = &mut spare {
                        spare.ended(segment.index);
                    }
                    self.keep_reserve();
                }
                Job::Leave(segment, head) => self.finish(&segment, head),
                Job::Abandon(segment) => {
                    let _ = self.disk.remove(&segment.index.to_string());
                }
                Job::Spare => {
                    if let Some(spare) = &mut spare {
                        spare.step(&*self.disk);
                    }
                }
            }
        }
        if let Some(mut spare) = spare {
            spare.stop(&*self.disk);
        }
        let ready = std::mem::take(&mut self.lock().ready);
        if let Ready::Yes(unused) = ready {
            let _ = self.disk.remove(&unused.index.to_string());
        }
        let _ = self.disk.sync();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn next(&self, spare: bool) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                if matches!(job, Job::Prepare(_)) {
                    state.ready = Ready::Making;
                }
                return Some(job);
            }
            if state.closed {
                return None;
            }
            if spare {
                return Some(Job::Spare);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn has_other_work(&self) -> bool {
        let state = self.lock();
        state.closed || !state.jobs.is_empty()
    }

    pub(super) fn make_ready(&self, index: Index) {
        let made = self.create(index, self.ready_bytes);
        self.lock().ready = match made {
            Ok(segment) => Ready::Yes(segment),
            // The writer tries for itself, and says what is wrong.
            Err(_) => Ready::No,
        };
        self.changed.notify_all();
    }

    pub(super) fn create(&self, index: Index, filled: u64) -> io::Result<Segment> {
        let name = index.to_string();
        let file = self.disk.create(&name)?;
        // Its name must be there after a crash before a line in it is acknowledged.
        if let Err(error) = fill_new(&*file, filled).and_then(|()| self.disk.sync()) {
            let _ = self.disk.remove(&name);
            return Err(error);
        }
        Ok(Segment::new(index, file, filled, self.segment_bytes))
    }

    fn finish(&self, segment: &Segment, head: JournalHead) {
        // What is behind the last line was never anything; where it cannot be cut off, readers pass over it.
        let _ = segment.file.set_len(segment.end).and_then(|()| segment.file.sync());
        if let Some(told) = &self.on_checkpoint {
            // Foreign code.
            let _ = catch_unwind(AssertUnwindSafe(|| told(head)));
        }
    }

    fn keep_reserve(&self) {
        if self.reserve_bytes == 0 || self.lock().has_reserve {
            return;
        }
        let kept = self.disk.create(RESERVE).and_then(|file| fill_new(&*file, self.reserve_bytes));
        if kept.is_ok() {
            self.lock().has_reserve = true;
        } else {
            let _ = self.disk.remove(RESERVE);
        }
    }

    /// Keeps room on the disk; a disk without any is no reason not to open a journal.
    pub(super) fn keep_room(&self) {
        let _ = self.disk.remove(RESERVE);
        self.keep_reserve();
    }
}
