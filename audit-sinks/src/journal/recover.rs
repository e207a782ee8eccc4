//! What a journal finds when it is opened.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::disk::{Directory, Disk, DiskFile};
use super::error::{JournalDamage, JournalError, JournalStep};
use super::position::Position;
use super::ring::marker::MARKER;
use super::scan::line_breaks;
use super::segment::{Index, compressed, is_unfinished};
use super::source::is_corrupt;
use super::system::{Because, Began, Damaged};
use super::tail::{Content, SHORTEST_LINE, Tail, read_tail};
use crate::group::round::ROUND_BYTES;
use crate::shown::Shown;

/// What [`Journal::open`](super::Journal::open) found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// How many bytes of a torn end were cut off. They were never acknowledged.
    pub cut_bytes: u64,
    /// The position of the last line that was there; 0 in a new journal.
    pub last_seq: u64,
    /// How many files there were.
    pub files: u64,
    /// The damage at the end of the last file, which is left as it is: the file's name, the line, what is wrong.
    pub damage: Option<(String, u64, String)>,
    /// How many records a process left in [shared memory](super::JournalOptions::shared_memory) when it died; they are in
    /// the files now.
    pub from_memory: u64,
    /// Such memory that is not there, of a journal that was not closed: the machine was started anew, what held it was
    /// taken away, or it cannot be seen from here. What was acknowledged last may be lost.
    pub missing_memory: Option<PathBuf>,
}

/// Where the stream goes on.
pub(super) struct Resume {
    pub(super) position: Position,
    /// The file that is begun next, and what its first line tells.
    pub(super) next_index: Index,
    pub(super) began: Began,
    pub(super) unfinished: Option<Unfinished>,
}

/// The last file, where it was not ended, and where there is nothing to tell of it or of what was behind it.
pub(super) struct Unfinished {
    pub(super) index: Index,
    pub(super) file: Box<dyn DiskFile>,
    /// Where its last line ends.
    pub(super) end: u64,
}

/// Reads the end of the last file, cuts off what is torn there, and makes sure that the rest is on the disk.
pub(super) fn recover(directory: &Directory) -> Result<(Resume, Recovered), JournalError> {
    recover_on(directory, &|name| directory.refuse_foreign_file(name), directory.path())
}

pub(super) fn recover_on(
    disk: &dyn Disk,
    refuse_foreign: &dyn Fn(&str) -> Result<(), JournalError>,
    path: &Path,
) -> Result<(Resume, Recovered), JournalError> {
    let io = |step| move |error: io::Error| JournalError::io(path, step, error);
    let mut names: BTreeSet<_> = disk.names().map_err(io(JournalStep::Read))?.into_iter().collect();
    let mut files = Index::all(names.iter().map(String::as_str));
    for name in names.iter().filter(|name| Index::parse(name).is_some() || *name == MARKER) {
        refuse_foreign(name)?;
    }
    for left in names.iter().filter(|name| is_unfinished(name)) {
        let _ = disk.remove(left);
    }
    let next_index = files.last().map_or(Index::FIRST, |last| last.next());
    let mut began = Began::because(Because::Opened);
    let mut foreign = None;
    while let Some(index) = files.pop() {
        let (file, name) = open_segment(disk, &names, index, path)?;
        let is_plain = names.remove(&index.to_string());
        if is_plain && names.contains(&compressed(&name)) {
            // Should the plain one be removed, this is what is there.
            files.push(index);
        }
        let content = match read_tail(&*file) {
            Err(error) if is_corrupt(&error) => {
                let damaged = undecodable(disk, &name, path)?;
                add(&mut foreign, damaged);
                continue;
            }
            content => content.map_err(io(JournalStep::Read))?,
        };
        match content {
            // Somebody has compressed it: there is nothing in it to go on from.
            Content::Nothing | Content::Torn(_) if !is_plain => {}
            // It was made ready and never used, or its first line was never finished.
            Content::Nothing => disk.remove(&name).map_err(io(JournalStep::Cut))?,
            Content::Torn(bytes) => {
                began.cut_bytes += bytes;
                disk.remove(&name).map_err(io(JournalStep::Cut))?;
            }
            Content::Foreign => {
                let lines = file.len().map_err(io(JournalStep::Read))? / SHORTEST_LINE + 1;
                let damaged = Damaged { file: name, line: 1, kind: JournalDamage::NotALine.to_string() };
                add(&mut foreign, (damaged, lines));
            }
            Content::Lines(tail) => {
                let mut position = tail.position;
                if is_plain {
                    settle(&*file, &tail).map_err(io(JournalStep::Sync))?;
                    began.cut_bytes += tail.torn;
                }
                if tail.torn == 0 && tail.damage.is_none() && foreign.is_none() {
                    began.before = tail.ended;
                }
                if let Some((offset, damage)) = tail.damage {
                    let line = lines_before(&*file, offset).map_err(io(JournalStep::Read))? + 1;
                    began.damage = Some(Damaged { file: name, line, kind: damage.to_string() });
                }
                // What may have been acknowledged in a file that is gone keeps its position.
                if let Some((damaged, lines)) = foreign {
                    position.next_seq = position.next_seq.saturating_add(lines);
                    began.damage = Some(damaged);
                }
                disk.sync().map_err(io(JournalStep::Sync))?;
                files.retain(|other| *other != index);
                let is_whole = is_plain && !tail.is_closed && began.cut_bytes == 0 && began.damage.is_none();
                let unfinished = is_whole.then_some(Unfinished { index, file, end: tail.end });
                let resume = Resume { position, next_index, began, unfinished };
                return Ok(found(path, resume, files.len() as u64 + 1));
            }
        }
    }
    began.damage = foreign.map(|(damaged, _)| damaged);
    let position = Position::start(Uuid::now_v7());
    disk.sync().map_err(io(JournalStep::Sync))?;
    Ok(found(path, Resume { position, next_index, began, unfinished: None }, 0))
}

