//! Serde's attributes that change what is written: followed to the byte where nothing is marked, and no way round a mark.

#![allow(clippy::trivially_copy_pass_by_ref)]

use std::collections::BTreeMap;

use audited::{Encoder, Redactor, Sensitive};
use serde::{Serialize, Serializer};

use super::{record_of, written};

const SECRET: &str = "kX9-Zq7-canary";
const DROPPED: &str = r#""<redacted>""#;

fn secret() -> String {
    SECRET.to_owned()
}

/// Compares each value with what `serde_json` writes of it.
macro_rules! same {
    ($($value:expr),* $(,)?) => {
        $(assert_eq!(written(&$value), serde_json::to_string(&$value).unwrap(), "{}", stringify!($value));)*
    };
}

#[derive(Clone, Serialize, Sensitive)]
struct Inner {
    id: u64,
    #[serde(rename = "isOn")]
    on: bool,
}

#[derive(Serialize, Sensitive)]
enum Kind {
    Unit,
    Newtype(u8),
    Struct { a: u8 },
}

#[derive(Serialize, Sensitive)]
struct Flat {
    first: u8,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    boxed: Box<Deeper>,
    #[serde(flatten)]
    absent: Option<Deeper>,
    #[serde(flatten)]
    kind: Kind,
    #[sensitive(plain)]
    #[serde(flatten)]
    rest: BTreeMap<String, f64>,
    last: u8,
}

#[derive(Serialize, Sensitive)]
struct Deeper {
    deep: u8,
    #[serde(flatten)]
    deepest: Option<Box<Deepest>>,
}

#[derive(Serialize, Sensitive)]
struct Deepest {
    deepest: u8,
}

fn flat(kind: Kind) -> Flat {
    Flat {
        first: 1,
        inner: inner(),
        boxed: Box::new(Deeper { deep: 2, deepest: Some(Box::new(Deepest { deepest: 3 })) }),
        absent: None,
        kind,
        rest: BTreeMap::from([("ratio".into(), 0.5)]),
        last: 4,
    }
}

fn inner() -> Inner {
    Inner { id: 7, on: true }
}

