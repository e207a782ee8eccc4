//! What redaction costs: a struct of eight fields, two of them sensitive, as JSON, held against `serde_json` of the same
//! struct with nothing redacted, and against other ways of redacting it.
//!
//! ```text
//! cargo bench --bench redaction
//! ```
//!
//! Ours has everything on: the list of redacted paths, the bounds, containment. The others redact the same two fields,
//! each in its own way; what they write is printed, since not all write JSON.

use std::hint::black_box;
use std::time::Duration;

use audited::{Detail, Sensitive};
use data_privacy::simple_redactor::{SimpleRedactor, SimpleRedactorMode};
use data_privacy::{RedactionEngine, classified, taxonomy};
use redactable::Redactable;
use serde::Serialize;
use serde_json::Value;

use audited_benches::peers::ByRedactable;
use audited_benches::{Row, compare};

fn main() {
    let (ours, plain, walked) = (Transfer::example(), Transfer::example(), Transfer::example());
    let (redacted, shown) = (by_redactable(), by_redactable());
    let (engine, classified) = (engine(), ByDataPrivacy::example());
    println!("serde_json     {}", serde_json::to_string(&plain).unwrap());
    println!("audited        {}", Detail::new(&ours).json());
    println!("Value walk     {}", walk(&walked));
    println!("redactable     {}", serde_json::to_string(&redacted.clone().redact()).unwrap());
    println!("redactable     {shown:?}");
    println!("data_privacy   {}\n", by_engine(&engine, &classified));
    let rows = [
        Row::new(
            "serde_json::to_string, nothing redacted",
            times(move || serde_json::to_string(black_box(&plain)).unwrap()),
        ),
        Row::new("audited: Detail::new, everything on", times(move || Detail::new(black_box(&ours)))),
        Row::new("serde_json::Value, walked with a list of keys", times(move || walk(black_box(&walked)))),
        Row::new(
            "redactable: redact a clone, serde_json::to_string",
            times(move || serde_json::to_string(&black_box(&redacted).clone().redact()).unwrap()),
        ),
        Row::new("redactable: Debug", times(move || format!("{:?}", black_box(&shown)))),
        Row::new("data_privacy: redacted Debug", times(move || by_engine(&engine, black_box(&classified)))),
    ];
    compare(&rows, Duration::from_millis(1));
}

fn times<R>(once: impl Fn() -> R) -> impl Fn(u32) {
    move |times| (0..times).for_each(|_| drop(black_box(once())))
}

#[derive(Serialize, Sensitive)]
struct Transfer {
    id: u64,
    cents: u64,
    urgent: bool,
    #[sensitive(plain)]
    currency: String,
    #[sensitive(plain)]
    to: String,
    #[sensitive]
    memo: String,
    #[sensitive]
    device: String,
    at: i64,
}

impl Transfer {
    fn example() -> Self {
        Self {
            id: 7_000_123,
            cents: 125_000,
            urgent: false,
            currency: "EUR".into(),
            to: "acc-0750".into(),
            memo: "Rent for November, thank you".into(),
            device: "9f1c2d34-77b0-4e1c-8f0a-5d1b7c6e2a90".into(),
            at: 1_790_000_000,
        }
    }
}

fn walk(transfer: &Transfer) -> String {
    const KEYS: [&str; 2] = ["memo", "device"];
    fn redact(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    if KEYS.contains(&key.as_str()) {
                        *value = "<redacted>".into();
                    } else {
                        redact(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(redact),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(transfer).unwrap();
    redact(&mut value);
    value.to_string()
}

fn by_redactable() -> ByRedactable {
    let Transfer { id, cents, urgent, currency, to, memo, device, at } = Transfer::example();
    ByRedactable { id, cents, urgent, currency, to, memo, device, at }
}

#[taxonomy(bank)]
enum Taxonomy {
    Secret,
}

#[classified(Taxonomy::Secret)]
struct Secret(String);

#[derive(data_privacy::RedactedDebug)]
struct ByDataPrivacy {
    #[unredacted]
    id: u64,
    #[unredacted]
    cents: u64,
    #[unredacted]
    urgent: bool,
    #[unredacted]
    currency: String,
    #[unredacted]
    to: String,
    memo: Secret,
    device: Secret,
    #[unredacted]
    at: i64,
}

impl ByDataPrivacy {
    fn example() -> Self {
        let Transfer { id, cents, urgent, currency, to, memo, device, at } = Transfer::example();
        Self { id, cents, urgent, currency, to, memo: Secret(memo), device: Secret(device), at }
    }
}

fn engine() -> RedactionEngine {
    let redactor = SimpleRedactor::with_mode(SimpleRedactorMode::Insert("<redacted>".into()));
    RedactionEngine::builder().add_class_redactor(Taxonomy::Secret.data_class(), redactor).build()
}

fn by_engine(engine: &RedactionEngine, value: &ByDataPrivacy) -> String {
    let mut out = String::new();
    engine.redacted_debug(value, &mut out).unwrap();
    out
}
