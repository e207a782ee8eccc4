//! The end of a file, read without the rest of it.

use std::io;

use uuid::Uuid;

use super::disk::DiskFile;
use super::error::JournalDamage;
use super::line::{Head, MAX_LINE_BYTES, Place};
use super::position::{Position, Step, Walk};
use super::reader::parse;
use super::segment::FILL;
use super::span::Before;
use super::system;
use crate::group::round::ROUND_BYTES;

/// How much of a file is read at first. What one round writes, and the line before, lie in it.
const WINDOW: u64 = (ROUND_BYTES + MAX_LINE_BYTES) as u64 / 4;

/// The most that is held of a file at once.
pub(super) const MAX_WINDOW: u64 = 16 * WINDOW;

/// No line is shorter: its stream, position and hash alone take more.
pub(super) const SHORTEST_LINE: u64 = 128;

/// How much is read at once where its end is looked for.
const BLOCK_BYTES: usize = 64 << 10;

/// What every disk writes as a whole or not at all.
const SECTOR_BYTES: u64 = 512;

/// What stands at the end of a file.
pub(super) struct Tail {
    /// Where the stream goes on behind its last whole line.
    pub(super) position: Position,
    /// Where that line ends, with its end.
    pub(super) end: u64,
    /// What follows it and was torn, in bytes.
    pub(super) torn: u64,
    /// What is not as a journal writes it, where lines follow or nobody could have torn it.
    pub(super) damage: Option<(u64, JournalDamage)>,
    /// Whether the last line says that the file has ended.
    pub(super) is_closed: bool,
    /// What the last line tells of the file, where the file was ended in order.
    pub(super) ended: Option<Before>,
}

/// What a file holds.
pub(super) enum Content {
    /// Nothing but what it was filled with.
    Nothing,
    /// The beginning of a first line, never finished.
    Torn(u64),
    /// No line of a journal at all.
    Foreign,
    Lines(Tail),
}

/// Reads the end of a file, and as much before it as it takes to find a whole line.
pub(super) fn read_tail(file: &dyn DiskFile) -> io::Result<Content> {
    let end = end_of_data(file)?;
    if end == 0 {
        return Ok(Content::Nothing);
    }
    let (mut window, mut to) = (WINDOW, end);
    loop {
        let start = to.saturating_sub(window);
        let mut bytes = vec![0; usize::try_from(to - start).map_err(io::Error::other)?];
        let read = file.read_at(&mut bytes, start)?;
        bytes.truncate(read);
        let is_all = start == 0 && to == end;
        if is_all && are_missing(&bytes, 0, None) {
            return Ok(Content::Torn(end));
        }
        if let Some(tail) = walk(&bytes, start) {
            return Ok(Content::Lines(if to == end { tail } else { tail.before_damage(end) }));
        }
        if start == 0 {
            let torn = is_all && Head::any_could_be_torn(&bytes);
            return Ok(if torn { Content::Torn(end) } else { Content::Foreign });
        }
        if window < MAX_WINDOW {
            window *= 4;
        } else {
            // A line may begin before what was read.
            to = start + MAX_LINE_BYTES as u64;
        }
    }
}

impl Tail {
    /// As it is where no line stands any more up to the end of the file.
    fn before_damage(mut self, end: u64) -> Self {
        (self.torn, self.position.next_seq) = (0, self.position.next_seq + (end - self.end) / SHORTEST_LINE + 1);
        self.damage = self.damage.or(Some((self.end, JournalDamage::NotALine)));
        self
    }
}

/// Behind the last byte that is neither fill nor a hole.
fn end_of_data(file: &dyn DiskFile) -> io::Result<u64> {
    if file.goes_forward() {
        return end_of_data_from_start(file);
    }
    let mut end = file.len()?;
    let mut block = vec![0; BLOCK_BYTES];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let length = usize::try_from(end - start).map_err(io::Error::other)?;
        let read = file.read_at(&mut block[..length], start)?;
        if let Some(last) = last_of_data(&block[..read]) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The same, without going back.
fn end_of_data_from_start(file: &dyn DiskFile) -> io::Result<u64> {
    let (mut at, mut end, mut block) = (0, 0, vec![0; BLOCK_BYTES]);
    loop {
        let read = file.read_at(&mut block, at)?;
        if read == 0 {
            return Ok(end);
        }
        end = last_of_data(&block[..read]).map_or(end, |last| at + last as u64 + 1);
        at += read as u64;
    }
}

fn last_of_data(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|byte| !matches!(*byte, FILL | 0))
}

