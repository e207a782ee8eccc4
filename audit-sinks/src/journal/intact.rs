//! What of a journal is as it was written.

use super::chain::ChainHash;
use super::line::Place;

/// Lines that follow each other: each but the first has the hash of the one before.
///
/// So none of them was changed, removed or put in, but for the last: nothing that stands in the journal vouches for that
/// one. Its hash does, where somebody has kept it elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intact {
    /// The position of the first line.
    pub first_seq: u64,
    /// The position of the last line.
    pub last_seq: u64,
    /// The hash of the last line.
    pub hash: ChainHash,
    /// What the first line says of the one before it.
    pub(super) prev: ChainHash,
}

/// The stretches of a journal, in the order in which they stand there.
#[derive(Debug, Default)]
pub(super) struct Stretches(pub(super) Vec<Intact>);

impl Stretches {
    /// Adds a line that stands behind all others; `hash` is its own. A stretch that is one too many is left out.
    pub(super) fn add(&mut self, place: Place, hash: ChainHash, most: usize) {
        self.append(Intact { first_seq: place.seq, last_seq: place.seq, hash, prev: place.prev }, most);
    }

    /// Adds a stretch that stands behind all others.
    pub(super) fn append(&mut self, next: Intact, most: usize) {
        match self.0.last_mut() {
            Some(last) if (last.last_seq + 1, last.hash) == (next.first_seq, next.prev) => {
                (last.last_seq, last.hash) = (next.last_seq, next.hash);
            }
            _ => {
                if self.0.len() < most {
                    self.0.push(next);
                }
            }
        }
    }
}
