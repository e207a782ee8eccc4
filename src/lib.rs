//! Audit records for services, acknowledged by a sink before the answer leaves.
//!
//! ```
//! use audited::{Deny, MemorySink, Recorder, Sensitive, audited, with_recorder_sync};
//!
//! #[derive(Sensitive)]
//! struct Order {
//!     items: u32,
//!     #[sensitive]
//!     note: String,
//! }
//!
//! #[derive(Debug, Deny)]
//! enum OrderError {
//!     #[denied("missing_scope")]
//!     MissingScope,
//! }
//!
//! #[audited(action = "order.place", resource("customer", customer), fields(order))]
//! fn place(customer: u64, order: &Order) -> Result<u32, OrderError> {
//!     if customer == 0 { Err(OrderError::MissingScope) } else { Ok(order.items) }
//! }
//!
//! let memory = MemorySink::new();
//! let recorder = Recorder::builder().sink(memory.clone()).allow_weak_fail_closed().build()?;
//! let order = Order { items: 3, note: "leave it with the neighbour".into() };
//! with_recorder_sync(recorder, || place(7, &order)).unwrap();
//!
//! let record = memory.last("order.place").unwrap();
//! assert_eq!(record.detail(), Some(r#"{"order":{"items":3,"note":"<redacted>"}}"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guide
//!
//! | page | what for |
//! |---|---|
//! | [start](guide::start) | the first audited function, and where its record is |
//! | [annotate](guide::annotate) | [`macro@audited`]: what is captured, how a call is judged, what happens when a record fails |
//! | [context](guide::context) | [`AuditContext`]: who acts, for whom, in which tenant, from where |
//! | [http](guide::http) | `AuditLayer`, `AuditRequest`: what each request leaves, also those that never come to a handler |
//! | [events](guide::events) | [`macro@AuditEvent`], [`record()`], [`Vocabulary`], [`Surface`]: what happened besides calls |
//! | [redaction](guide::redaction) | [`macro@Sensitive`], [`KeyRing`], [`RedactionPolicy`]: what a record may show |
//! | [lock](guide::lock) | [`assert_locked!`], [`catalogue()`], [`covered`]: names that stay, and what is recorded at all |
//! | [sinks](guide::sinks) | [`Journal`], what combines sinks, [`AuditSink`]: where records go |
//! | [delivery](guide::delivery) | [`Forwarder`]: from the journal to a store, and from many services to one |
//! | [queries](guide::queries) | [`AuditStore`], [`Reader`], [`Query`]: finding records again |
//! | [transactions](guide::transactions) | [`AuditTransaction`]: a change and its record, both or neither |
//! | [command line](guide::command_line) | the program `audited`: follow, find, count, export, verify, forward, look after |
//! | [testing](guide::testing) | [`MemorySink`], `testing::canary` and more: showing that all of it holds |
//! | [operations](guide::operations) | alerts, anchors, retention, keys, upgrades |
//! | [requirements](guide::requirements) | OWASP ASVS 5 chapter 16, NIST 800-53 AU, PCI DSS 10: what does what here |
//! | [limits](guide::limits) | what it does not do |
//!
//! # What the framework records about itself
//!
//! | action | when |
//! |---|---|
//! | `audit.started` | a recorder was built: which sink, which durability, which guarantee that is, for which `fail_closed` actions a weaker one is allowed, which redaction policy, which flood control, which actions are switched off and why |
//! | `audit.stopped` | [`Recorder::shutdown`] was called |
//! | `audit.gap` | records were lost: how many, of which actions, why (where the reason is `io`: what the operating system said, such as `no storage space`), from when to when; what is recorded later stands behind it. What is lost while it is tried is in another one |
//! | `audit.coalesced` | [`FloodControl`] has counted denials instead of writing them: how many, of which kind and source, from when to when; of the tenant, where they have one |
//! | `audit.segment_opened`, `audit.segment_closed` | the first and the last line of a [`Journal`]'s file; the first says why it was begun, what was cut off, what is damaged and what a process had left in memory |
//! | `audit.retained` | [`Journal::retain`] removes a file: which positions, the hash of its last line, and by which rule; or a store has removed old records: how many, between which positions and times, and the digest of all of them |
//! | `audit.hold_placed`, `audit.hold_lifted` | a [`LegalHold`] |
//! | `audit.read` | a [`Reader`] begins to read: how, whose records, by which filter, what is looked for as a hash; who reads is the actor. Of the tenant that is read |
//! | `audit.undelivered` | the answer of a completed call did not reach its caller; `call` is the id of its record. With the flag `in_transaction` that record is in a transaction of the caller's, if it is anywhere |
//! | `audit.unaudited` | [`report_unaudited`] was called: a request left no record; its method and its route |
//! | `http.request` | an `AuditLayer` or an `AuditMiddleware` leaves it of a request that was refused, failed or was dropped before its answer, where nothing inside says so: its method, its route and its status. A call, with the request's context |
//! | `http.response_lost` | the answer of a request was not given to the end; `call` is the id of the record that says how the request ended |
//! | `audit.recorder_replaced` | a scope replaced the installed recorder |
//! | `audit.switched_off`, `audit.switched_on` | [`Recorder::switch_off`]: an action leaves no records until [`Recorder::switch_on`]; which one, why, and who says so |
//!
//! Beside the journal, in that of the dead letters: `audit.dead_letter`, with the whole record that was not delivered, and
//! `audit.dead_letter_resolved`.
//!
//! # Metrics
//!
//! With the feature `metrics` a recorder counts through the facade `metrics`. It asks for its handles once, where it is
//! built: install the metrics recorder before that. What that one does runs on the threads that record, so it must not
//! block; should it panic, nothing else happens. Labels hold nothing that a caller says, and no action either: those of
//! derives and attributes are few, those that are known only at run time are not.
//!
//! | name | kind | what |
//! |---|---|---|
//! | `audited_records_total{result}` | counter | records, `acknowledged` in time or `unacknowledged` |
//! | `audited_records_late_total` | counter | of the unacknowledged: acknowledged later |
//! | `audited_records_lost_total{reason}` | counter | lost for certain: `io`, `failed`, `full`, `deadline`, `panicked`, `poisoned`, `closed`, `rejected`, `conflict` |
//! | `audited_records_in_flight` | gauge | records that are not answered for |
//! | `audited_acknowledgement_seconds` | histogram | how long acknowledgements took, late ones among them |
//! | `audited_records_in_transactions_total{result}` | counter | records for transactions of the callers', `written` or `refused`; they are among none of the above |
//! | `audited_denials_coalesced_total` | counter | denials that [`FloodControl`] counted instead of writing them |
//! | `audited_events_unknown_total`, `audited_events_drift_total` | counter | events that are not as the [`Vocabulary`] says |
//! | `audited_surface_violations_total` | counter | records from another [`Surface`] than they may come from |
//! | `audited_redaction_fallbacks_total` | counter | records in which a value was redacted for want of a key or an encoding |
//!
//! # Features
//!
//! Features add, they never change what exists.
//!
//! | feature | what it adds | what it costs |
//! |---|---|---|
//! | *(default)* | everything below but what a feature names | pure Rust: serde, tracing, uuid, jiff, sha2, toml, backon; no async runtime |
//! | `testing` | `testing::canary`: a test in one line that nothing sensitive leaves; `testing::faithful`: that nothing is lost and no event drifts; `testing::sink_contract!` and `testing::store_contract!`: that a sink or a store of yours keeps its promises | nothing; for dev-dependencies |
//! | `metrics` | what a recorder counts, as counters, a gauge and a histogram | the crates `metrics` and `rapidhash` |
//! | `schemars` | [`EventSchema`](https://docs.rs/audited/latest/audited/trait.EventSchema.html): JSON Schemas of what records hold, where an enum says `#[event(schema)]` | the crate `schemars` |
//! | `http` | [`Decide`] for HTTP statuses and responses, [`Refuse`] as responses | the crate `http` |
//! | `tower` | [`AuditLayer`](https://docs.rs/audited/latest/audited/struct.AuditLayer.html): the context of each request, and records of what is refused, fails, is cut short or leaves none; and `http` | the crates `tower-layer`, `tower-service`, `http-body` and `ipnet` |
//! | `axum` | that layer for axum, and its extractor; and `tower` | the crate `axum`, with no more of its defaults than `matched-path` and `tokio` |
//! | `tonic` | that layer for gRPC services of tonic, whose statuses it reads at the end of streams, too; statuses as the errors of audited methods, and as refusals; and `tower` | the crate `tonic`, without its defaults but with its `server`: `hyper`, `h2` and `tokio` |
//! | `actix` | [`AuditMiddleware`](https://docs.rs/audited/latest/audited/struct.AuditMiddleware.html): what `AuditLayer` does, for services of actix-web, and its extractor; its responses and errors as those of audited handlers; and `http` | the crates `actix-web`, without its defaults, `http` and `ipnet` |
//! | `cli` | the program `audited`: follows, finds, counts, exports what was recorded, in a [`Journal`] or a store: `cargo install audited --features cli,sqlite,postgres` | the crates `clap`, `comfy-table`, `indicatif`, `csv`, `tokio`, `whoami` and smaller ones; for the library itself, nothing |
//! | `nats` | [`NatsSink`](https://docs.rs/audited/latest/audited/struct.NatsSink.html) and [`NatsFeed`](https://docs.rs/audited/latest/audited/struct.NatsFeed.html): a stream of NATS JetStream between services and a store | the crate `async-nats`, with `tokio`, on a thread of its own, and `rustls` on `ring`, which is built with a C compiler |
//! | `postgres` | [`PostgresStore`](https://docs.rs/audited/latest/audited/struct.PostgresStore.html): records in a PostgreSQL server, found again there | `tokio`, `tokio-postgres`, `deadpool-postgres`, `rustls` with `ring`, which builds C and assembly with a C compiler; a thread a store |
//! | `zstd` | [`JournalOptions::compress`](https://docs.rs/audited/latest/audited/struct.JournalOptions.html): files of a journal that have ended, compressed; and reading them | the crate `zstd`, a C library that is built with a C compiler |
//! | `sqlite` | [`SqliteStore`](https://docs.rs/audited/latest/audited/struct.SqliteStore.html): records in one file, found again by queries; and in the application's own transactions | the crate `rusqlite` with SQLite itself, a C library that is built with a C compiler |

