//! A `Debug` that shows what a record would.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Encoder, Redaction, Sensitive};

/// Writes the type's name and what redaction leaves of the value, without any key and without a policy: those are a
/// recorder's.
///
/// # Errors
///
/// Those of the formatter.
pub fn debug(value: &dyn Sensitive, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (json, _) = Encoder::encoded(Redaction::default(), value);
    match Tree::read(&json) {
        // The names of a struct are shown as they are; what is no name could mislead.
        Tree::Object(fields) if fields.iter().all(|(key, _)| is_name(key)) => {
            let mut shown = f.debug_struct(name);
            for (key, value) in &fields {
                shown.field(key, value);
            }
            shown.finish()
        }
        other => f.debug_tuple(name).field(&other).finish(),
    }
}

fn is_name(key: &str) -> bool {
    key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// JSON whose entries keep their order and whose numbers keep their digits.
enum Tree<'j> {
    Scalar(&'j str),
    Text(String),
    Array(Vec<Tree<'j>>),
    Object(Vec<(String, Tree<'j>)>),
}

impl<'j> Tree<'j> {
    /// Reads what an encoder has written.
    fn read(json: &'j str) -> Self {
        let scalar = || Self::Scalar(json);
        match json.as_bytes().first() {
            Some(b'"') => serde_json::from_str(json).map_or_else(|_| scalar(), Self::Text),
            Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(json).map_or_else(
                |_| scalar(),
                |items| Self::Array(items.into_iter().map(|item| Self::read(item.get())).collect()),
            ),
            Some(b'{') => serde_json::from_str::<Entries<'j>>(json).map_or_else(
                |_| scalar(),
                |Entries(entries)| {
                    Self::Object(entries.into_iter().map(|(key, value)| (key, Self::read(value.get()))).collect())
                },
            ),
            _ => scalar(),
        }
    }
}

impl fmt::Debug for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(text) => f.write_str(text),
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Array(items) => f.debug_list().entries(items).finish(),
            Self::Object(entries) => f.debug_map().entries(entries.iter().map(|(key, value)| (key, value))).finish(),
        }
    }
}

/// The entries of an object, in their order.
struct Entries<'j>(Vec<(String, &'j RawValue)>);

impl<'j> Deserialize<'j> for Entries<'j> {
    fn deserialize<D: Deserializer<'j>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'j> Visitor<'j> for InOrder {
    type Value = Entries<'j>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<Entries<'j>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}
