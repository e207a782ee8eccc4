//! What a journal finds when it is opened.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::error::{JournalDamage, JournalError, JournalStep};
use super::line::{MAX_LINE_BYTES, Position};
use super::open::sync_directory_of;
use super::scan::{Found, Scan};

/// What [`Journal::open`](super::Journal::open) found in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// How many bytes of a torn last line were cut off.
    pub cut_bytes: u64,
    /// How many whole records there are.
    pub records: u64,
    /// The position that the next record gets.
    pub next_seq: u64,
}

/// Reads the whole file, cuts off a torn last line, and makes sure that what is left is on the disk.
///
/// A line that lacks nothing but its end is cut too: its write did not finish, so that it was never acknowledged.
pub(super) fn recover(path: &Path, file: &File) -> Result<(Position, Recovered), JournalError> {
    let (position, end) = read(path, file)?;
    let length = file.metadata().map_err(|error| JournalError::io(path, JournalStep::Read, error))?.len();
    let cut_bytes = length.saturating_sub(end);
    if cut_bytes > 0 {
        file.set_len(end).map_err(|error| JournalError::io(path, JournalStep::Cut, error))?;
    }
    // Also where nothing was cut: the process before may have died between writing and syncing.
    file.sync_all().map_err(|error| JournalError::io(path, JournalStep::Sync, error))?;
    sync_directory_of(path)?;
    let recovered = Recovered { cut_bytes, records: position.next_seq - 1, next_seq: position.next_seq };
    if cut_bytes > 0 {
        tracing::warn!(
            target: "audited::journal",
            path = %super::error::Shown(path),
            cut_bytes,
            records = recovered.records,
            "a torn last line was cut off; it was never acknowledged"
        );
    }
    Ok((position, recovered))
}

/// Goes through all lines; gives where the last whole one ends.
fn read(path: &Path, file: &File) -> Result<(Position, u64), JournalError> {
    let mut scan = Scan::new(BufReader::with_capacity(1 << 16, file));
    let mut position = Position::START;
    loop {
        let damage = match scan.next().map_err(|error| JournalError::io(path, JournalStep::Read, error))? {
            Found::Line(line) => position.advance(line).err(),
            Found::Unfinished(tail) if position.could_be_torn(tail) => return Ok((position, scan.offset())),
            Found::Unfinished(_) => Some(JournalDamage::Foreign),
            Found::TooLong => Some(JournalDamage::TooLong { max: MAX_LINE_BYTES }),
            Found::End => return Ok((position, scan.offset())),
        };
        if let Some(damage) = damage {
            return Err(JournalError::damaged(path, scan.number(), damage));
        }
    }
}
