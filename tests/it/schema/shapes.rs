//! Types in payloads, in the shapes of serde.

use std::collections::{BTreeMap, HashSet};

use audited::{AuditEvent, EventSchema, Sensitive};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{described, fits, rejects};

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
struct Inner {
    number: u16,
    #[sensitive]
    schema_memo: String,
}

fn inner() -> Inner {
    Inner { number: 1, schema_memo: "memo".into() }
}

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
struct Wrapped(#[sensitive(mask(first = 1))] String);

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
struct Tuple(u8, bool, #[sensitive] String);

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
struct Unit;

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
struct Tree {
    number: u8,
    children: Vec<Tree>,
}

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
struct Page<T> {
    items: Vec<T>,
    #[sensitive(plain)]
    word: Option<T>,
}

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
enum External {
    Unit,
    Newtype(u8),
    Tuple(u8, bool),
    #[serde(rename_all = "UPPERCASE")]
    Named {
        number: u8,
    },
    #[serde(skip)]
    #[allow(dead_code, reason = "its name is not shown")]
    Skipped,
}

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Internal {
    Unit,
    Named { number: u8 },
    Newtype(Flat),
    Hidden(#[sensitive] Flat),
}

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
#[serde(tag = "kind", content = "content")]
enum Adjacent {
    Unit,
    Named { number: u8 },
}

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
#[serde(untagged)]
enum Untagged {
    Unit,
    Named { number: u8 },
    Pair(u8, u8),
}

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
struct Flat {
    flat: u8,
}

#[derive(Clone, Sensitive, Serialize)]
#[sensitive(schema)]
#[serde(into = "Into8")]
struct Converted(u8);

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
struct Into8 {
    eight: u8,
}

impl From<Converted> for Into8 {
    fn from(Converted(eight): Converted) -> Self {
        Self { eight }
    }
}

/// As another crate declares it.
struct Foreign {
    id: u32,
}

#[derive(Sensitive, Serialize)]
#[sensitive(schema)]
#[serde(remote = "Foreign")]
struct ForeignDef {
    id: u32,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Own {
    some_number: u8,
}

#[derive(AuditEvent, Serialize)]
#[event(prefix = "schema-shapes", schema)]
enum ShapeEvent<'a> {
    Structs {
        inner: Inner,
        wrapped: Wrapped,
        tuple: Tuple,
        unit: Unit,
        tree: Tree,
        page: Page<u8>,
        converted: Converted,
    },
    Containers {
        list: Vec<Inner>,
        array: [u8; 2],
        set: HashSet<u8>,
        map: BTreeMap<u8, Option<Inner>>,
        pair: (u8, bool),
        boxed: Box<Inner>,
        id: uuid::Uuid,
        #[serde(skip_serializing)]
        never: u8,
    },
    Enums {
        external: Vec<External>,
        internal: Vec<Internal>,
        adjacent: Vec<Adjacent>,
        untagged: Vec<Untagged>,
    },
    Plain {
        #[sensitive(plain)]
        own: Own,
        #[sensitive(plain)]
        text: &'a str,
        /// Classified, it keeps its marks.
        #[sensitive(plain)]
        marked: External,
        #[sensitive(plain)]
        json: serde_json::Value,
        #[serde(with = "ForeignDef")]
        #[sensitive(with = ForeignDef)]
        foreign: Foreign,
        #[serde(serialize_with = "as_text")]
        #[sensitive(plain)]
        by_function: u8,
    },
    Flattened {
        #[sensitive(plain)]
        own: &'a str,
        #[serde(flatten)]
        flat: Flat,
        #[serde(flatten)]
        #[sensitive(plain)]
        rest: BTreeMap<String, u8>,
        #[serde(flatten)]
        absent: Option<Inner>,
        #[serde(flatten)]
        variant: Internal,
    },
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_text<S: serde::Serializer>(number: &u8, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn tree() -> Tree {
    Tree { number: 1, children: vec![Tree { number: 2, children: Vec::new() }] }
}

#[test]
fn structs_are_as_the_schema_says() {
    let described = described(&ShapeEvent::Structs {
        inner: inner(),
        wrapped: Wrapped("wrapped text".into()),
        tuple: Tuple(1, true, "x".into()),
        unit: Unit,
        tree: tree(),
        page: Page { items: vec![1, 2], word: Some(3) },
        converted: Converted(8),
    });
    for (pointer, other) in [
        ("/inner/schema_memo", json!("memo")),
        ("/inner/number", json!(70000)),
        ("/wrapped", json!("wrapped text")),
        ("/tuple/1", json!(1)),
        ("/tuple", json!([1, true])),
        ("/unit", json!({})),
        ("/tree/children/0/number", json!("2")),
        ("/page/items/0", json!("1")),
        ("/page/word", json!("3")),
        ("/converted", json!({ "other": 8 })),
    ] {
        rejects(&described, pointer, other);
    }
}

#[test]
fn containers_are_as_the_schema_says() {
    let described = described(&ShapeEvent::Containers {
        list: vec![inner(), inner()],
        array: [1, 2],
        set: HashSet::from([1]),
        map: BTreeMap::from([(1, Some(inner())), (2, None)]),
        pair: (1, true),
        boxed: Box::new(inner()),
        id: uuid::Uuid::nil(),
        never: 1,
    });
    for (pointer, other) in [
        ("/list/1/schema_memo", json!("memo")),
        ("/array/0", json!("1")),
        ("/set/0", json!(300)),
        ("/map/1", json!(4)),
        ("/pair", json!([1])),
        ("/boxed/number", json!(null)),
        ("/id", json!(4)),
    ] {
        rejects(&described, pointer, other);
    }
}

#[test]
fn enums_are_as_the_schema_says() {
    let described = described(&ShapeEvent::Enums {
        external: vec![
            External::Unit,
            External::Newtype(1),
            External::Tuple(1, true),
            External::Named { number: 1 },
            External::Skipped,
        ],
        internal: vec![
            Internal::Unit,
            Internal::Named { number: 1 },
            Internal::Newtype(Flat { flat: 1 }),
            Internal::Hidden(Flat { flat: 1 }),
        ],
        adjacent: vec![Adjacent::Unit, Adjacent::Named { number: 1 }],
        untagged: vec![Untagged::Unit, Untagged::Named { number: 1 }, Untagged::Pair(1, 2)],
    });
    for (pointer, other) in [
        ("/external/0", json!("Other")),
        ("/external/1/Newtype", json!("1")),
        ("/external/2/Tuple/1", json!(1)),
        ("/external/3/Named", json!({ "number": 1 })),
        ("/external/4", json!("Skipped")),
        ("/internal/0/kind", json!("Unit")),
        ("/internal/1/number", json!("1")),
        ("/internal/2/flat", json!("1")),
        ("/internal/3/0", json!(1)),
        ("/adjacent/1/content/number", json!("1")),
        ("/untagged/1/number", json!("1")),
        ("/untagged/2", json!([1])),
    ] {
        rejects(&described, pointer, other);
    }
}

#[test]
fn plain_values_are_as_their_own_schema_says() {
    let described = described(&ShapeEvent::Plain {
        own: Own { some_number: 1 },
        text: "text",
        marked: External::Newtype(1),
        json: json!({ "a": [1] }),
        foreign: Foreign { id: 1 },
        by_function: 1,
    });
    assert_eq!(described.0["by_function"], "1");
    for (pointer, other) in [
        ("/own", json!({ "some_number": 1 })),
        ("/text", json!(1)),
        ("/marked", json!({ "Newtype": "1" })),
        ("/foreign", json!({ "id": "1" })),
    ] {
        rejects(&described, pointer, other);
    }
}

#[test]
fn what_is_flattened_is_as_the_schema_says() {
    let described = described(&ShapeEvent::Flattened {
        own: "text",
        flat: Flat { flat: 1 },
        rest: BTreeMap::from([("more".into(), 2)]),
        absent: None,
        variant: Internal::Named { number: 3 },
    });
    assert_eq!(described.0, json!({ "own": "text", "flat": 1, "more": 2, "kind": "named", "number": 3 }));
    rejects(&described, "/flat", json!("1"));
    rejects(&described, "/kind", json!("other"));
}

#[test]
fn a_type_that_is_used_twice_is_described_once() {
    let schema = ShapeEvent::detail_schema(ShapeEventKind::Containers);
    let definitions = schema.get("$defs").unwrap().as_object().unwrap();
    assert_eq!(definitions.keys().collect::<Vec<_>>(), ["Inner"]);
    assert!(!fits(&schema, &json!({})), "its fields are always there");
}
