//! Reading a journal back.

mod files;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use audit_core::{StoredRecord, Timestamp};

pub use self::files::JournalFile;
pub(crate) use self::files::last_begun;
pub(in crate::journal) use self::files::list;
use super::error::{JournalDamage, JournalError};
use super::lines::{Lines, Next, first_line, first_place};
use super::position::{Position, Walk};
use super::progress::Progress;
use super::segment::Index;
use super::source::Source;

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
    lines: Option<(Index, Lines)>,
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
        let mut reader = Self {
            directory: directory.to_owned(),
            files: Vec::new(),
            lines: None,
            walk: Walk::default(),
            from_seq: 0,
            before_seq: u64::MAX,
            since: None,
            passed: None,
            progress,
        };
        reader.list(None)?;
        Ok(reader)
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
            if left.is_zero() {
                return None;
            }
            match &self.progress {
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

    /// Begins anew, at the first file.
    fn relist(&mut self) -> Result<(), JournalError> {
        self.lines = None;
        self.walk = Walk::default();
        self.list(None)
    }

    /// Begins in the last file of which `is_before` holds.
    fn skip_files(&mut self, is_before: impl Fn(&Path) -> bool) -> Result<(), JournalError> {
        self.relist()?;
        let later = self.files.partition_point(|index| is_before(&self.path_of(*index)));
        self.files.drain(..later.saturating_sub(1));
        Ok(())
    }

    fn path_of(&self, index: Index) -> PathBuf {
        self.directory.join(index.to_string())
    }

    /// Lists the files behind one.
    fn list(&mut self, behind: Option<Index>) -> Result<(), JournalError> {
        self.files = list(&self.directory)?;
        self.files.retain(|index| behind.is_none_or(|behind| *index > behind));
        Ok(())
    }

    fn next_seq(&self) -> u64 {
        self.walk.next.map_or(1, |next| next.next_seq).max(self.from_seq)
    }

    fn read(&mut self, wanted: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<StoredRecord>, JournalError> {
        let mut end = End::default();
        loop {
            // Read before the files are: what is acknowledged later may be in a file that is not there yet.
            let (acknowledged, behind) = self.progress.as_ref().map(|progress| progress.last()).unzip();
            if let (Some(acknowledged), Some(next)) = (acknowledged, self.walk.next)
                && next.next_seq > acknowledged
            {
                return Ok(None);
            }
            let Some((index, lines)) = &mut self.lines else {
                if !self.open_next()? {
                    return Ok(None);
                }
                continue;
            };
            if lines.limit().is_none() && behind.is_some_and(|behind| *index < behind) {
                // What is acknowledged beyond is in another file, whatever this one holds.
                self.look_ahead()?;
            }
            let Some((_, lines)) = &mut self.lines else { continue };
            match lines.next()? {
                Next::Line(place) => {
                    if acknowledged.is_some_and(|acknowledged| place.seq > acknowledged) {
                        lines.take_back(place);
                        return Ok(None);
                    }
                    if place.seq >= self.before_seq {
                        lines.take_back(place);
                        return Ok(None);
                    }
                    self.walk.next = lines.walk.next;
                    if place.seq < self.from_seq {
                        continue;
                    }
                    self.passed = (!wanted(lines.line())).then(|| lines.number());
                    if self.passed.is_some() {
                        continue;
                    }
                    let record = parse(lines.line())
                        .map_err(|damage| JournalError::damaged(lines.path(), lines.number(), damage))?;
                    if self.since.is_some_and(|since| record.recorded_at().is_some_and(|recorded| recorded < since)) {
                        continue;
                    }
                    self.since = None;
                    return Ok(Some(record));
                }
                Next::Damage(line, damage) => {
                    self.walk.next = lines.walk.next;
                    // Whatever the line before was, what speaks against it is told.
                    self.passed = None;
                    return Err(JournalError::damaged(lines.path(), line, damage));
                }
                Next::End => {
                    if self.believe(&mut end)? == Ended::Here {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Makes sure of the end of a file, a step each time; the last of them goes on to the next one.
    fn believe(&mut self, end: &mut End) -> Result<Ended, JournalError> {
        let Some((index, lines)) = &mut self.lines else { return Ok(Ended::Not) };
        if let Some(number) = self.passed.take() {
            parse(lines.before()).map_err(|damage| JournalError::damaged(lines.path(), number, damage))?;
            return Ok(Ended::Not);
        }
        // What was read ahead may be older than what is there now.
        if !std::mem::replace(&mut end.was_read_again, true) {
            return Ok(Ended::Not);
        }
        let (index, limit) = (*index, lines.limit());
        if limit.is_none() {
            self.look_ahead()?;
            // What came in between is still to be read.
            if self.lines.as_ref().is_some_and(|(_, lines)| lines.limit().is_some()) {
                return Ok(Ended::Not);
            }
        }
        // The last file may still grow.
        if !self.a_later_file_has_begun()? {
            return Ok(Ended::Here);
        }
        // It may have begun just now, behind lines of this one that are still to be read.
        if limit.is_none() && !std::mem::replace(&mut end.was_looked_behind, true) {
            self.look_ahead()?;
            return Ok(Ended::Not);
        }
        if let (Some(limit), Some(next)) = (limit, self.walk.next)
            && next.next_seq > limit
        {
            self.go_back(index, limit)?;
        }
        (self.lines, *end) = (None, End::default());
        Ok(Ended::Not)
    }

    /// A file that is made ready has nothing in it yet, and may be removed again.
    /// What cannot be read must not look as if nothing were in it.
    fn a_later_file_has_begun(&self) -> Result<bool, JournalError> {
        for path in self.files.iter().map(|index| self.path_of(*index)) {
            if first_line(&path).is_some_and(|line| !line.is_empty()) {
                return Ok(true);
            }
            match Source::open(&path) {
                Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                opened => drop(opened?),
            }
        }
        Ok(false)
    }

    /// Lists the files that follow, and notes where they go on.
    fn look_ahead(&mut self) -> Result<(), JournalError> {
        let Some(index) = self.lines.as_ref().map(|(index, _)| *index) else { return Ok(()) };
        self.list(Some(index))?;
        let limit = self.limit();
        self.lines.as_mut().map_or(Ok(()), |(_, lines)| lines.set_limit(limit))
    }

    /// The position at which the files that follow go on.
    fn limit(&self) -> Option<u64> {
        self.files.iter().find_map(|index| first_place(&self.path_of(*index))).map(|place| place.seq)
    }

    /// Forgets lines that were read before the next file went on in their place: they were never acknowledged.
    fn go_back(&mut self, index: Index, limit: u64) -> Result<(), JournalError> {
        let mut lines = Lines::open(&self.path_of(index), Walk::default())?;
        lines.set_limit(Some(limit))?;
        while !matches!(lines.next()?, Next::End) {}
        if lines.walk.next.is_some_and(|next| next.next_seq == limit) {
            self.walk.next = lines.walk.next;
        }
        Ok(())
    }

    fn open_next(&mut self) -> Result<bool, JournalError> {
        if self.files.is_empty() {
            self.list(None)?;
        }
        if self.files.is_empty() {
            return Ok(false);
        }
        let index = self.files.remove(0);
        let mut lines = match Lines::open(&self.path_of(index), self.walk.clone()) {
            // It was made ready, and removed again; were it anything else, the chain would show it.
            Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(true),
            opened => opened?,
        };
        lines.set_limit(self.limit())?;
        self.lines = Some((index, lines));
        Ok(true)
    }
}

/// What was done to be sure that a file is over.
#[derive(Default)]
struct End {
    was_read_again: bool,
    /// Whether it was read once more since a later file was seen to have begun.
    was_looked_behind: bool,
}

/// Whether there is nothing more to read, for now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Here,
    Not,
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
