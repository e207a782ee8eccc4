//! Size never fails a record: what is too large is cut, flagged, and its digest kept.

use std::collections::BTreeMap;

use audited::{
    Actor, ActorId, AuditContext, Code, DEFAULT_DEPTH, DEFAULT_DETAIL_BYTES, DEFAULT_ENTRIES, DEFAULT_FIELD_BYTES,
    Limits, MAX_CODE_CHARS, MAX_USER_AGENT_CHARS, MemorySink, Record, Recorder, Resource, ResourceId, Sensitive,
    Source, Subject, SubjectId, TenantId, record_action, with_recorder_sync,
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{DONE, check};

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[test]
fn a_user_agent_is_cut_by_characters() {
    let source = Source::new().user_agent("é".repeat(300)).origin("ü".repeat(300));
    let record = Record::builder(DONE).context(AuditContext::new().source(source)).build();
    check(&record);
    let source = record.source().unwrap();
    assert_eq!(source.user_agent.unwrap(), "é".repeat(MAX_USER_AGENT_CHARS));
    assert_eq!(source.origin.unwrap().chars().count(), MAX_USER_AGENT_CHARS);
}

#[test]
fn a_code_of_run_time_is_cut_by_characters() {
    let code = Code::custom("ß".repeat(1000));
    assert_eq!(code.as_str(), "ß".repeat(MAX_CODE_CHARS));
}

#[test]
fn a_long_identity_keeps_its_start_and_its_digest() {
    let long = "é".repeat(200);
    let fits = "x".repeat(256);
    let context = AuditContext::new()
        .actor(Actor::user(ActorId::plain(&*long)))
        .subject(Subject::new(long.clone(), SubjectId::plain(&*long)))
        .subject(Subject::user(SubjectId::plain(&*long)))
        .tenant(TenantId::plain(&*fits));
    let record = Record::builder(DONE).context(context).resource(Resource::new("k", ResourceId::plain(&*long))).build();
    check(&record);
    let expected = format!("{}…sha256:{}", "é".repeat(64), hex(long.as_bytes()));
    assert_eq!(record.actor().unwrap().id.unwrap(), expected);
    assert_eq!(record.resource().unwrap().id, expected);
    assert_eq!(record.tenant().unwrap(), fits);
    assert_eq!(record.cut(), ["actor.id", "subjects[].kind", "subjects[].id", "resource.id"]);
    assert_eq!(record.flags(), ["cut"]);
}

#[test]
fn a_large_field_is_replaced_by_its_size_and_digest() {
    let large = "y".repeat(DEFAULT_FIELD_BYTES);
    let record = Record::builder(DONE)
        .field("before", &1_u8)
        .fields(|fields| {
            fields.field("body", |encoder| {
                encoder.object(|body| {
                    body.redacted("memo");
                    body.plain("text", &large);
                });
            });
            fields.plain("fits", &"z".repeat(DEFAULT_FIELD_BYTES - 2));
        })
        .build();
    let value = check(&record);
    let redacted = format!(r#"{{"memo":"<redacted>","text":"{large}"}}"#);
    assert_eq!(
        value["detail"]["body"],
        serde_json::json!({"bytes": redacted.len(), "sha256": hex(redacted.as_bytes())})
    );
    assert_eq!(value["detail"]["before"], 1);
    assert_eq!(value["detail"]["fits"].as_str().unwrap().len(), DEFAULT_FIELD_BYTES - 2);
    assert_eq!((record.cut(), record.redacted()), (vec!["body".to_owned()], vec!["body.memo".to_owned()]));
    assert_eq!(record.flags(), ["cut"]);
}

#[test]
fn a_detail_has_a_limit_whatever_is_added() {
    let mut builder = Record::builder(DONE);
    for n in 0..20_000 {
        builder = builder.fields(|fields| fields.plain(&format!("{n}{}", "k".repeat(400)), "v"));
    }
    let record = builder.build();
    check(&record);
    assert!(
        record.detail().unwrap().len() < DEFAULT_DETAIL_BYTES + 2 * DEFAULT_FIELD_BYTES,
        "{}",
        record.detail().unwrap().len()
    );
    assert!(record.json().len() < DEFAULT_DETAIL_BYTES + 4 * DEFAULT_FIELD_BYTES, "{}", record.json().len());
    assert_eq!(record.cut().last().unwrap(), "…");
}

#[test]
fn lists_have_limits() {
    let mut context = AuditContext::new();
    for n in 0..40_u32 {
        context = context.called_by(Actor::user(n)).role(Code::custom(n.to_string())).subject(Subject::user(n));
    }
    let record = Record::builder(DONE).context(context).build();
    check(&record);
    assert_eq!((record.invocation_chain().len(), record.roles().len(), record.subjects().len()), (32, 32, 32));
    assert_eq!(record.cut(), ["invocation_chain", "subjects", "roles"]);
}

#[test]
fn many_redactions_are_listed_up_to_a_limit() {
    let record =
        Record::builder(DONE).fields(|fields| (0..200).for_each(|n| fields.redacted(&format!("f{n}")))).build();
    check(&record);
    assert_eq!(record.redacted().len(), 65);
    assert_eq!(record.redacted()[64], "…");
}

/// Nests as deep as one likes, in arrays.
struct Nest(usize);

impl Serialize for Nest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => serializer.serialize_u8(1),
            depth => [Nest(depth - 1)].serialize(serializer),
        }
    }
}

