//! The payload of a record.

use std::fmt;

use crate::sensitive::{Encoder, Notes, Object, Redaction};

/// The payload of a record, already redacted: it can only be made through the redacting encoder.
#[derive(Clone, Default)]
pub struct Detail {
    /// The fields of a JSON object, without its braces.
    fields: String,
    pub(crate) notes: Notes,
}

impl Detail {
    pub(crate) fn add(&mut self, redaction: Redaction<'_>, fields: &mut dyn FnMut(&mut Object<'_, '_>)) {
        let mut encoder = Encoder::resume(redaction, std::mem::take(&mut self.fields), std::mem::take(&mut self.notes));
        encoder.fields(fields);
        (self.fields, self.notes) = encoder.suspend();
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