/// Opens the file of an index, the plain one where there is one, so that its lines can be read; gives its name.
pub(super) fn open_segment(
    disk: &dyn Disk,
    names: &BTreeSet<String>,
    index: Index,
    path: &Path,
) -> Result<(Box<dyn DiskFile>, String), JournalError> {
    let plain = index.to_string();
    let is_plain = names.contains(&plain);
    let name = if is_plain { plain } else { compressed(&plain) };
    let file = disk.open(&name).map_err(|error| JournalError::io(path, JournalStep::Open, error))?;
    Ok((if is_plain { file } else { unpacked(file, &path.join(&name))? }, name))
}

/// Adds a file whose end cannot be read, and how many lines it may have had.
fn add(to: &mut Option<(Damaged, u64)>, (damaged, lines): (Damaged, u64)) {
    let before = to.take().map_or(0, |(_, lines)| lines);
    *to = Some((damaged, lines.saturating_add(before)));
}

/// The damage of a file that cannot be decompressed, and how many lines it may have had.
///
/// No position is given away twice: where it cannot be known how far the file went, the journal is not opened.
#[cfg(feature = "zstd")]
fn undecodable(disk: &dyn Disk, name: &str, path: &Path) -> Result<(Damaged, u64), JournalError> {
    let remains = disk.open(name).and_then(super::unpack::Remains::of);
    let path = path.join(name);
    let super::unpack::Remains { line, most_bytes } =
        remains.map_err(|error| JournalError::io(&path, JournalStep::Read, error))?;
    let Some(bytes) = most_bytes else { return Err(JournalError::damaged(&path, line, JournalDamage::Undecodable)) };
    let damaged = Damaged { file: name.to_owned(), line, kind: JournalDamage::Undecodable.to_string() };
    Ok((damaged, bytes / SHORTEST_LINE + 1))
}

#[cfg(not(feature = "zstd"))]
fn undecodable(_: &dyn Disk, name: &str, path: &Path) -> Result<(Damaged, u64), JournalError> {
    Err(JournalError::Compressed { path: path.join(name) })
}

/// Cuts a file behind its last line and sees to it that the end of it is on the disk.
fn settle(file: &dyn DiskFile, tail: &Tail) -> io::Result<()> {
    if tail.damage.is_some() {
        file.sync()?;
    } else {
        // Written once more, also where the file has ended: after a failed sync the kernel shows lines that never
        // reached the disk, and a sync alone would succeed without them.
        let start = tail.end.saturating_sub(2 * ROUND_BYTES as u64);
        let mut bytes = vec![0; usize::try_from(tail.end - start).map_err(io::Error::other)?];
        file.read_at(&mut bytes, start)?;
        // The end of the last line, which a write that was cut short may lack.
        if let Some(last) = bytes.last_mut() {
            *last = b'\n';
        }
        file.set_len(tail.end)?;
        file.write_at(&bytes, start)?;
        file.sync()?;
    }
    Ok(())
}

#[cfg(feature = "zstd")]
fn unpacked(file: Box<dyn DiskFile>, path: &Path) -> Result<Box<dyn DiskFile>, JournalError> {
    let unpacked = super::unpack::UnpackedFile::new(file);
    unpacked.map(|file| Box::new(file) as _).map_err(|error| JournalError::io(path, JournalStep::Read, error))
}

#[cfg(not(feature = "zstd"))]
fn unpacked(_: Box<dyn DiskFile>, path: &Path) -> Result<Box<dyn DiskFile>, JournalError> {
    Err(JournalError::Compressed { path: path.to_owned() })
}

fn lines_before(file: &dyn DiskFile, offset: u64) -> io::Result<u64> {
    let (mut at, mut lines, mut block) = (0, 0, vec![0; 64 << 10]);
    while at < offset {
        let want = usize::try_from((offset - at).min(block.len() as u64)).map_err(io::Error::other)?;
        let read = file.read_at(&mut block[..want], at)?;
        if read == 0 {
            break;
        }
        lines += line_breaks(&block[..read]);
        at += read as u64;
    }
    Ok(lines)
}

fn found(path: &Path, resume: Resume, files: u64) -> (Resume, Recovered) {
    let Resume { position, began, .. } = &resume;
    let damage = began.damage.clone().map(|damaged| (damaged.file, damaged.line, damaged.kind));
    let (cut_bytes, last_seq) = (began.cut_bytes, position.next_seq - 1);
    let recovered = Recovered { cut_bytes, last_seq, files, damage, from_memory: 0, missing_memory: None };
    if recovered.cut_bytes > 0 {
        tracing::warn!(
            target: "audited::journal",
            path = %Shown(path),
            cut_bytes = recovered.cut_bytes,
            "a torn end was cut off; it was never acknowledged"
        );
    }
    if let Some((file, line, kind)) = &recovered.damage {
        tracing::error!(
            target: "audited::journal",
            path = %Shown(path),
            file,
            line,
            damage = kind,
            "the journal is damaged; the file is left as it is, and the stream goes on in another"
        );
    }
    (resume, recovered)
}
