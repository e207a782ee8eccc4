//! Records made for the suite: of JSON, so that they may hold anything that a journal may bring.

use audited::{Record, RecordId, StoredRecord, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The moment from which the suite counts, in microseconds.
pub(crate) const EPOCH: i64 = 1_700_000_000_000_000;

/// A record of these keys, besides those that every record has; `null` leaves one of them out. The name stands in the
/// detail.
pub(crate) fn made(name: &str, keys: Value) -> Record {
    let mut record = json!({
        "schema": 1,
        "id": Uuid::now_v7(),
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
pub(crate) fn of_json(json: &str) -> Record {
    audited::__private::carried(&StoredRecord::parse(json).unwrap())
}

/// The same record, in a place of a stream.
pub(crate) fn placed(record: &Record, stream: &str, seq: u64) -> Record {
    let mut json: Value = serde_json::from_str(record.json()).unwrap();
    let keys = json.as_object_mut().unwrap();
    keys.insert("stream".into(), stream.into());
    keys.insert("seq".into(), seq.into());
    keys.insert("prev".into(), "00".into());
    of_json(&json.to_string())
}

/// The same record, with other contents.
pub(crate) fn altered(record: &Record) -> Record {
    let mut json: Value = serde_json::from_str(record.json()).unwrap();
    json["detail"]["altered"] = true.into();
    of_json(&json.to_string())
}

/// The moment so many microseconds later than the first.
pub(crate) fn moment(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(EPOCH + micros).unwrap()
}

/// An id in that place among others.
pub(crate) fn id(place: u128) -> RecordId {
    RecordId::from(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + place))
}

/// The name of a record.
pub(crate) fn name(record: &StoredRecord) -> String {
    let detail: Value = record.detail_as().unwrap_or_default();
    detail["name"].as_str().unwrap_or("?").to_owned()
}

pub(crate) fn names(records: &[StoredRecord]) -> Vec<String> {
    records.iter().map(name).collect()
}
