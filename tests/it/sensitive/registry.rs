//! What is registered of a type.

use std::marker::PhantomData;

use audited::{AuditEvent, Encoder, Mode, Redactor, Sensitive, SensitiveType, sensitive_types};
use serde::Serialize;

#[derive(Serialize, Sensitive)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Registered<T> {
    user_id: T,
    #[sensitive]
    memo: String,
    #[sensitive(hash)]
    #[serde(rename = "dev")]
    device: String,
    #[sensitive(plain)]
    r#type: String,
    #[serde(skip)]
    gone: PhantomData<T>,
}

#[derive(Serialize, Sensitive)]
#[sensitive(class = "pii")]
#[serde(rename = "other")]
#[allow(dead_code)]
struct Modes {
    #[sensitive(mask(first = 1, last = 4), class = "account")]
    mask: String,
    #[sensitive(truncate(8))]
    truncate: String,
    #[sensitive(hash(scope = "email"))]
    hash: String,
    #[sensitive(len)]
    len: String,
    #[sensitive(present)]
    present: String,
    #[sensitive(with = self::Nothing::<4>)]
    with: String,
    #[sensitive(class = "health")]
    classed: String,
    #[serde(flatten, rename = "unused")]
    flat: RegisteredUnit,
    own: u8,
}

#[allow(dead_code)]
struct Nothing<const N: usize>;

impl<const N: usize> Redactor<String> for Nothing<N> {
    fn redact(_: &String, encoder: &mut Encoder<'_>) {
        encoder.redacted();
    }
}

#[derive(AuditEvent)]
#[event(prefix = "registered")]
#[sensitive(class = "event")]
#[allow(dead_code)]
enum RegisteredEvent {
    Happened {
        id: u8,
        #[sensitive(class = "pii")]
        name: String,
    },
    Renamed(#[sensitive(len)] String),
}

#[derive(Clone, Serialize, Sensitive)]
#[serde(into = "u8")]
#[allow(dead_code)]
struct Converted {
    password: String,
}

impl From<Converted> for u8 {
    fn from(_: Converted) -> Self {
        1
    }
}

#[derive(Sensitive)]
#[allow(dead_code)]
enum RegisteredEnum {
    Unit,
    Tuple(u8, #[sensitive] String),
    Struct {
        #[sensitive]
        memo: String,
    },
}

#[derive(Serialize, Sensitive)]
struct RegisteredUnit;

fn find(name: &str) -> &'static SensitiveType {
    let found: Vec<_> =
        sensitive_types().into_iter().filter(|entry| entry.module == module_path!() && entry.name == name).collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

type Row = (Option<&'static str>, &'static str, &'static str, Option<Mode>);

fn rows(entry: &SensitiveType) -> Vec<Row> {
    entry.fields().map(|field| (field.variant, field.name, field.key, field.mode)).collect()
}

#[test]
fn a_generic_type_is_registered_once_with_names_keys_and_modes() {
    let _ = |a: &Registered<u8>, b: &Registered<u16>| (super::written(a), super::written(b));
    let entry = find("Registered");
    assert_eq!(entry.package, env!("CARGO_PKG_NAME"));
    assert_eq!(
        rows(entry),
        [
            (None, "user_id", "userId", None),
            (None, "memo", "memo", Some(Mode::Drop)),
            (None, "device", "dev", Some(Mode::Hash)),
            (None, "type", "type", Some(Mode::Plain)),
        ]
    );
}

#[test]
fn an_enum_is_registered_with_the_fields_of_all_variants() {
    assert_eq!(
        rows(find("RegisteredEnum")),
        [
            (Some("Tuple"), "0", "0", None),
            (Some("Tuple"), "1", "1", Some(Mode::Drop)),
            (Some("Struct"), "memo", "memo", Some(Mode::Drop)),
        ]
    );
}

#[test]
fn a_type_without_fields_is_registered_too() {
    let _ = RegisteredUnit;
    assert!(rows(find("RegisteredUnit")).is_empty());
}

#[test]
fn a_type_inside_of_a_function_is_registered() {
    #[derive(Sensitive)]
    struct Inside {
        id: u8,
    }
    assert_eq!(super::written(&Inside { id: 1 }), r#"{"id":1}"#);
    assert_eq!(rows(find("Inside")), [(None, "id", "id", None)]);
}

#[test]
fn modes_classes_and_scopes_are_registered() {
    let entry = find("Modes");
    assert_eq!(entry.serialized, "other");
    assert_eq!(find("Registered").serialized, "Registered");
    let rows: Vec<_> = entry.fields().map(|field| (field.name, field.mode, field.class, field.scope)).collect();
    assert_eq!(
        rows,
        [
            ("mask", Some(Mode::Mask { first: 1, last: 4 }), Some("account"), None),
            ("truncate", Some(Mode::Truncate(8)), Some("pii"), None),
            ("hash", Some(Mode::Hash), Some("pii"), Some("email")),
            ("len", Some(Mode::Len), Some("pii"), None),
            ("present", Some(Mode::Present), Some("pii"), None),
            ("with", Some(Mode::Custom("self::Nothing::<4>")), Some("pii"), None),
            ("classed", Some(Mode::Drop), Some("health"), None),
            ("flat", None, Some("pii"), None),
            ("own", None, Some("pii"), None),
        ]
    );
    assert!(entry.fields().all(|field| field.key == field.name));
}

#[test]
fn an_event_is_registered_with_its_keys_and_classes() {
    let fields = find("RegisteredEvent").fields();
    let rows: Vec<_> = fields.map(|field| (field.variant, field.key, field.mode, field.class)).collect();
    assert_eq!(
        rows,
        [
            (Some("Happened"), "id", None, Some("event")),
            (Some("Happened"), "name", Some(Mode::Drop), Some("pii")),
            (Some("Renamed"), "value", Some(Mode::Len), Some("event")),
        ]
    );
}

#[test]
fn of_a_converted_type_no_field_is_registered() {
    assert!(rows(find("Converted")).is_empty());
    assert_eq!(super::written(&Converted { password: "x".into() }), "1");
}
