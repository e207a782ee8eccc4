//! Records that go into a transaction of the caller's instead of into the sink.
//!
//! They are stamped and redacted as any other. Flood control leaves them alone: nobody asks for a transaction by being
//! denied. They take no place in the recorder, since their caller drives them himself and waits; the recorder's deadline
//! is theirs, too.

mod builder;
mod call;
mod writing;

pub use self::builder::NotInTransaction;
pub(super) use self::call::Within;
pub use self::call::{judged_before, run_body, succeeded, write_into, write_into_sync};
