//! The lines of one file of a journal, whether it is being written or not.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::error::{JournalDamage, JournalError, JournalStep};
use super::line::{Head, MAX_LINE_BYTES, Place};
use super::position::{Step, Walk};
use super::reader::parse;
use super::scan::{Found, Scan};
use super::source::{Source, is_corrupt};
use super::span::Before;

/// How long a line that makes no sense has to become one.
const PAUSE: Duration = Duration::from_millis(2);

/// How often in a file that may be in vain. Lines that never make sense are not those of a write that is under way.
const MOST_IN_VAIN: u32 = 16;

/// Goes through a file and checks that each line is the next one of the stream.
pub(super) struct Lines {
    path: PathBuf,
    scan: Scan<Source>,
    pub(super) walk: Walk,
    /// The position at which the next file goes on. What stands here from there on was never acknowledged.
    limit: Option<u64>,
    /// A line that follows damage that was reported first.
    kept: Option<Place>,
    /// Whether it was reported that the rest cannot be decompressed.
    ends_corrupt: bool,
    /// How often a line was waited for that is none all the same.
    in_vain: u32,
    /// Up to where there was nothing but fill when its end was last looked for.
    fill_end: u64,
}

/// What comes next in a file.
pub(super) enum Next {
    /// A line in its place; [`Lines::line`] has it.
    Line(Place),
    /// What stands at this line is not what belongs there. Reading goes on behind it.
    Damage(u64, JournalDamage),
    /// Nothing that counts; nothing yet, in a file that is being written.
    End,
}

