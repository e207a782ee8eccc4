//! A record as a text.

use std::ops::Deref;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use thiserror::Error;

use super::fields::Fields;
use super::key::{Index, Key};
use super::{RecordBuilder, SCHEMA, scan};
use crate::action::Action;

/// A record as sinks get it: redacted, stamped and encoded. Cloning it copies a pointer.
///
/// Its fields are read through [`Fields`], its JSON by [`Fields::json`].
#[derive(Debug)]
pub struct Record(Fields);

impl Record {
    /// Starts a record by hand.
    pub fn builder(action: Action) -> RecordBuilder<'static> {
        RecordBuilder::new(action)
    }

    pub(super) fn from_parts(json: &str, index: Index) -> Self {
        Self(Fields::new(json, index))
    }

    /// Takes what was read back as it is.
    pub(crate) fn carried(stored: &StoredRecord) -> Self {
        Self(stored.0.share())
    }
}

impl Deref for Record {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

/// A record as it was read back. Its text stays as it was, down to unknown keys and values; the recorder does not
/// accept it.
///
/// ```
/// # use audit_core as audited;
/// use audited::{Action, Record, StoredRecord};
///
/// let record = Record::builder(Action::new("door.open")).build();
/// let stored = StoredRecord::parse(record.json())?;
/// assert_eq!(stored.action(), "door.open");
/// assert_eq!(stored.json(), record.json());
/// # Ok::<(), audited::InvalidRecord>(())
/// ```
#[derive(Debug)]
pub struct StoredRecord(Fields);

impl StoredRecord {
    /// Reads the JSON of one record, as it stands on one line.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] when it is no JSON object on one line, lacks `schema`, `id` or `action`, has a reserved key
    /// twice, or a schema that this crate is too old for.
    pub fn parse(json: impl Into<String>) -> Result<Self, InvalidRecord> {
        let json = json.into();
        let index = match scan::index(&json) {
            Some(index) => index,
            None => index(&json)?,
        };
        for key in [Key::Schema, Key::Id, Key::Action] {
            if !index.has(key) {
                return Err(InvalidRecord::Missing { key: key.as_str() });
            }
        }
        let fields = Fields::new(&json, index);
        match fields.schema() {
            Some(SCHEMA) => {}
            found => return Err(InvalidRecord::Schema { found }),
        }
        if fields.id().is_none() {
            return Err(InvalidRecord::Malformed { key: Key::Id.as_str() });
        }
        if !fields.has_text(Key::Action) {
            return Err(InvalidRecord::Malformed { key: Key::Action.as_str() });
        }
        Ok(Self(fields))
    }
}

impl Deref for StoredRecord {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl From<Record> for StoredRecord {
    /// What a reader of that record would get.
    fn from(record: Record) -> Self {
        Self(record.0)
    }
}

impl Clone for Record {
    fn clone(&self) -> Self {
        Self(self.0.share())
    }
}

impl Clone for StoredRecord {
    fn clone(&self) -> Self {
        Self(self.0.share())
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl Eq for Record {}

impl PartialEq for StoredRecord {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl Eq for StoredRecord {}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_json(self.json(), serializer)
    }
}

impl Serialize for StoredRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_json(self.json(), serializer)
    }
}

impl<'de> Deserialize<'de> for StoredRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(D::Error::custom)
    }
}

fn serialize_json<S: Serializer>(json: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str::<&RawValue>(json).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

/// Not a record.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvalidRecord {
    /// Not a JSON object, but something else.
    #[error("not a JSON object")]
    NoObject,
    /// Not JSON.
    #[error("not a JSON object: {0}")]
    Json(#[source] serde_json::Error),
    /// More than one line.
    #[error("a record stands on one line, this one has a line break")]
    Lines,
    /// A key that every record has is missing.
    #[error("no `{key}`: not a record")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A reserved key has no value of its type.
    #[error("`{key}` is malformed")]
    Malformed {
        /// The key.
        key: &'static str,
    },
    /// A reserved key stands twice.
    #[error("`{key}` stands twice")]
    Twice {
        /// The key.
        key: &'static str,
    },
    /// A schema that this crate does not know.
    #[error("schema {} is not known here; this crate reads schema {SCHEMA}", found.map_or("?".into(), |found| found.to_string()))]
    Schema {
        /// The schema, where it is a number.
        found: Option<u32>,
    },
}

/// Finds where the values of the reserved keys lie, whatever the text is.
fn index(json: &str) -> Result<Index, InvalidRecord> {
    if json.contains(['\n', '\r']) {
        return Err(InvalidRecord::Lines);
    }
    // The parser's message for anything else would quote it.
    if !json.trim_ascii_start().starts_with('{') {
        return Err(InvalidRecord::NoObject);
    }
    serde_json::from_str::<Indexed<'_>>(json).map_err(InvalidRecord::Json)?.index(json)
}

/// The reserved entries of a JSON object, borrowed from its text.
struct Indexed<'a>(Vec<(Key, &'a RawValue)>);

