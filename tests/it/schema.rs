//! The JSON Schemas of what records hold.

mod shapes;

use audited::{AuditEvent, EventSchema, KeyRing, MemorySink, Record, Recorder, Redactor, Sensitive, SensitiveSchema};
use audited::{Encoder, EventKind, record, with_recorder_sync};
use schemars::Schema;
use serde::Serialize;
use serde_json::{Value, json};

/// Whether a value is as a schema says.
fn fits(schema: &Schema, value: &Value) -> bool {
    jsonschema::validator_for(schema.as_value()).expect("a schema").is_valid(value)
}

/// The record of an event, of a recorder with a key or without.
fn recorded<E: AuditEvent + audited::Anywhere + Sync>(event: &E, key: bool) -> Record {
    let memory = MemorySink::new();
    let mut builder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed();
    if key {
        builder = builder.keys(KeyRing::new("k", "schema-schema-schema-schema-schema").unwrap());
    }
    with_recorder_sync(builder.build().unwrap(), || record(event).wait().unwrap());
    memory.last(event.kind().action().as_str()).expect("a record")
}

fn detail_of<E: AuditEvent + audited::Anywhere + Sync>(event: &E, key: bool) -> Value {
    serde_json::from_str(recorded(event, key).detail().unwrap_or("{}")).unwrap()
}

/// Asserts that the records of an event are as its schemas say, and gives the detail of one, and its schema.
#[track_caller]
fn described<E: EventSchema + audited::Anywhere + Sync>(event: &E) -> (Value, Schema) {
    let (schema, all) = (E::detail_schema(event.kind()), E::record_schema());
    for key in [true, false] {
        let record = recorded(event, key);
        let detail: Value = serde_json::from_str(record.detail().unwrap_or("{}")).unwrap();
        assert!(fits(&schema, &detail), "{detail:#} is not as {:#}", schema.as_value());
        let record: Value = serde_json::from_str(record.json()).unwrap();
        assert!(fits(&all, &record), "{record:#} is not as {:#}", all.as_value());
    }
    (detail_of(event, true), schema)
}

/// Asserts that a detail is not as the schema says once a field is something else.
#[track_caller]
fn rejects((detail, schema): &(Value, Schema), pointer: &str, other: Value) {
    let mut wrong = detail.clone();
    *wrong.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} in {detail}")) = other;
    assert!(!fits(schema, &wrong), "{wrong:#} is as {:#}", schema.as_value());
}

/// What shows of a text its first character.
struct SchemaInitial;

impl Redactor<String> for SchemaInitial {
    fn redact(value: &String, encoder: &mut Encoder<'_>) {
        encoder.remainder(&value[..1]);
    }
}

impl SensitiveSchema for SchemaInitial {
    type Recorded = char;
}

/// Of which no schema is known.
#[derive(Sensitive, Serialize)]
struct Unasked {
    number: u8,
}

