//! Removing what is old: an operation of its own, recorded before it begins.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use audit_core::{AuditSink as _, Record, SinkError, StoredRecord, Timestamp};
use serde::Deserialize;
use thiserror::Error;

use super::chain::ChainHash;
use super::error::{JournalError, JournalStep};
use super::hold::holds;
use super::line::Place;
use super::lines::first_line;
use super::reader::list;
use super::segment::Index;
use super::source::all_forms;
use super::{Journal, system};
use audit_core::__private::debug_as_display;

/// Where forwarders keep how far they are: a file each, below the journal's directory.
pub(crate) const CURSORS: &str = "cursors";

/// Which files of a journal are to go. Without any rule none is.
///
/// Whole files are removed, the oldest first, and never the one that is written. A file stays, and all behind it,
/// while a forwarder has not delivered it or a [`LegalHold`](crate::LegalHold) covers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a retention does nothing until `Journal::retain`"]
pub struct Retention {
    older_than: Option<Duration>,
    total_bytes: Option<u64>,
}

impl Retention {
    /// Starts without any rule.
    pub const fn new() -> Self {
        Self { older_than: None, total_bytes: None }
    }

    /// Removes files whose records are all older than this.
    pub const fn older_than(mut self, age: Duration) -> Self {
        self.older_than = Some(age);
        self
    }

    /// Removes as many files as it takes for the rest to have no more bytes than this.
    pub const fn total_bytes(mut self, bytes: u64) -> Self {
        self.total_bytes = Some(bytes);
        self
    }
}

/// What [`Journal::retain`] has removed, and what it had to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retained {
    /// The names of the files that were removed, the oldest first, each as it was on the disk.
    pub removed: Vec<String>,
    /// How many bytes they had.
    pub bytes: u64,
    /// The position and the hash of the last line that was removed.
    pub up_to: Option<(u64, ChainHash)>,
    /// The file that a rule wants removed and that stays, and why.
    pub kept: Option<(String, Kept)>,
}

/// Why a file stays although a rule wants it removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// This forwarder has not delivered all of it.
    Undelivered(String),
    /// This legal hold covers it.
    Held(String),
    /// It is damaged, and its damage would be gone with it.
    Damaged,
}

/// Nothing more was removed.
#[derive(Error)]
#[non_exhaustive]
pub enum RetentionError {
    /// The files, the holds or the cursors cannot be read, or a file cannot be removed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The record that says what goes could not be written; everything is still there.
    #[error("the record of what goes could not be written, and nothing was removed")]
    Record(#[source] SinkError),
}

debug_as_display!(RetentionError);

/// A file that is not written any more.
struct Closed {
    index: Index,
    /// As it is on the disk.
    name: String,
    bytes: u64,
    first: Place,
    /// Of the file behind it.
    next: Place,
    /// When the first line of this file and of the one behind it were recorded.
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Journal {
    /// Removes what a retention says, and records that before: an `audit.retained` for each file, with its positions, the
    /// hash of its last line, and the rule. The chain goes on from there, and [`Journal::verify`] finds that record, also
    /// where removing was interrupted.
    ///
    /// # Errors
    ///
    /// [`RetentionError`].
    pub async fn retain(&self, retention: Retention) -> Result<Retained, RetentionError> {
        let Plan { remove, mut kept } = {
            let _as_they_are = self.removing();
            plan(self.path(), retention)?
        };
        let mut retained = Retained::default();
        if !remove.is_empty() {
            let records: Vec<_> = remove.iter().map(|file| file.tombstone(retention)).collect();
            self.write(&records).await.map_err(RetentionError::Record)?;
            // Who places a hold meanwhile must not be told so for files that go.
            let (_no_hold_is_placed, _as_they_are) = (self.changing_holds(), self.removing());
            let holds = holds(self.path())?;
            for file in remove {
                if let Some(hold) = holds.iter().find(|hold| hold.covers(file.from, file.to)) {
                    kept = Some((file.name, Kept::Held(hold.name().to_owned())));
                    break;
                }
                self.remove(&file, &mut retained)?;
                retained.up_to = Some((file.next.seq - 1, file.next.prev));
            }
            let synced = fs::File::open(self.path()).and_then(|directory| directory.sync_all());
            synced.map_err(|error| JournalError::io(self.path(), JournalStep::Sync, error))?;
        }
        Ok(Retained { kept, ..retained })
    }

    fn remove(&self, file: &Closed, retained: &mut Retained) -> Result<(), JournalError> {
        // It may have been compressed since.
        for (path, metadata) in all_forms(&self.path().join(file.index.to_string())) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(JournalError::io(&path, JournalStep::Remove, error));
                }
                _ => {}
            }
            retained.bytes += metadata.len();
            retained.removed.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
        Ok(())
    }
}