impl audited::Sensitive for Nest {
    fn write(&self, encoder: &mut audited::Encoder<'_>) {
        match self.0 {
            0 => encoder.unsigned(1),
            depth => encoder.array(|items| items.value(&Nest(depth - 1))),
        }
    }
}

#[test]
fn depth_has_a_limit() {
    let record = Record::builder(DONE)
        .field("deep", &Nest(DEFAULT_DEPTH))
        .field("deeper", &Nest(DEFAULT_DEPTH + 1))
        .fields(|fields| {
            fields.plain("plain_deep", &Nest(DEFAULT_DEPTH));
            fields.plain("plain_deeper", &Nest(DEFAULT_DEPTH + 1));
            // Far deeper than any stack.
            fields.plain("plain_endless", &Nest(usize::MAX));
            fields.value("endless", &Nest(usize::MAX));
            fields.hashed("hashed_endless", &Nest(usize::MAX));
        })
        .build();
    let value: Value = check(&record);
    let detail = |key: &str| value["detail"][key].to_string();
    let nested = |inner: &str| format!("{}{inner}{}", "[".repeat(DEFAULT_DEPTH), "]".repeat(DEFAULT_DEPTH));
    assert_eq!((detail("deep"), detail("plain_deep")), (nested("1"), nested("1")));
    let cut = nested(&format!(r#"{{"bytes":3,"sha256":"{}"}}"#, hex(b"[1]")));
    assert_eq!((detail("deeper"), detail("plain_deeper")), (cut.clone(), cut));
    let beyond = format!("{}\"<too deep>\"{}", "[".repeat(64), "]".repeat(64));
    let cut = nested(&format!(r#"{{"bytes":{},"sha256":"{}"}}"#, beyond.len(), hex(beyond.as_bytes())));
    assert_eq!((detail("endless"), detail("plain_endless")), (cut.clone(), cut));
    assert_eq!(detail("hashed_endless"), "\"<redacted>\"");
    let paths =
        ["deeper", "plain_deeper", "plain_endless", "endless"].map(|key| key.to_owned() + &"[]".repeat(DEFAULT_DEPTH));
    assert_eq!(record.cut(), paths);
}

#[test]
fn width_has_a_limit() {
    let fits: Vec<_> = (0..DEFAULT_ENTRIES).map(|_| 1_u8).collect();
    let wide: Vec<_> = (0..=DEFAULT_ENTRIES).map(|_| 1_u8).collect();
    let record = Record::builder(DONE)
        .field("fits", &fits)
        .field("wide", &wide)
        .fields(|fields| fields.plain("inside", &(1, &wide, 2)))
        .build();
    let value = check(&record);
    let json = serde_json::to_string(&wide).unwrap();
    let cut = serde_json::json!({ "bytes": json.len(), "sha256": hex(json.as_bytes()) });
    assert_eq!(value["detail"]["fits"].as_array().unwrap().len(), DEFAULT_ENTRIES);
    assert_eq!(value["detail"]["wide"], cut);
    assert_eq!(value["detail"]["inside"], serde_json::json!([1, cut, 2]));
    assert_eq!(record.cut(), ["wide", "inside[]"]);
}

#[test]
fn what_is_far_over_a_limit_is_digested_whole_and_its_redacted_paths_are_known() {
    let text = "\u{202e}0123456789\n".repeat(500_000);
    let record = Record::builder(DONE)
        .fields(|fields| {
            fields.field("body", |encoder| {
                encoder.object(|body| {
                    body.plain("text", &text);
                    body.redacted("memo");
                    body.field("list", |list| list.array(|items| items.item(audited::Encoder::redacted)));
                });
            });
            fields.plain("after", &1);
        })
        .build();
    let value = check(&record);
    let redacted =
        format!(r#"{{"text":"{}","memo":"<redacted>","list":["<redacted>"]}}"#, "\\u202e0123456789\\n".repeat(500_000));
    let cut = serde_json::json!({ "bytes": redacted.len(), "sha256": hex(redacted.as_bytes()) });
    assert_eq!(value["detail"], serde_json::json!({ "body": cut, "after": 1 }));
    assert_eq!(
        (record.cut(), record.redacted()),
        (vec!["body".to_owned()], vec!["body.memo".into(), "body.list[]".into()])
    );
}

#[test]
fn a_hundred_megabytes_leave_a_record_on_one_line() {
    let text = "x".repeat(100 << 20);
    let record = Record::builder(DONE)
        .fields(|fields| {
            fields.plain("text", &text);
            fields.field("masked", |encoder| encoder.redacted_by(audited::Mode::Mask { first: 2, last: 2 }, &text));
        })
        .build();
    let value = check(&record);
    assert_eq!(value["detail"]["text"]["bytes"], (100 << 20) + 2);
    assert_eq!(value["detail"]["masked"], "xx***xx");
    assert!(record.json().len() < 1024);
}

#[test]
fn a_failure_far_over_a_limit_leaves_a_mark_alone() {
    struct FailsLate;
    impl Serialize for FailsLate {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeSeq;
            let mut seq = serializer.serialize_seq(None)?;
            for _ in 0..3 {
                seq.serialize_element(&"x".repeat(50_000))?;
            }
            Err(serde::ser::Error::custom("s3cret"))
        }
    }
    let record = Record::builder(DONE)
        .fields(|fields| {
            fields.plain("late", &FailsLate);
            fields.field("around", |encoder| encoder.object(|object| object.plain("late", &FailsLate)));
            fields.plain("fine", &1);
        })
        .build();
    let value = check(&record);
    assert_eq!(value["detail"]["late"], audited::UNENCODABLE);
    assert_eq!(value["detail"]["around"], audited::UNENCODABLE);
    assert_eq!(value["detail"]["fine"], 1);
    assert!(record.flags().contains(&"unencodable".to_owned()));
}

#[test]
fn the_recorder_sets_the_limits() {
    let memory = MemorySink::new();
    let limits = Limits::new().field_bytes(200).detail_bytes(400).depth(2).entries(3);
    let recorder = Recorder::builder().sink(memory.clone()).limits(limits).allow_weak_fail_closed().build().unwrap();
    with_recorder_sync(recorder, || {
        record_action(DONE)
            .field("fits", &[[1_u8, 2, 3]])
            .field("deep", &[[[1_u8]]])
            .field("wide", &[1_u8, 2, 3, 4])
            .fields(|fields| fields.plain("long", &"x".repeat(200)))
            .wait()
            .unwrap();
    });
    let record = memory.last(DONE.as_str()).unwrap();
    let value = check(&record);
    assert_eq!(value["detail"]["fits"], serde_json::json!([[1, 2, 3]]));
    assert_eq!(value["detail"]["deep"][0][0]["bytes"], 3);
    assert_eq!(value["detail"]["wide"]["bytes"], 9);
    assert_eq!(value["detail"]["long"]["bytes"], 202);
    assert_eq!(record.cut(), ["deep[][]", "wide", "long"]);
}

#[derive(Serialize, Sensitive)]
struct Flattened<T: Serialize> {
    first: u8,
    #[serde(flatten)]
    #[sensitive(plain)]
    rest: T,
    last: u8,
}

#[test]
fn what_is_flattened_into_a_detail_is_bounded_field_by_field() {
    let long =
        BTreeMap::from([("long".to_owned(), "x".repeat(2_000_000)), ("bounded_brief".to_owned(), "y".to_owned())]);
    let flat = Flattened { first: 1, rest: long, last: 2 };
    let of_detail = Record::builder(DONE).detail(audited::Detail::new(&flat)).build();
    let of_fields = Record::builder(DONE).fields(|fields| fields.flatten(&flat)).build();
    for record in [of_detail, of_fields] {
        let value = check(&record);
        assert_eq!(value["detail"]["long"]["bytes"], 2_000_002);
        assert_eq!((&value["detail"]["bounded_brief"], &value["detail"]["last"]), (&"y".into(), &2.into()));
        assert_eq!(record.cut(), ["long"]);
    }

    let many: BTreeMap<u32, String> = (0..2000).map(|number| (number, "x".repeat(1000))).collect();
    let record =
        Record::builder(DONE).detail(audited::Detail::new(&Flattened { first: 1, rest: many, last: 2 })).build();
    check(&record);
    assert!(record.json().len() < 100_000, "{}", record.json().len());

    let classified: BTreeMap<u32, u64> = (0..100_000).map(|number| (number, u64::MAX)).collect();
    let record = Record::builder(DONE).detail(audited::Detail::new(&classified)).build();
    check(&record);
    assert!(record.json().len() < 100_000, "{}", record.json().len());
}

#[derive(Serialize)]
enum Variant {
    Tuple(String, u8),
    Struct { text: String },
    One(String),
}

#[test]
fn a_variant_that_is_flattened_into_a_detail_is_bounded() {
    let long = || "x".repeat(100_000);
    for variant in [Variant::Tuple(long(), 1), Variant::Struct { text: long() }, Variant::One(long())] {
        let flat = Flattened { first: 1, rest: variant, last: 2 };
        let record = Record::builder(DONE).fields(|fields| fields.flatten(&flat)).build();
        let value = check(&record);
        assert!(record.json().len() < 1000, "{}", record.json().len());
        assert_eq!(value["detail"]["last"], 2);
        assert_eq!(record.cut().len(), 1);
    }
}

#[test]
fn a_record_as_deep_as_it_may_be_reads_back() {
    let mut value = serde_json::json!(1);
    for _ in 0..300 {
        value = serde_json::json!([value]);
    }
    let sink = MemorySink::new();
    let limits = Limits::new().depth(usize::MAX);
    let recorder = Recorder::builder().sink(sink.clone()).allow_weak_fail_closed().limits(limits).build().unwrap();
    with_recorder_sync(recorder, || {
        record_action(DONE).fields(|fields| fields.plain("deep", &value)).wait().unwrap();
    });
    check(&sink.last("thing.done").unwrap());
}
