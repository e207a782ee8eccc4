//! The writer's side of a ring: what it looks for there, and when.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::disk::Disk;
use super::super::span::Moment;
use super::marker::forget;
use super::{CHUNK_BYTES, Frames, Ring};

/// How long records lie there before they are carried into a file, while some come now and then: nobody waits for that
/// but readers, and the more there are the less each costs.
const LOOK: Duration = Duration::from_millis(2);
/// How long the writer goes on looking where none come, before it has to be called: to call it costs a caller more than
/// its record does.
const LINGER: Duration = if cfg!(loom) { Duration::ZERO } else { Duration::from_millis(100) };
/// How long after it could not write it tries again, at first and at most. Nothing is lost meanwhile.
const RETRY: Duration = Duration::from_millis(100);
const MAX_RETRY: Duration = Duration::from_secs(3);

/// What lies ahead of the files.
pub(in super::super) struct Ahead {
    ring: Arc<Ring>,
    path: PathBuf,
    /// What was read of it and is in no file yet, and where that ends.
    chunk: Vec<u8>,
    end: u64,
    /// When something was there last.
    found: Instant,
    /// When to try again what could not be written, and how long was waited for that.
    again: Option<(Instant, Duration)>,
}

impl Ahead {
    pub(in super::super) fn new(ring: Arc<Ring>, path: PathBuf) -> Self {
        let end = ring.memory.done();
        Self { ring, path, chunk: Vec::new(), end, found: Instant::now(), again: None }
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.ring.used() == 0
    }

    /// Where what is there ends now.
    pub(in super::super) fn head(&self) -> u64 {
        self.ring.memory.head()
    }

    /// As [`Ring::head_beside`].
    pub(in super::super) fn head_beside(&self, somebody_waits: impl FnOnce() -> bool) -> u64 {
        self.ring.head_beside(somebody_waits)
    }

    /// Whether everything before it is in a file.
    pub(in super::super) fn is_done(&self, head: u64) -> bool {
        self.ring.memory.done() >= head
    }

    /// Reads what is to be written next, of what is before a position.
    pub(in super::super) fn read(&mut self, until: u64) -> io::Result<()> {
        self.end = self.ring.read(&mut self.chunk, until)?;
        self.found = Instant::now();
        Ok(())
    }

    /// What was read: when each record happened, and its fields.
    pub(in super::super) fn records(&self) -> impl Iterator<Item = (Option<Moment>, &[u8])> {
        Frames(&self.chunk)
    }

    /// Notes that what was read, and not more, is in lines before a position.
    pub(in super::super) fn written(&mut self, next_seq: u64) {
        self.again = None;
        self.chunk.clear();
        self.ring.advance(self.end, next_seq);
    }

    /// Notes that it is in no file, and stays where it is.
    pub(in super::super) fn not_written(&mut self) {
        self.chunk.clear();
        self.end = self.ring.memory.done();
        let last = self.again.map(|(_, pause)| pause);
        let pause = last.map_or(RETRY, |pause| (pause * 2).min(MAX_RETRY));
        self.again = Some((Instant::now() + pause, pause));
    }

    /// Whether it could not be written when that was tried last.
    pub(in super::super) fn has_failed(&self) -> bool {
        self.again.is_some()
    }

    /// Whether something is to be written, and it is not too early to try that again.
    pub(in super::super) fn is_due(&self) -> bool {
        !self.is_empty() && self.again.is_none_or(|(again, _)| again <= Instant::now())
    }

    /// When to look again; nothing says that whoever leaves a record calls.
    pub(in super::super) fn next_look(&self) -> Option<Instant> {
        if let Some((again, _)) = self.again.filter(|_| !self.is_empty()) {
            return Some(again);
        }
        if self.ring.used() >= CHUNK_BYTES as u64 {
            return Some(Instant::now());
        }
        if self.found.elapsed() < LINGER {
            return Some(Instant::now() + LOOK);
        }
        (!self.ring.sleep()).then(Instant::now)
    }

    /// Sees to it that nothing more is left where nobody would find it; says whether that is so and news.
    pub(in super::super) fn closes_if_lost(&self) -> bool {
        let is_lost = !self.ring.memory.has_a_name();
        is_lost && !std::mem::replace(&mut self.ring.lock().closed, true)
    }

    pub(in super::super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, where nothing is left in it.
    pub(in super::super) fn end(self, disk: &dyn Disk) {
        self.ring.close();
        if self.is_empty() {
            forget(disk, &self.path);
        }
    }
}
