//! The journals of processes that died before everything in them was delivered.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use audit_core::__private::{Guarded, block_on};
use audit_core::Timestamp;

use super::carried::Carried;
use super::cursor::{CursorFile, ForwarderCursor};
use super::error::ForwarderError;
use super::options::Settings;
use super::{Running, alarm};
use crate::journal::{JournalError, JournalOptions, last_begun};
use crate::shown::Shown;

/// How often a journal that is being delivered is asked whether it is at its end.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// What is opened is not written any more, but for the lines that say so.
const SEGMENT_BYTES: u64 = 1 << 20;

/// The thread that looks for orphans; it ends when this is dropped.
pub(super) struct Adopter(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    adopted: u64,
    stopping: bool,
    ended: bool,
}

impl Adopter {
    pub(super) fn start(sink: Guarded, settings: Settings) -> Result<Self, ForwarderError> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let theirs = shared.clone();
        let run = move || {
            Search { shared: &theirs, sink, settings, refused: BTreeSet::new() }.run();
            theirs.lock().ended = true;
            theirs.changed.notify_all();
        };
        let started = thread::Builder::new().name("audited-adopt".into()).spawn(run);
        started.map_err(ForwarderError::Thread)?;
        Ok(Self(shared))
    }

    pub(super) fn adopted(&self) -> u64 {
        self.0.lock().adopted
    }

    pub(super) fn stop(&self) {
        self.0.lock().stopping = true;
        self.0.changed.notify_all();
    }

    pub(super) fn wait_until_ended(&self, within: Duration) {
        let waits = |state: &mut State| !state.ended;
        drop(self.0.changed.wait_timeout_while(self.0.lock(), within, waits).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Adopter {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    fn rest(&self, within: Duration) {
        let waits = |state: &mut State| !state.stopping;
        drop(self.changed.wait_timeout_while(self.lock(), within, waits).unwrap_or_else(PoisonError::into_inner));
    }
}

struct Search<'a> {
    shared: &'a Shared,
    sink: Guarded,
    settings: Settings,
    /// Those that cannot be delivered. Each attempt writes to them, so that there is one.
    refused: BTreeSet<PathBuf>,
}

impl Search<'_> {
    fn run(&mut self) {
        while !self.shared.is_stopping() {
            for orphan in self.settings.orphans.iter().flat_map(|parent| candidates(parent)).collect::<Vec<_>>() {
                if self.shared.is_stopping() {
                    return;
                }
                match self.adopt(&orphan) {
                    Ok(true) => self.shared.lock().adopted += 1,
                    Ok(false) | Err(ForwarderError::Journal(JournalError::Locked { .. })) => {}
                    Err(error) => {
                        let journal = Shown(&orphan);
                        alarm(|| {
                            tracing::error!(target: "audited::forward", %journal, %error, "the journal of a dead process is not delivered");
                        });
                        self.refused.insert(orphan);
                    }
                }
            }
            self.shared.rest(self.settings.adopt_after);
        }
    }

    /// Delivers a journal to its end, where it is an orphan; says whether it did.
    fn adopt(&self, path: &Path) -> Result<bool, ForwarderError> {
        if self.refused.contains(path) || !self.is_orphan(path)? {
            return Ok(false);
        }
        // Its lock is what keeps a second adopter away.
        let journal = JournalOptions::new().segment_bytes(SEGMENT_BYTES).preallocate(0).reserve_bytes(0).open(path)?;
        // The last line is written now, and not when it is closed: it is to be delivered, too.
        let ended = block_on(journal.rotate(), self.settings.deadline);
        ended.map_err(|error| ForwarderError::Io { path: path.to_owned(), source: std::io::Error::other(error) })?;
        let running = Running::start(&Carried::Ours(journal.clone()), self.sink.share(), self.settings.clone(), false)?;
        let is_over = || self.shared.is_stopping() || running.shared.wait_until_ended(Duration::ZERO);
        let delivered = loop {
            match running.shared.wait_until_delivered(LOOK_AGAIN) {
                Ok(()) => break true,
                Err(_) if is_over() => break false,
                Err(_) => {}
            }
        };
        running.shared.stop();
        if !running.shared.wait_until_ended(self.settings.deadline) || !delivered {
            return Ok(false);
        }
        mark(path, &self.settings.name)?;
        Ok(true)
    }

    fn is_orphan(&self, path: &Path) -> Result<bool, ForwarderError> {
        let Some(last) = last_begun(path)? else { return Ok(false) };
        let written = std::fs::metadata(path.join(last)).and_then(|metadata| metadata.modified());
        let written = written.map_err(|source| ForwarderError::Io { path: path.to_owned(), source })?;
        // A clock that was set back makes no orphan.
        let idle = SystemTime::now().duration_since(written).unwrap_or_default();
        if idle < self.settings.adopt_after {
            return Ok(false);
        }
        let cursors = ForwarderCursor::all(path)?;
        let ours = cursors.iter().find(|cursor| cursor.name == self.settings.name);
        Ok(!ours.map_or(Ok(false), |cursor| cursor.is_complete(path))?)
    }
}

/// Notes that everything in it is delivered. Whoever writes to it again begins another file, and the mark is none.
fn mark(path: &Path, name: &str) -> Result<(), ForwarderError> {
    let file = CursorFile::open(path, name)?;
    let Some(cursor) = file.read()? else { return Ok(()) };
    let cursor = ForwarderCursor { end: last_begun(path)?, updated_at: Timestamp::now(), ..cursor };
    file.write(&cursor).map_err(|source| ForwarderError::Io { path: file.path(), source })
}

/// The directory itself where it is a journal, and those below it that are.
fn candidates(parent: &Path) -> Vec<PathBuf> {
    let below = std::fs::read_dir(parent).into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        entry.file_type().is_ok_and(|kind| kind.is_dir()).then(|| entry.path())
    });
    let is_journal = |path: &PathBuf| last_begun(path).is_ok_and(|last| last.is_some());
    let mut found: Vec<_> = std::iter::once(parent.to_owned()).chain(below).filter(is_journal).collect();
    found.sort_unstable();
    found
}

/// How much of a time is left.
pub(super) fn left(until: Option<Instant>) -> Duration {
    until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()))
}
