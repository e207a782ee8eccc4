//! What a process left in memory when it died.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::disk::{Disk, DiskFile};
use super::super::error::{JournalError, JournalStep};
use super::super::line::Place;
use super::super::options::JournalOptions;
use super::super::position::Position;
use super::super::reader::parse;
use super::super::recover::{Recovered, Resume, open_segment};
use super::super::segment::{FILL, Index};
use super::super::span::moment;
use super::super::tail::{Content, MAX_WINDOW, read_tail};
use super::ahead::Ahead;
use super::marker::{MARKER, Marker, forget};
use super::memory::no_memory;
use super::{CHUNK_BYTES, FRAME, Frames, Ring, directory};
use crate::shown::Shown;

/// How much of a file is read at first, to find what is in it already.
const WINDOW: u64 = 1 << 20;

/// What the last journal in a directory has left.
#[derive(Default)]
pub(in super::super) struct Left {
    /// Memory, and how many records in it are in no file.
    memory: Vec<(Arc<Ring>, PathBuf, u64)>,
    /// Memory that is named and not to be found.
    missing: Option<PathBuf>,
    /// Whether somebody else may find it, who sees what cannot be seen from here.
    is_elsewhere: bool,
}

impl Left {
    /// Looks for it: where the journal's directory says, and where this journal would have its own. What is in a file
    /// already is passed over.
    pub(in super::super) fn find(
        disk: &dyn Disk,
        journal: &Path,
        position: Position,
        options: &JournalOptions,
    ) -> Result<Self, JournalError> {
        let marker = Marker::read(disk);
        let marker = marker.map_err(|error| JournalError::io(&journal.join(MARKER), JournalStep::Read, error))?;
        let is_of_this_boot = marker.as_ref().is_some_and(Marker::is_of_this_boot);
        let named = marker.map(|marker| marker.path);
        let own = options.shared_memory.as_ref().and_then(|directory| directory.canonicalize().ok());
        let own = own.map(|directory| directory.join(directory::name_of(position.stream)));
        let own = own.filter(|own| named.as_ref() != Some(own));
        let mut left = Self::default();
        for path in named.clone().filter(|_| is_of_this_boot).into_iter().chain(own) {
            let is_named = named.as_ref() == Some(&path);
            if let Some(ring) = directory::open(&path, is_named, journal, position.stream)? {
                let records = pass_written(&ring, &path, disk, journal, position)?;
                left.memory.push((Arc::new(ring), path, records));
            }
        }
        left.missing = named.filter(|_| left.memory.is_empty());
        left.is_elsewhere = is_of_this_boot && options.shared_memory.is_none();
        Ok(left)
    }

    /// Sees to it that whoever opens the journal is told, and whoever reads it.
    pub(in super::super) fn tell(&self, journal: &Path, resume: &mut Resume, recovered: &mut Recovered) {
        let records = self.memory.iter().map(|(.., records)| records).sum();
        if records > 0 {
            resume.began.from_memory = records;
            recovered.from_memory = records;
            tracing::warn!(
                target: "audited::journal",
                path = %Shown(journal),
                records,
                "a process died before all that it acknowledged was in a file; it is now"
            );
        }
        if let Some(path) = &self.missing {
            resume.began.lost_memory = true;
            recovered.missing_memory = Some(path.clone());
            tracing::error!(
                target: "audited::journal",
                path = %Shown(journal),
                memory = %Shown(path),
                "the memory of a journal that was not closed is not there: what was acknowledged last may be lost"
            );
        }
        if records > 0 || self.missing.is_some() {
            // A line that tells it begins a file.
            resume.unfinished = None;
        }
    }

    /// What is to be carried over.
    pub(in super::super) fn ahead(&self) -> impl Iterator<Item = Ahead> {
        self.memory.iter().map(|(ring, path, _)| Ahead::new(ring.clone(), path.clone()))
    }

    /// Gives it up, now that all of it is told and written.
    pub(in super::super) fn forget(&self, disk: &dyn Disk) {
        for path in
            self.memory.iter().map(|(_, path, _)| path).chain(self.missing.as_ref().filter(|_| !self.is_elsewhere))
        {
            forget(disk, path);
        }
    }
}

