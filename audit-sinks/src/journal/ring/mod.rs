//! Records that are acknowledged before they are in a file: they lie in [memory](memory) that outlives the process.
//!
//! A caller puts its record behind the others and is answered at once. The writer carries what is there into the file,
//! in its order ([`ahead`]), and only then is its room given to others. When the process dies the memory stays, and
//! whoever opens the journal next carries over what is in no file yet ([`left`]). A file in the journal's directory says
//! where that is ([`marker`]).
//!
//! Who finds no room goes by the queue, and so does whoever comes after that, until the writer has taken what waits
//! there: the records of one caller stay in their order.

pub(super) mod ahead;
mod directory;
pub(super) mod left;
pub(super) mod marker;
#[cfg_attr(not(all(target_os = "linux", target_pointer_width = "64")), path = "no_memory.rs")]
mod memory;

use std::io;

use self::memory::{Memory, no_memory};
use super::line::Text;
use super::span::Moment;
use crate::group::round::ROUND_BYTES;
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// What stands before each record: how long it is, whether it is known when it happened, and when.
const FRAME: usize = size_of::<u32>() + 1 + size_of::<Moment>();

/// How much is carried at once, and left at once. As lines it is less than a round may have.
const CHUNK_BYTES: usize = ROUND_BYTES / 2;

/// Where callers leave their records.
pub(super) struct Ring {
    memory: Memory,
    state: Mutex<State>,
}

struct State {
    head: u64,
    done: u64,
    /// Whether the writer looks again only when it is called.
    sleeps: bool,
    /// Whether others go by the queue, because somebody had to.
    diverted: bool,
    closed: bool,
}

/// What became of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// They are safe from the death of the process.
    Done,
    /// They are, and the writer is to be called.
    DoneAndCall,
    /// They are not: there is no room for all of them, others go by the queue already, or it is closed.
    No,
}

impl Ring {
    fn new(memory: Memory) -> Self {
        let (head, done) = (memory.head(), memory.done());
        Self { memory, state: Mutex::new(State { head, done, sleeps: false, diverted: false, closed: false }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves records, all of them or none, in a row.
    pub(super) fn put(&self, texts: &[Text]) -> Put {
        let bytes: usize = texts.iter().map(|text| FRAME + text.fields().len()).sum();
        let capacity = self.memory.capacity();
        // What is read at once must be whole.
        if bytes > CHUNK_BYTES || bytes as u64 > capacity / 2 {
            return Put::No;
        }
        let mut state = self.lock();
        let used = state.head - state.done;
        if state.diverted || state.closed || used + bytes as u64 > capacity {
            return Put::No;
        }
        let mut at = state.head;
        for text in texts {
            let (frame, fields) = (frame(text), text.fields());
            let written = self.memory.write(at, &frame).and_then(|()| self.memory.write(at + FRAME as u64, fields));
            if written.is_err() {
                return Put::No;
            }
            at += (FRAME + fields.len()) as u64;
        }
        self.memory.set_head(at);
        state.head = at;
        let fills = used < capacity / 2 && used + bytes as u64 >= capacity / 2;
        let calls = std::mem::take(&mut state.sleeps) || fills;
        if calls { Put::DoneAndCall } else { Put::Done }
    }

    /// Hands over elsewhere what could not be left here, so that nobody who comes later is before it.
    pub(super) fn divert<T>(&self, push: impl FnOnce() -> T) -> T {
        let mut state = self.lock();
        state.diverted = true;
        push()
    }

    /// Where what was left before that ends, of which the writer has just taken something elsewhere; lets others come here
    /// again unless somebody waits there.
    fn head_beside(&self, somebody_waits: impl FnOnce() -> bool) -> u64 {
        let mut state = self.lock();
        state.diverted &= somebody_waits();
        state.head
    }

    /// Takes nothing any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    /// How many bytes are in no file yet.
    pub(super) fn used(&self) -> u64 {
        // A child of `fork` may ask, whose lock is nobody's.
        let done = self.memory.done();
        self.memory.head().saturating_sub(done)
    }

    /// As if the process had died.
    #[cfg(all(test, not(loom)))]
    pub(super) fn unlock(&self) {
        self.memory.unlock();
    }

    /// Reads what is in no file yet, as much as is carried at once and not beyond `until`; gives where that ends.
    fn read(&self, chunk: &mut Vec<u8>, until: u64) -> io::Result<u64> {
        let done = self.lock().done;
        let left = usize::try_from(until.saturating_sub(done)).unwrap_or(usize::MAX);
        chunk.resize(left.min(CHUNK_BYTES), 0);
        self.memory.read(done, chunk)?;
        let whole: usize = Frames(chunk).map(|(_, fields)| FRAME + fields.len()).sum();
        if whole == 0 && left > 0 {
            return Err(no_memory());
        }
        chunk.truncate(whole);
        Ok(done + whole as u64)
    }

    /// Notes that everything up to there is in lines of the file, and that what is not comes in no line before
    /// `next_seq`.
    fn advance(&self, done: u64, next_seq: u64) {
        self.memory.set_done(done, next_seq);
        self.lock().done = done;
    }

    /// Has the next one who leaves something call the writer, unless there is something already.
    fn sleep(&self) -> bool {
        let mut state = self.lock();
        state.sleeps = state.head == state.done;
        state.sleeps
    }
}

fn frame(text: &Text) -> [u8; FRAME] {
    let mut frame = [0; FRAME];
    let (length, moment) = frame.split_at_mut(size_of::<u32>());
    // What is left at once is much less than that.
    length.copy_from_slice(&u32::try_from(text.fields().len()).unwrap_or(u32::MAX).to_le_bytes());
    if let Some(known) = text.moment {
        moment[0] = 1;
        moment[1..].copy_from_slice(&known);
    }
    frame
}

/// The whole records at the beginning of some bytes: when each happened, and its fields.
struct Frames<'a>(&'a [u8]);

impl<'a> Iterator for Frames<'a> {
    type Item = (Option<Moment>, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk()?;
        let ([known], rest) = rest.split_first_chunk()?;
        let (moment, rest) = rest.split_first_chunk()?;
        let (fields, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        self.0 = rest;
        Some(((*known == 1).then_some(*moment), fields))
    }
}
