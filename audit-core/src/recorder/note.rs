//! A debt to the stream, and the record that says so.

use super::flood::{Counted, DenialKind};
use super::gap::Gap;
use crate::id::RecordId;
use crate::record::{Flags, Record, Stamp, Times, encode};
use crate::sensitive::Rules;
use crate::timestamp::Timestamp;

/// What the stream is to be told.
pub(super) enum Debt {
    /// Records were lost.
    Lost(Gap),
    /// Denials were counted.
    Counted(DenialKind, Counted),
}

/// A debt in a record. It is made once: a sink that wrote it and answered an error is given the same one again, with
/// its id, and what has come to be owed since is in another.
pub(super) struct Note {
    pub(super) debt: Debt,
    pub(super) record: Record,
}

impl Debt {
    pub(super) fn is_gap(&self) -> bool {
        matches!(self, Self::Lost(_))
    }

    /// How many records were lost.
    pub(super) fn lost(&self) -> u64 {
        if let Self::Lost(gap) = self { gap.lost } else { 0 }
    }

    /// How many denials were counted.
    pub(super) fn denials(&self) -> u64 {
        if let Self::Counted(_, counted) = self { counted.denials } else { 0 }
    }

    pub(super) fn note(self, rules: &Rules) -> Note {
        let now = Timestamp::now();
        let stamp = Stamp { id: RecordId::at(now), when: Times::both(now), flags: Flags::default() };
        let draft = match &self {
            Self::Lost(gap) => gap.draft(),
            Self::Counted(kind, counted) => kind.draft(counted),
        };
        let record = encode(&draft, None, &stamp, rules);
        Note { debt: self, record }
    }
}
