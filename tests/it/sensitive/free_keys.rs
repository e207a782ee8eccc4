//! Where no type says anything, names do: in maps with free keys, and in plain values that hold a classified type.

use std::collections::{BTreeMap, HashMap};

use audited::Sensitive;
use serde::Serialize;
use serde_json::json;

use super::record_of;

#[derive(Serialize, Sensitive)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct FreeKeysRegistered {
    #[sensitive]
    mothers_name: String,
    #[sensitive(len)]
    #[serde(rename = "sort_code")]
    bank: String,
    #[sensitive(plain)]
    town: String,
}

/// A key without a letter, and one without a name.
#[derive(Serialize, Sensitive)]
#[allow(dead_code)]
struct FreeKeysOdd {
    #[sensitive]
    #[serde(rename = "$#")]
    odd: String,
}

#[test]
fn keys_without_letters_are_different_names() {
    assert_eq!(shown(json!({ "$#": 1, "#": 2, "": 3, "…": 4 })), r##"{"":3,"#":2,"$#":"<redacted>","…":4}"##);
}

#[derive(Sensitive)]
struct Extra<T: Serialize> {
    #[sensitive(plain)]
    extra: T,
}

fn shown<T: Serialize>(extra: T) -> String {
    let record = record_of(&Extra { extra });
    let detail = record.detail().unwrap();
    detail.strip_prefix(r#"{"v":{"extra":"#).and_then(|rest| rest.strip_suffix("}}")).unwrap().to_owned()
}

#[test]
fn a_free_key_is_redacted_that_any_type_redacts_or_that_tells_of_a_secret() {
    let value = json!({
        "mothersName": "a", "mothers_name": "b", "Mothers-Name": "c", "sort_code": "abcd", "bank": [1, 2],
        "town": "Graz", "nested": [{ "authToken": "d", "id": 1 }], "password": { "old": "e" },
    });
    let expected = concat!(
        r#"{"Mothers-Name":"<redacted>","bank":"<2 entries>","mothersName":"<redacted>","mothers_name":"<redacted>","#,
        r#""nested":[{"authToken":"<redacted>","id":1}],"password":"<redacted>","sort_code":"<4 characters>","town":"Graz"}"#
    );
    assert_eq!(shown(&value), expected);
    let record = record_of(&Extra { extra: &value });
    assert!(record.redacted().iter().any(|path| path == "v.extra.nested[].authToken"), "{:?}", record.redacted());

    let map: BTreeMap<_, _> = [("mothersName", "a"), ("plain", "b")].into();
    assert_eq!(shown(map), r#"{"mothersName":"<redacted>","plain":"b"}"#);
    assert_eq!(shown(HashMap::from([("api_token", 7)])), r#"{"api_token":"<redacted>"}"#);
}

#[test]
fn a_raw_value_is_read_and_redacted() {
    let raw = serde_json::value::RawValue::from_string(
        "{ \"a\": 1.50,\n\"password\" : {\"deep\": [\"x\", 1]}, \"sort_code\": \"ab\\\"c\", \"big\": 123456789012345678901234567890, \"n\": null}"
            .into(),
    )
    .unwrap();
    assert_eq!(
        shown(&raw),
        r#"{"a":1.50,"password":"<redacted>","sort_code":"<4 characters>","big":123456789012345678901234567890,"n":null}"#
    );
}

#[derive(Serialize)]
struct Unclassified {
    id: u8,
    account: Account,
    pair: Pair,
    newtype: Newtype,
    either: Vec<Either>,
}

#[derive(Clone, Serialize, Sensitive)]
#[serde(rename = "FreeKeysAccount")]
struct Account {
    number: u8,
    #[sensitive]
    #[serde(rename = "m")]
    memo: String,
}

#[derive(Clone, Serialize, Sensitive)]
struct Pair(u8, #[sensitive] String);

#[derive(Clone, Serialize, Sensitive)]
#[serde(rename = "FreeKeysNewtype")]
struct Newtype(#[sensitive(len)] String);

#[derive(Clone, Serialize, Sensitive)]
enum Either {
    Left(#[sensitive] String),
    Right {
        #[sensitive]
        inner: String,
    },
}

#[test]
fn a_classified_type_keeps_its_marks_inside_of_a_plain_value() {
    let secret = || "kX9-Zq7".to_owned();
    let account = Account { number: 1, memo: secret() };
    let expected = r#"{"number":1,"m":"<redacted>"}"#;
    assert_eq!(shown(Box::new(account.clone())), expected, "behind a type parameter");
    let value = Unclassified {
        id: 1,
        account,
        pair: Pair(2, secret()),
        newtype: Newtype(secret()),
        either: vec![Either::Left(secret()), Either::Right { inner: secret() }],
    };
    assert_eq!(
        shown(value),
        format!(
            r#"{{"id":1,"account":{expected},"pair":[2,"<redacted>"],"newtype":"<7 characters>","either":[{},{}]}}"#,
            r#"{"Left":"<redacted>"}"#, r#"{"Right":{"inner":"<redacted>"}}"#
        )
    );
}

#[derive(Sensitive)]
struct Holder {
    #[sensitive(plain)]
    transparent: Transparent,
    #[sensitive(plain)]
    many: Vec<Transparent>,
}

#[derive(Serialize, Sensitive)]
#[serde(transparent)]
struct Transparent {
    #[sensitive]
    number: String,
}

#[test]
fn plain_on_a_classified_type_loosens_nothing() {
    let one = || Transparent { number: "4711".into() };
    let record = record_of(&Holder { transparent: one(), many: vec![one()] });
    assert_eq!(record.detail(), Some(r#"{"v":{"transparent":"<redacted>","many":["<redacted>"]}}"#));
}

#[derive(serde::Serialize, audited::Sensitive)]
#[serde(tag = "kind", content = "content")]
enum BesideItsTag {
    One(#[sensitive] String),
    Two(#[sensitive] String, u8),
    Nothing,
}

#[test]
fn the_content_beside_a_tag_is_not_shown_where_its_own_serialize_writes_it() {
    #[derive(serde::Serialize)]
    struct NotClassified(Vec<BesideItsTag>);

    let value = NotClassified(vec![
        BesideItsTag::One("s3cret".into()),
        BesideItsTag::Two("s3cret".into(), 1),
        BesideItsTag::Nothing,
    ]);
    let record =
        audited::Record::builder(audited::Action::new("test.write")).fields(|fields| fields.plain("v", &value)).build();
    let detail = concat!(
        r#"{"v":[{"kind":"One","content":"<redacted>"},{"kind":"Two","content":"<redacted>"},"#,
        r#"{"kind":"Nothing"}]}"#
    );
    assert_eq!(record.detail(), Some(detail));
}
