//! The record: what it looks like, what it takes, and that it comes back as it was.

mod hostile;
mod layout;
mod limits;
mod stored;

use audited::{Action, Record, StoredRecord};
use serde_json::Value;

const DONE: Action = Action::new("thing.done");

/// Checks what holds for every record: one line, valid JSON with unique keys, and the same bytes when it is read back.
#[track_caller]
fn check(record: &Record) -> Value {
    let json = record.json();
    assert!(!json.contains(['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}']), "{json:?}");
    let value: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let stored = StoredRecord::parse(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(stored.json(), json);
    assert_eq!(serde_json::to_string(&stored).unwrap(), json);
    assert_eq!(stored.action(), record.action());
    for list in ["redacted", "cut", "flags"] {
        let mut paths: Vec<_> = value[list].as_array().into_iter().flatten().collect();
        let count = paths.len();
        paths.sort_by_key(|path| path.as_str());
        paths.dedup();
        assert_eq!(paths.len(), count, "{list} has doubles: {json}");
    }
    value
}