/// Makes memory for the records of a journal, where it is to have some.
pub(in super::super) fn create(
    disk: &dyn Disk,
    options: &JournalOptions,
    position: Position,
) -> Result<Option<(Arc<Ring>, Ahead)>, JournalError> {
    let Some(place) = &options.shared_memory else { return Ok(None) };
    let (ring, path) = directory::create(disk, place, options.shared_memory_bytes, position)?;
    let ring = Arc::new(ring);
    Ok(Some((ring.clone(), Ahead::new(ring, path))))
}

/// Passes over what is in lines already, and says how many records are left.
fn pass_written(
    ring: &Ring,
    path: &Path,
    disk: &dyn Disk,
    journal: &Path,
    position: Position,
) -> Result<u64, JournalError> {
    let damaged = |source| JournalError::Left { path: path.to_owned(), journal: journal.to_owned(), source };
    let left = read_all(ring).map_err(damaged)?;
    if left.is_empty() {
        return Ok(0);
    }
    let written = lines_since(disk, journal, ring.memory.next_seq(), position)?;
    let passed = in_front(&left, &written);
    ring.advance(ring.memory.done() + passed as u64, position.next_seq);
    Ok(Frames(&left[passed..]).count() as u64)
}

/// All that is in no file as far as the memory says; an error where it is not what a journal has left there.
fn read_all(ring: &Ring) -> io::Result<Vec<u8>> {
    let mut all = vec![0; usize::try_from(ring.used()).map_err(io::Error::other)?];
    ring.memory.read(ring.memory.done(), &mut all)?;
    let mut whole = 0;
    for (known, fields) in Frames(&all) {
        let line = [b"{", fields, b"}"].concat();
        let record = parse(&line).ok().filter(|_| !line.contains(&b'\n'));
        if FRAME + fields.len() > CHUNK_BYTES || record.is_none_or(|record| moment(&record) != known) {
            return Err(no_memory());
        }
        whole += FRAME + fields.len();
    }
    if whole == all.len() { Ok(all) } else { Err(no_memory()) }
}

/// How many bytes at the beginning of what was left are in lines already: the writer keeps the order, and others come
/// in between.
fn in_front(left: &[u8], lines: &[Vec<u8>]) -> usize {
    let (mut frames, mut passed) = (Frames(left).peekable(), 0);
    for line in lines {
        if let Some((_, fields)) = frames.next_if(|(_, fields)| *fields == line) {
            passed += FRAME + fields.len();
        }
    }
    passed
}

/// The fields of the lines from a position on, in their order. The writer notes in memory how far it is each time it has
/// written, so that these are few, and at the ends of files.
fn lines_since(disk: &dyn Disk, path: &Path, from: u64, end: Position) -> Result<Vec<Vec<u8>>, JournalError> {
    let failed = |error| JournalError::io(path, JournalStep::Read, error);
    let names: BTreeSet<_> = disk.names().map_err(failed)?.into_iter().collect();
    let mut files = Index::all(names.iter().map(String::as_str));
    let (mut before, mut found) = (end.next_seq, Vec::new());
    while before > from
        && let Some(index) = files.pop()
    {
        let (file, _) = open_segment(disk, &names, index, path)?;
        let Content::Lines(tail) = read_tail(&*file).map_err(failed)? else { continue };
        let mut here = Vec::new();
        let mut window = WINDOW;
        while window <= MAX_WINDOW {
            let start = tail.end.saturating_sub(window);
            here = lines_between(&*file, start..tail.end, end).map_err(failed)?;
            if start == 0 || here.first().is_some_and(|(seq, _)| *seq <= from) {
                break;
            }
            window *= 4;
        }
        here.retain(|(seq, _)| (from..before).contains(seq));
        // Of what a file has beyond the beginning of the next one, nothing counts.
        before = here.first().map_or(before, |(seq, _)| before.min(*seq));
        found.splice(..0, here);
    }
    Ok(found.into_iter().map(|(_, fields)| fields).collect())
}

/// The whole lines of a stream in a part of a file: their positions and fields.
fn lines_between(file: &dyn DiskFile, part: std::ops::Range<u64>, end: Position) -> io::Result<Vec<(u64, Vec<u8>)>> {
    let mut bytes = vec![0; usize::try_from(part.end - part.start).map_err(io::Error::other)?];
    let read = file.read_at(&mut bytes, part.start)?;
    let lines = bytes[..read].split(|byte| *byte == FILL).filter_map(Place::and_fields);
    let lines = lines.filter(|(place, _)| place.stream == end.stream);
    Ok(lines.map(|(place, fields)| (place.seq, fields.to_owned())).collect())
}