#[derive(AuditEvent, Serialize)]
#[event(prefix = "schema", schema)]
enum SchemaEvent {
    Modes {
        id: u64,
        #[sensitive(plain)]
        schema_plain: Option<String>,
        #[sensitive]
        schema_dropped: String,
        #[sensitive(hash)]
        schema_hashed: String,
        #[sensitive(mask(last = 2))]
        schema_masked: String,
        #[sensitive(mask(last = 2))]
        schema_masked_each: Vec<Option<String>>,
        #[sensitive(truncate(2))]
        schema_truncated: Option<String>,
        #[sensitive(len)]
        schema_len: Vec<u8>,
        #[sensitive(present)]
        schema_present: Option<f64>,
        #[sensitive(with = SchemaInitial)]
        schema_custom: String,
    },
    Names {
        #[serde(rename = "identifier")]
        id: i8,
        #[serde(skip_serializing_if = "Option::is_none")]
        maybe: Option<bool>,
        #[serde(skip)]
        #[allow(dead_code, reason = "never written")]
        never: u8,
    },
    Newtype(u32),
    Pair(u8, #[sensitive] Vec<u8>),
    Unknown {
        unasked: Unasked,
        number: u8,
    },
    Nothing,
}

fn modes() -> SchemaEvent {
    SchemaEvent::Modes {
        id: 7,
        schema_plain: Some("shown".into()),
        schema_dropped: "a".into(),
        schema_hashed: "b".into(),
        schema_masked: "0123456789".into(),
        schema_masked_each: vec![Some("0123456789".into()), None],
        schema_truncated: Some("0123456789".into()),
        schema_len: vec![1, 2],
        schema_present: Some(0.5),
        schema_custom: "Custom".into(),
    }
}

#[test]
fn what_each_mode_leaves_is_as_the_schema_says() {
    let described = described(&modes());
    assert!(described.0["schema_hashed"].as_str().unwrap().starts_with("hash:k:"), "{}", described.0);
    for (key, other) in [
        ("id", json!("7")),
        ("id", json!(-1)),
        ("schema_plain", json!(1)),
        ("schema_dropped", json!("a")),
        ("schema_hashed", json!("b")),
        ("schema_masked", json!("0123456789")),
        ("schema_masked_each", json!(["0123456789"])),
        ("schema_masked_each", json!([{ "a": "0123456789" }])),
        ("schema_truncated", json!("0123456789")),
        ("schema_len", json!([1, 2])),
        ("schema_len", json!("2")),
        ("schema_present", json!(0.5)),
        ("schema_custom", json!("Custom")),
    ] {
        rejects(&described, &format!("/{key}"), other);
    }
    let (detail, schema) = described;
    for key in detail.as_object().unwrap().keys() {
        let mut less = detail.clone();
        less.as_object_mut().unwrap().remove(key);
        assert!(!fits(&schema, &less), "{key} is always there");
    }
}

#[test]
fn nothing_and_the_least_are_as_the_schema_says() {
    described(&SchemaEvent::Modes {
        id: 0,
        schema_plain: None,
        schema_dropped: String::new(),
        schema_hashed: String::new(),
        schema_masked: String::new(),
        schema_masked_each: Vec::new(),
        schema_truncated: None,
        schema_len: Vec::new(),
        schema_present: None,
        schema_custom: "x".into(),
    });
    let (detail, schema) = described(&SchemaEvent::Nothing);
    assert_eq!((detail, schema.get("required")), (json!({}), None));
}

#[test]
fn keys_are_those_of_the_record() {
    let (detail, schema) = described(&SchemaEvent::Names { id: -3, maybe: None, never: 1 });
    assert_eq!(detail, json!({ "identifier": -3 }));
    assert_eq!(schema.get("required"), Some(&json!(["identifier"])));
    let keys: Vec<_> = schema.get("properties").unwrap().as_object().unwrap().keys().collect();
    assert_eq!(keys, ["identifier", "maybe"]);
    rejects(&described(&SchemaEvent::Names { id: 1, maybe: Some(true), never: 1 }), "/maybe", json!("true"));
    rejects(&described(&SchemaEvent::Newtype(4)), "/value", json!("4"));
    rejects(&described(&SchemaEvent::Pair(4, vec![1])), "/1", json!([1]));
}

#[test]
fn of_a_type_that_asks_for_no_schema_nothing_is_said() {
    let described = described(&SchemaEvent::Unknown { unasked: Unasked { number: 1 }, number: 2 });
    assert_eq!(described.1.pointer("/properties/unasked"), Some(&json!({})));
    rejects(&described, "/number", json!("2"));
}

#[test]
fn the_schema_of_a_record_goes_by_its_action() {
    let schema = SchemaEvent::record_schema();
    let of = |action: &str, detail: Value| fits(&schema, &json!({ "action": action, "detail": detail, "more": 1 }));
    assert!(of("schema.newtype", json!({ "value": 4 })));
    assert!(!of("schema.newtype", json!({ "identifier": 4 })) && !of("schema.other", json!({ "value": 4 })));
    assert!(!fits(&schema, &json!({ "action": "schema.newtype" })), "it has a payload");
    assert!(fits(&schema, &json!({ "action": "schema.nothing" })), "it has none");
    assert_eq!(schema.get("$schema"), Some(&json!("https://json-schema.org/draft/2020-12/schema")));
}

#[derive(AuditEvent)]
#[event(prefix = "schema-outer", schema)]
enum SchemaOuterEvent {
    #[event(nested)]
    Inner(Box<SchemaEvent>),
    Own {
        number: u8,
    },
}

#[test]
fn a_nested_vocabulary_has_the_schemas_of_the_inner_one() {
    let described = described(&SchemaOuterEvent::Inner(Box::new(modes())));
    rejects(&described, "/schema_dropped", json!("shown"));
    rejects(&self::described(&SchemaOuterEvent::Own { number: 4 }), "/number", json!(256));
    let schema = SchemaOuterEvent::record_schema();
    assert!(fits(&schema, &json!({ "action": "schema.newtype", "detail": { "value": 4 } })));
    assert!(fits(&schema, &json!({ "action": "schema-outer.own", "detail": { "number": 4 } })));
}
