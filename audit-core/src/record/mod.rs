//! The stored form of one event or one audited call.

mod draft;
mod encode;
mod fields;
mod key;
mod omission;
mod scan;
mod stored;
mod times;

pub use draft::RecordBuilder;
pub(crate) use draft::{Draft, Flag, Flags, Stated};
pub(crate) use encode::{Stamp, cut_identity, encode, is_cut_identity};
pub use fields::{Fields, StoredActor, StoredDecision, StoredOutcome, StoredResource, StoredSource};
pub use omission::{InvalidPath, Omission};
pub(crate) use scan::entries;
pub use stored::{InvalidRecord, Record, StoredRecord};
pub(crate) use times::Times;

/// The version of the record's JSON that this crate writes.
pub const SCHEMA: u32 = 1;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A call of an audited function.
    Call,
    /// An event that the program reported.
    Event,
    /// Something the framework says about itself: start, stop, a gap.
    System,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The body is about to run.
    Intent,
    /// The body returned; an event is complete from the start.
    Completed,
    /// The future was dropped before its body returned.
    Cancelled,
    /// The body panicked.
    Panicked,
}

macro_rules! names {
    ($ty:ident as $key:literal: $($variant:ident = $name:literal),*) => {
        impl $ty {
            /// The entry of a record.
            const fn entry(self) -> &'static str {
                match self { $(Self::$variant => concat!(",\"", $key, "\":\"", $name, "\""),)* }
            }

            /// The name in a record.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            pub(crate) fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

names! { Kind as "kind": Call = "call", Event = "event", System = "system" }
names! { Stage as "stage": Intent = "intent", Completed = "completed", Cancelled = "cancelled", Panicked = "panicked" }
