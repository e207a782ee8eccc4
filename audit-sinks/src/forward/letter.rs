//! Records that a sink will not take, as they are kept.

use std::fmt;
use std::path::Path;

use audit_core::__private::carried;
use audit_core::{Action, Code, InvalidRecord, Kind, Record, RecordBuilder, RecordId, StoredRecord, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::cursor::{dead_letters_of, is_name};
use super::dead;
use super::error::ForwarderError;
use super::source::Damage;

/// The action of the record that is left for a dead letter.
pub(super) const BURIED: &str = "audit.dead_letter";
/// The action of the record that is left when it is resolved.
pub(super) const RESOLVED: &str = "audit.dead_letter_resolved";

/// Why a record became a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadReason {
    /// The sink said that it will never take it.
    Rejected,
    /// The sink has another record of that stream and seq.
    Conflict,
    /// The sink panicked over it as often as the forwarder was told to bear.
    Panicked,
    /// The journal is damaged at its place, so that there is no record to deliver.
    Damaged,
    /// What a feed was given is no record.
    NoRecord,
}

impl DeadReason {
    const ALL: [Self; 5] = [Self::Rejected, Self::Conflict, Self::Panicked, Self::Damaged, Self::NoRecord];

    /// The name in records and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Conflict => "conflict",
            Self::Panicked => "panicked",
            Self::Damaged => "damaged",
            Self::NoRecord => "no_record",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

impl fmt::Display for DeadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A record that a forwarder or a feed could not deliver and did not drop. It is kept until someone resolves it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The stream of the record; all zeros where it has none.
    pub stream: Uuid,
    /// Its position; 0 where it has none. Of what is no record, the place where the feed has found it.
    pub seq: u64,
    /// Of several records that cannot be read, the position of the last; otherwise the same.
    pub last_seq: u64,
    /// Its id, where it could be read.
    pub id: Option<RecordId>,
    /// Its action, where it could be read.
    pub action: Option<String>,
    /// Why it was not delivered.
    pub reason: DeadReason,
    /// The record, byte for byte; `None` where there is none.
    pub original: Option<StoredRecord>,
    /// When it became one.
    pub buried_at: Option<Timestamp>,
}

impl DeadLetter {
    /// Reads the letters of a forwarder that nobody has resolved yet, in the order of their streams and positions.
    ///
    /// Each stands there once, also where a process died between burying it and noting that it had.
    ///
    /// # Errors
    ///
    /// [`ForwarderError`] when they cannot be read, or there is no such name.
    pub fn all(journal: impl AsRef<Path>, forwarder: &str) -> Result<Vec<Self>, ForwarderError> {
        if !is_name(forwarder) {
            return Err(ForwarderError::Name);
        }
        dead::unresolved(&dead_letters_of(journal.as_ref(), forwarder))
    }

    /// Reads the letters in a directory that a feed was given for them, as [`Self::all`] does.
    ///
    /// # Errors
    ///
    /// [`ForwarderError`] when they cannot be read.
    pub fn all_in(directory: impl AsRef<Path>) -> Result<Vec<Self>, ForwarderError> {
        dead::unresolved(directory.as_ref())
    }

    /// By which it is the same letter.
    pub(crate) const fn key(&self) -> Key {
        (self.stream, self.seq, self.id)
    }

    pub(crate) fn of(record: &StoredRecord, reason: DeadReason) -> Self {
        let seq = record.seq().unwrap_or_default();
        Self {
            stream: record.stream().and_then(|stream| stream.parse().ok()).unwrap_or_default(),
            seq,
            last_seq: seq,
            id: record.id(),
            action: Some(record.action().into_owned()),
            reason,
            original: Some(record.clone()),
            buried_at: Some(Timestamp::now()),
        }
    }

    pub(super) fn of_damage(stream: Uuid, damage: Damage) -> Self {
        Self::without_record(stream, (damage.first, damage.last.seq), DeadReason::Damaged)
    }

    /// Of what a feed has found at a place, and is no record.
    #[cfg(feature = "nats")]
    pub(crate) fn of_no_record(place: u64) -> Self {
        Self::without_record(Uuid::nil(), (place, place), DeadReason::NoRecord)
    }

    fn without_record(stream: Uuid, (seq, last_seq): (u64, u64), reason: DeadReason) -> Self {
        Self {
            stream,
            seq,
            last_seq,
            id: None,
            action: None,
            reason,
            original: None,
            buried_at: Some(Timestamp::now()),
        }
    }

