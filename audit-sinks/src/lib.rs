//! The sinks of the [`audited`](https://docs.rs/audited) framework.
//!
//! Use that crate: it re-exports what is here. The sink to `tracing` lives in `audit-core`, since records go there
//! until a recorder is installed.

#![forbid(unsafe_code)]

mod journal;
mod memory;

pub use journal::{
    DEFAULT_QUEUE_BYTES, Journal, JournalDamage, JournalError, JournalOptions, JournalReader, JournalStep, Recovered,
};
pub use memory::{DEFAULT_MEMORY_RECORDS, MemorySink, StillMissing};
