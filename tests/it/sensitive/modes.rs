//! Each mode at each place, and nothing raw anywhere.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use audited::{
    Action, ActorId, AuditSink, Durability, Encoder, Fields, KeyRing, Record, Recorder, Redactor, Sensitive, SinkError,
    record_action, with_recorder_sync,
};
use serde::{Serialize, Serializer};

use super::{record_of, written};

const SECRET: &str = "kX9-Zq7-canary";
const DROPPED: &str = r#""<redacted>""#;

fn secret() -> String {
    SECRET.to_owned()
}

/// Neither the record nor its `Debug` shows the secret.
fn assert_clean(record: &Record) {
    assert!(!record.json().contains(SECRET), "{}", record.json());
    assert!(!format!("{record:?}").contains(SECRET), "{record:?}");
}

#[derive(Serialize, Sensitive)]
struct Everywhere {
    shown: u8,
    #[sensitive]
    drop: String,
    #[sensitive(hash)]
    hash: String,
    #[sensitive(plain)]
    plain: String,
    newtype: Newtype,
    tuple: Tuple,
    list: Vec<Nested>,
    maybe: Option<Nested>,
}

#[derive(Serialize, Sensitive)]
struct Newtype(#[sensitive] String);

#[derive(Serialize, Sensitive)]
struct Tuple(u8, #[sensitive] String, #[sensitive(hash)] String, #[sensitive(plain)] String);

#[derive(Clone, Serialize, Sensitive)]
struct Nested {
    #[sensitive]
    memo: String,
    id: u8,
}

#[derive(Serialize, Sensitive)]
enum External {
    Newtype(#[sensitive] String),
    Tuple(#[sensitive(hash)] String, u8),
    Struct {
        #[sensitive]
        memo: String,
        id: u8,
    },
}

#[derive(Serialize, Sensitive)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Newtype(#[sensitive] String),
    Struct {
        #[sensitive]
        memo: String,
    },
}

#[derive(Serialize, Sensitive)]
#[serde(tag = "t")]
enum Internal {
    Struct {
        #[sensitive]
        memo: String,
    },
}

#[derive(Serialize, Sensitive)]
#[serde(untagged)]
enum Untagged {
    Newtype(#[sensitive] String),
}

#[derive(Serialize, Sensitive)]
#[serde(transparent)]
struct Transparent {
    #[sensitive]
    memo: String,
}

fn nested() -> Nested {
    Nested { memo: secret(), id: 1 }
}

fn everywhere() -> Everywhere {
    Everywhere {
        shown: 1,
        drop: secret(),
        hash: secret(),
        plain: "shown".into(),
        newtype: Newtype(secret()),
        tuple: Tuple(2, secret(), secret(), "shown".into()),
        list: vec![nested(), nested()],
        maybe: Some(nested()),
    }
}

#[test]
fn every_mark_holds_at_every_place_and_its_path_is_listed() {
    let record = record_of(&everywhere());
    assert_clean(&record);
    assert_eq!(
        written(&everywhere()),
        concat!(
            r#"{"shown":1,"drop":"<redacted>","hash":"<redacted>","plain":"shown","newtype":"<redacted>","#,
            r#""tuple":[2,"<redacted>","<redacted>","shown"],"#,
            r#""list":[{"memo":"<redacted>","id":1},{"memo":"<redacted>","id":1}],"#,
            r#""maybe":{"memo":"<redacted>","id":1}}"#
        )
    );
    assert_eq!(record.redacted(), ["v.drop", "v.hash", "v.newtype", "v.tuple[]", "v.list[].memo", "v.maybe.memo"]);
}

#[test]
fn every_mark_holds_in_every_kind_of_enum() {
    let cases: [(Record, String); 7] = [
        (record_of(&External::Newtype(secret())), format!(r#"{{"Newtype":{DROPPED}}}"#)),
        (record_of(&External::Tuple(secret(), 1)), format!(r#"{{"Tuple":[{DROPPED},1]}}"#)),
        (
            record_of(&External::Struct { memo: secret(), id: 1 }),
            format!(r#"{{"Struct":{{"memo":{DROPPED},"id":1}}}}"#),
        ),
        (record_of(&Adjacent::Newtype(secret())), format!(r#"{{"t":"Newtype","c":{DROPPED}}}"#)),
        (record_of(&Adjacent::Struct { memo: secret() }), format!(r#"{{"t":"Struct","c":{{"memo":{DROPPED}}}}}"#)),
        (record_of(&Internal::Struct { memo: secret() }), format!(r#"{{"t":"Struct","memo":{DROPPED}}}"#)),
        (record_of(&Untagged::Newtype(secret())), DROPPED.to_owned()),
    ];
    for (record, expected) in cases {
        assert_clean(&record);
        assert_eq!(record.detail(), Some(&*format!(r#"{{"v":{expected}}}"#)));
        assert_eq!(record.redacted().len(), 1);
    }
    assert_eq!(written(&Transparent { memo: secret() }), DROPPED);
}

/// A serializer that would go round the mark, were it asked.
struct Leaky;

impl Serialize for Leaky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(SECRET)
    }
}

fn write_secret<S: Serializer>(_: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(SECRET)
}

#[derive(Serialize, Sensitive)]
struct RoundAbout {
    #[sensitive]
    leaky: Leaky,
    #[sensitive]
    #[serde(serialize_with = "write_secret")]
    with: String,
    #[serde(skip)]
    skipped_password: String,
    #[sensitive]
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<String>,
    #[sensitive]
    #[serde(skip_serializing_if = "Option::is_none", rename = "there")]
    present: Option<String>,
}

#[test]
fn no_serializer_goes_round_a_mark() {
    let value =
        RoundAbout { leaky: Leaky, with: secret(), skipped_password: secret(), absent: None, present: Some(secret()) };
    let record = record_of(&value);
    assert_clean(&record);
    assert_eq!(written(&value), format!(r#"{{"leaky":{DROPPED},"with":{DROPPED},"there":{DROPPED}}}"#));
}

#[derive(Sensitive)]
struct NeedsNothing {
    #[sensitive]
    thread: std::thread::ThreadId,
}

#[test]
fn what_is_dropped_needs_no_serializer() {
    assert_eq!(written(&NeedsNothing { thread: std::thread::current().id() }), format!(r#"{{"thread":{DROPPED}}}"#));
}

#[derive(Sensitive)]
#[allow(dead_code)]
struct SaidWhy {
    #[sensitive(plain, reason = "counts tokens of text, and is no credential")]
    token_count: u32,
    #[sensitive(hash)]
    card_number: String,
    #[sensitive]
    password: String,
    discarded: u8,
}

#[test]
fn a_name_like_a_secret_is_shown_where_the_reason_is_given() {
    let value = SaidWhy { token_count: 7, card_number: secret(), password: secret(), discarded: 1 };
    assert_clean(&record_of(&value));
    assert_eq!(
        written(&value),
        format!(r#"{{"token_count":7,"card_number":{DROPPED},"password":{DROPPED},"discarded":1}}"#)
    );
}

#[derive(Sensitive)]
#[sensitive(debug)]
struct Modes<T> {
    #[sensitive(mask(first = 2, last = 3))]
    mask: String,
    #[sensitive(truncate(4), class = "pii")]
    truncate: String,
    #[sensitive(len)]
    len: Vec<u8>,
    #[sensitive(present)]
    present: Option<T>,
    #[sensitive(with = Initial)]
    with: String,
    #[sensitive(class = "pii")]
    classed: String,
    tuple: ModesTuple,
}

#[derive(Sensitive)]
#[sensitive(debug)]
struct ModesTuple(#[sensitive(mask(last = 2))] u64, #[sensitive(with = Initial)] String);

/// Of a text its first letter.
struct Initial;

impl Redactor<String> for Initial {
    fn redact(value: &String, encoder: &mut Encoder<'_>) {
        encoder.remainder(&value.chars().take(1).collect::<String>());
    }
}

fn modes(present: Option<f64>) -> Modes<f64> {
    Modes {
        mask: "abcdefghijklmnop".into(),
        truncate: "abcdefghijkl".into(),
        len: vec![1, 2, 3],
        present,
        with: "xyz".into(),
        classed: secret(),
        tuple: ModesTuple(12_345_678, "uvw".into()),
    }
}

#[test]
fn every_mode_leaves_what_it_says() {
    let value = modes(Some(1.5));
    assert_eq!(
        written(&value),
        concat!(
            r#"{"mask":"ab***nop","truncate":"abcd…","len":"<3 entries>","present":"<present>","with":"x","#,
            r#""classed":"<redacted>","tuple":["***78","u"]}"#
        )
    );
    let paths = ["mask", "truncate", "len", "present", "with", "classed", "tuple[]"].map(|field| format!("v.{field}"));
    assert_eq!(record_of(&value).redacted(), paths);
    assert!(written(&modes(None)).contains(r#""present":"<absent>""#));
}

#[derive(Serialize, Sensitive)]
#[sensitive(debug)]
#[serde(transparent)]
struct FreeNames {
    #[sensitive(plain)]
    by_name: std::collections::BTreeMap<String, u8>,
}

#[test]
fn a_free_name_ends_no_line_of_a_debug() {
    let value = |name: &str| FreeNames { by_name: [(name.to_owned(), 1)].into() };
    assert_eq!(format!("{:?}", value("b-c")), "FreeNames { b-c: 1 }");
    assert_eq!(format!("{:?}", value("b: 2 }\n\u{1b}[1m")), r#"FreeNames({"b: 2 }\n\u{1b}[1m": 1})"#);
}

#[test]
fn debug_shows_what_a_record_shows() {
    let debug = format!("{:?}", modes(None));
    assert!(debug.starts_with(r#"Modes { mask: "ab***nop", truncate: "abcd…""#), "{debug}");
    assert!(!debug.contains(SECRET) && !debug.contains("ijk"), "{debug}");
}

/// Keeps what it gets.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Record>>>);

#[async_trait]
impl AuditSink for Kept {
    fn describe(&self) -> String {
        "kept".into()
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    async fn write(&self, records: &[Record]) -> Result<(), SinkError> {
        self.0.lock().unwrap().extend_from_slice(records);
        Ok(())
    }
}

#[derive(Serialize, Sensitive)]
struct Hashes {
    #[sensitive(hash)]
    text: String,
    #[sensitive(hash)]
    same: String,
    #[sensitive(hash)]
    number: u64,
    inner: HashedTuple,
}

#[derive(Serialize, Sensitive)]
struct HashedTuple(#[sensitive(hash)] String, #[sensitive(hash)] Vec<u8>);

#[test]
fn with_a_key_equal_values_have_equal_hashes_and_can_be_found() {
    let keys = KeyRing::new("k1", [7; 32]).unwrap();
    let sink = Kept::default();
    let recorder = Recorder::builder().sink(sink.clone()).keys(keys.clone()).allow_weak_fail_closed().build().unwrap();
    let value = Hashes { text: secret(), same: secret(), number: 42, inner: HashedTuple(secret(), vec![1, 2]) };
    with_recorder_sync(recorder, || {
        record_action(Action::new("test.write"))
            .actor(audited::Actor::user(ActorId::plain("u")))
            .field("v", &value)
            .wait()
            .unwrap();
    });
    let records = sink.0.lock().unwrap();
    let record = records.iter().find(|record| record.action() == "test.write").expect("the record");
    assert_clean(record);
    let hash = keys.hash(None, None, SECRET);
    let detail: serde_json::Value = serde_json::from_str(record.detail().unwrap()).unwrap();
    assert_eq!(detail["v"]["text"], hash);
    assert_eq!(detail["v"]["same"], hash);
    assert_eq!(detail["v"]["inner"][0], hash);
    assert_eq!(detail["v"]["number"], keys.hash(None, None, "42"));
    assert_eq!(detail["v"]["inner"][1], keys.hash(None, None, "[1,2]"));
    assert_eq!(record.redacted(), ["v.text", "v.same", "v.number", "v.inner[]"]);
}

/// `Record` reads through [`Fields`]; named here, so that the two stay one vocabulary.
#[allow(dead_code)]
fn reads_through(record: &Record) -> &Fields {
    record
}

#[derive(Serialize, Sensitive)]
struct Masked {
    #[sensitive(mask(first = 1))]
    yes: bool,
    #[sensitive(mask(last = 1))]
    list: Vec<bool>,
    #[sensitive(truncate(4))]
    no: bool,
    #[sensitive(mask(first = 1))]
    raw: Box<serde_json::value::RawValue>,
}

#[derive(Serialize, Sensitive)]
#[allow(clippy::struct_field_names, reason = "other types must not redact them")]
struct Lengths {
    #[sensitive(len)]
    measured_flag: bool,
    #[sensitive(len)]
    measured_word: String,
    #[sensitive(len)]
    measured_flags: Vec<bool>,
}

#[test]
fn the_length_of_a_boolean_is_not_told() {
    for measured_flag in [true, false] {
        let value = Lengths { measured_flag, measured_word: "true".into(), measured_flags: vec![measured_flag] };
        assert_eq!(
            written(&value),
            r#"{"measured_flag":"<present>","measured_word":"<4 characters>","measured_flags":"<1 entry>"}"#
        );
    }
}

#[test]
fn no_part_of_a_boolean_is_shown() {
    let raw = serde_json::value::RawValue::from_string("[true,false]".into()).unwrap();
    let value = Masked { yes: true, list: vec![true, false], no: false, raw };
    assert_eq!(written(&value), r#"{"yes":"***","list":["***","***"],"no":"…","raw":["***","***"]}"#);
}
