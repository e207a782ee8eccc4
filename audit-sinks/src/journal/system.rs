//! The records that a journal writes about itself.

use audit_core::{Action, Kind, Record};

use super::position::Position;
use super::segment::Index;

/// Why a file was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Because {
    Opened,
    Rotated,
    Failed,
}

/// What the first line of a file tells of what was before.
#[derive(Clone, Debug)]
pub(super) struct Began {
    pub(super) because: Because,
    pub(super) cut_bytes: u64,
    /// The damage that was found at the end of the file before.
    pub(super) damage: Option<Damaged>,
}

/// Where a file is damaged, and how.
#[derive(Clone, Debug)]
pub(super) struct Damaged {
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) kind: String,
}

impl Began {
    pub(super) const fn because(because: Because) -> Self {
        Self { because, cut_bytes: 0, damage: None }
    }
}

impl Because {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Rotated => "rotated",
            Self::Failed => "failed",
        }
    }
}

/// The first line of a file.
pub(super) fn opened(index: Index, position: Position, began: &Began) -> Record {
    record("audit.segment_opened")
        .fields(|fields| {
            fields.plain("file", &index.to_string());
            fields.plain("because", began.because.as_str());
            fields.value("after_seq", &(position.next_seq - 1));
            if began.cut_bytes > 0 {
                fields.value("cut_bytes", &began.cut_bytes);
            }
            if let Some(damage) = &began.damage {
                fields.plain("damaged_file", &damage.file);
                fields.value("damaged_line", &damage.line);
                fields.plain("damage", &damage.kind);
            }
        })
        .build()
}

/// The last line of a file.
pub(super) fn closed(index: Index, first_seq: u64, position: Position) -> Record {
    record("audit.segment_closed")
        .fields(|fields| {
            fields.plain("file", &index.to_string());
            fields.value("first_seq", &first_seq);
            fields.value("lines", &(position.next_seq - first_seq + 1));
        })
        .build()
}

pub(super) fn record(action: &'static str) -> audit_core::RecordBuilder<'static> {
    Record::builder(Action::new(action)).kind(Kind::System)
}