#![forbid(unsafe_code)]

#[cfg(doc)]
pub mod guide;
#[cfg(any(feature = "tower", feature = "actix"))]
mod http;

#[doc(hidden)]
pub use audit_core::__private;
pub use audit_core::{
    Acknowledging, Action, Actor, ActorId, ActorKind, AlreadyInstalled, AlreadyMinted, AnyOf, Anywhere, Array,
    Arrivals, Arrived, AuditContext, AuditEvent, AuditSink, AuditStore, AuditTransaction, BuildError, CaptureActor,
    CaptureSubject, Catalogue, CatalogueAction, CatalogueError, CatalogueExemption, CatalogueField, CatalogueType,
    Code, Condition, CorrelationId, Coverage, CoverageTable, Covered, Cursor, CursorKey, DEFAULT_DEADLINE,
    DEFAULT_DEPTH, DEFAULT_DETAIL_BYTES, DEFAULT_ENTRIES, DEFAULT_FIELD_BYTES, DEFAULT_MAX_IN_FLIGHT,
    DEFAULT_PAGE_RECORDS, Decide, Decision, Deny, Detail, Durability, Effect, Encoder, Ending, EventKind, EventView,
    FailurePolicy, Fields, FloodControl, Follow, FormerUse, Guard, Intents, IntoId, InvalidAction,
    InvalidCorrelationId, InvalidCursor, InvalidKey, InvalidLock, InvalidMode, InvalidPolicy, InvalidQuery,
    InvalidRecord, InvalidSeverity, InvalidTimestamp, InvalidTraceId, InvalidVocabulary, KeyRing, Kind, LOCK_FILE,
    Limits, Lock, LockAccept, LockAccepted, LockChange, LockCheck, LockDifference, LockError, LockFailure, LockItem,
    LockMode, LockReport, LockRetired, LockSeverity, LockedAction, LockedErrorType, LockedField, LockedPackage,
    LockedType, Loss, MAX_ACTION_LEN, MAX_CODE_CHARS, MAX_CORRELATION_ID_LEN, MAX_OFFSET, MAX_PAGE_RECORDS,
    MAX_USER_AGENT_CHARS, MIN_KEY_BYTES, Mode, NoContext, NotFlushed, NotInTransaction, Object, Order, Origin, Outcome,
    Page, Payload, PayloadType, Place, PolicyRule, Position, Query, REDACTED, Reader, Record, RecordBuilder, RecordId,
    Recorder, RecorderBuilder, RedactedText, RedactionPolicy, Redactor, Refusal, Refuse, Resource, ResourceId, Row,
    SCHEMA, Scoped, Seen, Selection, Sensitive, SensitiveField, SensitiveType, SessionId, Severity, Sieve, Since,
    SinkError, Site, SortKey, Source, Stage, Stats, StoreError, StoredActor, StoredDecision, StoredOutcome,
    StoredRecord, StoredResource, StoredSource, Subject, SubjectId, Surface, SwitchError, TRACING_TARGET, TenantId,
    Timestamp, TraceId, TracingSink, UNENCODABLE, Unacknowledged, UnknownAction, Verdict, ViewError, ViewFields,
    Vocabulary, VocabularyBuilder, assert_locked, carry, catalogue, covered, covered_call, current_context,
    extend_context, orphans, record, record_action, record_from, report_unaudited, sensitive_types, sites,
    with_context, with_context_sync, with_recorder, with_recorder_sync,
};
#[cfg(feature = "schemars")]
pub use audit_core::{EventSchema, SensitiveSchema};
pub use audit_macros::{AuditEvent, Deny, Sensitive, audited, not_audited};
pub use audit_sinks::{
    Anchored, ChainHash, DEFAULT_MEMORY_RECORDS, DEFAULT_QUEUE_BYTES, DEFAULT_RESERVE_BYTES, DEFAULT_SEGMENT_BYTES,
    DEFAULT_SHARED_MEMORY_BYTES, HoldError, Intact, InvalidHash, Journal, JournalDamage, JournalError, JournalFile,
    JournalHead, JournalInspection, JournalOptions, JournalReader, JournalStep, JournalWatch, Kept, LegalHold,
    MAX_DAMAGE_LISTED, MIN_SEGMENT_BYTES, MIN_SHARED_MEMORY_BYTES, MemorySink, MemoryStore, Recovered, Retained,
    Retention, RetentionError, StillMissing, Verification, VerifyOptions, VerifyProgress,
};
pub use audit_sinks::{
    Batch, BatchBuilder, DEFAULT_BATCH_BYTES, DEFAULT_BATCH_DELAY, DEFAULT_BATCH_RECORDS, DEFAULT_FAILOVER_FAILURES,
    DEFAULT_FAILOVER_PAUSE, DEFAULT_MEMBER_BYTES, DEFAULT_MEMBER_DEADLINE, DEFAULT_MEMBER_RECORDS,
    DEFAULT_RATE_LIMIT_WAIT, DEFAULT_RETRY_ATTEMPTS, DEFAULT_RETRY_TOTAL, DiscardCounted, Failover, FailoverBuilder,
    FailoverState, FanOut, FanOutBuilder, FanOutError, Filter, InvalidPath, Map, MapBuilder, Member, MemberStats,
    RateLimit, RateLimitStats, Retry, Timeout,
};
pub use audit_sinks::{
    Circuit, DeadLetter, DeadLetterBox, DeadLetterError, DeadReason, Forwarder, ForwarderBuilder, ForwarderCursor,
    ForwarderError, ForwarderLag, ForwarderStats, NotDelivered,
};
#[cfg(feature = "nats")]
pub use audit_sinks::{
    DEFAULT_NATS_DUPLICATE_WINDOW, DEFAULT_NATS_WINDOW_BYTES, DEFAULT_NATS_WINDOW_RECORDS, NatsError, NatsFeed,
    NatsFeedBuilder, NatsFeedError, NatsFeedLag, NatsFeedStats, NatsOptions, NatsSink, NatsStreamFault,
};
#[cfg(feature = "sqlite")]
pub use audit_sinks::{
    DEFAULT_SQLITE_BUSY, DEFAULT_SQLITE_QUERY_TIME_LIMIT, DEFAULT_SQLITE_QUEUE_BYTES, DEFAULT_SQLITE_READERS,
    MAX_SQLITE_DAMAGE_LISTED, SqliteCheck, SqliteDamage, SqliteError, SqliteInspection, SqliteOptions, SqliteRetained,
    SqliteStats, SqliteStore, SqliteTransaction,
};
pub use audit_sinks::{Filesystem, FilesystemKind};

