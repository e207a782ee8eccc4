//! The records that a journal writes about itself.

use audit_core::{Action, Kind, Record, StoredRecord};

use super::position::Position;
use super::segment::Index;
use super::span::{Before, Span};

/// The action of the first line of a file.
pub(super) const OPENED: &str = "audit.segment_opened";
/// The action of the last line of a file.
pub(super) const CLOSED: &str = "audit.segment_closed";

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
    /// The file before, where all of it is known.
    pub(super) before: Option<Before>,
    /// How many records a process left in memory.
    pub(super) from_memory: u64,
    /// Whether there was memory that is gone.
    pub(super) lost_memory: bool,
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
        Self { because, cut_bytes: 0, damage: None, before: None, from_memory: 0, lost_memory: false }
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
    record(OPENED)
        .fields(|fields| {
            fields.plain("file", &index.to_string());
            fields.plain("because", began.because.as_str());
            fields.value("after_seq", &(position.next_seq - 1));
            if began.cut_bytes > 0 {
                fields.value("cut_bytes", &began.cut_bytes);
            }
            if began.from_memory > 0 {
                fields.value("from_memory", &began.from_memory);
            }
            if began.lost_memory {
                fields.value("lost_memory", &true);
            }
            if let Some(damage) = &began.damage {
                fields.plain("damaged_file", &damage.file);
                fields.value("damaged_line", &damage.line);
                fields.plain("damage", &damage.kind);
            }
            if let Some(before) = &began.before {
                fields.field("before", |value| {
                    value.object(|fields| {
                        fields.value("first_seq", &before.first_seq);
                        fields.plain("oldest", &before.oldest);
                        fields.plain("newest", &before.newest);
                    });
                });
            }
        })
        .build()
}

/// The last line of a file.
pub(super) fn closed(index: Index, first_seq: u64, position: Position, span: Span) -> Record {
    record(CLOSED)
        .fields(|fields| {
            fields.plain("file", &index.to_string());
            fields.value("first_seq", &first_seq);
            fields.value("lines", &(position.next_seq - first_seq + 1));
            // Of the lines before this one.
            if let Some(all) = span.since(first_seq) {
                fields.plain("oldest", &all.oldest);
                fields.plain("newest", &all.newest);
            }
        })
        .build()
}

/// Whether a line says that its file has ended.
pub(super) fn is_closed(line: &StoredRecord) -> bool {
    line.kind() == Some(Kind::System) && line.action() == CLOSED
}

pub(super) fn record(action: &'static str) -> audit_core::RecordBuilder<'static> {
    Record::builder(Action::new(action)).kind(Kind::System)
}
