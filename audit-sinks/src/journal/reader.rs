//! Reading a journal back.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use audit_core::{StoredRecord, Timestamp};

use super::error::{JournalDamage, JournalError, JournalStep};
use super::lines::{Lines, Next, first_and_before, first_line, first_place};
use super::position::{Position, Walk};
use super::progress::Progress;
use super::segment::{Index, compressed};
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
        self.skip_files(|path| first_place(path).is_some())?;
        Ok(self)
    }

    /// Where the stream goes on behind what was read last, and in which file that stands.
    pub(super) fn place(&self) -> Option<(Position, Index)> {
        Some((self.walk.next?, self.lines.as_ref()?.0))
    }

    /// The positions at which those of its files begin that are still to be opened, the oldest first: where
    /// [`from_seq`](Self::from_seq) begins at no cost, for whoever wants the end alone.
    ///
    /// ```
    /// # use audit_sinks as audited;
    /// use audited::{Journal, JournalError};
    ///
    /// /// The records of the last file.
    /// fn newest(directory: &str) -> Result<Vec<String>, JournalError> {
    ///     let reader = Journal::read(directory)?;
    ///     let start = reader.file_starts().last().copied().unwrap_or(1);
    ///     reader.from_seq(start)?.map(|record| Ok(record?.action().into_owned())).collect()
    /// }
    ///
    /// # let directory = std::env::temp_dir().join(format!("journal-starts-{}", std::process::id()));
    /// # drop(Journal::open(&directory)?);
    /// assert_eq!(newest(&directory.to_string_lossy())?.first().map(String::as_str), Some("audit.segment_opened"));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn file_starts(&self) -> Vec<u64> {
        self.files.iter().filter_map(|index| first_place(&self.path_of(*index))).map(|place| place.seq).collect()
    }

    /// Those of its files that are still to be opened, the oldest first, with what is known of their records without reading
    /// them: for whoever looks for what happened at some time, and leaves the others alone.
    pub fn files(&self) -> Vec<JournalFile> {
        let mut before = None;
        let mut files: Vec<_> = Vec::new();
        for index in self.files.iter().rev() {
            let Some((place, of_before)) = first_and_before(&self.path_of(*index)) else { continue };
            let about = std::mem::replace(&mut before, of_before).filter(|before| before.first_seq == place.seq);
            files.push(JournalFile { first_seq: place.seq, happened: about.and_then(|about| about.moments()) });
        }
        files.reverse();
        let opens_first = self.files.first().is_none_or(|first| first_place(&self.path_of(*first)).is_some());
        if let Some(first) = files.first_mut().filter(|_| !opens_first) {
            *first = JournalFile { first_seq: 0, happened: None };
        }
        files
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

    /// Begins in the last file of which `is_before` holds.
    fn skip_files(&mut self, is_before: impl Fn(&Path) -> bool) -> Result<(), JournalError> {
        self.lines = None;
        self.walk = Walk::default();
        self.list(None)?;
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
        let (mut is_sure, mut is_over) = (false, false);
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
            let Some((index, lines)) = &mut self.lines else { continue };
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
                Next::End if self.passed.is_some() => {
                    let number = self.passed.take().unwrap_or_default();
                    parse(lines.before()).map_err(|damage| JournalError::damaged(lines.path(), number, damage))?;
                }
                // What was read ahead may be older than what is there now.
                Next::End if !is_sure => is_sure = true,
                Next::End => {
                    let (index, limit) = (*index, lines.limit());
                    if limit.is_none() {
                        self.look_ahead()?;
                        // What came in between is still to be read.
                        if self.lines.as_ref().is_some_and(|(_, lines)| lines.limit().is_some()) {
                            continue;
                        }
                    }
                    // The last file may still grow.
                    if !self.a_later_file_has_begun()? {
                        return Ok(None);
                    }
                    // It may have begun just now, behind lines of this one that are still to be read.
                    if limit.is_none() && !std::mem::replace(&mut is_over, true) {
                        self.look_ahead()?;
                        continue;
                    }
                    if let (Some(limit), Some(next)) = (limit, self.walk.next)
                        && next.next_seq > limit
                    {
                        self.go_back(index, limit)?;
                    }
                    self.lines = None;
                }
            }
        }
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

/// A file of a journal, as [`JournalReader::files`] lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalFile {
    /// The position of its first line: [`JournalReader::from_seq`] begins there. A file whose first line is none belongs to
    /// the one before; where the oldest is such a file, 0 stands for it and the next one.
    pub first_seq: u64,
    /// When the first and the last of its records happened, by [`SortKey::micros`](audit_core::SortKey::micros). The file behind
    /// it says so, and its second line vouches for that; `None` where it does not: the process died before it could end
    /// the file, or the file is the last one.
    pub happened: Option<(Timestamp, Timestamp)>,
}

/// Reads the record of a line.
pub(super) fn parse(line: &[u8]) -> Result<StoredRecord, JournalDamage> {
    let text = std::str::from_utf8(line).map_err(|_| JournalDamage::NotUtf8)?;
    Ok(StoredRecord::parse(text)?)
}

/// The files of a journal, in their order.
pub(super) fn list(directory: &Path) -> Result<Vec<Index>, JournalError> {
    let failed = |error| JournalError::io(directory, JournalStep::Read, error);
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let files = Index::all(names.iter().map(String::as_str));
    // What cannot be read must not look as if it were not there.
    if !cfg!(feature = "zstd")
        && let Some(plain) = files.iter().map(Index::to_string).find(|plain| !names.contains(plain))
    {
        return Err(JournalError::Compressed { path: directory.join(compressed(&plain)) });
    }
    Ok(files)
}

/// The name of the last file in which there is a line. Whoever opens a journal begins another.
pub(crate) fn last_begun(directory: &Path) -> Result<Option<String>, JournalError> {
    let names = list(directory)?.into_iter().rev().map(|index| index.to_string());
    Ok(names.into_iter().find(|name| first_place(&directory.join(name)).is_some()))
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
