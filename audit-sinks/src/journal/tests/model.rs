//! A disk in memory: it counts what is asked of it, fails, blocks or panics where it is told to, and can lose its
//! power at any operation.
//!
//! It is as unkind as Linux is. What is written is on the disk only once it is synced; until then each sector may be
//! there or not. A sync that fails marks what it did not write as clean, so that the next one succeeds without it; and
//! each handle is told of a failure once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::journal::disk::{Disk, DiskFile};

/// What a disk writes as a whole or not at all.
pub(super) const SECTOR: usize = 512;

pub(super) const EIO: i32 = 5;
pub(super) const EMFILE: i32 = 24;
pub(super) const EFBIG: i32 = 27;
pub(super) const ENOSPC: i32 = 28;
pub(super) const EROFS: i32 = 30;

#[derive(Clone, Default)]
pub(super) struct ModelDisk(Arc<(Mutex<State>, Condvar)>);

#[derive(Clone, Default)]
pub(super) struct State {
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// What was created and removed since the directory was synced.
    changes: Vec<Change>,
    files: Vec<File>,
    pub(super) log: Vec<Operation>,
    fault: Option<Fault>,
    panic_at: Option<usize>,
    cut_at: Option<usize>,
    at_the_cut: Option<Box<State>>,
    blocked: bool,
    in_sync: bool,
    /// How many bytes all files may have together.
    capacity: Option<usize>,
    spoils: Option<Spoils>,
    /// What must not be done to a file whose sync failed, and was.
    pub(super) violations: Vec<String>,
}

#[derive(Clone)]
enum Change {
    Create(String, usize),
    Remove(String),
    Rename(String, String, usize),
}

#[derive(Clone, Default)]
struct File {
    name: String,
    live: Vec<u8>,
    durable: Vec<u8>,
    /// The sectors that were written and not synced.
    dirty: BTreeSet<usize>,
    /// How many syncs have failed.
    failures: u64,
    /// Whether the handle that created it was told that a sync failed.
    poisoned: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Names,
    Create(String),
    Open(String),
    Remove(String),
    Rename(String, String),
    SyncDirectory,
    Read(String),
    Write(String, u64, usize),
    SetLen(String),
    Sync(String),
}

/// Which operations fail, and how.
#[derive(Clone, Copy)]
struct Fault {
    from: usize,
    to: usize,
    errno: i32,
}

/// What comes out other than it went in, and how often.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "zstd"), allow(dead_code, reason = "only what was compressed is read back"))]
struct Spoils {
    what: Spoiled,
    end: &'static str,
    times: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoiled {
    Reads,
    Writes,
}

impl ModelDisk {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails one operation.
    pub(super) fn fail_at(&self, operation: usize, errno: i32) {
        self.lock().fault = Some(Fault { from: operation, to: operation + 1, errno });
    }

    /// Fails all operations from one on.
    pub(super) fn fail_from(&self, operation: usize, errno: i32) {
        self.lock().fault = Some(Fault { from: operation, to: usize::MAX, errno });
    }

    /// Fails whatever comes, until it is healed.
    pub(super) fn fail_now(&self, errno: i32) {
        self.lock().fault = Some(Fault { from: 0, to: usize::MAX, errno });
    }

    pub(super) fn heal(&self) {
        self.lock().fault = None;
    }

    pub(super) fn panic_at(&self, operation: usize) {
        self.lock().panic_at = Some(operation);
    }

    /// Loses power during an operation: see [`Self::after_the_cut`].
    pub(super) fn cut_at(&self, operation: usize) {
        self.lock().cut_at = Some(operation);
    }

    /// Lets files have so many bytes together.
    pub(super) fn limit(&self, bytes: Option<usize>) {
        self.lock().capacity = bytes;
    }

    /// Flips a bit in what is next read from files whose names end so, or written to them.
    #[cfg_attr(not(feature = "zstd"), allow(dead_code, reason = "only what was compressed is read back"))]
    pub(super) fn spoil(&self, what: Spoiled, end: &'static str, times: usize) {
        self.lock().spoils = Some(Spoils { what, end, times });
    }

    /// Has syncs wait, or no longer.
    pub(super) fn block(&self, blocked: bool) {
        self.lock().blocked = blocked;
        self.0.1.notify_all();
    }

    pub(super) fn is_in_sync(&self) -> bool {
        self.lock().in_sync
    }

    pub(super) fn operations(&self) -> usize {
        self.lock().log.len()
    }

    /// The disk as it is once the power is back; `None` where it was never lost.
    pub(super) fn after_the_cut(&self, seed: u64) -> Option<Self> {
        let state = self.lock().at_the_cut.as_ref().map(|state| state.without_power(seed))?;
        Some(Self(Arc::new((Mutex::new(state), Condvar::new()))))
    }