impl Lines {
    pub(super) fn open(path: &Path, walk: Walk) -> Result<Self, JournalError> {
        let (path, source) = Source::open(path)?;
        Ok(Self {
            path,
            scan: Scan::new(source),
            walk,
            limit: None,
            kept: None,
            ends_corrupt: false,
            in_vain: 0,
            fill_end: 0,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The line last read.
    pub(super) fn line(&self) -> &[u8] {
        self.scan.line()
    }

    /// The line before what came last.
    pub(super) fn before(&self) -> &[u8] {
        self.scan.before()
    }

    pub(super) fn number(&self) -> u64 {
        self.scan.number()
    }

    /// Where the line last read ends in its file.
    pub(super) const fn offset(&self) -> u64 {
        self.scan.end()
    }

    pub(super) fn next(&mut self) -> Result<Next, JournalError> {
        if let Some(place) = self.kept {
            if self.limit.is_some_and(|limit| place.seq >= limit) {
                return Ok(Next::End);
            }
            self.kept = None;
            return Ok(Next::Line(place));
        }
        match self.advance() {
            Err(error) if is_corrupt(&error) => {
                let told = std::mem::replace(&mut self.ends_corrupt, true);
                Ok(if told { Next::End } else { Next::Damage(self.scan.number() + 1, JournalDamage::Undecodable) })
            }
            advanced => advanced.map_err(|error| JournalError::io(&self.path, JournalStep::Read, error)),
        }
    }

    pub(super) const fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Sets the position at which the next file goes on. This one is not written any more then, and is read anew from
    /// here: what was read ahead may be older.
    pub(super) fn set_limit(&mut self, limit: Option<u64>) -> Result<(), JournalError> {
        self.limit = limit;
        let read_anew = self.scan.seek(self.scan.end(), self.scan.number() + 1);
        read_anew.map_err(|error| JournalError::io(&self.path, JournalStep::Read, error))
    }

    /// Gives the line last read once more when it is asked again.
    pub(super) const fn take_back(&mut self, place: Place) {
        self.kept = Some(place);
    }

    fn advance(&mut self) -> io::Result<Next> {
        let start = self.scan.end();
        self.scan.set_aside();
        for pause in [Some(Duration::ZERO), Some(PAUSE), Some(PAUSE), None] {
            // In a file that is being written, what was read ahead may be older than the rest, all or a part of it.
            let pause = pause.filter(|_| self.limit.is_none() && self.in_vain < MOST_IN_VAIN);
            let found = self.scan.next()?;
            let number = self.scan.number();
            let damage = match found {
                Found::End => return Ok(Next::End),
                Found::Line | Found::Unfinished if self.is_beyond() => return self.stay(start, number),
                Found::Line => match self.walk.step(self.scan.line()) {
                    Ok(Step { place, damage: None }) => return Ok(Next::Line(place)),
                    Ok(Step { place, damage: Some(damage) }) => {
                        self.kept = Some(place);
                        return Ok(Next::Damage(number, damage));
                    }
                    Err(damage) => damage,
                },
                Found::Unfinished => JournalDamage::NotALine,
                Found::TooLong => JournalDamage::TooLong { max: MAX_LINE_BYTES },
            };
            // It is read once more before all that is filled behind it.
            if pause != Some(Duration::ZERO) {
                // Nothing behind it: it is not finished yet, or never was.
                let last = self.only_fill_follows(start, number)?;
                let lacks_its_end = found == Found::Unfinished && Place::of(self.scan.line()).is_some();
                let unfinished = lacks_its_end || Head::any_was_torn(self.scan.line());
                if last && (self.scan.line().is_empty() || unfinished && (start == 0 || self.could_go_on())) {
                    return self.stay(start, number);
                }
            }
            let Some(pause) = pause else {
                self.in_vain = self.in_vain.saturating_add(u32::from(self.limit.is_none()));
                return Ok(Next::Damage(number, damage));
            };
            thread::sleep(pause);
            self.scan.seek(start, number)?;
        }
        Ok(Next::End)
    }

    /// Whether nothing is behind the line last read, which begins there, but what the file is filled with.
    fn only_fill_follows(&mut self, start: u64, number: u64) -> io::Result<bool> {
        // In a file that is being written, what was fill before is fill or lines, which are read in their turn.
        if self.limit.is_none() && self.scan.line().is_empty() && start < self.fill_end {
            self.scan.seek(self.fill_end, number)?;
            if self.scan.only_fill_follows()? {
                self.fill_end = self.scan.end();
                return Ok(true);
            }
            self.scan.seek(start, number)?;
            self.scan.next()?;
        }
        let is_all = self.scan.only_fill_follows()?;
        self.fill_end = if is_all { self.scan.end() } else { 0 };
        Ok(is_all)
    }

    /// Whether the line last read is one that the next file has in its place.
    fn is_beyond(&self) -> bool {
        let near = self.limit.filter(|limit| self.walk.next.is_none_or(|next| next.next_seq >= *limit));
        near.is_some_and(|limit| Place::of(self.scan.line()).is_some_and(|place| place.seq >= limit))
    }

    /// Whether a last line that is none does no harm: the stream goes on behind it, here or in the next file.
    fn could_go_on(&self) -> bool {
        match (self.limit, self.walk.next) {
            (Some(limit), Some(next)) => limit == next.next_seq,
            (limit, _) => limit.is_none(),
        }
    }

    /// Reads the same place again when it is asked again.
    fn stay(&mut self, start: u64, number: u64) -> io::Result<Next> {
        self.scan.seek(start, number)?;
        Ok(Next::End)
    }
}

/// Whether nothing is in a file but what it was filled with.
pub(super) fn is_only_filled(path: &Path) -> bool {
    Source::open(path).is_ok_and(|(_, source)| Scan::new(source).only_fill_follows().unwrap_or_default())
}

/// The first line of a file, where it has one.
pub(super) fn first_line(path: &Path) -> Option<String> {
    let mut scan = Scan::short(Source::open(path).ok()?.1);
    scan.next().ok().filter(|found| *found == Found::Line)?;
    Some(String::from_utf8_lossy(scan.line()).into_owned())
}

/// The place of the first line of a file, where it has one, and what that line tells of the file before, where the next
/// line vouches for it.
pub(super) fn first_and_before(path: &Path) -> Option<(Place, Option<Before>)> {
    let mut scan = Scan::short(Source::open(path).ok()?.1);
    let mut next = |walk: &mut Walk| {
        scan.next().ok().filter(|found| *found == Found::Line)?;
        let step = walk.step(scan.line()).ok()?;
        Some((step.place, step.damage.is_none(), parse(scan.line()).ok()))
    };
    let mut walk = Walk::default();
    let (place, _, line) = next(&mut walk)?;
    let is_vouched = next(&mut walk).is_some_and(|(_, follows, _)| follows);
    Some((place, line.filter(|_| is_vouched).and_then(|line| Before::of_first(&line))))
}

/// The place of the first line of a file, where it has one.
pub(super) fn first_place(path: &Path) -> Option<Place> {
    Place::of(first_line(path)?.as_bytes())
}
