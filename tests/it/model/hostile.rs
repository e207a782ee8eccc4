//! Values that fail, panic and lie, and whatever bytes anybody passes.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use audited::{
    Action, Actor, ActorId, AuditContext, Code, Encoder, Outcome, Record, Resource, ResourceId, Sensitive, SessionId,
    Source, Subject, SubjectId, TenantId,
};
use proptest::prelude::*;
use serde::ser::{Error as _, SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{DONE, check};

const UNENCODABLE: &str = audited::UNENCODABLE;

macro_rules! serialize {
    ($name:ident, $serializer:ident => $body:expr) => {
        struct $name;

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, $serializer: S) -> Result<S::Ok, S::Error> {
                $body
            }
        }
    };
}

serialize!(Fails, _serializer => Err(S::Error::custom("s3cret")));
serialize!(FailsHalfWay, serializer => {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("s3cret", &1)?;
    map.serialize_entry("x", &Fails)?;
    map.end()
});
serialize!(Panics, _serializer => panic!("s3cret"));
serialize!(PanicsHalfWay, serializer => {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("s3cret", &1)?;
    map.serialize_entry("x", &Panics)?;
    map.end()
});
serialize!(ValueWithoutKey, serializer => {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_value(&1)?;
    map.end()
});
serialize!(KeyWithoutValue, serializer => {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_key("a")?;
    map.serialize_key("b")?;
    map.serialize_value(&1)?;
    map.end()
});
// How serde_json knows its own raw values: anybody can say so.
serialize!(BreaksOut, serializer => {
    let mut raw = serializer.serialize_struct("$serde_json::private::RawValue", 1)?;
    raw.serialize_field("$serde_json::private::RawValue", r#"1},"actor":{"kind":"user","id":"forged""#)?;
    raw.end()
});
serialize!(TwoLines, serializer => {
    let mut raw = serializer.serialize_struct("$serde_json::private::RawValue", 1)?;
    raw.serialize_field("$serde_json::private::RawValue", "{\"a\":\n1,\t\"b\":\"\u{2028}\"}")?;
    raw.end()
});

#[test]
fn a_serializer_that_fails_panics_or_lies_leaves_a_mark() {
    let record = Record::builder(DONE)
        .fields(|fields| {
            fields.plain("fails", &Fails);
            fields.plain("fails_half_way", &FailsHalfWay);
            fields.plain("panics", &Panics);
            fields.plain("panics_half_way", &PanicsHalfWay);
            fields.plain("value_without_key", &ValueWithoutKey);
            fields.plain("key_without_value", &KeyWithoutValue);
            fields.plain("breaks_out", &BreaksOut);
            fields.plain("odd_keys", &BTreeMap::from([((1, 2), 3)]));
            fields.hashed("hashed", &Panics);
            fields.plain("fine", &1);
        })
        .build();
    let value = check(&record);
    for key in [
        "fails",
        "fails_half_way",
        "panics",
        "panics_half_way",
        "value_without_key",
        "key_without_value",
        "breaks_out",
        "odd_keys",
    ] {
        assert_eq!(value["detail"][key], UNENCODABLE, "{key}");
    }
    assert_eq!(value["detail"]["hashed"], audited::REDACTED);
    assert_eq!(value["detail"]["fine"], 1);
    assert_eq!(record.flags(), ["unencodable"]);
    assert_eq!(record.actor(), None);
    assert!(!record.json().contains("s3cret"));
}

#[test]
fn a_raw_value_stays_on_its_line() {
    let raw = RawValue::from_string("{\n  \"a\": [1,\r\n 2]\n}".into()).unwrap();
    let record = Record::builder(DONE)
        .fields(|fields| {
            fields.plain("raw", &raw);
            fields.plain("made", &TwoLines);
            fields.plain("half", &RawValue::from_string(r#""\ud800""#.into()).unwrap());
        })
        .build();
    let value = check(&record);
    assert_eq!(value["detail"]["raw"]["a"][1], 2);
    assert_eq!(value["detail"]["made"]["b"], "\u{2028}");
    assert_eq!(value["detail"]["half"], UNENCODABLE);
}

#[test]
fn odd_numbers_and_keys_are_what_json_can_say() {
    let record = Record::builder(DONE)
        .field("least", &i128::MIN)
        .field("most", &u128::MAX)
        .fields(|fields| {
            fields.plain("nan", &f64::NAN);
            fields.plain("endless", &f32::INFINITY);
            fields.plain("least_plain", &i128::MIN);
            fields.plain("ints", &BTreeMap::from([(1, 'a')]));
            fields.plain("bytes", &b"\0\xff"[..]);
        })
        .field("by_id", &HashMap::from([(7_u32, true)]))
        .build();
    let value = check(&record);
    assert_eq!((&value["detail"]["nan"], &value["detail"]["endless"]), (&Value::Null, &Value::Null));
    assert!(record.detail().unwrap().contains(&format!(r#""least":{},"most":{}"#, i128::MIN, u128::MAX)));
    assert_eq!(value["detail"]["ints"]["1"], "a");
    assert_eq!(value["detail"]["by_id"]["7"], true);
    assert_eq!(record.flags(), ["unencodable"], "what JSON cannot say is marked");
}

#[test]
#[cfg(unix)]
fn what_is_no_text_is_written_as_its_serializer_says_or_marked() {
    use std::os::unix::ffi::OsStringExt;

    let name = || std::ffi::OsString::from_vec(b"caf\xe9".to_vec());
    let record = Record::builder(DONE)
        .fields(|fields| {
            fields.plain("os", &name());
            fields.plain("path", &std::path::PathBuf::from(name()));
            fields.plain("c", &std::ffi::CString::new(&b"caf\xe9"[..]).unwrap());
        })
        .build();
    let value = check(&record);
    assert_eq!(value["detail"]["os"]["Unix"], serde_json::json!([99, 97, 102, 233]));
    assert_eq!(value["detail"]["path"], UNENCODABLE);
    assert_eq!(value["detail"]["c"], serde_json::json!([99, 97, 102, 233]));
    assert_eq!(record.flags(), ["unencodable"]);
}

/// Writes itself by a function.
struct Writes(fn(&mut Encoder<'_>));

impl Sensitive for Writes {
    fn write(&self, encoder: &mut Encoder<'_>) {
        (self.0)(encoder);
    }
}

#[test]
fn a_value_is_exactly_one_value_whatever_it_writes() {
    let record = Record::builder(DONE)
        .field("none", &Writes(|_| {}))
        .field(
            "two",
            &Writes(|encoder| {
                encoder.bool(true);
                encoder.plain("s3cret");
            }),
        )
        .field("panics", &Writes(|_| panic!("s3cret")))
        .field(
            "panics_after",
            &Writes(|encoder| {
                encoder.name("s3cret");
                panic!("late");
            }),
        )
        .field(
            "inside",
            &Writes(|encoder| {
                encoder.object(|object| {
                    object.value("none", &Writes(|_| {}));
                    object.value("panics", &Writes(|_| panic!("s3cret")));
                    object.value("fine", &1_u8);
                });
            }),
        )
        .field(
            "between",
            &Writes(|encoder| {
                encoder.object(|object| {
                    object.plain("a", "s3cret");
                    panic!("between fields");
                });
            }),
        )
        .field(
            "caught",
            &Writes(|encoder| {
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    encoder.array(|array| {
                        array.item(|item| item.plain("s3cret"));
                        panic!("between items");
                    });
                }));
                encoder.object(|object| object.redacted("x"));
            }),
        )
        .field("items", &vec![Writes(|_| {}), Writes(|encoder| encoder.signed(-1)), Writes(|_| panic!("s3cret"))])
        .field("fine", &1_u8)
        .build();
    assert_eq!(
        record.detail().unwrap(),
        concat!(
            r#"{"none":"<unencodable>","two":true,"panics":"<unencodable>","panics_after":"<unencodable>","#,
            r#""inside":{"none":"<unencodable>","panics":"<unencodable>","fine":1},"between":"<unencodable>","#,
            r#""caught":"<unencodable>","items":["<unencodable>",-1,"<unencodable>"],"fine":1}"#
        )
    );
    check(&record);
    assert!(record.redacted().is_empty());
    assert_eq!(record.flags(), ["unencodable"]);
}

#[test]
fn reserved_keys_stay_the_frameworks() {
    let record = Record::builder(DONE)
        .fields(|fields| {
            for key in ["schema", "id", "action", "actor", "seq", "flags", "", "\"},\"actor\":{\"kind\":\"user"] {
                fields.plain(key, "forged");
            }
        })
        .build();
    let value = check(&record);
    assert_eq!(value["action"], "thing.done");
    assert_eq!(value["detail"]["action"], "forged");
    assert_eq!((record.actor(), record.seq()), (None, None));
}

/// A secret that orders.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Secret(u8);

impl Sensitive for Secret {
    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.redacted();
    }
}

#[test]
fn keys_of_which_the_same_remains_do_not_hide_each_other() {
    let by_secret = BTreeMap::from([(Secret(1), 1_u8), (Secret(2), 2)]);
    let record = Record::builder(DONE).field("by_secret", &by_secret).build();
    check(&record);
    assert_eq!(record.detail(), Some(r#"{"by_secret":{"<redacted> 1":1,"<redacted> 2":2}}"#));
}

#[test]
fn an_encoder_shows_no_tenant() {
    let context = AuditContext::new().tenant(TenantId::hash("s3cret"));
    let record = Record::builder(DONE)
        .context(context)
        .field("debug", &Writes(|encoder| encoder.name(&format!("{encoder:?}"))))
        .build();
    check(&record);
    assert!(!record.json().contains("s3cret"), "{}", record.json());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_anybody_passes_is_one_line_of_json_that_reads_back(
        texts in prop::collection::vec(any::<String>(), 12),
        keys in prop::collection::hash_set(any::<String>(), 0..4),
        number in any::<f64>(),
        bytes in prop::collection::vec(any::<u8>(), 0..32),
    ) {
        let [action, actor, subject, kind, tenant, role, session, agent, origin, reason, code, value] =
            &texts[..] else { unreachable!() };
        let context = AuditContext::new()
            .actor(Actor::user(ActorId::plain(&**actor)))
            .subject(Subject::new(kind.clone(), SubjectId::plain(&**subject)))
            .tenant(TenantId::plain(&**tenant))
            .role(Code::custom(role))
            .session(SessionId::plain(&**session))
            .source(Source::new().user_agent(agent).origin(origin));
        let record = Record::builder(Action::verbatim(&**action))
            .context(context)
            .resource(Resource::new(kind.clone(), ResourceId::plain(&**value)))
            .decision(audited::Decision::deny(Code::custom(reason)))
            .outcome(Outcome::failure(Code::custom(code)))
            .fields(|fields| {
                for key in &keys {
                    fields.plain(key, &(value, number, &bytes));
                }
            })
            .build();
        let json = check(&record);
        prop_assert_eq!(record.tenant().unwrap(), &**tenant);
        prop_assert_eq!(&record.subjects()[0].id, subject);
        prop_assert_eq!(record.actor().unwrap().id.unwrap(), &**actor);
        for key in &keys {
            prop_assert_eq!(json["detail"][key][0].as_str(), Some(&**value));
        }
    }
}

serialize!(KeepsAnErrorToItself, serializer => {
    let mut seq = serializer.serialize_seq(None)?;
    seq.serialize_element(&1)?;
    let _ = seq.serialize_element(&Fails);
    seq.end()
});
serialize!(KeepsAnEntrysErrorToItself, serializer => {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("a", &1)?;
    let _ = map.serialize_entry("b", &Fails);
    map.end()
});
serialize!(RawOfNothing, serializer => {
    serializer.serialize_struct("$serde_json::private::RawValue", 0)?.end()
});

#[test]
fn an_error_that_is_kept_secret_leaves_a_mark_nevertheless() {
    let record = Record::builder(DONE)
        .fields(|fields| {
            fields.plain("item", &KeepsAnErrorToItself);
            fields.plain("entry", &KeepsAnEntrysErrorToItself);
            fields.plain("inside", &[KeepsAnEntrysErrorToItself]);
            fields.plain("nothing", &RawOfNothing);
            fields.plain("nothings", &[RawOfNothing, RawOfNothing]);
            fields.plain("fine", &1);
        })
        .build();
    let value = check(&record);
    for key in ["item", "entry", "inside", "nothing", "nothings"] {
        assert_eq!(value["detail"][key], UNENCODABLE, "{key}");
    }
    assert_eq!(value["detail"]["fine"], 1);
    assert_eq!(record.flags(), ["unencodable"]);
}

#[test]
fn a_panic_that_is_kept_secret_leaves_a_mark_nevertheless() {
    let caught = Writes(|encoder| {
        encoder.object(|object| {
            let _ = catch_unwind(AssertUnwindSafe(|| object.value("a", &Writes(|_| panic!("s3cret")))));
            object.value("b", &1_u8);
        });
    });
    let last = Writes(|encoder| {
        encoder.object(|object| {
            let _ = catch_unwind(AssertUnwindSafe(|| object.value("a", &Writes(|_| panic!("s3cret")))));
        });
    });
    let record = Record::builder(DONE).field("caught", &caught).field("last", &last).build();
    check(&record);
    assert_eq!(record.detail(), Some(r#"{"caught":{"a":"<unencodable>","b":1},"last":{"a":"<unencodable>"}}"#));
}

#[derive(Serialize, Sensitive)]
struct Flat<T: Serialize> {
    first: u8,
    #[serde(flatten)]
    #[sensitive(plain)]
    rest: T,
    last: u8,
}

#[test]
fn what_fails_among_the_fields_of_a_detail_takes_nothing_else_with_it() {
    fn details<T: Serialize>(rest: T) -> [String; 3] {
        let flat = Flat { first: 1, rest, last: 2 };
        let of_fields = Record::builder(DONE).fields(|fields| fields.flatten(&flat)).build();
        let of_detail = Record::builder(DONE).detail(audited::Detail::new(&flat)).build();
        let of_value = Record::builder(DONE).field("flat", &flat).build();
        [of_fields, of_detail, of_value].map(|record| {
            check(&record);
            assert_eq!(record.flags(), ["unencodable"]);
            record.detail().unwrap().to_owned()
        })
    }
    let [of_fields, of_detail, of_value] = details(FailsHalfWay);
    assert_eq!(of_fields, r#"{"first":1,"s3cret":1,"x":"<unencodable>","last":2}"#);
    assert_eq!(of_detail, of_fields);
    assert_eq!(of_value, r#"{"flat":{"first":1,"last":2}}"#);
    for detail in details(Fails).into_iter().chain(details(KeyWithoutValue)).chain(details(RawOfNothing)) {
        assert!(detail.contains(r#""first":1,"last":2}"#), "{detail}");
    }
}