    /// The disk as another process finds it, when this one is gone.
    pub(super) fn after_the_process(&self) -> Self {
        let state = self.lock();
        let State { names, durable_names, changes, files, .. } = state.clone();
        let state = State { names, durable_names, changes, files, ..State::default() };
        Self(Arc::new((Mutex::new(state), Condvar::new())))
    }

    /// Writes all files into a directory.
    pub(super) fn write_out(&self, directory: &Path) {
        let state = self.lock();
        for (name, id) in &state.names {
            let path = directory.join(name);
            fs::write(&path, &state.files[*id].live).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// The names and what is in them.
    pub(super) fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let state = self.lock();
        state.names.iter().map(|(name, id)| (name.clone(), state.files[*id].live.clone())).collect()
    }

    /// Counts an operation; an error where it must fail.
    fn begin(&self, operation: Operation) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        let number = state.log.len();
        state.log.push(operation);
        let panics = state.panic_at == Some(number);
        if state.fault.is_some_and(|fault| (fault.from..fault.to).contains(&number)) || panics {
            let errno = state.fault.map_or(EIO, |fault| fault.errno);
            state.panic_at = None;
            drop(state);
            assert!(!panics, "as the test wants");
            return Err(io::Error::from_raw_os_error(errno));
        }
        Ok(state)
    }
}

impl State {
    /// Whether bytes of this file are spoiled now.
    fn spoils(&mut self, id: usize, what: Spoiled) -> bool {
        let Some(Spoils { what: kind, end, times }) = &mut self.spoils else { return false };
        let is_hit = *times > 0 && *kind == what && self.files[id].name.ends_with(*end);
        *times -= usize::from(is_hit);
        is_hit
    }

    /// Takes the state at the cut, where this operation is that one; nothing succeeds any more then.
    fn is_cut(&mut self) -> io::Result<()> {
        let Some(at) = self.cut_at.filter(|at| self.log.len() > *at) else { return Ok(()) };
        if self.at_the_cut.is_none() {
            self.at_the_cut = Some(Box::new(self.clone()));
            self.fault = Some(Fault { from: at, to: usize::MAX, errno: EIO });
        }
        Err(io::Error::from_raw_os_error(EIO))
    }

    /// What is there after the power was lost: nothing of what was not synced, all of it, or some sectors.
    fn without_power(&self, seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut keeps = |what: u64| match seed % 4 {
            0 => false,
            1 => true,
            _ => random.next().is_multiple_of(what),
        };
        let mut names = self.durable_names.clone();
        // A file system that keeps a journal loses the latest changes, and none before one that it has.
        let kept = self.changes.iter().take_while(|_| seed % 4 == 1 || !keeps(3)).count();
        for change in self.changes.iter().take(if seed.is_multiple_of(4) { 0 } else { kept }) {
            change.apply(&mut names);
        }
        let mut files = Vec::new();
        for file in &self.files {
            let len = if keeps(2) { file.live.len() } else { file.durable.len() };
            let mut bytes = file.durable.clone();
            bytes.resize(len, 0);
            for sector in &file.dirty {
                let range = sector * SECTOR..((sector + 1) * SECTOR).min(file.live.len()).min(len);
                if !range.is_empty() && keeps(2) {
                    bytes[range.clone()].copy_from_slice(&file.live[range]);
                }
            }
            files.push(File { name: file.name.clone(), live: bytes.clone(), durable: bytes, ..File::default() });
        }
        Self { durable_names: names.clone(), names, files, ..Self::default() }
    }

    fn used(&self) -> usize {
        self.names.values().map(|id| self.files[*id].live.len()).sum()
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Create(name, id) => drop(names.insert(name.clone(), *id)),
            Self::Remove(name) => drop(names.remove(name)),
            Self::Rename(from, to, id) => {
                names.remove(from);
                names.insert(to.clone(), *id);
            }
        }
    }
}

impl Disk for ModelDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.begin(Operation::Names)?.names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.begin(Operation::Create(name.to_owned()))?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = state.files.len();
        state.files.push(File { name: name.to_owned(), ..File::default() });
        state.names.insert(name.to_owned(), id);
        state.changes.push(Change::Create(name.to_owned(), id));
        state.is_cut()?;
        Ok(Box::new(ModelFile { disk: self.clone(), id, told: AtomicU64::new(0), is_the_creator: true }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.begin(Operation::Open(name.to_owned()))?;
        state.is_cut()?;
        let id = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        let told = AtomicU64::new(state.files[id].failures);
        Ok(Box::new(ModelFile { disk: self.clone(), id, told, is_the_creator: false }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.begin(Operation::Remove(name.to_owned()))?;
        state.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        state.changes.push(Change::Remove(name.to_owned()));
        state.is_cut()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.begin(Operation::Rename(from.to_owned(), to.to_owned()))?;
        let id = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), id);
        to.clone_into(&mut state.files[id].name);
        state.changes.push(Change::Rename(from.to_owned(), to.to_owned(), id));
        state.is_cut()
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.begin(Operation::SyncDirectory)?;
        state.is_cut()?;
        for change in std::mem::take(&mut state.changes) {
            change.apply(&mut state.durable_names);
        }
        Ok(())
    }
}

