//! The sinks of the [`audited`](https://docs.rs/audited) framework.
//!
//! Use that crate: it re-exports what is here. The sink to `tracing` lives in `audit-core`, since records go there
//! until a recorder is installed.

#![forbid(unsafe_code)]

mod combine;
mod filesystem;
mod forward;
mod group;
mod hold;
mod journal;
mod memory;
mod moment;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "postgres")]
mod postgres;
mod shown;
#[cfg(feature = "sqlite")]
mod sqlite;
mod sync;

pub use audit_core::__private::InvalidPath;
pub use combine::{
    Batch, BatchBuilder, DEFAULT_BATCH_BYTES, DEFAULT_BATCH_DELAY, DEFAULT_BATCH_RECORDS, DEFAULT_FAILOVER_FAILURES,
    DEFAULT_FAILOVER_PAUSE, DEFAULT_MEMBER_BYTES, DEFAULT_MEMBER_DEADLINE, DEFAULT_MEMBER_RECORDS,
    DEFAULT_RATE_LIMIT_WAIT, DEFAULT_RETRY_ATTEMPTS, DEFAULT_RETRY_TOTAL, DiscardCounted, Failover, FailoverBuilder,
    FailoverState, FanOut, FanOutBuilder, FanOutError, Filter, Map, MapBuilder, Member, MemberStats, RateLimit,
    RateLimitStats, Retry, Timeout,
};
pub use filesystem::{Filesystem, FilesystemKind};
pub use forward::{
    Circuit, DeadLetter, DeadLetterBox, DeadLetterError, DeadReason, Forwarder, ForwarderBuilder, ForwarderCursor,
    ForwarderError, ForwarderLag, ForwarderStats, NotDelivered,
};
pub use hold::LegalHold;
pub use journal::{
    Anchored, ChainHash, DEFAULT_QUEUE_BYTES, DEFAULT_RESERVE_BYTES, DEFAULT_SEGMENT_BYTES,
    DEFAULT_SHARED_MEMORY_BYTES, HoldError, Intact, InvalidHash, Journal, JournalDamage, JournalError, JournalFile,
    JournalHead, JournalInspection, JournalOptions, JournalReader, JournalStep, JournalWatch, Kept, MAX_DAMAGE_LISTED,
    MIN_SEGMENT_BYTES, MIN_SHARED_MEMORY_BYTES, Recovered, Retained, Retention, RetentionError, Verification,
    VerifyOptions, VerifyProgress,
};
pub use memory::{DEFAULT_MEMORY_RECORDS, MemorySink, MemoryStore, StillMissing};
#[cfg(feature = "nats")]
pub use nats::{
    DEFAULT_NATS_DUPLICATE_WINDOW, DEFAULT_NATS_WINDOW_BYTES, DEFAULT_NATS_WINDOW_RECORDS, NatsError, NatsFeed,
    NatsFeedBuilder, NatsFeedError, NatsFeedLag, NatsFeedStats, NatsOptions, NatsSink, NatsStreamFault,
};
#[cfg(feature = "postgres")]
pub use postgres::{
    DEFAULT_POSTGRES_CONNECT_TIMEOUT, DEFAULT_POSTGRES_CONNECTIONS, DEFAULT_POSTGRES_STATEMENT_TIMEOUT,
    MAX_POSTGRES_DAMAGE_LISTED, PostgresCheck, PostgresDamage, PostgresError, PostgresInspection, PostgresOptions,
    PostgresPeriod, PostgresRetained, PostgresRetention, PostgresSetUp, PostgresStore, PostgresTransaction,
};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    DEFAULT_SQLITE_BUSY, DEFAULT_SQLITE_QUERY_TIME_LIMIT, DEFAULT_SQLITE_QUEUE_BYTES, DEFAULT_SQLITE_READERS,
    MAX_SQLITE_DAMAGE_LISTED, SqliteCheck, SqliteDamage, SqliteError, SqliteInspection, SqliteOptions, SqliteRetained,
    SqliteStats, SqliteStore, SqliteTransaction,
};