#[cfg(feature = "postgres")]
pub use audit_sinks::{
    DEFAULT_POSTGRES_CONNECT_TIMEOUT, DEFAULT_POSTGRES_CONNECTIONS, DEFAULT_POSTGRES_STATEMENT_TIMEOUT,
    MAX_POSTGRES_DAMAGE_LISTED, PostgresCheck, PostgresDamage, PostgresError, PostgresInspection, PostgresOptions,
    PostgresPeriod, PostgresRetained, PostgresRetention, PostgresSetUp, PostgresStore, PostgresTransaction,
};

#[cfg(feature = "axum")]
pub use crate::http::NoAuditLayer;
#[cfg(feature = "tower")]
pub use crate::http::{AuditBody, AuditFuture, AuditLayer, AuditService};
#[cfg(feature = "actix")]
pub use crate::http::{AuditMessageBody, AuditMiddleware, AuditMiddlewareService, NoAuditMiddleware};
#[cfg(any(feature = "tower", feature = "actix"))]
pub use crate::http::{
    AuditRequest, CoverageMode, DenialStatus, ForwardedHeader, InvalidTrustedProxies, MAX_FORWARDED_HOPS,
    TrustedProxies,
};

/// For the tests of those who use `audited`.
///
/// [`faithful`](testing::faithful) fails a test in which a record was lost, or an event was not as its vocabulary says.
///
/// [`sink_contract!`](testing::sink_contract) and [`store_contract!`](testing::store_contract) prove a sink or a store of
/// yours, by a test for each of its promises.
///
/// [`canary`](testing::canary) shows that nothing sensitive leaves: it plants a unique secret in every sensitive field of
/// a value, runs your code with it, and looks for those secrets in every record, log line, `Debug` and error.
///
/// ```
/// use audited::testing::canary;
/// use audited::{Sensitive, audited};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize, Sensitive)]
/// struct Transfer {
///     cents: u64,
///     #[sensitive]
///     memo: String,
///     #[sensitive(hash)]
///     device: String,
/// }
///
/// #[audited(action = "account.transfer", fields(body))]
/// async fn transfer(body: Transfer) -> u64 {
///     body.cents
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// async fn main() {
///     let sample = Transfer { cents: 1200, memo: "gift".into(), device: "phone".into() };
///     canary(&sample).run(transfer).await.assert_clean();
/// }
/// ```
///
/// It finds them raw, in base64, in hex, escaped for URLs and for JSON, as lists of bytes, and every part of six
/// characters or more, less what the mode of a field declares to show. It does not pass for want of something to look
/// at: where nothing was planted, or no record was left, it fails.
///
/// What it does not see unless a test hands it over ([`CanaryReport::saw`](testing::CanaryReport::saw)): what code writes
/// to files and to the standard output, what it logs on threads of its own or into a subscriber of its own, the text of
/// panics, the `Debug` of your types. What it cannot see: a secret that was digested without a key, encrypted,
/// compressed, or cut into parts of fewer than six characters; six to eleven digits in the midst of a time, an id or a
/// hash, where they stand by chance.
#[cfg(feature = "testing")]
pub mod testing {
    pub use audit_core::testing::*;
    #[doc(inline)]
    pub use audit_core::testing::{sink_contract, store_contract};
}

/// The snippets of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
