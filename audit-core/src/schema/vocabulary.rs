//! The schemas of a vocabulary.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{generator, root};
use crate::event::{AuditEvent, EventKind};

/// A vocabulary that says what its records hold, as JSON Schemas (draft 2020-12): derived where the enum says
/// `#[event(schema)]`.
///
/// They describe what the marks leave. What is taken from a record besides is listed in it, in `redacted` and `cut`: by
/// the policy of an operator, by a limit, and in a value that was declared plain, where a key is named like a secret.
#[diagnostic::on_unimplemented(
    message = "the records of `{Self}` have no JSON Schema",
    label = "has no schema",
    note = "ask the derive for one: `#[event(schema)]` on the enum"
)]
pub trait EventSchema: AuditEvent {
    /// Makes the schema of the payload of one kind.
    fn payload_schema(kind: Self::Kind, generator: &mut SchemaGenerator) -> Schema;

    /// The schema of the detail of the records of one kind, which stands by itself.
    fn detail_schema(kind: Self::Kind) -> Schema {
        let mut generator = generator();
        let schema = Self::payload_schema(kind, &mut generator);
        root(generator, schema)
    }

    /// The schema of the records of all kinds, by their action.
    fn record_schema() -> Schema {
        let mut generator = generator();
        let record = |kind: &Self::Kind| -> Value {
            let detail = Self::payload_schema(*kind, &mut generator);
            let mut required = vec!["action"];
            // A payload without a field is not in the record.
            if detail.get("required").is_some() {
                required.push("detail");
            }
            let mut properties = Map::new();
            properties.insert("action".to_owned(), json!({ "const": kind.action().as_str() }));
            properties.insert("detail".to_owned(), detail.into());
            json!({ "type": "object", "properties": properties, "required": required })
        };
        let records: Vec<_> = Self::Kind::ALL.iter().map(record).collect();
        let schema = json_schema!({ "title": "The records, by action", "oneOf": records });
        root(generator, schema)
    }
}

impl<E: EventSchema + ?Sized> EventSchema for Box<E> {
    fn payload_schema(kind: E::Kind, generator: &mut SchemaGenerator) -> Schema {
        E::payload_schema(kind, generator)
    }
}
