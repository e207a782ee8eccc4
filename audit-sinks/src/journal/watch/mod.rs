//! A journal that another process writes, followed as far as it is on the disk.

mod look;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use self::look::{Look, Open};
use super::disk::open_for_reading;
use super::error::JournalError;
use super::progress::{JournalHead, Progress};
use super::reader::JournalReader;
use crate::group::thread;

/// A journal that another process writes, or that nobody does, for a [`Forwarder`](crate::Forwarder).
///
/// It takes no lock and writes nothing. What it counts as there are whole lines in their place of the chain that it has
/// synced to the disk itself: it cannot see what the other process has acknowledged. So it may have a record, and a
/// forwarder may deliver it, of which the service was told that it is not acknowledged; after a crash of the machine, too,
/// everything that was delivered is in the journal. Should the service give such a record's position away again, which
/// takes a write or a sync that failed and a disk that takes no other file in time, then that is a
/// [fault](JournalWatch::fault), and whoever delivers it again is told of the conflict.
///
/// Cloning it copies a handle; the thread that looks ends with the last one.
///
/// ```
/// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
/// use audited::{Journal, JournalWatch};
///
/// # let directory = std::env::temp_dir().join(format!("watch-example-{}", std::process::id()));
/// let journal = Journal::open(&directory)?; // in another process
/// # drop(audited::Recorder::builder().sink(journal.clone()).build()?);
/// let watch = JournalWatch::open(&directory)?;
/// assert!(watch.head().seq >= 1);
/// # drop((watch, journal));
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct JournalWatch(Arc<Handle>);

struct Handle {
    path: PathBuf,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    progress: Arc<Progress>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stopping: bool,
    fault: Option<(u64, u64)>,
}

impl JournalWatch {
    /// Begins to watch the journal in a directory.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when it cannot be read, and [`JournalError::Empty`] when there is no line in it yet: which stream
    /// it is will be known with the first.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, JournalError> {
        Self::open_with(directory.as_ref(), Box::new(|path| Ok(Box::new(open_for_reading(path)?))))
    }

    fn open_with(directory: &Path, open: Box<Open>) -> Result<Self, JournalError> {
        let path = directory.to_owned();
        let mut look = Look::open(&path, open)?;
        let (position, index) = look.first()?.ok_or_else(|| JournalError::Empty { path: path.clone() })?;
        let progress = Arc::new(Progress::new(position));
        progress.advance(position, index);
        let shared = Arc::new(Shared { progress, state: Mutex::default(), changed: Condvar::new() });
        let theirs = shared.clone();
        let thread = thread::spawn("audited-watch", move || look.run(&theirs));
        let thread = thread.map_err(|source| JournalError::Thread { path: path.clone(), source })?;
        Ok(Self(Arc::new(Handle { path, shared, thread: Mutex::new(Some(thread)) })))
    }

    /// The last line that is known to be on the disk.
    pub fn head(&self) -> JournalHead {
        self.0.shared.progress.head()
    }

    /// Where its files are, as it was given.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Reads the journal as far as it is known to be on the disk, from its oldest record on.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the directory cannot be read.
    pub fn follow(&self) -> Result<JournalReader, JournalError> {
        JournalReader::open(&self.0.path, Some(self.progress()))
    }

    /// Whether the journal took back what was read of it here: [`JournalError::TakenBack`]. Nothing more is read then. A
    /// forwarder that is started again compares its cursor with what stands there now, and says what differs.
    pub fn fault(&self) -> Option<JournalError> {
        let (first, last) = self.0.shared.lock().fault?;
        Some(JournalError::TakenBack { path: self.0.path.clone(), first, last })
    }

    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.0.shared.progress.clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rests; says whether there is more to do.
    fn rest(&self, within: Duration) -> bool {
        let waits = |state: &mut State| !state.stopping;
        let waited = self.changed.wait_timeout_while(self.lock(), within, waits);
        !waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        thread::join(self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        self.shared.progress.close();
    }
}

impl fmt::Debug for JournalWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalWatch").field("path", &self.0.path).finish_non_exhaustive()
    }
}