struct ModelFile {
    disk: ModelDisk,
    id: usize,
    /// How many failures of syncs this handle knows of.
    told: AtomicU64,
    is_the_creator: bool,
}

impl ModelFile {
    /// Begins an operation that changes the file, or syncs it.
    fn begin(&self, operation: impl FnOnce(String) -> Operation) -> io::Result<MutexGuard<'_, State>> {
        let operation = {
            let mut state = self.disk.lock();
            let operation = operation(state.files[self.id].name.clone());
            if state.files[self.id].poisoned && self.is_the_creator {
                state.violations.push(format!("{operation:?}"));
            }
            operation
        };
        self.disk.begin(operation)
    }

    fn is_told_of_a_failure(&self, state: &mut State) -> io::Error {
        let file = &mut state.files[self.id];
        self.told.store(file.failures, Ordering::Relaxed);
        file.poisoned |= self.is_the_creator;
        io::Error::from_raw_os_error(EIO)
    }
}

impl DiskFile for ModelFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.lock().files[self.id].live.len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.begin(Operation::Read)?;
        let is_spoilt = state.spoils(self.id, Spoiled::Reads);
        let live = &state.files[self.id].live;
        let from = live.len().min(usize::try_from(offset).unwrap());
        let read = bytes.len().min(live.len() - from);
        bytes[..read].copy_from_slice(&live[from..from + read]);
        if is_spoilt && read > 0 {
            bytes[read / 2] ^= 1;
        }
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (mut state, mut bytes, mut error) = match self.begin(|name| Operation::Write(name, offset, bytes.len())) {
            Ok(state) => (state, bytes, None),
            // A part of it is there.
            Err(error) => (self.disk.lock(), &bytes[..bytes.len() / 2], Some(error)),
        };
        let from = usize::try_from(offset).unwrap();
        let more = (from + bytes.len()).saturating_sub(state.files[self.id].live.len());
        if let Some(capacity) = state.capacity
            && state.used() + more > capacity
        {
            let fits = bytes.len().saturating_sub(state.used() + more - capacity);
            bytes = &bytes[..fits];
            error = error.or(Some(io::Error::from_raw_os_error(ENOSPC)));
        }
        let is_spoilt = state.spoils(self.id, Spoiled::Writes);
        let file = &mut state.files[self.id];
        let to = from + bytes.len();
        if file.live.len() < to {
            file.live.resize(to, 0);
        }
        file.live[from..to].copy_from_slice(bytes);
        if is_spoilt && from < to {
            file.live[from.midpoint(to)] ^= 1;
        }
        if from < to {
            file.dirty.extend(from / SECTOR..=(to - 1) / SECTOR);
        }
        state.is_cut()?;
        error.map_or(Ok(()), Err)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.begin(Operation::SetLen)?;
        state.files[self.id].live.resize(usize::try_from(len).unwrap(), 0);
        state.is_cut()
    }

    fn sync(&self) -> io::Result<()> {
        {
            let mut state = self.disk.lock();
            state.in_sync = true;
            while state.blocked {
                state = self.disk.0.1.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.in_sync = false;
        }
        let Ok(mut state) = self.begin(Operation::Sync) else {
            let mut state = self.disk.lock();
            let errno = state.fault.map_or(EIO, |fault| fault.errno);
            let file = &mut state.files[self.id];
            file.dirty.clear();
            file.failures += 1;
            let _ = self.is_told_of_a_failure(&mut state);
            return Err(io::Error::from_raw_os_error(errno));
        };
        state.is_cut()?;
        if state.files[self.id].failures > self.told.load(Ordering::Relaxed) {
            return Err(self.is_told_of_a_failure(&mut state));
        }
        let File { live, durable, dirty, .. } = &mut state.files[self.id];
        durable.resize(live.len(), 0);
        for sector in std::mem::take(dirty) {
            let range = sector * SECTOR..((sector + 1) * SECTOR).min(live.len());
            if !range.is_empty() {
                durable[range.clone()].copy_from_slice(&live[range]);
            }
        }
        Ok(())
    }
}

/// Numbers that a seed decides.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }
}
