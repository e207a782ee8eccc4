//! Audit records that are acknowledged before the answer leaves.

#[doc(hidden)]
pub use audit_core::__private;
pub use audit_core::{
    Acknowledging, Action, Actor, ActorId, ActorKind, AlreadyInstalled, Array, AuditContext, AuditEvent, AuditSink,
    BuildError, CaptureActor, CaptureSubject, Code, CorrelationId, DEFAULT_DEADLINE, DEFAULT_MAX_IN_FLIGHT, Decide,
    Decision, Deny, Detail, Durability, Effect, Encoder, EventKind, FailurePolicy, Fields, InvalidAction,
    InvalidCorrelationId, InvalidKey, InvalidRecord, InvalidTimestamp, InvalidTraceId, KeyRing, Kind, MAX_ACTION_LEN,
    MAX_CODE_CHARS, MAX_CORRELATION_ID_LEN, MAX_DEPTH, MAX_DETAIL_BYTES, MAX_FIELD_BYTES, MAX_USER_AGENT_CHARS,
    MIN_KEY_BYTES, Mode, NoContext, NotFlushed, Object, Outcome, REDACTED, Record, RecordBuilder, RecordId, Recorder,
    RecorderBuilder, Refusal, Refuse, Resource, ResourceId, SCHEMA, Scoped, Sensitive, SensitiveField, SensitiveType,
    SessionId, SinkError, Site, Source, Stage, Stats, StoredActor, StoredDecision, StoredOutcome, StoredRecord,
    StoredResource, StoredSource, Subject, SubjectId, TRACING_TARGET, TenantId, Timestamp, TraceId, TracingSink,
    UNENCODABLE, Unacknowledged, UnknownAction, Verdict, carry, current_context, extend_context, record, record_action,
    sensitive_types, sites, with_context, with_context_sync, with_recorder, with_recorder_sync,
};
pub use audit_macros::*;
pub use audit_sinks::*;
