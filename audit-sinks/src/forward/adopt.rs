//! The journals of processes that died before everything in them was delivered.

use std::io;
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
use super::refused::Refused;
use super::shared::ForwarderStats;
use super::{Running, alarm};
use crate::journal::{JournalError, JournalOptions, last_begun};
use crate::shown::{Said, Shown};

/// How often a journal that is being delivered is asked whether it is at its end.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How often in a row one may not be readable before it is left for now: the others wait for it.
const READINGS: u64 = 3;
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
    /// Those that could not be delivered.
    refused: Refused,
    stopping: bool,
    ended: bool,
}

/// What became of one.
enum Adoption {
    /// It is delivered to its end.
    Done,
    /// Somebody else has it, or it is no orphan, or the forwarder is to end.
    NotNow,
    /// It cannot be delivered.
    Refused(String),
}

impl Adopter {
    /// Starts it for a forwarder that carries the journal there: that one is never an orphan, whoever writes it.
    pub(super) fn start(sink: Guarded, settings: Settings, own: &Path) -> Result<Self, ForwarderError> {
        let own = own.canonicalize().unwrap_or_else(|_| own.to_owned());
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let theirs = shared.clone();
        let run = move || {
            Search { shared: &theirs, sink, settings, own }.run();
            theirs.lock().ended = true;
            theirs.changed.notify_all();
        };
        let started = thread::Builder::new().name("audited-adopt".into()).spawn(run);
        started.map_err(ForwarderError::Thread)?;
        Ok(Self(shared))
    }

    /// Adds what became of the journals that it found.
    pub(super) fn tell(&self, stats: ForwarderStats) -> ForwarderStats {
        let State { adopted, refused, .. } = &*self.0.lock();
        let adoption_error = refused.error().map(str::to_owned);
        ForwarderStats { adopted: *adopted, not_adopted: refused.count(), adoption_error, ..stats }
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
    /// The journal of the forwarder itself.
    own: PathBuf,
}

impl Search<'_> {
    fn run(&self) {
        while !self.shared.is_stopping() {
            let found = self.candidates();
            self.shared.lock().refused.retain(|path| {
                found.iter().any(|found| found == path) || self.settings.orphans.iter().any(|parent| parent == path)
            });
            for orphan in found {
                if self.shared.is_stopping() {
                    return;
                }
                if !self.rests(&orphan) {
                    let adoption = self.adopt(&orphan);
                    self.note(&orphan, adoption);
                }
            }
            self.shared.rest(self.settings.adopt_after);
        }
    }

    fn rests(&self, path: &Path) -> bool {
        self.shared.lock().refused.rests(path, Instant::now())
    }

    fn note(&self, path: &Path, adoption: Adoption) {
        let mut state = self.shared.lock();
        let error = match adoption {
            Adoption::Refused(error) => error,
            adoption => {
                state.adopted += u64::from(matches!(adoption, Adoption::Done));
                return state.refused.forget(path);
            }
        };
        let is_news = state.refused.note(path, error.clone(), self.settings.adopt_after, Instant::now());
        drop(state);
        if is_news {
            let journal = Shown(path);
            alarm(|| {
                tracing::error!(target: "audited::forward", %journal, error, "the journal of a dead process is not delivered");
            });
        }
    }

    /// The journals in the directories that were named.
    fn candidates(&self) -> Vec<PathBuf> {
        let journals_in = |parent: &PathBuf| match candidates(parent) {
            Ok(mut found) => {
                found.retain(|path| path.canonicalize().map_or(true, |path| path != self.own));
                if !found.contains(parent) {
                    self.shared.lock().refused.forget(parent);
                }
                found
            }
            Err(error) => {
                let error = format!("{} could not be listed: {}", Shown(parent), Said(&error));
                self.note(parent, Adoption::Refused(error));
                Vec::new()
            }
        };
        self.settings.orphans.iter().flat_map(journals_in).collect()
    }

    /// Delivers a journal to its end, where it is an orphan.
    fn adopt(&self, path: &Path) -> Adoption {
        self.try_adopt(path).unwrap_or_else(|error| match error {
            ForwarderError::Journal(JournalError::Locked { .. }) => Adoption::NotNow,
            error => Adoption::Refused(error.to_string()),
        })
    }

    fn try_adopt(&self, path: &Path) -> Result<Adoption, ForwarderError> {
        if !self.is_orphan(path)? {
            return Ok(Adoption::NotNow);
        }
        // Its lock is what keeps a second adopter away.
        let journal = JournalOptions::new().segment_bytes(SEGMENT_BYTES).preallocate(0).reserve_bytes(0).open(path)?;
        // The last line is written now, and not when it is closed: it is to be delivered, too.
        let ended = block_on(journal.rotate(), self.settings.deadline);
        ended.map_err(|error| ForwarderError::Io { path: path.to_owned(), source: io::Error::other(error) })?;
        let running = Running::start(&Carried::Ours(journal.clone()), self.sink.share(), self.settings.clone(), false)?;
        let adoption = self.wait_until_delivered(&running);
        running.shared.stop();
        let has_ended = running.shared.wait_until_ended(self.settings.deadline);
        match adoption {
            Adoption::Done if has_ended => mark(path, &self.settings.name)?,
            Adoption::Done => return Ok(Adoption::NotNow),
            _ => {}
        }
        Ok(adoption)
    }

    fn wait_until_delivered(&self, running: &Running) -> Adoption {
        loop {
            if running.shared.wait_until_delivered(LOOK_AGAIN).is_ok() {
                return Adoption::Done;
            }
            if self.shared.is_stopping() {
                return Adoption::NotNow;
            }
            let stats = running.shared.stats();
            match stats.journal_error {
                Some(error) if stats.read_failures >= READINGS => return Adoption::Refused(error),
                _ if running.shared.wait_until_ended(Duration::ZERO) => {
                    return Adoption::Refused("the thread that delivered it has ended before it was at its end".into());
                }
                _ => {}
            }
        }
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

/// The directory itself where it is a journal, and those below it that are; none where it is not there. What nobody lets
/// us look into is none of ours.
fn candidates(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let listed = match std::fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut found = vec![parent.to_owned()];
    for entry in listed {
        let entry = entry?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    found.retain(|path| match last_begun(path) {
        Ok(last) => last.is_some(),
        Err(JournalError::Io { source, .. }) => {
            !matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound)
        }
        Err(_) => true,
    });
    found.sort_unstable();
    Ok(found)
}

/// How much of a time is left.
pub(super) fn left(until: Option<Instant>) -> Duration {
    until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()))
}
