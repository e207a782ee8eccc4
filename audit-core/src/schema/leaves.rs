//! What a mode leaves of a value.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use crate::sensitive::{Mode, REDACTED};

/// The schema of what a mode leaves of any value. Of one that is shown in part more is known where its type is.
pub fn left_by(generator: &mut SchemaGenerator, mode: Mode) -> Schema {
    match mode {
        Mode::Plain | Mode::Custom(_) => Schema::default(),
        Mode::Drop => json_schema!({ "const": REDACTED }),
        // Without a key nothing is hashed.
        Mode::Hash => text("^(hash:|<(absent|redacted)>$)"),
        Mode::Len => text("^<([0-9]+ (characters?|entries|entry)|absent|present|redacted)>$"),
        Mode::Present => json_schema!({ "enum": ["<present>", "<absent>", REDACTED] }),
        Mode::Mask { .. } | Mode::Truncate(_) => part_of(generator, None, mode),
    }
}

/// The schema of what is left of a value that is shown in part: of a scalar a text, of a list or a map each value.
pub(super) fn part_of(generator: &mut SchemaGenerator, kind: Option<&Value>, mode: Mode) -> Schema {
    let pattern = if matches!(mode, Mode::Mask { .. }) { MASKED } else { TRUNCATED };
    let is_scalar = |kind: &Value| matches!(kind.as_str(), Some("string" | "integer" | "number" | "boolean"));
    match kind {
        Some(kind) if is_scalar(kind) => text(pattern),
        Some(Value::Array(kinds)) if kinds.iter().all(|kind| is_scalar(kind) || kind == "null") => {
            json_schema!({ "type": ["string", "null"], "pattern": pattern })
        }
        _ if pattern == MASKED => generator.subschema_for::<Masked>(),
        _ => generator.subschema_for::<Truncated>(),
    }
}

const MASKED: &str = r"\*\*\*|^<(redacted|unencodable)>$";
const TRUNCATED: &str = "…$|^<(redacted|unencodable)>$";

/// A value of any shape, of which each scalar is masked.
struct Masked;

/// A value of any shape, of which each scalar is truncated.
struct Truncated;

macro_rules! parts {
    ($($ty:ident = $pattern:ident;)*) => {
        $(impl JsonSchema for $ty {
            fn schema_name() -> Cow<'static, str> {
                stringify!($ty).into()
            }

            fn schema_id() -> Cow<'static, str> {
                concat!("recorded ", module_path!(), "::", stringify!($ty)).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let part = generator.subschema_for::<Self>();
                json_schema!({
                    "anyOf": [
                        { "type": ["string", "null"], "pattern": $pattern },
                        { "type": "array", "items": part },
                        { "type": "object", "additionalProperties": part },
                    ],
                })
            }
        })*
    };
}

parts! { Masked = MASKED; Truncated = TRUNCATED; }

fn text(pattern: &str) -> Schema {
    json_schema!({ "type": "string", "pattern": pattern })
}
