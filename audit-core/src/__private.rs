//! What generated code and the framework's own sinks use. No promises: it changes with any version.

pub use ::core;
pub use std::boxed::Box;

pub use inventory;
pub use serde;

pub use crate::__debug_as_display as debug_as_display;
pub use crate::__derived_site as derived_site_text;
pub use crate::__schema as schema;
pub use crate::action::Action;
pub use crate::alarm::{Alarm, Alarms};
pub use crate::aside::log_aside;
pub use crate::catalogue::registered::{
    ErrorType, EventType, Exempt, NestedType, RegisteredError, RegisteredEvent, RegisteredExemption, Word,
};
pub use crate::contain::contained;
pub use crate::coverage::{Left, LeftEnding, LeftRecord, note_exempt};
pub use crate::decision::{Deny, Verdict};
pub use crate::derived::{derive, derived_site};
pub use crate::event::{
    Anywhere, AuditEvent, EventKind, UnknownAction, deserialize_kind, distinct, name_beside, prefixed, prefixed_len,
    prefixed_names,
};
pub use crate::guarded::{Guarded, block_on};
pub use crate::judge;
pub use crate::lock::assert_locked;
pub use crate::lookout::Lookout;
pub use crate::query::{Entries, says_where};
pub use crate::record::{InvalidPath, Omission};
use crate::record::{Record, StoredRecord};
pub use crate::recorder::prologue::{
    Intent, actor, field, fields, intent, intent_sync, require, resource, subject, tenant,
};
pub use crate::recorder::within::{judged_before, run_body, succeeded, write_into, write_into_sync};
pub use crate::recorder::{
    Audited, Begun, Call, Cleared, RegisteredSite, audit, audit_begun, audit_sync, begin, make, never_refused,
};
pub use crate::refusal::{Refusal, Refuse};
pub use crate::request::{HTTP_REQUEST, HTTP_RESPONSE_LOST, Recording, RequestScope};
pub use crate::said::write_with_sources;
#[cfg(feature = "schemars")]
pub use crate::schema;
pub use crate::sensitive::{
    Custom, Declared, Dropped, Encoder, ErrorIsNot, ErrorIsSensitive, Members, Mode, More, Object, OfError, Plain,
    PlainError, PlainSerializer, Redactor, RegisteredType, Said, Sensitive, SensitiveType, Shown, ViaSerialize, With,
    constrain, debug,
};
pub use crate::severity::Severity;
pub use crate::store::{head_id, head_moment, sort_text};
use crate::ticket::Share;
pub use crate::ticket::{Receipt, Ticket};
pub use crate::view::{EventView, Seen, ViewError, ViewFields};

/// A record that was read back, as sinks take it. For what carries records from sink to sink, each as it is.
pub fn carried(stored: &StoredRecord) -> Record {
    Record::carried(stored)
}

/// How the framework's own sinks take records: on the caller's thread, never blocking it.
pub trait Inline {
    /// Takes a record and sees to it that its ticket is settled.
    fn submit(&self, record: Record, ticket: Ticket);

    /// Takes a batch in its order; it is answered for as one, once all of it is.
    fn submit_batch(&self, batch: &[Record], ticket: Ticket) {
        match batch {
            [] => ticket.settle(Ok(())),
            [record] => self.submit(record.clone(), ticket),
            batch => {
                let share = Share::of(ticket, batch.len());
                for record in batch {
                    self.submit(record.clone(), share.ticket());
                }
            }
        }
    }
}
