//! Going along the files of a journal that another process writes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Shared;
use crate::journal::Journal;
use crate::journal::disk::DiskFile;
use crate::journal::error::{JournalError, JournalStep};
use crate::journal::position::Position;
use crate::journal::reader::JournalReader;
use crate::journal::segment::Index;
use crate::journal::source::shown;
use crate::shown::Shown;

/// How often the files are looked at for something new.
const POLL: Duration = Duration::from_millis(20);
/// How long a line must have been there. What a write that failed has left gives way to the next file meanwhile.
const SETTLE: Duration = Duration::from_millis(50);
/// How long to pause after the files could not be read.
const RETRY: Duration = Duration::from_secs(1);
/// How many lines are read at most before what was read is told.
const MOST_UNTOLD: usize = 4096;

/// Opens a file that is to be synced.
pub(super) type Open = dyn Fn(&Path) -> Result<Box<dyn DiskFile>, JournalError> + Send;

/// Goes along the files.
pub(super) struct Look {
    directory: PathBuf,
    reader: JournalReader,
    /// The last line in its place, and the file that it stands in.
    found: Option<(Position, Index)>,
    /// Opened before a line of it counts: it is told of every sync of the file that fails from then on.
    file: Option<(Index, Box<dyn DiskFile>)>,
    open: Box<Open>,
    /// The file of which a sync has failed. A second one would succeed without what the first has lost: what it holds
    /// counts once the journal goes on behind it in another file.
    poisoned: Option<Index>,
    /// The last position that was told.
    told: u64,
    /// Whether what was read last was damage.
    doubt: bool,
    /// Whether a line that was not told stands there no longer.
    gave_way: bool,
    failing: bool,
}

/// What was told stands there no longer.
struct TookBack(u64);

impl Look {
    pub(super) fn open(directory: &Path, open: Box<Open>) -> Result<Self, JournalError> {
        let reader = Journal::read(directory)?.at_last_file()?;
        Ok(Self {
            directory: directory.to_owned(),
            reader,
            found: None,
            file: None,
            open,
            poisoned: None,
            told: 0,
            doubt: false,
            gave_way: false,
            failing: false,
        })
    }

    /// Reads all that is there; gives the last line and the file that it stands in, once that is on the disk.
    pub(super) fn first(&mut self) -> Result<Option<(Position, Index)>, JournalError> {
        self.read(usize::MAX)?;
        self.sync()?;
        self.told = self.found.map_or(0, |(position, _)| position.next_seq - 1);
        Ok(self.found)
    }

