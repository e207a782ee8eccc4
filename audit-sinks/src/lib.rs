//! The sinks of the [`audited`](https://docs.rs/audited) framework.
//!
//! Use that crate: it re-exports what is here. The sink to `tracing` lives in `audit-core`, since records go there
//! until a recorder is installed.

#![forbid(unsafe_code)]

mod forward;
mod journal;
mod memory;
mod sync;

pub use forward::{
    Circuit, DeadLetter, DeadLetterError, DeadReason, Forwarder, ForwarderBuilder, ForwarderCursor, ForwarderError,
    ForwarderLag, ForwarderStats, NotDelivered,
};
pub use journal::{
    Anchored, ChainHash, DEFAULT_QUEUE_BYTES, DEFAULT_RESERVE_BYTES, DEFAULT_SEGMENT_BYTES, InvalidHash, Journal,
    JournalDamage, JournalError, JournalHead, JournalOptions, JournalReader, JournalStep, MIN_SEGMENT_BYTES, Recovered,
    Verification,
};
pub use memory::{DEFAULT_MEMORY_RECORDS, MemorySink, StillMissing};