/// Goes through the lines of a window that begins anywhere; `None` where no whole line is in it.
fn walk(bytes: &[u8], start: u64) -> Option<Tail> {
    // What the window cuts into is not looked at.
    let skipped = if start == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n')? + 1 };
    let (mut walk, mut tail, mut doubt) = (Walk::default(), None::<Tail>, None);
    // Behind the last line up to which each is the next one.
    let mut sound = None;
    let mut at = skipped;
    for line in bytes[skipped..].split(|byte| *byte == b'\n') {
        let (from, to) = (start + at as u64, start + (at + line.len()) as u64 + 1);
        at += line.len() + 1;
        let step = match walk.step(line) {
            Ok(step) => parse(line).map(|record| (step, record)),
            Err(damage) => Err(damage),
        };
        if !matches!(&step, Ok((Step { damage: None, .. }, _))) {
            sound = sound.or_else(|| tail.as_ref().map(|tail| (tail.position, tail.end)));
        }
        match (step, walk.next) {
            (Ok((step, record)), Some(position)) => {
                let earlier = tail.as_mut().and_then(|tail| tail.damage.take());
                let damage = earlier.or_else(|| doubt.take()).or(step.damage.map(|damage| (from, damage)));
                let (is_closed, ended) = (system::is_closed(&record), Before::of_last(&record));
                tail = Some(Tail { position, end: to, torn: 0, damage, is_closed, ended });
            }
            (Err(damage), _) => doubt = doubt.or(Some((from, damage))),
            (Ok(_), None) => {}
        }
    }
    let mut tail = tail?;
    if let Some((position, end)) = sound
        && let Some(rest) = usize::try_from(end - start).ok().and_then(|at| bytes.get(at..))
        && are_missing(rest, end, Some(position))
    {
        let torn = rest.len() as u64;
        return Some(Tail { position, end, torn, damage: None, is_closed: false, ended: None });
    }
    if let Some((from, damage)) = doubt {
        let rest = &bytes[usize::try_from(from - start).unwrap_or_default()..];
        if is_torn(rest, tail.position.stream) {
            tail.torn = rest.len() as u64;
        } else {
            tail.position.next_seq += rest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64;
            tail.damage = tail.damage.or(Some((from, damage)));
        }
    }
    Some(tail)
}

/// Whether what stands at `offset`, behind a line or at the beginning of a file, lacks sectors that a write did not
/// bring to the disk before the power was lost, although it brought others that follow.
///
/// One round is synced as a whole: what is behind such a hole was not acknowledged either. It is one only where whole
/// sectors are as they were before, where the line that belongs there is nowhere behind it, and where no more follows
/// than a round writes. Whoever can make one look so can cut the file as well.
fn are_missing(rest: &[u8], offset: u64, position: Option<Position>) -> bool {
    let is_fill = |byte: &u8| matches!(*byte, FILL | 0);
    let begun = rest.iter().position(is_fill).unwrap_or(rest.len());
    let hole = offset + begun as u64;
    let left = usize::try_from(SECTOR_BYTES - hole % SECTOR_BYTES).unwrap_or_default();
    let misses = rest.get(begun..begun + left).is_some_and(|sector| sector.iter().all(is_fill));
    let aligned = begun == 0 || hole.is_multiple_of(SECTOR_BYTES);
    let is_next = |line: &[u8]| {
        Place::of(line).is_some_and(|place| position.is_some_and(|position| position.mismatch(place).is_none()))
    };
    aligned
        && misses
        && rest.len() <= ROUND_BYTES
        && Head::any_could_be_torn(&rest[..begun])
        && !rest.split(|byte| *byte == b'\n').any(is_next)
}

/// Whether what follows the last whole line was never finished: it begins as a line, and does not end as one. A line
/// with both was whole once.
fn is_torn(rest: &[u8], stream: Uuid) -> bool {
    let first = rest.split(|byte| matches!(*byte, b'\n' | 0)).next().unwrap_or_default();
    Head::new(stream).could_be_torn(rest) && !first.ends_with(b"\"}")
}
