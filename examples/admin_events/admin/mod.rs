//! An admin whose events are typed, with two entries: HTTP, and a command line that can do what HTTP must not.

pub(crate) mod accounts;
pub(crate) mod cli;
pub(crate) mod events;
pub(crate) mod http;
