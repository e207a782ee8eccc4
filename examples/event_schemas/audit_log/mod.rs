//! An audit log with types of events, a schema each, to which applications add their own.

pub(crate) mod events;
pub(crate) mod json;
pub(crate) mod list;
pub(crate) mod write;