#[test]
fn flattened_fields_stand_among_the_others() {
    same!(flat(Kind::Newtype(1)), flat(Kind::Struct { a: 1 }));
    assert!(written(&flat(Kind::Unit)).contains(r#""Unit":null"#));
}

#[derive(Serialize, Sensitive)]
struct FlatMarked {
    #[serde(flatten)]
    inner: Marked,
    #[sensitive]
    #[serde(flatten)]
    dropped: Inner,
    #[sensitive(len)]
    #[serde(flatten, rename = "ignored")]
    counted: BTreeMap<String, String>,
    #[sensitive(with = Keys)]
    #[serde(flatten)]
    keys: BTreeMap<String, String>,
}

#[derive(Serialize, Sensitive)]
struct Marked {
    #[sensitive]
    memo: String,
    id: u8,
}

/// Of a map its keys.
struct Keys;

impl Redactor<BTreeMap<String, String>> for Keys {
    fn redact(value: &BTreeMap<String, String>, encoder: &mut Encoder<'_>) {
        encoder.remainder(&value.keys().cloned().collect::<Vec<_>>().join(" "));
    }
}

#[test]
fn marks_hold_in_flattened_fields_and_a_marked_one_is_one_value() {
    let map = || BTreeMap::from([("a".to_owned(), secret()), ("b".to_owned(), secret())]);
    let value = FlatMarked { inner: Marked { memo: secret(), id: 1 }, dropped: inner(), counted: map(), keys: map() };
    assert_eq!(
        written(&value),
        format!(r#"{{"memo":{DROPPED},"id":1,"dropped":{DROPPED},"counted":"<2 entries>","keys":"a b"}}"#)
    );
    assert_eq!(record_of(&value).redacted(), ["v.memo", "v.dropped", "v.counted", "v.keys"]);
}

#[derive(Serialize, Sensitive)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Tagged {
    Inner(Inner),
    Kind(Kind),
    #[serde(rename = "map")]
    Map(#[sensitive(plain)] BTreeMap<String, bool>),
    Boxed(Box<Marked>),
    Dropped(#[sensitive] Inner),
    Hashed(#[sensitive(hash)] Inner),
}

#[test]
fn a_newtype_variant_stands_beside_its_tag() {
    same!(Tagged::Inner(inner()), Tagged::Kind(Kind::Newtype(3)), Tagged::Map(BTreeMap::from([("on".into(), true)])),);
    let boxed = Tagged::Boxed(Box::new(Marked { memo: secret(), id: 1 }));
    assert_eq!(written(&boxed), format!(r#"{{"type":"boxed","memo":{DROPPED},"id":1}}"#));
    for (value, name) in [(Tagged::Dropped(inner()), "dropped"), (Tagged::Hashed(inner()), "hashed")] {
        assert_eq!(written(&value), format!(r#"{{"type":"{name}","0":{DROPPED}}}"#));
    }
}

fn shout<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text.to_uppercase())
}

mod seconds {
    use serde::Serializer;

    pub(super) fn serialize<S: Serializer>(millis: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(std::time::Duration::from_millis(*millis).as_secs_f64())
    }
}

#[derive(Serialize, Sensitive)]
struct Functions {
    #[sensitive(plain)]
    #[serde(serialize_with = "shout")]
    text: String,
    #[sensitive(plain)]
    #[serde(with = "seconds", skip_serializing_if = "is_zero")]
    took: u64,
    tuple: FunctionsTuple,
    variant: FunctionsEnum,
}

#[derive(Serialize, Sensitive)]
struct FunctionsTuple(
    #[sensitive(plain)]
    #[serde(serialize_with = "shout")]
    String,
    u8,
);

#[derive(Serialize, Sensitive)]
enum FunctionsEnum {
    Newtype(
        #[sensitive(plain)]
        #[serde(serialize_with = "shout")]
        String,
    ),
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[test]
fn a_function_writes_a_plain_field() {
    let value = |took| Functions {
        text: "abc".into(),
        took,
        tuple: FunctionsTuple("def".into(), 1),
        variant: FunctionsEnum::Newtype("ghi".into()),
    };
    same!(value(1500), value(0));
}

#[derive(Serialize, Sensitive)]
struct FunctionsMarked {
    #[sensitive(mask(first = 2))]
    #[serde(serialize_with = "shout")]
    masked: String,
    #[sensitive(len)]
    #[serde(with = "seconds")]
    counted: u64,
    #[sensitive]
    #[serde(serialize_with = "shout")]
    dropped: String,
    #[sensitive(with = First)]
    #[serde(serialize_with = "shout")]
    custom: String,
}

/// Of a text its first character.
struct First;

impl Redactor<String> for First {
    fn redact(value: &String, encoder: &mut Encoder<'_>) {
        encoder.remainder(&value[..1]);
    }
}

#[test]
fn a_mode_is_applied_to_what_the_function_writes() {
    let value = FunctionsMarked { masked: "abcdefghi".into(), counted: 1500, dropped: secret(), custom: "xyz".into() };
    assert_eq!(
        written(&value),
        format!(r#"{{"masked":"AB***","counted":"<3 characters>","dropped":{DROPPED},"custom":"x"}}"#)
    );
}

#[derive(Clone, Serialize, Sensitive)]
#[serde(into = "Target<T>")]
struct Source<T: Clone> {
    #[allow(dead_code)]
    password: String,
    value: T,
}

#[derive(Serialize, Sensitive)]
struct Target<T> {
    value: T,
    #[sensitive]
    password: String,
}

impl<T: Clone> From<Source<T>> for Target<T> {
    fn from(source: Source<T>) -> Self {
        Self { value: source.value, password: source.password }
    }
}

#[derive(Clone, Serialize, Sensitive)]
#[sensitive(debug)]
#[serde(into = "Inner")]
enum Choice {
    One(#[allow(dead_code)] String),
}

impl From<Choice> for Inner {
    fn from(_: Choice) -> Self {
        inner()
    }
}

#[test]
fn a_converted_type_is_written_as_its_target() {
    let value = Source { password: secret(), value: inner() };
    assert_eq!(written(&value), format!(r#"{{"value":{{"id":7,"isOn":true}},"password":{DROPPED}}}"#));
    same!(Choice::One(secret()));
    assert_eq!(format!("{:?}", Choice::One(secret())), "Choice { id: 7, isOn: true }");
}