impl Closed {
    /// The record that says that it goes.
    fn tombstone(&self, retention: Retention) -> Record {
        let about = system::record(RETAINED).fields(|fields| {
            fields.plain("file", &self.name);
            fields.value("first_seq", &self.first.seq);
            fields.value("last_seq", &(self.next.seq - 1));
            fields.plain("last_hash", &self.next.prev.to_string());
            if let Some(age) = retention.older_than {
                fields.value("older_than_seconds", &age.as_secs());
            }
            if let Some(bytes) = retention.total_bytes {
                fields.value("total_bytes", &bytes);
            }
        });
        about.build()
    }
}

/// The action of the record that says what was removed.
pub(super) const RETAINED: &str = "audit.retained";

struct Plan {
    remove: Vec<Closed>,
    kept: Option<(String, Kept)>,
}

fn plan(directory: &Path, retention: Retention) -> Result<Plan, JournalError> {
    let (closed, mut total) = closed(directory)?;
    let (cursors, holds) = (cursors(directory)?, holds(directory)?);
    let before = retention.older_than.and_then(ago);
    let mut plan = Plan { remove: Vec::new(), kept: None };
    for file in closed {
        let old = before.is_some_and(|before| file.to.is_some_and(|to| to < before));
        let much = retention.total_bytes.is_some_and(|most| total > most);
        if !old && !much {
            break;
        }
        let undelivered = cursors.iter().find(|(_, seq)| **seq < file.next.seq - 1);
        let held = holds.iter().find(|hold| hold.covers(file.from, file.to));
        let kept = match (undelivered, held) {
            _ if file.first.stream != file.next.stream => Some(Kept::Damaged),
            (Some((forwarder, _)), _) => Some(Kept::Undelivered(forwarder.clone())),
            (None, Some(covering)) => Some(Kept::Held(covering.name().to_owned())),
            (None, None) => None,
        };
        if let Some(kept) = kept {
            plan.kept = Some((file.name, kept));
            break;
        }
        total -= file.bytes;
        plan.remove.push(file);
    }
    Ok(plan)
}

fn ago(age: Duration) -> Option<Timestamp> {
    let micros = Timestamp::now().as_unix_micros().checked_sub(i64::try_from(age.as_micros()).ok()?)?;
    Timestamp::from_unix_micros(micros).ok()
}

/// The files before the one that is written, up to the first without a first line; and the bytes of all.
fn closed(directory: &Path) -> Result<(Vec<Closed>, u64), JournalError> {
    let (mut all, mut total) = (Vec::new(), 0);
    for index in list(directory)? {
        let path = directory.join(index.to_string());
        let forms = all_forms(&path);
        let bytes = forms.iter().map(|(_, metadata)| metadata.len()).sum();
        total += bytes;
        let name = forms.first().and_then(|(path, _)| path.file_name()).unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let Some(line) = first_line(&path) else { break };
        let Some(place) = Place::of(line.as_bytes()) else { break };
        let recorded_at = StoredRecord::parse(line).ok().and_then(|record| record.recorded_at());
        all.push((index, name, bytes, place, recorded_at));
    }
    let pairs = all.iter().zip(all.iter().skip(1));
    let closed = pairs.map(|((index, name, bytes, first, from), (_, _, _, next, to))| Closed {
        index: *index,
        name: name.clone(),
        bytes: *bytes,
        first: *first,
        next: *next,
        from: *from,
        to: *to,
    });
    Ok((closed.collect(), total))
}

/// How far each forwarder is.
fn cursors(directory: &Path) -> Result<BTreeMap<String, u64>, JournalError> {
    #[derive(Deserialize)]
    struct Cursor {
        seq: u64,
    }

    let path = directory.join(CURSORS);
    let failed = |path: &Path, error| JournalError::io(path, JournalStep::Read, error);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(failed(&path, error)),
    };
    let mut cursors = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(&path, error))?.path();
        let (Some(name), Some("json")) = (path.file_stem(), path.extension().and_then(|end| end.to_str())) else {
            continue;
        };
        let text = fs::read(&path).map_err(|error| failed(&path, error))?;
        // One that cannot be read has delivered nothing, for all that is known.
        let seq = serde_json::from_slice::<Cursor>(&text).map_or(0, |cursor| cursor.seq);
        cursors.insert(name.to_string_lossy().into_owned(), seq);
    }
    Ok(cursors)
}