    /// Looks until nobody watches any more, or the journal has taken something back.
    pub(super) fn run(mut self, shared: &Shared) {
        while shared.rest(POLL) {
            match self.turn(shared) {
                Ok(None) => self.failing = false,
                Ok(Some(TookBack(first))) => {
                    let last = self.told;
                    tracing::error!(
                        target: "audited::journal",
                        path = %Shown(&self.directory),
                        first,
                        last,
                        "the journal took back records that were read; nothing more is read"
                    );
                    shared.lock().fault = Some((first, last));
                    return shared.progress.close();
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        tracing::error!(target: "audited::journal", %error, "the journal of another process cannot be read");
                    }
                    if !shared.rest(RETRY) {
                        return;
                    }
                }
            }
        }
    }

    fn turn(&mut self, shared: &Shared) -> Result<Option<TookBack>, JournalError> {
        if let Some(took_back) = self.read(MOST_UNTOLD)? {
            return Ok(Some(took_back));
        }
        let Some((position, index)) = self.found.filter(|(position, _)| position.next_seq > self.told + 1) else {
            return Ok(None);
        };
        if !self.sync()? {
            return Ok(None);
        }
        self.gave_way = false;
        if !shared.rest(SETTLE) {
            return Ok(None);
        }
        // What gives way now was not told yet, so that nobody has to take it back.
        let took_back = self.read(MOST_UNTOLD)?;
        if took_back.is_none() && !self.gave_way {
            shared.progress.advance(position, index);
            self.told = position.next_seq - 1;
        }
        Ok(took_back)
    }

    /// Reads so many lines at most.
    fn read(&mut self, most: usize) -> Result<Option<TookBack>, JournalError> {
        for _ in 0..most {
            match self.reader.next() {
                None => break,
                Some(Err(JournalError::Damaged { .. })) => self.doubt = true,
                Some(Err(error)) => return Err(error),
                Some(Ok(record)) => {
                    let doubt = std::mem::take(&mut self.doubt);
                    let Some((position, index)) = self.reader.place() else { continue };
                    let seq = record.seq().unwrap_or_default();
                    if self.found.is_some_and(|(found, _)| seq < found.next_seq) {
                        // A line that was put in a second time is damage, and was said to be.
                        if doubt {
                            continue;
                        }
                        if seq <= self.told {
                            return Ok(Some(TookBack(seq)));
                        }
                        self.gave_way = true;
                    }
                    self.open_file(index)?;
                    self.found = Some((position, index));
                }
            }
        }
        Ok(None)
    }

    fn open_file(&mut self, index: Index) -> Result<(), JournalError> {
        if self.file.as_ref().is_none_or(|(open, _)| *open != index) {
            if let Err(error) = self.sync() {
                // Behind it the journal goes on: it vouches for what it has acknowledged there.
                tracing::warn!(target: "audited::journal", %error, "a file of another process that has ended cannot be synced");
            }
            let path = shown(&self.directory.join(index.to_string()));
            self.file = Some((index, (self.open)(&path)?));
        }
        Ok(())
    }

    /// Has on the disk what was read. Says whether it is known to be there.
    fn sync(&mut self) -> Result<bool, JournalError> {
        let Some((index, file)) = self.file.as_ref().filter(|(index, _)| self.poisoned != Some(*index)) else {
            return Ok(false);
        };
        match file.sync() {
            Ok(()) => Ok(true),
            Err(error) => {
                self.poisoned = Some(*index);
                Err(JournalError::io(&self.directory.join(index.to_string()), JournalStep::Sync, error))
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use audit_core::__private::block_on;
    use audit_core::{Action, AuditSink as _, Record};

    use super::super::JournalWatch;
    use super::*;
    use crate::journal::JournalOptions;
    use crate::journal::disk::open_for_reading;

    /// A file whose second sync fails, the first being that of the beginning.
    struct Failing(Box<dyn DiskFile>, Arc<AtomicUsize>);

    impl DiskFile for Failing {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }

        fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
            self.0.read_at(bytes, offset)
        }

        fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
            Err(io::ErrorKind::PermissionDenied.into())
        }

        fn set_len(&self, _: u64) -> io::Result<()> {
            Err(io::ErrorKind::PermissionDenied.into())
        }

        fn sync(&self) -> io::Result<()> {
            match self.1.fetch_add(1, Ordering::Relaxed) {
                1 => Err(io::Error::other("lost")),
                _ => self.0.sync(),
            }
        }
    }

    #[track_caller]
    fn eventually(holds: impl Fn() -> bool) {
        let until = Instant::now() + Duration::from_secs(30);
        while !holds() {
            assert!(Instant::now() < until);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn what_could_not_be_synced_is_not_there_until_the_journal_goes_on_behind_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit");
        let journal = JournalOptions::new().reserve_bytes(0).open(&path).unwrap();
        let write = || {
            let record = Record::builder(Action::new("watch.test")).build();
            block_on(journal.write(&[record]), Duration::MAX).unwrap();
        };
        let syncs = Arc::new(AtomicUsize::new(0));
        let theirs = syncs.clone();
        let open = move |path: &Path| Ok(Box::new(Failing(Box::new(open_for_reading(path)?), theirs.clone())) as _);
        let watch = JournalWatch::open_with(&path, Box::new(open)).unwrap();
        let before = watch.head();
        write();
        eventually(|| syncs.load(Ordering::Relaxed) > 1);
        // The file is not synced once more, and nothing in it counts, however long it is looked at.
        write();
        std::thread::sleep(RETRY + 10 * POLL + SETTLE);
        assert_eq!((watch.head(), syncs.load(Ordering::Relaxed)), (before, 2));
        block_on(journal.rotate(), Duration::MAX).unwrap();
        write();
        eventually(|| watch.head() == journal.head());
        assert!(watch.fault().is_none());
    }
}
