//! Finding records again.

use serde_json::Value;

use crate::record::Fields;
use crate::sensitive::KeyRing;

/// What to find among records. All that is asked must hold; nothing asked holds for every record.
///
/// ```
/// use audit_core::{Action, ActorId, Actor, KeyRing, Query, Record};
///
/// let keys = KeyRing::new("2026", [7; 32])?.previous("2025", [3; 32])?;
/// let query = Query::new().hashed("detail.transfer.device", &keys, None, None, "9f1c2d34");
///
/// let other = Record::builder(Action::new("transfer.made")).field("cents", &5_u32).build();
/// assert!(!query.matches(&other));
/// # Ok::<(), audit_core::InvalidKey>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Query {
    values: Vec<OneOf>,
}

/// A place in a record, and the texts that may stand there.
#[derive(Clone, Debug)]
struct OneOf {
    path: String,
    texts: Vec<String>,
}

impl Query {
    /// Asks nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a value that records keep as a keyed hash: at this path, of that tenant and scope.
    ///
    /// A path leads from the record through keys, and through every item of a list: `actor.id`, `detail.order.device`,
    /// `subjects.id`. Every key of the ring is tried, so that records from before a rotation are found, too.
    #[must_use]
    pub fn hashed(
        mut self,
        path: &str,
        keys: &KeyRing,
        tenant: Option<&str>,
        scope: Option<&str>,
        value: &str,
    ) -> Self {
        let texts = keys.hashes(tenant, scope, value).collect();
        self.values.push(OneOf { path: path.to_owned(), texts });
        self
    }

    /// Whether a record is what is asked for.
    pub fn matches(&self, record: &Fields) -> bool {
        if self.values.is_empty() {
            return true;
        }
        let Ok(record) = serde_json::from_str::<Value>(record.json()) else { return false };
        self.values.iter().all(|asked| asked.stands_in(&record, &asked.path))
    }
}

impl OneOf {
    fn stands_in(&self, value: &Value, path: &str) -> bool {
        match value {
            Value::Array(items) => items.iter().any(|item| self.stands_in(item, path)),
            Value::Object(fields) if !path.is_empty() => {
                // A key may hold a dot itself.
                fields.iter().any(|(key, value)| {
                    let rest = path.strip_prefix(key.as_str());
                    let rest = rest.and_then(|rest| rest.strip_prefix('.').or(rest.is_empty().then_some("")));
                    rest.is_some_and(|rest| self.stands_in(value, rest))
                })
            }
            Value::String(text) => path.is_empty() && self.texts.contains(text),
            _ => false,
        }
    }
}