impl Indexed<'_> {
    fn index(&self, json: &str) -> Result<Index, InvalidRecord> {
        let mut index = Index::EMPTY;
        for (key, value) in &self.0 {
            if index.has(*key) {
                return Err(InvalidRecord::Twice { key: key.as_str() });
            }
            let start = value.get().as_ptr() as usize - json.as_ptr() as usize;
            index.set(*key, start, start + value.get().len());
        }
        Ok(index)
    }
}

impl<'de> Deserialize<'de> for Indexed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Indexed<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Indexed<'de>, A::Error> {
                let mut entries = Vec::with_capacity(Key::COUNT);
                while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    match Key::parse(&key) {
                        Some(key) => entries.push((key, map.next_value()?)),
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Indexed(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What texts are made of.
    const PARTS: &str = "{|}|[|]|,|:|\"|\\|\\\"|\\u00e9|\\u12|\"id\"|\"id\":|\"action\":|\"x\":|\"\\u0069d\":|\"seq\":7|true|\
        fals|\n|null|0|-|-1|00|1.5|1.|2e+3|e| |\t|\u{1}|\u{7f}|\u{e9}|\u{1f600}|\"a text of some length, \u{e9} in it\"|\
        eight by|{}|[]|[1,\"a\"]|{\"id\":{\"id\":[]}}|,\"y\":";

    fn part() -> impl Strategy<Value = &'static str> {
        prop::sample::select(PARTS.split('|').collect::<Vec<_>>())
    }

    fn object() -> impl Strategy<Value = String> {
        let parts = || prop::collection::vec(part(), 0..12).prop_map(|parts| parts.concat());
        let value = prop_oneof![4 => part().prop_map(str::to_owned), 1 => parts()];
        let entries = prop::collection::vec((part(), value), 0..6);
        let whole = entries.prop_map(|entries| {
            let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key}{value}")).collect();
            format!("{{{}}}", entries.join(","))
        });
        prop_oneof![3 => whole, 1 => parts()]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]
        #[test]
        fn what_is_found_in_one_pass_is_what_the_parser_finds(json in object()) {
            if let Some(found) = scan::index(&json) {
                prop_assert_eq!(found, index(&json).unwrap());
            }
        }
    }

    #[test]
    fn the_text_of_a_record_is_found_in_one_pass() {
        let record = Record::builder(Action::new("door.open")).fields(|fields| {
            fields.plain("text", "a \"quoted\" \u{e9} \u{1} text");
            fields.plain("numbers", &[0.5, -1e300, 7.0]);
            fields.redacted("memo");
        });
        let record = record.build();
        let found = scan::index(record.json()).unwrap();
        assert_eq!(found, index(record.json()).unwrap());
        let deep = |levels: usize| format!("{{\"x\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(scan::index(&deep(20)).is_some());
        assert!(scan::index(&deep(100_000)).is_none(), "it does not recurse into what somebody has nested");
    }

    #[test]
    fn a_line_break_is_found_wherever_it_is() {
        let json = r#"{ "schema" : 1 , "id":"01a2b3c4-0000-7000-8000-000000000001","action":"a","x":[ 1 , "y z" ] } "#;
        StoredRecord::parse(json).unwrap();
        for at in 0..=json.len() {
            for line_break in ['\n', '\r'] {
                let mut broken = json.to_owned();
                broken.insert(at, line_break);
                assert!(matches!(StoredRecord::parse(broken), Err(InvalidRecord::Lines)), "{at}");
            }
        }
    }
}
