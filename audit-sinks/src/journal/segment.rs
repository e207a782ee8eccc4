//! The files of a journal: their names, and the one that is written.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{fmt, io};

use super::disk::DiskFile;

/// What a file is filled with ahead of what is written: lines without anything on them, to `less` and to `jq`.
pub(super) const FILL: u8 = b'\n';

/// How much is filled at once.
const CHUNK_BYTES: u64 = 256 << 10;
/// How far ahead a file is filled at least.
pub(super) const MIN_AHEAD: u64 = 1 << 20;
/// How far ahead a file is filled at most.
const MAX_AHEAD: u64 = 32 << 20;

const PREFIX: &str = "audit-";
const SUFFIX: &str = ".jsonl";
/// What follows the name of a file that was compressed.
const COMPRESSED: &str = ".zst";
/// What follows that while it is being compressed.
const UNFINISHED: &str = ".next";
const DIGITS: usize = 10;

/// The number of a file, from 1; its name sorts by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Index(pub(super) u64);

impl Index {
    pub(super) const FIRST: Self = Self(1);

    pub(super) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The index of a file, by its plain name or by its compressed one.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let plain = name.strip_suffix(COMPRESSED).unwrap_or(name);
        let digits = plain.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        let ours = digits.len() >= DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|index| ours && Self(*index).to_string() == plain).map(Self)
    }

    /// The indexes among names, in their order, each once.
    pub(super) fn all<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let mut all: Vec<_> = names.into_iter().filter_map(Self::parse).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The name that a file of a plain name has once it is compressed.
pub(super) fn compressed(plain: &str) -> String {
    format!("{plain}{COMPRESSED}")
}

/// The name of a file that is being compressed.
#[cfg(feature = "zstd")]
pub(super) fn unfinished(index: Index) -> String {
    format!("{index}{COMPRESSED}{UNFINISHED}")
}

/// Whether a process has left it while it compressed a file.
pub(super) fn is_unfinished(name: &str) -> bool {
    let packed = name.strip_suffix(UNFINISHED).filter(|packed| packed.ends_with(COMPRESSED));
    packed.and_then(Index::parse).is_some()
}

/// The plain name of the file.
impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{:0DIGITS$}{SUFFIX}", self.0)
    }
}

/// A file that is written from its beginning on, and filled ahead of that.
///
/// Writing where the file has bytes already changes no length and no extents, which makes a sync about half as dear.
pub(super) struct Segment {
    pub(super) index: Index,
    pub(super) file: Arc<dyn DiskFile>,
    fill: Arc<Fill>,
    /// How much is written.
    pub(super) end: u64,
}

impl Segment {
    pub(super) fn new(index: Index, file: Box<dyn DiskFile>, filled: u64, most: u64) -> Self {
        let file: Arc<dyn DiskFile> = Arc::from(file);
        Self { index, file, fill: Arc::new(Fill::new(filled, most)), end: 0 }
    }

    /// One in which something is written already.
    pub(super) fn written(index: Index, file: Box<dyn DiskFile>, end: u64, most: u64) -> Self {
        let segment = Self::new(index, file, end, most);
        segment.fill.reserve(end);
        Self { end, ..segment }
    }

    /// Writes behind what is written; says whether more should be filled.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let end = self.end + bytes.len() as u64;
        let wants_more = self.fill.reserve(end);
        self.file.write_at(bytes, self.end)?;
        self.end = end;
        Ok(wants_more)
    }

    /// Has nothing filled any more.
    pub(super) fn stop_filling(&self) {
        self.fill.end();
    }

    pub(super) fn filler(&self) -> Filler {
        Filler { index: self.index, fill: self.fill.clone() }
    }
}

/// Fills a segment ahead of its writer, through a file of its own: an error of its syncs is none of the writer's, and
/// the other way round none of the writer's is taken from it.
pub(super) struct Filler {
    pub(super) index: Index,
    fill: Arc<Fill>,
}

impl Filler {
    /// Fills as far ahead as it should be, or until the disk will not.
    pub(super) fn run(&self, file: &dyn DiskFile, stop: impl Fn() -> bool) {
        let chunk = vec![FILL; usize::try_from(CHUNK_BYTES).unwrap_or_default()];
        while !stop()
            && let Some((start, end)) = self.fill.claim()
        {
            let bytes = &chunk[..usize::try_from(end - start).unwrap_or_default()];
            let written = file.write_at(bytes, start);
            self.fill.claimed(written.is_ok());
            if file.sync().is_err() {
                self.fill.end();
            }
        }
    }
}

/// Which part of a file is whose. What is reserved is the writer's alone: the filler claims only what lies behind it.
struct Fill {
    most: u64,
    state: Mutex<FillState>,
    changed: Condvar,
}

struct FillState {
    /// The end of what the writer has reserved.
    reserved: u64,
    /// The end of what is filled, or written.
    filled: u64,
    /// The end of what the filler is writing just now.
    claimed: u64,
    /// Set when the filler failed: it is not asked again.
    ended: bool,
}

impl Fill {
    fn new(filled: u64, most: u64) -> Self {
        let state = FillState { reserved: 0, filled, claimed: filled, ended: false };
        Self { most, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, FillState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes everything up to `end` the writer's, and waits for the filler to be out of it.
    fn reserve(&self, end: u64) -> bool {
        let mut state = self.lock();
        while end > state.filled && state.claimed > state.filled {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.reserved = end;
        state.filled = state.filled.max(end);
        state.claimed = state.claimed.max(end);
        !state.ended && state.claimed < state.target(self.most) && state.filled - end < state.ahead() / 2
    }

    fn claim(&self) -> Option<(u64, u64)> {
        let mut state = self.lock();
        let end = state.target(self.most).min(state.filled + CHUNK_BYTES);
        if state.ended || end <= state.filled {
            return None;
        }
        state.claimed = end;
        Some((state.filled, end))
    }

    fn claimed(&self, written: bool) {
        let mut state = self.lock();
        if written {
            state.filled = state.claimed;
        } else {
            state.ended = true;
            state.claimed = state.filled;
        }
        self.changed.notify_all();
    }

    fn end(&self) {
        self.lock().ended = true;
    }
}

impl FillState {
    /// As much again as is written: a journal that is little used takes little room.
    fn ahead(&self) -> u64 {
        self.reserved.clamp(MIN_AHEAD, MAX_AHEAD)
    }

    fn target(&self, most: u64) -> u64 {
        (self.reserved + self.ahead()).min(most)
    }
}

/// Fills a new file, and syncs it.
pub(super) fn fill_new(file: &dyn DiskFile, bytes: u64) -> io::Result<()> {
    let chunk = vec![FILL; usize::try_from(CHUNK_BYTES.min(bytes)).unwrap_or_default()];
    let mut at = 0;
    while at < bytes {
        let take = (bytes - at).min(CHUNK_BYTES);
        file.write_at(&chunk[..usize::try_from(take).unwrap_or_default()], at)?;
        at += take;
    }
    file.sync()
}
