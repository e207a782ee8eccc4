//! Records as `tracing` events.

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use tracing::{Level, event};

use crate::__private::{Inline, Ticket};
use crate::record::{Record, StoredDecision, StoredOutcome};
use crate::severity::Severity;
use crate::sink::{AuditSink, Durability, SinkError};

/// The target of the events that [`TracingSink`] emits.
pub const TRACING_TARGET: &str = "audited::record";

/// Emits each record as one event on the target `audited::record`, every field structured: at info, or as grave as the
/// record's [`Severity`] says, at warn from `warning` on and at error from `error` on.
///
/// It needs no configuration and promises nothing ([`Durability::None`]): no subscriber may be listening. It is
/// what records go to until a recorder is installed, which is why it lives beside the recorder.
///
/// Composite fields (`detail`, `subjects`, `source`) are JSON; with [`TracingSink::json`] the whole record is one
/// field, `audit`, for log pipelines that parse it themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingSink {
    whole: bool,
}

impl TracingSink {
    /// Emits every field by itself.
    pub const fn new() -> Self {
        Self { whole: false }
    }

    /// Emits the whole record as one field, `audit`, that holds its JSON.
    pub const fn json() -> Self {
        Self { whole: true }
    }

    fn emit(self, record: &Record) -> Result<(), SinkError> {
        catch_unwind(AssertUnwindSafe(|| if self.whole { emit_whole(record) } else { emit_fields(record) }))
            .map_err(|_| SinkError::Panicked)
    }
}

#[async_trait]
impl AuditSink for TracingSink {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        batch.iter().try_for_each(|record| self.emit(record))
    }

    fn durability(&self) -> Durability {
        Durability::None
    }

    fn describe(&self) -> String {
        "tracing".into()
    }

    fn inline(&self) -> Option<&dyn Inline> {
        Some(self)
    }
}

impl Inline for TracingSink {
    fn submit(&self, record: Record, ticket: Ticket) {
        ticket.settle(self.emit(&record));
    }
}

/// One event, at the level of the record: a level is part of what is fixed at compile time.
macro_rules! at_level {
    ($record:expr, $($fields:tt)*) => {
        match $record.severity() {
            Some(Severity::Error | Severity::Critical) => event!(target: TRACING_TARGET, Level::ERROR, $($fields)*),
            Some(Severity::Warning) => event!(target: TRACING_TARGET, Level::WARN, $($fields)*),
            Some(Severity::Info | Severity::Notice) | None => event!(target: TRACING_TARGET, Level::INFO, $($fields)*),
        }
    };
}

fn emit_whole(record: &Record) {
    at_level!(record, audit = record.json());
}

fn emit_fields(record: &Record) {
    let (decision, reason) = match record.decision() {
        Some(StoredDecision::Allow) => (Some("allow"), None),
        Some(StoredDecision::Deny { reason }) => (Some("deny"), Some(reason)),
        None => (None, None),
    };
    let (outcome, code) = match record.outcome() {
        Some(StoredOutcome::Success) => (Some("success"), None),
        Some(StoredOutcome::Failure { code }) => (Some("failure"), Some(code)),
        Some(StoredOutcome::Unknown) => (Some("unknown"), None),
        None => (None, None),
    };
    at_level!(
        record,
        schema = record.schema(),
        id = text(record, "id"),
        kind = text(record, "kind"),
        stage = text(record, "stage"),
        action = &*record.action(),
        occurred_at = text(record, "occurred_at"),
        recorded_at = text(record, "recorded_at"),
        decision,
        reason = reason.as_deref(),
        outcome,
        code = code.as_deref(),
        severity = record.severity().map(Severity::as_str),
        actor = record.get("actor"),
        on_behalf_of = record.get("on_behalf_of"),
        invocation_chain = record.get("invocation_chain"),
        subjects = record.get("subjects"),
        resource = record.get("resource"),
        tenant = record.tenant().as_deref(),
        roles = record.get("roles"),
        session = record.session().as_deref(),
        source = record.get("source"),
        correlation_id = record.correlation_id().as_deref(),
        trace_id = record.trace_id().as_deref(),
        call = text(record, "call"),
        parent = text(record, "parent"),
        latency_us = record.get("latency_us").and_then(|latency| latency.parse::<u64>().ok()),
        detail = record.detail(),
        claimed = record.claimed(),
        redacted = record.get("redacted"),
        cut = record.get("cut"),
        flags = record.get("flags"),
    );
}

/// The text of a field whose text needs no unescaping: ids, times, names of ours.
fn text<'a>(record: &'a Record, key: &str) -> Option<&'a str> {
    record.get(key).map(|json| json.trim_matches('"'))
}
