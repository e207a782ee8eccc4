//! What the payload of an event holds that is known only at run time.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::detail::Detail;

/// What a payload holds: its fields, and what each is. A field that was redacted or cut fits whatever it is.
///
/// ```
/// # use audit_core as audited;
/// use audited::{Payload, PayloadType};
///
/// let payload = Payload::new().field("id", PayloadType::Integer).optional("tags", PayloadType::List);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Payload {
    fields: HashMap<String, Field>,
    open: bool,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    ty: PayloadType,
    optional: bool,
}

/// What a field of a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadType {
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A text.
    Text,
    /// A list of anything.
    List,
    /// An object of anything.
    Object,
    /// Anything, also nothing.
    Any,
}

impl Payload {
    /// A payload without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// A payload of which nothing is known: all fit.
    pub fn any() -> Self {
        Self { fields: HashMap::new(), open: true }
    }

    /// Adds a field that is always there.
    #[must_use]
    pub fn field(mut self, key: impl Into<String>, ty: PayloadType) -> Self {
        self.fields.insert(key.into(), Field { ty, optional: false });
        self
    }

    /// Adds a field that may be missing or `null`.
    #[must_use]
    pub fn optional(mut self, key: impl Into<String>, ty: PayloadType) -> Self {
        self.fields.insert(key.into(), Field { ty, optional: true });
        self
    }

    /// Lets there be fields besides those that were added.
    #[must_use]
    pub const fn and_others(mut self) -> Self {
        self.open = true;
        self
    }

    pub(super) fn fits(&self, detail: &Detail) -> bool {
        let written: Map<String, Value> = serde_json::from_str(&detail.json()).unwrap_or_default();
        let hidden = |key: &str| detail.notes.redacted().holds(key) || detail.notes.cut().holds(key);
        let known = self.open || written.keys().all(|key| self.fields.contains_key(key));
        known
            && self.fields.iter().all(|(key, field)| match written.get(key) {
                None | Some(Value::Null) => field.optional || field.ty == PayloadType::Any,
                Some(value) => field.ty.is_of(value) || hidden(key),
            })
    }
}

impl PayloadType {
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Text => value.is_string(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::Any => true,
        }
    }
}
