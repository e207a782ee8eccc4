//! Reading what was compressed back, before the file that it was made from is given up.
//!
//! The checksum that a compressed file carries is of what the compressor was given, and says nothing of what it was
//! meant to be given. So both files are read once more and compared byte by byte, the compressed one from the disk as
//! far as the system can be made to.

use std::io::{self, Read as _};

use thiserror::Error;

use super::disk::DiskFile;
use super::unpack::{FromStart, Unpack, is_corrupt};

/// A compressed file and the plain one, as far as they are found to be the same.
pub(super) struct Comparison {
    plain: Box<dyn DiskFile>,
    packed: Unpack<FromStart>,
    at: u64,
}

/// What was compressed is not the file that it was made from.
#[derive(Debug, Error)]
#[error("what was compressed is not the file that it was made from")]
struct Differs;

impl Comparison {
    /// Begins to read a compressed file that was synced.
    pub(super) fn new(plain: Box<dyn DiskFile>, packed: Box<dyn DiskFile>) -> io::Result<Self> {
        packed.uncache();
        Ok(Self { plain, packed: Unpack::new(FromStart::new(packed))?, at: 0 })
    }

    /// Compares so many bytes more; says whether there were any.
    ///
    /// # Errors
    ///
    /// One that [`is_wrong`] where they are not the same, or that of the disk.
    pub(super) fn go_on(&mut self, most: usize) -> io::Result<bool> {
        let mut bytes = vec![0; most];
        let read = self.plain.read_at(&mut bytes, self.at)?;
        // One more, since the compressed one must end with it.
        let mut unpacked = vec![0; read + usize::from(read < most)];
        let found = fill(&mut self.packed, &mut unpacked)?;
        if unpacked[..found] != bytes[..read] {
            return Err(io::Error::new(io::ErrorKind::InvalidData, Differs));
        }
        self.at += read as u64;
        Ok(read > 0)
    }
}

/// Whether an error says that what was compressed is wrong, rather than that the disk failed.
pub(super) fn is_wrong(error: &io::Error) -> bool {
    is_corrupt(error) || error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Differs>)
}

fn fill(from: &mut Unpack<FromStart>, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match from.read(&mut bytes[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}
