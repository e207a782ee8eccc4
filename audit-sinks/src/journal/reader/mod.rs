//! Reading a journal back.

mod along;
mod files;
mod listing;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use audit_core::{StoredRecord, Timestamp};

pub use self::files::JournalFile;
pub(crate) use self::files::last_begun;
pub(in crate::journal) use self::files::list;
use self::listing::Listing;
use super::error::{JournalDamage, JournalError};
use super::lines::{Lines, first_line, first_place};
use super::position::{Position, Walk};
use super::progress::Progress;
use super::segment::Index;

/// How often the files of another process are looked at for something new.
const POLL: Duration = Duration::from_millis(20);

/// The records of a journal, the oldest first, in bounded memory; [`Journal::read`](super::Journal::read) gives one.
///
/// It takes no lock, and reads a journal that is being written, too: where nothing more is there yet it gives `None`,
/// and goes on from there when it is asked again. One that comes from [`Journal::follow`](super::Journal::follow)
/// gives what is acknowledged and nothing else; any other may give records that are not acknowledged yet.
///
/// What the journal says about itself, the first and the last line of each file among it, are records too.
///
/// # Errors
///
/// Damage is an error at its place, and reading goes on behind it: lines that are missing, changed or foreign cost
/// only themselves. What the operating system refuses is an error each time.
pub struct JournalReader {
    directory: PathBuf,
    files: Vec<Index>,
    /// When they were listed.
    listing: Option<Listing>,
    lines: Option<(Index, Lines)>,
    /// The file that was opened last.
    opened: Option<Index>,
    /// The stream as far as it was read.
    walk: Walk,
    /// Passed over up to here.
    from_seq: u64,
    /// Ends before this.
    before_seq: u64,
    since: Option<Timestamp>,
    /// A line that was passed over, and that none behind it vouches for so far.
    passed: Option<u64>,
    /// How far is acknowledged, where that is known.
    progress: Option<Arc<Progress>>,
}

impl JournalReader {
    pub(super) fn open(directory: &Path, progress: Option<Arc<Progress>>) -> Result<Self, JournalError> {
        let mut reader = Self::of(directory, Vec::new(), progress);
        reader.list(None)?;
        Ok(reader)
    }

    /// Begins with the first of some files.
    fn of(directory: &Path, files: Vec<Index>, progress: Option<Arc<Progress>>) -> Self {
        Self {
            directory: directory.to_owned(),
            files,
            listing: None,
            lines: None,
            opened: None,
            walk: Walk::default(),
            from_seq: 0,
            before_seq: u64::MAX,
            since: None,
            passed: None,
            progress,
        }
    }

    /// Begins at a position instead of at the oldest record.
    ///
    /// # Errors
    ///
    /// When the files cannot be read.
    pub fn from_seq(mut self, seq: u64) -> Result<Self, JournalError> {
        self.from_seq = seq;
        self.skip_files(|path| first_place(path).is_some_and(|place| place.seq <= seq))?;
        Ok(self)
    }

    /// Ends before a position instead of behind the newest record.
    #[must_use]
    pub const fn before_seq(mut self, seq: u64) -> Self {
        self.before_seq = seq;
        self
    }

    /// The position of the line that was looked at last, whether it was given or passed over.
    pub fn last_seq(&self) -> Option<u64> {
        self.walk.next.map(|next| next.next_seq - 1)
    }

    /// Begins with the first record that was recorded at a moment or later.
    ///
    /// # Errors
    ///
    /// When the files cannot be read.
    pub fn since(mut self, moment: Timestamp) -> Result<Self, JournalError> {
        self.since = Some(moment);
        self.skip_files(|path| {
            let first = first_line(path).and_then(|line| StoredRecord::parse(line).ok());
            first.and_then(|record| record.recorded_at()).is_some_and(|recorded| recorded < moment)
        })?;
        Ok(self)
    }

    /// Begins with the last file that has a line.
    pub(super) fn at_last_file(mut self) -> Result<Self, JournalError> {
        self.relist()?;
        // From the end: one before that cannot be read is no reason to begin there.
        let last = self.files.iter().rposition(|index| first_place(&self.path_of(*index)).is_some());
        self.files.drain(..last.unwrap_or(0));
        Ok(self)
    }

    /// Where the stream goes on behind what was read last, and in which file that stands.
    pub(super) fn place(&self) -> Option<(Position, Index)> {
        Some((self.walk.next?, self.lines.as_ref()?.0))
    }

    /// As `next`, and passes over the records whose line is not wanted: those are not read, and cost little more than
    /// their hash. That each line has the hash of the one before is checked all the same; a line that none behind it vouches
    /// for must still be a record.
    ///
    /// ```
    /// use audit_sinks::{Journal, JournalError};
    ///
    /// /// How many records name a user. A line that holds the text may not: only reading it tells.
    /// fn named(directory: &str, user: &str) -> Result<usize, JournalError> {
    ///     let (mut reader, mut named) = (Journal::read(directory)?, 0);
    ///     let text = format!("\"{user}\"");
    ///     while let Some(record) = reader.next_where(|line| line.windows(text.len()).any(|part| part == text.as_bytes())) {
    ///         named += usize::from(record?.actor().is_some_and(|actor| actor.id.as_deref() == Some(user)));
    ///     }
    ///     Ok(named)
    /// }
    /// # let directory = std::env::temp_dir().join(format!("journal-where-{}", std::process::id()));
    /// # drop(Journal::open(&directory)?);
    /// # assert_eq!(named(&directory.to_string_lossy(), "u-17")?, 0);
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_where(&mut self, mut wanted: impl FnMut(&[u8]) -> bool) -> Option<Result<StoredRecord, JournalError>> {
        self.read(&mut wanted).transpose()
    }

    /// As `next`, and waits for a record where none is there yet.
    pub fn next_within(&mut self, within: Duration) -> Option<Result<StoredRecord, JournalError>> {
        let until = Instant::now().checked_add(within);
        loop {
            if let Some(next) = self.next() {
                return Some(next);
            }
            let left = until.map_or(POLL, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() || self.next_seq() >= self.before_seq {
                return None;
            }
            match &self.progress {
                // It is there, and not to be read now.
                Some(progress) if progress.has(self.next_seq()) => thread::sleep(left.min(POLL)),
                Some(progress) => {
                    let (_, closed) = progress.wait(self.next_seq(), left);
                    if closed && !progress.has(self.next_seq()) {
                        return self.next();
                    }
                }
                None => thread::sleep(left.min(POLL)),
            }
        }
    }
}

/// Reads the record of a line.
pub(in crate::journal) fn parse(line: &[u8]) -> Result<StoredRecord, JournalDamage> {
    let text = std::str::from_utf8(line).map_err(|_| JournalDamage::NotUtf8)?;
    Ok(StoredRecord::parse(text)?)
}

impl Iterator for JournalReader {
    type Item = Result<StoredRecord, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read(&mut |_| true).transpose()
    }
}

impl fmt::Debug for JournalReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalReader")
            .field("directory", &self.directory)
            .field("next_seq", &self.next_seq())
            .finish_non_exhaustive()
    }
}
