//! What a journal has to deliver: from where on, and what of it cannot be read.

use std::path::Path;

use audit_core::StoredRecord;

use super::carried::Carried;
use super::cursor::ForwarderCursor;
use super::error::ForwarderError;
use crate::journal::{ChainHash, JournalError, JournalReader};

/// Reads what is acknowledged behind a cursor.
pub(super) struct Source {
    journal: Carried,
    reader: JournalReader,
    /// Whether the reader has failed: where in a file is not known, and it is read anew.
    is_lost: bool,
    last: Last,
    /// What the reader has said since the last record.
    doubt: bool,
    kept: Option<StoredRecord>,
}

/// The last record that was read.
enum Last {
    Cursor(Link),
    Record(StoredRecord),
}

/// A place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) hash: ChainHash,
}

pub(super) enum Found {
    Record(StoredRecord),
    Damage(Damage),
}

/// Records that are not there, or not as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) first: u64,
    /// The last of them, with the hash that the record behind it gives it.
    pub(super) last: Link,
}

impl Source {
    /// Begins behind the cursor, or with the oldest record; gives the place before.
    ///
    /// The journal must lead to the cursor: have the line with that hash, or, where older files are gone, a next one
    /// that has it as its `prev`.
    pub(super) fn open(
        journal: &Carried,
        cursor: Option<&ForwarderCursor>,
        path: &Path,
    ) -> Result<(Self, Link), ForwarderError> {
        let head = journal.head();
        let Some(cursor) = cursor else {
            let oldest = first_record(journal.follow()?)?;
            let before = oldest.as_ref().and_then(before);
            let link = before.unwrap_or(Link { seq: 0, hash: ChainHash::of_stream(head.stream) });
            return Ok((Self::behind(journal, link)?, link));
        };
        let path = || path.to_owned();
        if cursor.stream != head.stream {
            return Err(ForwarderError::OtherStream { path: path(), cursor: cursor.stream, journal: head.stream });
        }
        if cursor.seq > head.seq {
            return Err(ForwarderError::Shorter { path: path(), cursor: cursor.seq, journal: head.seq });
        }
        let link = Link { seq: cursor.seq, hash: cursor.hash };
        let there = if cursor.seq == head.seq {
            Link { seq: head.seq, hash: head.hash }
        } else {
            // Whether a line before it is damaged is none of our concern here.
            match first_record(journal.follow()?.from_seq(cursor.seq)?)? {
                Some(record) if record.seq() == Some(cursor.seq) => link_of(&record),
                Some(record) => before(&record).unwrap_or(Link { seq: u64::MAX, hash: cursor.hash }),
                None => link,
            }
        };
        if there.seq > cursor.seq {
            let first = there.seq.saturating_add(1);
            return Err(ForwarderError::Missing { path: path(), after: cursor.seq, first });
        }
        if there.hash != cursor.hash {
            return Err(ForwarderError::Different { path: path(), seq: cursor.seq });
        }
        Ok((Self::behind(journal, link)?, link))
    }

    fn behind(journal: &Carried, link: Link) -> Result<Self, JournalError> {
        let reader = journal.follow()?.from_seq(link.seq + 1)?;
        Ok(Self {
            journal: journal.clone(),
            reader,
            is_lost: false,
            last: Last::Cursor(link),
            doubt: false,
            kept: None,
        })
    }

    /// The position of the record that is read next.
    pub(super) fn next_seq(&self) -> u64 {
        self.last.seq() + 1
    }

    /// The next record that is acknowledged, where there is one.
    pub(super) fn next(&mut self) -> Result<Option<Found>, JournalError> {
        if let Some(record) = self.kept.take() {
            return Ok(Some(self.give(record)));
        }
        loop {
            if self.is_lost {
                self.reader = self.journal.follow()?.from_seq(self.next_seq())?;
                self.is_lost = false;
            }
            let record = match self.reader.next() {
                None => return Ok(None),
                Some(Ok(record)) => record,
                Some(Err(error @ JournalError::Damaged { .. })) => {
                    if !std::mem::replace(&mut self.doubt, true) {
                        super::alarm(|| tracing::error!(target: "audited::forward", %error, "the journal is damaged"));
                    }
                    continue;
                }
                Some(Err(error)) => {
                    self.is_lost = true;
                    return Err(error);
                }
            };
            let (next, seq) = (self.next_seq(), record.seq().unwrap_or_default());
            if seq < next {
                continue;
            }
            let doubt = std::mem::take(&mut self.doubt);
            if (doubt || seq > next)
                && let Some(last) = before(&record)
                && last != self.last.link()
            {
                let first = next.min(last.seq);
                self.kept = Some(record);
                return Ok(Some(Found::Damage(Damage { first, last })));
            }
            return Ok(Some(self.give(record)));
        }
    }

    fn give(&mut self, record: StoredRecord) -> Found {
        self.last = Last::Record(record.clone());
        Found::Record(record)
    }
}

impl Last {
    fn seq(&self) -> u64 {
        match self {
            Self::Cursor(link) => link.seq,
            Self::Record(record) => record.seq().unwrap_or_default(),
        }
    }

    fn link(&self) -> Link {
        match self {
            Self::Cursor(link) => *link,
            Self::Record(record) => link_of(record),
        }
    }
}

/// The first record that can be read, whatever is damaged before it. What the operating system refuses is not passed over:
/// the records would be passed over with it.
fn first_record(reader: JournalReader) -> Result<Option<StoredRecord>, JournalError> {
    let mut found = reader.filter(|found| !matches!(found, Err(JournalError::Damaged { .. })));
    found.next().transpose()
}

pub(super) fn link_of(record: &StoredRecord) -> Link {
    Link { seq: record.seq().unwrap_or_default(), hash: ChainHash::of_line(record.json().as_bytes()) }
}

/// What a record says about the one before.
fn before(record: &StoredRecord) -> Option<Link> {
    let hash = record.get("prev")?.trim_matches('"').parse().ok()?;
    Some(Link { seq: record.seq()?.checked_sub(1)?, hash })
}
