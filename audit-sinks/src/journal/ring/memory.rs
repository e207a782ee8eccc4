//! Memory that outlives the process: a file in a file system that lies in memory, mapped.
//!
//! No disk has a part in it: its pages are there from the beginning, and writing to them waits for nothing, unless the
//! system has swapped them out.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;
use vm_memory::{FileOffset, MmapRegion, VolatileMemory as _};

use super::super::position::Position;

/// What such a file begins with; another format has another.
const MAGIC: [u8; 8] = *b"audited1";
const STREAM_AT: usize = MAGIC.len();
/// What is written often lies where nothing else does.
const HEAD_AT: usize = 64;
const DONE_AT: usize = 128;
const NEXT_SEQ_AT: usize = 136;
/// Where the records begin.
const RECORDS_AT: usize = 4096;

/// Bytes in a ring. Positions count all bytes that were ever put into it.
pub(super) struct Memory {
    region: MmapRegion,
    /// How many bytes there are besides the first page.
    capacity: u64,
    /// Locked as long as it is used.
    file: Arc<File>,
}

impl Memory {
    /// Makes a new and empty file such memory. All of it is there when this returns, or else nothing is.
    pub(super) fn create(file: File, position: Position, capacity: u64) -> io::Result<Self> {
        file.try_lock()?;
        let bytes = RECORDS_AT as u64 + capacity;
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes)?;
        let memory = Self::map(file, bytes)?;
        // Each page is mapped now, and not when a caller comes to it.
        for page in (0..bytes).step_by(RECORDS_AT) {
            memory.write_at(usize::try_from(page).map_err(io::Error::other)?, &[0])?;
        }
        memory.set_done(0, position.next_seq);
        memory.write_at(STREAM_AT, position.stream.as_bytes())?;
        memory.write_at(0, &MAGIC)?;
        Ok(memory)
    }

    /// What a journal of that stream has made, nothing else, and only where no process uses it. Nothing at all where the
    /// process died before it had made it.
    pub(super) fn open(file: File, stream: Uuid) -> io::Result<Option<Self>> {
        file.try_lock()?;
        let bytes = file.metadata()?.len();
        if bytes == 0 {
            return Ok(None);
        }
        if bytes <= RECORDS_AT as u64 {
            return Err(no_memory());
        }
        let memory = Self::map(file, bytes)?;
        let (mut magic, mut theirs) = (MAGIC, [0; 16]);
        memory.read_at(0, &mut magic)?;
        memory.read_at(STREAM_AT, &mut theirs)?;
        if magic == [0; MAGIC.len()] && memory.head() == 0 {
            return Ok(None);
        }
        let is_possible = memory.head().checked_sub(memory.done()).is_some_and(|used| used <= memory.capacity);
        if magic != MAGIC || !is_possible {
            return Err(no_memory());
        }
        if theirs != *stream.as_bytes() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it belongs to another journal"));
        }
        Ok(Some(memory))
    }

    fn map(file: File, bytes: u64) -> io::Result<Self> {
        let (size, file) = (usize::try_from(bytes).map_err(io::Error::other)?, Arc::new(file));
        let whole = FileOffset::from_arc(file.clone(), 0);
        let region = MmapRegion::from_file(whole, size).map_err(io::Error::other)?;
        Ok(Self { region, capacity: bytes - RECORDS_AT as u64, file })
    }

    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Whether whoever comes next can still find it.
    pub(super) fn has_a_name(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }

    /// As if the process had died.
    #[cfg(all(test, not(loom)))]
    pub(super) fn unlock(&self) {
        self.file.unlock().unwrap();
    }

    /// Where the next record begins.
    pub(super) fn head(&self) -> u64 {
        self.load(HEAD_AT)
    }

    /// What is before it counts from now on, whatever becomes of the process.
    pub(super) fn set_head(&self, head: u64) {
        self.store(HEAD_AT, head);
    }

    /// Up to where the records are in a file.
    pub(super) fn done(&self) -> u64 {
        self.load(DONE_AT)
    }

    /// A position of the stream: what is not done is in no line before it.
    pub(super) fn next_seq(&self) -> u64 {
        self.load(NEXT_SEQ_AT)
    }

    pub(super) fn set_done(&self, done: u64, next_seq: u64) {
        // Should the process die in between, lines are looked at in vain, and none is missed.
        self.store(DONE_AT, done);
        self.store(NEXT_SEQ_AT, next_seq);
    }

    /// Writes behind a position.
    pub(super) fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let (at, first) = self.split(at, bytes.len());
        self.write_at(at, &bytes[..first])?;
        self.write_at(RECORDS_AT, &bytes[first..])
    }

    /// Reads what is behind a position.
    pub(super) fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let (at, first) = self.split(at, bytes.len());
        let (before, behind) = bytes.split_at_mut(first);
        self.read_at(at, before)?;
        self.read_at(RECORDS_AT, behind)
    }

    /// Where a position lies, and how many of so many bytes there is room for before the end.
    fn split(&self, at: u64, bytes: usize) -> (usize, usize) {
        let at = at % self.capacity;
        let room = usize::try_from(self.capacity - at).unwrap_or(usize::MAX);
        (RECORDS_AT + usize::try_from(at).unwrap_or(usize::MAX), bytes.min(room))
    }

    fn write_at(&self, at: usize, bytes: &[u8]) -> io::Result<()> {
        let place = self.region.get_slice(at, bytes.len()).map_err(io::Error::other)?;
        place.copy_from(bytes);
        Ok(())
    }

    fn read_at(&self, at: usize, bytes: &mut [u8]) -> io::Result<()> {
        let place = self.region.get_slice(at, bytes.len()).map_err(io::Error::other)?;
        place.copy_to(bytes);
        Ok(())
    }

    /// A number of the first page, which is always there.
    fn load(&self, at: usize) -> u64 {
        self.region.get_atomic_ref::<AtomicU64>(at).map_or(0, |number| number.load(Ordering::Acquire))
    }

    fn store(&self, at: usize, to: u64) {
        if let Ok(number) = self.region.get_atomic_ref::<AtomicU64>(at) {
            number.store(to, Ordering::Release);
        }
    }
}

/// What is there, or something of it, was not written by a journal.
pub(super) fn no_memory() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not what a journal leaves in memory")
}
