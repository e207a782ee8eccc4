//! What a store keeps of a record beside its text.

use std::borrow::Cow;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::id::RecordId;
use crate::record::{Fields, Kind, Stage, StoredActor, StoredDecision, StoredOutcome, StoredResource, entries};

/// What is read of a record to find it again, so that every store reads the same: what its columns hold, what its
/// indexes are over.
///
/// Texts are as the record has them, and may hold anything, U+0000 among it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row<'a> {
    /// The id of the record. A store has it once.
    pub id: RecordId,
    /// Its place in the order of a query.
    pub sort_key: SortKey,
    /// The stream that it is in, and the position there, where it has both. A store has the pair once.
    pub position: Option<(Cow<'a, str>, u64)>,
    /// The digest of all of it but where it is: two records of one id are the same where this is.
    pub digest: [u8; 32],
    /// The organisation that owns it.
    pub tenant: Option<Cow<'a, str>>,
    /// What was done.
    pub action: Cow<'a, str>,
    /// What it is about.
    pub kind: Option<Kind>,
    /// How far the call had come.
    pub stage: Option<Stage>,
    /// Of an intent, the id of the call's final record.
    pub call: Option<RecordId>,
    /// Who did it.
    pub actor: Option<StoredActor>,
    /// Whom it is about.
    pub subjects: Vec<StoredResource>,
    /// What was acted on.
    pub resource: Option<StoredResource>,
    /// Whether it was allowed, and why not.
    pub decision: Option<StoredDecision<'a>>,
    /// How it ended.
    pub outcome: Option<StoredOutcome<'a>>,
    /// What ties the records of one request together.
    pub correlation_id: Option<Cow<'a, str>>,
}

/// Where a record stands in the order of a query: by when it happened, and among equal times by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SortKey {
    /// When it happened, in microseconds since the Unix epoch; when it was recorded where it does not say, 0 where it
    /// says neither.
    pub micros: i64,
    /// The id of the record.
    pub id: RecordId,
}

impl<'a> Row<'a> {
    /// Reads a record. `None` where it has no id, which no record that was made or parsed lacks.
    pub fn of(record: &'a Fields) -> Option<Self> {
        let stage = record.stage();
        Some(Self {
            id: record.id()?,
            sort_key: SortKey::of(record)?,
            position: record.stream().zip(record.seq()),
            digest: digest(record.json()),
            tenant: record.tenant(),
            action: record.action(),
            kind: record.kind(),
            stage,
            call: record.call().filter(|_| stage == Some(Stage::Intent)),
            actor: record.actor(),
            subjects: record.subjects(),
            resource: record.resource(),
            decision: record.decision(),
            outcome: record.outcome(),
            correlation_id: record.correlation_id(),
        })
    }
}

impl SortKey {
    /// Reads a record. `None` where it has no id.
    pub fn of(record: &Fields) -> Option<Self> {
        let moment = record.occurred_at().or_else(|| record.recorded_at());
        Some(Self { micros: moment.map_or(0, crate::Timestamp::as_unix_micros), id: record.id()? })
    }
}

/// Hashes every entry but those that a sink adds to say where the record is, each key and value framed by its length.
fn digest(json: &str) -> [u8; 32] {
    let mut hash = Hashed::new();
    let found = entries(json, |key, start, end| {
        hash.entry(key, &json[start..end]);
        true
    });
    if found.is_none() {
        hash = Hashed::new();
        for (key, value) in serde_json::from_str::<Entries<'_>>(json).map(|entries| entries.0).unwrap_or_default() {
            hash.entry(&key, value.get());
        }
    }
    hash.0.finalize().into()
}

struct Hashed(Sha256);

impl Hashed {
    fn new() -> Self {
        Self(Sha256::new_with_prefix("audited/row/1"))
    }

    fn entry(&mut self, key: &str, value: &str) {
        if says_where(key) {
            return;
        }
        for part in [key, value] {
            self.0.update((part.len() as u64).to_be_bytes());
            self.0.update(part);
        }
    }
}

/// Whether a key is one that a sink adds to say where a record is.
pub fn says_where(key: &str) -> bool {
    matches!(key, "stream" | "seq" | "prev" | "origin")
}

/// The entries of a JSON object, in their order.
#[derive(Default)]
pub struct Entries<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Entries<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::with_capacity(24);
                while let Some(key) = map.next_key()? {
                    entries.push((key, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::StoredRecord;

    const BARE: &str = r#"{"schema":1,"id":"01a2b3c4-0000-7000-8000-000000000001","action":"a","x":{"y":[1, 2]}}"#;

    fn row(json: &str) -> [u8; 32] {
        Row::of(&StoredRecord::parse(json).unwrap()).unwrap().digest
    }

    #[test]
    fn a_record_is_the_same_wherever_it_is_and_another_where_anything_differs() {
        let placed = BARE.replacen('{', r#"{"stream":"s","#, 1);
        let placed = placed.strip_suffix('}').unwrap().to_owned() + r#","seq":4,"prev":"00"}"#;
        assert_eq!(row(BARE), row(&placed));
        // A key that is read by the parser alone.
        let escaped = |text: &str| text.replace("\"x\":", r#""\u0078":"#);
        assert_eq!(row(BARE), row(&escaped(&placed)));
        for (from, to) in
            [("[1, 2]", "[1,2]"), ("\"a\"", "\"b\""), ("\"x\"", "\"z\""), ("schema\":1,", "schema\":1,\"w\":2,")]
        {
            assert_ne!(row(BARE), row(&BARE.replace(from, to)), "{from}");
        }
    }
}
