//! From when to when the records of a file happened: what a reader needs to know to leave the file alone.

use audit_core::__private::sort_text;
use audit_core::{Fields, Kind, StoredRecord, Timestamp};
use serde::Deserialize;

use super::system::{CLOSED, OPENED};

/// A moment as a text that sorts as the moments do.
pub(super) type Moment = [u8; 27];

/// When the first and the last of some records happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Of no records.
    Empty,
    From(Moment, Moment),
    /// One of them happened at a moment that has no such text.
    Unknown,
}

/// The file before another: the records from a position on, up to where the other one begins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Before {
    pub(super) first_seq: u64,
    pub(super) oldest: String,
    pub(super) newest: String,
}

/// When a record happened.
pub(super) fn moment(record: &Fields) -> Option<Moment> {
    sort_text(record)
}

impl Before {
    /// What the last line of a file tells of the file, itself among it.
    pub(super) fn of_last(line: &StoredRecord) -> Option<Self> {
        let all = detail::<Self>(line, CLOSED)?;
        let end = |text: &str| <Moment>::try_from(text.as_bytes()).ok();
        let mut span = Span::From(end(&all.oldest)?, end(&all.newest)?);
        span.add(moment(line));
        span.since(all.first_seq)
    }

    /// What the first line of a file tells of the file before.
    pub(super) fn of_first(line: &StoredRecord) -> Option<Self> {
        #[derive(Deserialize)]
        struct Detail {
            before: Before,
        }
        detail::<Detail>(line, OPENED).map(|detail| detail.before)
    }

    /// When the first and the last of its records happened.
    pub(super) fn moments(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.oldest.parse().ok()?, self.newest.parse().ok()?))
    }
}

fn detail<T: serde::de::DeserializeOwned>(line: &StoredRecord, action: &str) -> Option<T> {
    (line.kind() == Some(Kind::System) && line.action() == action).then(|| line.detail_as().ok()).flatten()
}

impl Span {
    pub(super) fn add(&mut self, moment: Option<Moment>) {
        *self = match (*self, moment) {
            (Self::Unknown, _) | (_, None) => Self::Unknown,
            (Self::Empty, Some(moment)) => Self::From(moment, moment),
            (Self::From(oldest, newest), Some(moment)) => Self::From(oldest.min(moment), newest.max(moment)),
        };
    }

    /// What is told of the records from a position on.
    pub(super) fn since(self, first_seq: u64) -> Option<Before> {
        let Self::From(oldest, newest) = self else { return None };
        let text = |moment: Moment| String::from_utf8_lossy(&moment).into_owned();
        Some(Before { first_seq, oldest: text(oldest), newest: text(newest) })
    }
}
