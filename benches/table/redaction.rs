//! What redaction costs: a struct of eight fields, two of them sensitive.
//!
//! Ours has everything on: the list of redacted paths, the bounds, containment. The others redact the same two fields,
//! each in its own way; not all write JSON.

use std::hint::black_box;
use std::path::Path;

use audited::Detail;
use audited_benches::payment::Payment;
use audited_benches::peers::ByRedactable;
use audited_benches::table::{self, Target};
use data_privacy::simple_redactor::{SimpleRedactor, SimpleRedactorMode};
use data_privacy::{RedactionEngine, classified, taxonomy};
use redactable::Redactable;
use serde_json::Value;

use super::hot::measure;
use super::ways::Way;

pub(super) fn print(_: &Path) {
    let ways = [
        plain(),
        way("redactable: Debug", by_redactable(), |payment| format!("{payment:?}")),
        way("redactable: redact a clone, serde_json::to_string", by_redactable(), |payment| {
            serde_json::to_string(&payment.clone().redact()).unwrap()
        }),
        by_data_privacy(),
        way("serde_json::Value, walked with a list of keys", Payment::example(), walk),
        way("**ours: `Detail::new`**", Payment::example(), Detail::new),
    ];
    let taken = measure(&ways.iter().collect::<Vec<_>>());
    table::section("Redaction, 8 fields, 2 sensitive: ns, and the ratio to serde_json with nothing redacted");
    for (way, taken_by) in ways.iter().zip(&taken) {
        table::beside(way.name, taken_by, &taken[0]);
    }
    table::ratio("ours ÷ serde_json, nothing redacted", &taken[ways.len() - 1].over(&taken[0]), Target::AtMost(0.7));
}

fn way<T: Send + Sync + 'static, R>(
    name: &'static str,
    payment: T,
    once: impl Fn(&T) -> R + Send + Sync + 'static,
) -> Way {
    Way::new(name, move || drop(black_box(once(black_box(&payment)))))
}

fn plain() -> Way {
    way("serde_json::to_string, nothing redacted", Payment::example(), |payment| {
        serde_json::to_string(payment).unwrap()
    })
}

fn walk(payment: &Payment) -> String {
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
    let mut value = serde_json::to_value(payment).unwrap();
    redact(&mut value);
    value.to_string()
}

fn by_redactable() -> ByRedactable {
    let Payment { id, cents, urgent, currency, to, memo, device, at } = Payment::example();
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

fn by_data_privacy() -> Way {
    let Payment { id, cents, urgent, currency, to, memo, device, at } = Payment::example();
    let payment = ByDataPrivacy { id, cents, urgent, currency, to, memo: Secret(memo), device: Secret(device), at };
    let redactor = SimpleRedactor::with_mode(SimpleRedactorMode::Insert("<redacted>".into()));
    let engine = RedactionEngine::builder().add_class_redactor(Taxonomy::Secret.data_class(), redactor).build();
    way("data_privacy: redacted Debug", payment, move |payment| {
        let mut out = String::new();
        engine.redacted_debug(payment, &mut out).unwrap();
        out
    })
}
