//! Reading records back.

use audited::{InvalidRecord, Record, StoredRecord};

use super::DONE;

const MINIMAL: &str = r#"{"schema":1,"id":"01932f5e-7b3c-7000-8000-000000000001","action":"a.b"}"#;

#[test]
fn unknown_keys_and_values_are_kept_to_the_byte() {
    let json = concat!(
        r#" { "x" : [1, 2.50, {"schema": 9}], "schema":1, "seq":18446744073709551615,"stream":"s","#,
        r#""id":"01932f5e-7b3c-7000-8000-000000000001","action":"a\u002eb", "kind":"novel","stage":7,"#,
        r#""actor":{"kind":"robot","id":"r2","more":true},"decision":"maybe", "big":123456789012345678901234567890 } "#
    );
    let stored = StoredRecord::parse(json).unwrap();
    assert_eq!(stored.json(), json);
    assert_eq!(serde_json::to_string(&stored).unwrap().trim(), json.trim());
    assert_eq!(stored.action(), "a.b");
    assert_eq!((stored.seq(), stored.stream().as_deref()), (Some(u64::MAX), Some("s")));
    assert_eq!((stored.kind(), stored.stage(), stored.decision()), (None, None, None));
    let actor = stored.actor().unwrap();
    assert_eq!((actor.kind, actor.id.as_deref()), (None, Some("r2")));
    assert_eq!(stored.get("x"), Some(r#"[1, 2.50, {"schema": 9}]"#));
    assert_eq!(stored.get("big"), Some("123456789012345678901234567890"));
    assert_eq!(stored.get("absent"), None);
    let again: StoredRecord = serde_json::from_str(json).unwrap();
    assert_eq!(again.json(), json.trim());
}

#[test]
fn records_travel_inside_other_json() {
    let record = Record::builder(DONE).field("n", &1_u8).build();
    let list = serde_json::to_string(&[&record, &record]).unwrap();
    let back: Vec<StoredRecord> = serde_json::from_str(&list).unwrap();
    assert_eq!(back[0], StoredRecord::from(record.clone()));
    assert_eq!(back[1].json(), record.json());
}

#[test]
fn what_is_no_record_says_why() {
    let missing = |key: &str| MINIMAL.replace(&format!("\"{key}\""), "\"other\"");
    for (json, message) in [
        (String::new(), "not a JSON object"),
        ("\"s3cret\"".into(), "not a JSON object"),
        ("[1]".into(), "not a JSON object"),
        ("null".into(), "not a JSON object"),
        (r#"{"s3cret":"#.into(), "not a JSON object: EOF while parsing a value at line 1 column 10"),
        (format!("{MINIMAL} s3cret"), "not a JSON object: trailing characters at line 1 column 73"),
        (format!("{MINIMAL}\n"), "a record stands on one line, this one has a line break"),
        (MINIMAL.replace(',', ",\r"), "a record stands on one line, this one has a line break"),
        (missing("schema"), "no `schema`: not a record"),
        (missing("id"), "no `id`: not a record"),
        (missing("action"), "no `action`: not a record"),
        (MINIMAL.replace("01932f5e", "s3cret"), "`id` is malformed"),
        (MINIMAL.replace("\"a.b\"", "7"), "`action` is malformed"),
        (MINIMAL.replace("\"a.b\"", "\"\\ud800\""), "`action` is malformed"),
        (MINIMAL.replace(":1,", ":1,\"schema\":1,"), "`schema` stands twice"),
        (MINIMAL.replace(":1,", ":1,\"\\u0069d\":\"x\","), "`id` stands twice"),
        (MINIMAL.replace(":1,", ":2,"), "schema 2 is not known here; this crate reads schema 1"),
        (MINIMAL.replace(":1,", ":\"s3cret\","), "schema ? is not known here; this crate reads schema 1"),
    ] {
        let error = StoredRecord::parse(&*json).unwrap_err();
        assert_eq!(error.to_string(), message, "{json}");
        let shown = format!("{error:?} {:?}", std::error::Error::source(&error).map(ToString::to_string));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    assert!(matches!(StoredRecord::parse("[]"), Err(InvalidRecord::NoObject)));
    assert!(matches!(StoredRecord::parse("{"), Err(InvalidRecord::Json(_))));
    assert!(serde_json::from_str::<StoredRecord>("7").is_err());
}

#[test]
fn depth_does_not_exhaust_the_stack() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let json = MINIMAL.replace("\"a.b\"", &format!("\"a.b\",\"detail\":{deep}"));
    let stored = StoredRecord::parse(json).unwrap();
    assert!(stored.detail_as::<serde_json::Value>().is_err());
}
