//! The payload of a record.

use std::fmt;

use serde_json::Value;

use crate::Recorder;
use crate::recorder::{Ambient, surrounding_context};
use crate::sensitive::{Encoder, Notes, Object, Redaction, Sensitive};

/// What most payloads have.
const TYPICAL_BYTES: usize = 256;
/// The most that is kept for another.
const MOST_KEPT_BYTES: usize = 4 * 1024;

/// The payload of a record, already redacted: it can only be made through the redacting encoder.
#[derive(Clone, Default)]
pub struct Detail {
    /// The fields of a JSON object, without its braces.
    fields: String,
    pub(crate) notes: Notes,
}

impl Detail {
    /// Takes the fields of a classified value, within the bounds and the policy of the recorder that is current here. It
    /// knows no key, so that what should be hashed is redacted.
    ///
    /// A value that has no fields is written under the key `value`.
    pub fn new<T: Sensitive + ?Sized>(value: &T) -> Self {
        // Once for all types, so that a program has little code for each.
        Self::written(&mut |encoder| value.write(encoder))
    }

    fn written(write: &mut dyn FnMut(&mut Encoder<'_>)) -> Self {
        let scoped = Ambient::recorder();
        let rules = scoped.as_ref().unwrap_or_else(|| Recorder::installed()).core().rules();
        let context = if rules.ask_for_the_tenant() { surrounding_context() } else { None };
        let tenant = context.as_ref().and_then(|context| context.tenant.as_ref());
        let (fields, notes) = Encoder::fields_of(Redaction::new(rules, tenant).keyless(), write);
        Self { fields, notes }
    }

    /// The detail as a JSON object.
    pub fn json(&self) -> String {
        format!("{{{}}}", self.fields)
    }

    pub(crate) fn add(&mut self, redaction: Redaction<'_>, fields: &mut dyn FnMut(&mut Object<'_, '_>)) {
        let mut fields_so_far = std::mem::take(&mut self.fields);
        if fields_so_far.is_empty() {
            // A text that grows while it is written is copied.
            fields_so_far.reserve(TYPICAL_BYTES);
        }
        let mut encoder = Encoder::resume(redaction, fields_so_far, std::mem::take(&mut self.notes));
        encoder.fields(fields);
        (self.fields, self.notes) = encoder.suspend();
    }

    /// Whether a field of that name is there; the name needs no escaping.
    pub(crate) fn has(&self, name: &str) -> bool {
        let json = format!("{{{}}}", self.fields);
        let fields: Result<serde_json::Map<String, Value>, _> = serde_json::from_str(&json);
        fields.is_ok_and(|fields| fields.contains_key(name))
    }

    /// Takes all of it back. What memory it has stays for another, where that is not too much.
    pub(crate) fn clear(&mut self) {
        if self.fields.capacity() > MOST_KEPT_BYTES {
            *self = Self::default();
        }
        self.fields.clear();
        self.notes.clear();
    }

    pub(crate) fn fields(&self) -> &str {
        &self.fields
    }
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.fields)
    }
}
