//! The model and the policy of [`audited`](https://docs.rs/audited), the audit framework for Rust services.
//!
//! Use that crate: it re-exports what is here, together with the attribute, the derives and the sinks.

#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod __private;
mod action;
mod actor;
mod alarm;
mod aside;
mod catalogue;
mod contain;
mod context;
mod correlation;
mod coverage;
mod decision;
#[doc(hidden)]
pub mod derived;
mod detail;
mod event;
mod guarded;
#[cfg(feature = "http")]
mod http;
mod id;
mod identity;
mod json;
#[doc(hidden)]
pub mod judge;
mod lock;
mod lookout;
mod orphans;
mod query;
mod record;
mod recorder;
mod refusal;
mod request;
mod resource;
mod said;
#[cfg(feature = "schemars")]
#[doc(hidden)]
pub mod schema;
mod schema_asked;
mod scratch;
mod sensitive;
mod severity;
mod sink;
mod source;
mod store;
mod surface;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod ticket;
mod timestamp;
mod tracing_sink;
mod transaction;
mod view;
mod vocabulary;

pub use action::{Action, InvalidAction, MAX_ACTION_LEN};
pub use actor::{Actor, ActorKind};
pub use catalogue::{
    Catalogue, CatalogueAction, CatalogueError, CatalogueExemption, CatalogueField, CatalogueType, Origin, Place,
    catalogue,
};
pub use context::AuditContext;
pub use correlation::{CorrelationId, InvalidCorrelationId, InvalidTraceId, MAX_CORRELATION_ID_LEN, TraceId};
pub use coverage::{Coverage, CoverageTable, Covered, covered, covered_call, report_unaudited};
pub use decision::{Code, Decide, Decision, Deny, Guard, MAX_CODE_CHARS, Outcome, Verdict};
pub use detail::Detail;
pub use event::{Anywhere, AuditEvent, EventKind, UnknownAction};
pub use id::RecordId;
pub use identity::{ActorId, IntoId, ResourceId, SessionId, SubjectId, TenantId};
pub use lock::{
    FormerUse, InvalidLock, LOCK_FILE, Lock, LockAccept, LockAccepted, LockChange, LockCheck, LockDifference,
    LockError, LockFailure, LockItem, LockMode, LockReport, LockRetired, LockSeverity, LockedAction, LockedErrorType,
    LockedField, LockedPackage, LockedType,
};
pub use orphans::orphans;
pub use query::{
    AnyOf, Condition, DEFAULT_PAGE_RECORDS, Ending, Intents, InvalidQuery, MAX_OFFSET, MAX_PAGE_RECORDS, Order, Query,
    Row, SortKey,
};
pub use record::{
    Fields, InvalidRecord, Kind, Record, RecordBuilder, SCHEMA, Stage, StoredActor, StoredDecision, StoredOutcome,
    StoredRecord, StoredResource, StoredSource,
};
pub use recorder::{
    Acknowledging, AlreadyInstalled, BuildError, CaptureActor, CaptureSubject, DEFAULT_DEADLINE, DEFAULT_MAX_IN_FLIGHT,
    FailurePolicy, FloodControl, Loss, NoContext, NotFlushed, NotInTransaction, Recorder, RecorderBuilder, Scoped,
    Site, Stats, SwitchError, Unacknowledged, carry, current_context, extend_context, record, record_action,
    record_from, sites, with_context, with_context_sync, with_recorder, with_recorder_sync,
};
pub use refusal::{Effect, Refusal, Refuse};
pub use resource::{Resource, Subject};
#[cfg(feature = "schemars")]
pub use schema::{EventSchema, SensitiveSchema};
pub use sensitive::{
    Array, DEFAULT_DEPTH, DEFAULT_DETAIL_BYTES, DEFAULT_ENTRIES, DEFAULT_FIELD_BYTES, Encoder, InvalidKey, InvalidMode,
    InvalidPolicy, KeyRing, Limits, MIN_KEY_BYTES, Mode, Object, PolicyRule, REDACTED, RedactionPolicy, Redactor,
    Sensitive, SensitiveField, SensitiveType, UNENCODABLE, sensitive_types,
};
pub use severity::{InvalidSeverity, Severity};
pub use sink::{AuditSink, Durability, SinkError};
pub use source::{MAX_USER_AGENT_CHARS, Source};
pub use store::{
    Arrivals, Arrived, AuditStore, Cursor, CursorKey, Follow, InvalidCursor, Page, Position, Reader, Selection, Sieve,
    Since, StoreError,
};
pub use surface::{AlreadyMinted, Surface};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use tracing_sink::{TRACING_TARGET, TracingSink};
pub use transaction::AuditTransaction;
pub use view::{EventView, RedactedText, Seen, ViewError, ViewFields};
pub use vocabulary::{InvalidVocabulary, Payload, PayloadType, Vocabulary, VocabularyBuilder};