    /// The record that is kept, with the original in its detail.
    pub(crate) fn envelope(&self, forwarder: &str) -> Result<Record, InvalidRecord> {
        let record = builder(BURIED, self.key(), forwarder)
            .fields(|fields| {
                fields.value("last_seq", &self.last_seq);
                if let Some(action) = &self.action {
                    fields.plain("action", action);
                }
                fields.plain("reason", self.reason.as_str());
            })
            .build();
        let (Some(original), Some(detail)) = (&self.original, record.detail()) else { return Ok(record) };
        // No encoder is between: it has been through one, and is to stay as it is.
        let json = record.json();
        let end = detail.as_ptr() as usize - json.as_ptr() as usize + detail.len() - 1;
        let text = format!("{},\"original\":{}{}", &json[..end], original.json(), &json[end..]);
        Ok(carried(&StoredRecord::parse(text)?))
    }

    pub(super) fn read(record: &StoredRecord) -> Option<Self> {
        let shape: Shape = record.detail_as().ok()?;
        let original = match shape.original {
            Some(raw) => Some(StoredRecord::parse(raw.get()).ok()?),
            None => None,
        };
        Some(Self {
            stream: shape.stream.parse().ok()?,
            seq: shape.seq,
            last_seq: shape.last_seq,
            id: shape.id.and_then(|id| id.parse().ok()),
            action: shape.action,
            reason: DeadReason::parse(&shape.reason)?,
            original,
            buried_at: record.occurred_at(),
        })
    }
}

/// The stream, the position and the id of what a letter is about.
pub(crate) type Key = (Uuid, u64, Option<RecordId>);

/// The record of a resolution, with who is behind it where the context says so.
pub(crate) fn resolution(key: Key, forwarder: &str, how: &str, reason: Option<&Code>) -> Record {
    let mut builder = builder(RESOLVED, key, forwarder).fields(|fields| {
        fields.plain("how", how);
        if let Some(reason) = reason {
            fields.plain("reason", reason.as_str());
        }
    });
    if let Some(context) = audit_core::current_context() {
        builder = builder.context(context);
    }
    builder.build()
}

/// The key of the letter that a record resolves.
pub(super) fn resolved(record: &StoredRecord) -> Option<Key> {
    let shape: KeyShape = record.detail_as().ok()?;
    Some((shape.stream.parse().ok()?, shape.seq, shape.id.and_then(|id| id.parse().ok())))
}

fn builder(action: &'static str, (stream, seq, id): Key, forwarder: &str) -> RecordBuilder<'static> {
    Record::builder(Action::new(action)).kind(Kind::System).fields(|fields| {
        fields.plain("forwarder", forwarder);
        fields.plain("stream", &stream.to_string());
        fields.value("seq", &seq);
        if let Some(id) = id {
            fields.plain("id", &id.to_string());
        }
    })
}

#[derive(Deserialize)]
struct Shape {
    stream: String,
    seq: u64,
    last_seq: u64,
    id: Option<String>,
    action: Option<String>,
    reason: String,
    original: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct KeyShape {
    stream: String,
    seq: u64,
    id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original() -> StoredRecord {
        let record = Record::builder(Action::new("letter.test")).fields(|f| f.plain("text", "a \"b\" } \\ \u{1f512}"));
        let record = record.build();
        let (stream, json) = (Uuid::now_v7(), record.json());
        StoredRecord::parse(format!(
            "{{\"stream\":\"{stream}\",{},\"seq\":7,\"x\":{{\"y\":[1,2]}}}}",
            &json[1..json.len() - 1]
        ))
        .unwrap()
    }

    #[test]
    fn an_envelope_holds_the_original_byte_for_byte() {
        for reason in DeadReason::ALL {
            let letter = DeadLetter::of(&original(), reason);
            let envelope = StoredRecord::from(letter.envelope("store").unwrap());
            let read = DeadLetter::read(&envelope).unwrap();
            assert_eq!(read.original.as_ref().unwrap().json(), letter.original.as_ref().unwrap().json());
            assert_eq!(DeadLetter { buried_at: letter.buried_at, ..read }, letter);
            assert_eq!((envelope.action().as_ref(), envelope.kind()), (BURIED, Some(Kind::System)));
        }
    }

    #[test]
    fn a_resolution_names_its_letter() {
        let letter = DeadLetter::of(&original(), DeadReason::Rejected);
        let record = resolution(letter.key(), "store", "dismissed", Some(&Code::new("known_duplicate")));
        assert_eq!(resolved(&StoredRecord::from(record.clone())), Some(letter.key()));
        assert!(record.detail().unwrap().contains(r#""how":"dismissed","reason":"known_duplicate""#));
    }

    #[test]
    fn what_is_no_letter_is_none() {
        assert_eq!(DeadLetter::read(&original()), None);
        assert_eq!(resolved(&original()), None);
    }
}
