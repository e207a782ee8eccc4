//! The shapes that the derives are made of.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use super::resolved;

/// What makes a schema.
type Make = fn(&mut SchemaGenerator) -> Schema;

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub enum Member {
    /// One that is always there.
    Always(&'static str, Make),
    /// One that may be left out.
    Maybe(&'static str, Make),
    /// The fields of a value that stand among the others.
    Flat(Make),
}

/// The schema of an object. There may be more in it: a later version adds fields.
pub fn object(generator: &mut SchemaGenerator, members: &[Member]) -> Schema {
    let (mut properties, mut required, mut others) = (Map::new(), Vec::new(), Vec::new());
    for member in members {
        match *member {
            Member::Always(key, make) => {
                properties.insert(key.to_owned(), make(generator).into());
                required.push(Value::from(key));
            }
            Member::Maybe(key, make) => {
                properties.insert(key.to_owned(), make(generator).into());
            }
            Member::Flat(make) => {
                let schema = make(generator);
                if stands_among_others(generator, &schema) {
                    others.push(Value::from(schema));
                }
            }
        }
    }
    let mut schema = json_schema!({ "type": "object", "properties": properties });
    for (keyword, values) in [("required", required), ("allOf", others)] {
        if !values.is_empty() {
            schema.insert(keyword.to_owned(), values.into());
        }
    }
    schema
}

/// The schema of an array of these items, or of any where some of them may be left out.
pub fn array(generator: &mut SchemaGenerator, items: Option<&[Make]>) -> Schema {
    let Some(items) = items else { return json_schema!({ "type": "array" }) };
    let (count, items) = (items.len(), items.iter().map(|make| make(generator).into()));
    match items.collect::<Vec<Value>>() {
        none if none.is_empty() => json_schema!({ "type": "array", "maxItems": 0 }),
        items => json_schema!({ "type": "array", "prefixItems": items, "minItems": count, "maxItems": count }),
    }
}

/// The schema of a value that is one of these.
pub fn any_of(generator: &mut SchemaGenerator, variants: &[Make]) -> Schema {
    let mut schemas: Vec<Value> = variants.iter().map(|make| make(generator).into()).collect();
    schemas.dedup();
    match schemas.len() {
        0 => false.into(),
        1 => schemas.swap_remove(0).try_into().unwrap_or_default(),
        _ => json_schema!({ "anyOf": schemas }),
    }
}

/// The schema of one text.
pub fn constant(text: &str) -> Schema {
    json_schema!({ "const": text })
}

/// The schema of nothing.
pub fn null() -> Schema {
    json_schema!({ "type": "null" })
}

/// Whether a schema says something of the fields of an object around it: of an object whose fields are known, or of a
/// value that is one of several such. Where there may be no fields at all, or any, nothing is said.
fn stands_among_others(generator: &SchemaGenerator, schema: &Schema) -> bool {
    let Some(object) = resolved(generator, schema) else { return false };
    if let Some(Value::Array(variants)) = object.get("anyOf").or_else(|| object.get("oneOf")) {
        return variants.iter().all(|variant| {
            let variant = Schema::try_from(variant.clone());
            variant.is_ok_and(|variant| stands_among_others(generator, &variant))
        });
    }
    let open = ["additionalProperties", "patternProperties", "unevaluatedProperties"];
    object.get("type").is_some_and(|ty| ty == "object") && open.iter().all(|keyword| !object.contains_key(*keyword))
}
