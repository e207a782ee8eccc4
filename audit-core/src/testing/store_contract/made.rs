//! Records made for the suite: of JSON, so that they may hold anything that a journal may bring.

#![allow(clippy::missing_panics_doc, reason = "who writes tests of the framework sees it")]

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::id::RecordId;
use crate::record::{Record, StoredRecord};
use crate::timestamp::Timestamp;

/// The moment from which the suite counts, in microseconds.
pub const EPOCH: i64 = 1_700_000_000_000_000;

/// A record of these keys, besides those that every record has; `null` leaves one of them out. The name stands in the
/// detail.
pub fn made(name: &str, keys: Value) -> Record {
    let mut record = json!({
        "schema": 1,
        "id": Uuid::now_v7().to_string(),
        "kind": "event",
        "stage": "completed",
        "action": "suite.made",
        "occurred_at": moment(0).to_string(),
        "outcome": "success",
        "detail": { "name": name },
    });
    let Value::Object(keys) = keys else { panic!("the keys of a record") };
    merge(record.as_object_mut().unwrap(), keys);
    of_json(&record.to_string())
}

fn merge(record: &mut Map<String, Value>, keys: Map<String, Value>) {
    for (key, value) in keys {
        match (record.get_mut(&key), value) {
            (_, Value::Null) => drop(record.remove(&key)),
            (Some(Value::Object(inner)), Value::Object(keys)) => merge(inner, keys),
            (_, value) => drop(record.insert(key, value)),
        }
    }
}

/// A record of that text, as a forwarder hands it over.
pub fn of_json(json: &str) -> Record {
    Record::carried(&StoredRecord::parse(json).unwrap())
}

/// The same record, in a place of a stream.
pub fn placed(record: &Record, stream: &str, seq: u64) -> Record {
    let mut json: Value = serde_json::from_str(record.json()).unwrap();
    let keys = json.as_object_mut().unwrap();
    keys.insert("stream".into(), stream.into());
    keys.insert("seq".into(), seq.into());
    keys.insert("prev".into(), "00".into());
    of_json(&json.to_string())
}

/// The same record, with other contents.
pub fn altered(record: &Record) -> Record {
    let mut json: Value = serde_json::from_str(record.json()).unwrap();
    json["detail"]["altered"] = true.into();
    of_json(&json.to_string())
}

/// The moment so many microseconds later than the first.
pub fn moment(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(EPOCH + micros).unwrap()
}

/// An id in that place among others.
pub fn id(place: u128) -> RecordId {
    RecordId::from(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + place))
}

/// The name of a record.
pub fn name(record: &StoredRecord) -> String {
    let detail: Value = record.detail_as().unwrap_or_default();
    detail["name"].as_str().unwrap_or("?").to_owned()
}

/// Their names.
pub fn names(records: &[StoredRecord]) -> Vec<String> {
    records.iter().map(name).collect()
}

/// What a record shows of an identity: of more than 256 bytes the first 128, as far as they are whole characters, and a
/// digest.
pub fn cut(text: &str) -> String {
    if text.len() <= 256 {
        return text.to_owned();
    }
    let mut cut: String = text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= 128).map(|(_, c)| c).collect();
    cut.push_str("…sha256:");
    for byte in Sha256::digest(text) {
        let _ = write!(cut, "{byte:02x}");
    }
    cut
}

/// What means something to one store or another.
pub const HOSTILE: &[&str] = &[
    "%",
    "_",
    "%%",
    "a%",
    "a_",
    "\\",
    "\\%",
    "'",
    "''",
    "\"",
    "`",
    "' OR '1'='1",
    "'; DROP TABLE audit_records; --",
    "$1",
    "?1",
    ":a",
    "$$",
    "{a}",
    "a\0b",
    "\0",
    "a",
    "A",
    "a ",
    " a",
    "ä",
    "a\u{308}",
    "\u{feff}a",
    "\u{10ffff}",
    "a\nb",
    "null",
    "NULL",
    "true",
    "1",
    "1.0",
    "[\"a\"]",
    "{\"a\":1}",
    "a.b",
    "*",
    "[a-z]",
    "a\u{1f}b",
];
