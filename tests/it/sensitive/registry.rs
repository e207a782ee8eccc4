//! What is registered of a type.

use std::marker::PhantomData;

use audited::{Mode, Sensitive, SensitiveType, sensitive_types};
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

#[derive(Sensitive)]
struct RegisteredUnit;

fn find(name: &str) -> &'static SensitiveType {
    let found: Vec<_> =
        sensitive_types().into_iter().filter(|entry| entry.module == module_path!() && entry.name == name).collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

type Row = (Option<&'static str>, &'static str, &'static str, Option<Mode>);

fn rows(entry: &SensitiveType) -> Vec<Row> {
    entry.fields.iter().map(|field| (field.variant, field.name, field.key, field.mode)).collect()
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
