//! How far a store has come.

use std::fmt;
use std::sync::Arc;

use crate::record::StoredRecord;

/// How far a store has come: what has arrived before it, and what not. Only the store that gave it understands it.
///
/// Applications get it inside of a [`Cursor`](crate::Cursor), sealed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Position(Arc<[u8]>);

/// What has arrived after a position.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Arrived {
    /// The records, each with the position behind it.
    pub records: Vec<(StoredRecord, Position)>,
    /// The position behind all that was looked at.
    pub next: Position,
    /// Whether more may be there already.
    pub more: bool,
}

impl Position {
    /// Before everything.
    pub fn start() -> Self {
        Self::from_bytes([])
    }

    /// Takes what a store knows a position by, of 8 KiB at most, so that a cursor can hold it. No bytes are the
    /// [`start`](Self::start).
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self(bytes.as_ref().into())
    }

    /// What the store knows it by.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({} bytes)", self.0.len())
    }
}

impl Arrived {
    /// Gives what was found, the position behind what was looked at, and whether more may be there already.
    pub fn new(records: Vec<(StoredRecord, Position)>, next: Position, more: bool) -> Self {
        Self { records, next, more }
    }
}
