//! Going along the files of a journal.

use std::io;
use std::path::{Path, PathBuf};

use audit_core::StoredRecord;

use super::files::list;
use super::listing::Listing;
use super::{JournalReader, parse};
use crate::journal::error::JournalError;
use crate::journal::lines::{Lines, Next, first_line, first_place};
use crate::journal::position::Walk;
use crate::journal::segment::Index;
use crate::journal::source::Source;

/// What was done to be sure that a file is over.
#[derive(Default)]
struct End {
    was_read_again: bool,
    /// Whether it was read once more since a later file was seen to have begun.
    was_looked_behind: bool,
    /// Whether the files behind were listed once more, since none of those that were is there.
    was_listed_again: bool,
}

/// Whether there is nothing more to read, for now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Here,
    Not,
}

/// The position at which files go on.
fn limit(directory: &Path, files: &[Index]) -> Option<u64> {
    files.iter().find_map(|index| first_place(&directory.join(index.to_string()))).map(|place| place.seq)
}

impl JournalReader {
    /// Begins anew, at the first file.
    pub(super) fn relist(&mut self) -> Result<(), JournalError> {
        (self.lines, self.opened) = (None, None);
        self.walk = Walk::default();
        self.list(None)
    }

    /// Begins in the last file of which `is_before` holds.
    pub(super) fn skip_files(&mut self, is_before: impl Fn(&Path) -> bool) -> Result<(), JournalError> {
        self.relist()?;
        let later = self.files.partition_point(|index| is_before(&self.path_of(*index)));
        self.files.drain(..later.saturating_sub(1));
        Ok(())
    }

    pub(super) fn path_of(&self, index: Index) -> PathBuf {
        self.directory.join(index.to_string())
    }

    /// Lists the files behind one.
    pub(super) fn list(&mut self, behind: Option<Index>) -> Result<(), JournalError> {
        // Before it is listed: what comes in between is seen the next time.
        let listing = Listing::begin(&self.directory);
        self.files = list(&self.directory)?;
        self.files.retain(|index| behind.is_none_or(|behind| *index > behind));
        self.listing = Some(listing);
        Ok(())
    }

    pub(super) fn next_seq(&self) -> u64 {
        self.walk.next.map_or(1, |next| next.next_seq).max(self.from_seq)
    }

    pub(super) fn read(&mut self, wanted: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<StoredRecord>, JournalError> {
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
            self.look_ahead_again()?;
            // What came in between is still to be read.
            if self.lines.as_ref().is_some_and(|(_, lines)| lines.limit().is_some()) {
                return Ok(Ended::Not);
            }
        }
        // The last file may still grow.
        if !self.a_later_file_has_begun()? {
            if limit.is_none() || std::mem::replace(&mut end.was_listed_again, true) {
                return Ok(Ended::Here);
            }
            // One had: it was removed since, and others are there.
            self.look_ahead()?;
            return Ok(Ended::Not);
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
        self.listing = None;
        self.look_ahead_again()
    }

    /// The same for whoever asks time and again: of files that have not changed no list is made anew.
    fn look_ahead_again(&mut self) -> Result<(), JournalError> {
        let Some(index) = self.lines.as_ref().map(|(index, _)| *index) else { return Ok(()) };
        if !self.listing.as_ref().is_some_and(|listing| listing.holds(&self.directory)) {
            self.list(Some(index))?;
        }
        let limit = limit(&self.directory, &self.files);
        self.lines.as_mut().map_or(Ok(()), |(_, lines)| lines.set_limit(limit))
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
            self.list(self.opened)?;
        }
        let Some(index) = self.files.first().copied() else { return Ok(false) };
        match Lines::open(&self.path_of(index), self.walk.clone()) {
            // It was made ready, and removed again; were it anything else, the chain would show it.
            Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                self.files.remove(0);
            }
            opened => {
                // What cannot be opened stays in the list: it is tried again.
                let mut lines = opened?;
                lines.set_limit(limit(&self.directory, &self.files[1..]))?;
                self.files.remove(0);
                (self.lines, self.opened) = (Some((index, lines)), Some(index));
            }
        }
        Ok(true)
    }
}
