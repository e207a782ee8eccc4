//! JSON Schema.

use serde_json::{Map, Value, json};

use super::super::Catalogue;
use super::detail;
use super::shape::Shape;
use crate::sensitive::REDACTED;

pub(super) fn of(catalogue: &Catalogue) -> Value {
    let mut actions = Map::new();
    for action in &catalogue.actions {
        let properties: Map<_, _> = detail(action).map(|field| (field.key.clone(), shape(&Shape::of(field)))).collect();
        let mut schema = json!({ "type": "object", "properties": properties });
        if let Some(doc) = &action.doc {
            schema["description"] = json!(doc);
        }
        if action.deprecated {
            schema["deprecated"] = json!(true);
        }
        actions.insert(action.action.clone(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The details of the records, by action",
        "$defs": actions,
    })
}

fn shape(shape_of: &Shape) -> Value {
    match shape_of {
        Shape::Unknown => json!(true),
        Shape::Integer => or_redacted("integer"),
        Shape::Number => or_redacted("number"),
        Shape::Bool => or_redacted("boolean"),
        Shape::Text => json!({ "type": "string" }),
        Shape::Redacted => json!({ "const": REDACTED }),
        Shape::Maybe(inner) => json!({ "anyOf": [shape(inner), { "type": "null" }] }),
        Shape::List(item) => json!({ "anyOf": [{ "type": "array", "items": shape(item) }, cut()] }),
    }
}

/// An operator's policy may have redacted it.
fn or_redacted(name: &str) -> Value {
    json!({ "type": [name, "string"] })
}

/// What stays of a value that was over a bound.
fn cut() -> Value {
    json!({ "type": ["object", "string"] })
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;

    #[test]
    fn each_action_has_a_schema() {
        let schema = example().to_json_schema();
        let transfer = &schema["$defs"]["account.transfer"];
        assert_eq!(transfer["properties"]["memo"]["const"], "<redacted>");
        assert_eq!(transfer["properties"]["cents"]["type"][0], "integer");
        assert_eq!(transfer["properties"]["to be"], true);
        assert!(transfer["properties"].get("resource account").is_none());
        assert_eq!(schema["$defs"]["session.refused"]["deprecated"], true);
    }
}
