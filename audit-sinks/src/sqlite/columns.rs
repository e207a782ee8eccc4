//! What stands in the columns beside a record's text.

use audit_core::{Fields, Row, StoredActor, StoredDecision, StoredOutcome, StoredResource};
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

/// A text as it is kept, and looked for: as a blob where U+0000 is in it.
pub(super) struct Text<T>(pub(super) T);

impl<T: AsRef<str>> ToSql for Text<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let bytes = self.0.as_ref().as_bytes();
        let value = if bytes.contains(&0) { ValueRef::Blob(bytes) } else { ValueRef::Text(bytes) };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

impl<T: Into<String>> From<Text<T>> for Value {
    fn from(text: Text<T>) -> Self {
        let text = text.0.into();
        if text.contains('\0') { Self::Blob(text.into_bytes()) } else { Self::Text(text) }
    }
}

/// What stands in the columns beside a record's text, read from it.
#[derive(Debug, PartialEq)]
pub(super) struct Columns {
    pub(super) id: [u8; 16],
    pub(super) at: i64,
    pub(super) stream: Value,
    /// A position beyond what SQLite counts to is kept as the negative number of the same bits.
    pub(super) seq: Option<i64>,
    pub(super) digest: [u8; 32],
    pub(super) tenant: Value,
    pub(super) action: Value,
    pub(super) kind: Option<&'static str>,
    pub(super) stage: Option<&'static str>,
    pub(super) call: Option<[u8; 16]>,
    /// Empty for a kind that this version does not know.
    pub(super) actor_kind: Option<&'static str>,
    pub(super) actor_id: Value,
    pub(super) resource_kind: Value,
    pub(super) resource_id: Value,
    pub(super) decision: Option<&'static str>,
    pub(super) reason: Value,
    pub(super) outcome: Option<&'static str>,
    pub(super) code: Value,
    pub(super) correlation_id: Value,
    /// Id and kind of each.
    pub(super) subjects: Vec<(Value, Value)>,
}

impl Columns {
    /// Reads a record. `None` where it has no id, which no record that was made or parsed lacks.
    pub(super) fn of(record: &Fields) -> Option<Self> {
        let row = Row::of(record)?;
        let (stream, seq) = row.position.unzip();
        let (actor_kind, actor_id) = row.actor.map(actor).unzip();
        let (resource_id, resource_kind) = row.resource.map(resource).unzip();
        let (decision, reason) = row.decision.map(decision).unzip();
        let (outcome, code) = row.outcome.map(outcome).unzip();
        Some(Self {
            id: *row.id.as_uuid().as_bytes(),
            at: row.sort_key.micros,
            stream: text(stream),
            seq: seq.map(u64::cast_signed),
            digest: row.digest,
            tenant: text(row.tenant),
            action: Text(row.action).into(),
            kind: row.kind.map(audit_core::Kind::as_str),
            stage: row.stage.map(audit_core::Stage::as_str),
            call: row.call.map(|call| *call.as_uuid().as_bytes()),
            actor_kind,
            actor_id: actor_id.unwrap_or(Value::Null),
            resource_kind: resource_kind.unwrap_or(Value::Null),
            resource_id: resource_id.unwrap_or(Value::Null),
            decision,
            reason: reason.unwrap_or(Value::Null),
            outcome,
            code: code.unwrap_or(Value::Null),
            correlation_id: text(row.correlation_id),
            subjects: row.subjects.into_iter().map(resource).collect(),
        })
    }
}

impl Columns {
    /// All of them, as they stand in the row.
    pub(super) fn named(&self) -> [(&'static str, Value); 19] {
        let name = |name: Option<&'static str>| name.map_or(Value::Null, |name| Value::Text(name.into()));
        [
            ("id", Value::Blob(self.id.into())),
            ("at", Value::Integer(self.at)),
            ("stream", self.stream.clone()),
            ("seq", self.seq.map_or(Value::Null, Value::Integer)),
            ("digest", Value::Blob(self.digest.into())),
            ("tenant", self.tenant.clone()),
            ("action", self.action.clone()),
            ("kind", name(self.kind)),
            ("stage", name(self.stage)),
            ("call", self.call.map_or(Value::Null, |call| Value::Blob(call.into()))),
            ("actor_kind", name(self.actor_kind)),
            ("actor_id", self.actor_id.clone()),
            ("resource_kind", self.resource_kind.clone()),
            ("resource_id", self.resource_id.clone()),
            ("decision", name(self.decision)),
            ("reason", self.reason.clone()),
            ("outcome", name(self.outcome)),
            ("code", self.code.clone()),
            ("correlation_id", self.correlation_id.clone()),
        ]
    }
}

fn text(text: Option<impl Into<String>>) -> Value {
    text.map_or(Value::Null, |text| Text(text).into())
}

fn actor(actor: StoredActor) -> (&'static str, Value) {
    (actor.kind.map_or("", audit_core::ActorKind::as_str), text(actor.id))
}

fn resource(resource: StoredResource) -> (Value, Value) {
    (Text(resource.id).into(), Text(resource.kind).into())
}

fn decision(decision: StoredDecision<'_>) -> (&'static str, Value) {
    match decision {
        StoredDecision::Deny { reason } => ("deny", Text(reason).into()),
        _ => ("allow", Value::Null),
    }
}

fn outcome(outcome: StoredOutcome<'_>) -> (&'static str, Value) {
    match outcome {
        StoredOutcome::Success => ("success", Value::Null),
        StoredOutcome::Failure { code } => ("failure", Text(code).into()),
        _ => ("unknown", Value::Null),
    }
}
