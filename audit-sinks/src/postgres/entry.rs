//! What of a record goes into columns.

use std::borrow::Cow;

use audit_core::{Record, Row, StoredDecision, StoredOutcome};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::text::{BETWEEN, held, subject};

/// A record, with what its columns hold.
pub(super) struct Entry<'a> {
    pub(super) id: Uuid,
    pub(super) digest: [u8; 32],
    /// The stream that it is in, and the position there.
    pub(super) place: Option<(Cow<'a, str>, i64)>,
    json: &'a str,
    micros: i64,
    call: Option<Uuid>,
    tenant: Option<Cow<'a, str>>,
    action: Cow<'a, str>,
    kind: Option<&'static str>,
    stage: Option<&'static str>,
    actor_kind: Option<&'static str>,
    actor_id: Option<Cow<'a, str>>,
    subjects: Option<String>,
    resource: Option<(Cow<'a, str>, Cow<'a, str>)>,
    decision: Option<(&'static str, Option<Cow<'a, str>>)>,
    outcome: Option<(&'static str, Option<Cow<'a, str>>)>,
    correlation_id: Option<Cow<'a, str>>,
}

impl<'a> Entry<'a> {
    /// Reads a record. `None` where it has no id, which no record lacks.
    pub(super) fn of(record: &'a Record) -> Option<Self> {
        let row = Row::of(record)?;
        let subjects: Vec<_> = row.subjects.iter().map(|of| subject(&of.kind, &of.id)).collect();
        let outcome = row.ending().map(|ending| match &row.outcome {
            Some(StoredOutcome::Failure { code }) => (ending.as_str(), Some(held(code.clone()))),
            _ => (ending.as_str(), None),
        });
        let (actor_kind, actor_id) = row.actor.map_or((None, None), |actor| (actor.kind, actor.id));
        Some(Self {
            id: row.id.as_uuid(),
            digest: row.digest,
            place: row.position.map(|(stream, seq)| (held(stream), seq.cast_signed())),
            json: record.json(),
            micros: row.sort_key.micros,
            call: row.call.map(audit_core::RecordId::as_uuid),
            tenant: row.tenant.map(held),
            action: held(row.action),
            kind: row.kind.map(audit_core::Kind::as_str),
            stage: row.stage.map(audit_core::Stage::as_str),
            actor_kind: actor_kind.map(audit_core::ActorKind::as_str),
            actor_id: actor_id.map(|id| held(id.into())),
            subjects: (!subjects.is_empty()).then(|| subjects.join(BETWEEN)),
            resource: row.resource.map(|of| (held(of.kind.into()), held(of.id.into()))),
            decision: row.decision.map(|decision| match decision {
                StoredDecision::Deny { reason } => ("deny", Some(held(reason))),
                _ => ("allow", None),
            }),
            outcome,
            correlation_id: row.correlation_id.map(held),
        })
    }

    /// What the columns hold, as texts, in the order of [`COLUMNS`].
    pub(super) fn texts(&self) -> [Option<String>; COLUMNS.len()] {
        let of = |text: Option<&str>| text.map(str::to_owned);
        let (stream, seq) = self.place();
        let resource = self.resource.as_ref();
        let (decision, outcome) = (self.decision.as_ref(), self.outcome.as_ref());
        [
            Some(self.id.to_string()),
            of(stream),
            seq.map(|seq| seq.to_string()),
            Some(hex(&self.digest)),
            Some(self.micros.to_string()),
            self.call.map(|call| call.to_string()),
            of(self.tenant.as_deref()),
            of(Some(&self.action)),
            of(self.kind),
            of(self.stage),
            of(self.actor_kind),
            of(self.actor_id.as_deref()),
            self.subjects.clone(),
            of(resource.map(|(kind, _)| &**kind)),
            of(resource.map(|(_, id)| &**id)),
            of(decision.map(|(decision, _)| *decision)),
            of(decision.and_then(|(_, reason)| reason.as_deref())),
            of(outcome.map(|(outcome, _)| *outcome)),
            of(outcome.and_then(|(_, code)| code.as_deref())),
            of(self.correlation_id.as_deref()),
            of(Some(self.json)),
        ]
    }

    fn place(&self) -> (Option<&str>, Option<i64>) {
        self.place.as_ref().map_or((None, None), |(stream, seq)| (Some(stream), Some(*seq)))
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Entries as the parameters of one statement: a list for each column.
pub(super) struct Lists<'a> {
    lists: Vec<(Box<dyn ToSql + Sync + Send + 'a>, Type)>,
}

/// The columns, in the order of the lists, with their types.
pub(super) const COLUMNS: [(&str, &str); 21] = [
    ("id", "uuid"),
    ("stream", "text"),
    ("seq", "int8"),
    ("digest", "bytea"),
    ("micros", "int8"),
    ("call", "uuid"),
    ("tenant", "text"),
    ("action", "text"),
    ("kind", "text"),
    ("stage", "text"),
    ("actor_kind", "text"),
    ("actor_id", "text"),
    ("subjects", "text"),
    ("resource_kind", "text"),
    ("resource_id", "text"),
    ("decision", "text"),
    ("reason", "text"),
    ("outcome", "text"),
    ("code", "text"),
    ("correlation_id", "text"),
    ("record", "text"),
];

impl<'a> Lists<'a> {
    pub(super) fn of(entries: &[&'a Entry<'a>]) -> Self {
        let mut lists = Self { lists: Vec::with_capacity(COLUMNS.len()) };
        lists.add(entries, Type::UUID_ARRAY, |of| of.id);
        lists.add(entries, Type::TEXT_ARRAY, |of| of.place().0);
        lists.add(entries, Type::INT8_ARRAY, |of| of.place().1);
        lists.add(entries, Type::BYTEA_ARRAY, |of| &of.digest[..]);
        lists.add(entries, Type::INT8_ARRAY, |of| of.micros);
        lists.add(entries, Type::UUID_ARRAY, |of| of.call);
        lists.add(entries, Type::TEXT_ARRAY, |of| of.tenant.as_deref());
        lists.add(entries, Type::TEXT_ARRAY, |of| &*of.action);
        lists.add(entries, Type::TEXT_ARRAY, |of| of.kind);
        lists.add(entries, Type::TEXT_ARRAY, |of| of.stage);
        lists.add(entries, Type::TEXT_ARRAY, |of| of.actor_kind);
        lists.add(entries, Type::TEXT_ARRAY, |of| of.actor_id.as_deref());
        lists.add(entries, Type::TEXT_ARRAY, |of| of.subjects.as_deref());
        lists.add(entries, Type::TEXT_ARRAY, |of| of.resource.as_ref().map(|(kind, _)| &**kind));
        lists.add(entries, Type::TEXT_ARRAY, |of| of.resource.as_ref().map(|(_, id)| &**id));
        lists.add(entries, Type::TEXT_ARRAY, |of| of.decision.as_ref().map(|(decision, _)| *decision));
        lists.add(entries, Type::TEXT_ARRAY, |of| of.decision.as_ref().and_then(|(_, reason)| reason.as_deref()));
        lists.add(entries, Type::TEXT_ARRAY, |of| of.outcome.as_ref().map(|(outcome, _)| *outcome));
        lists.add(entries, Type::TEXT_ARRAY, |of| of.outcome.as_ref().and_then(|(_, code)| code.as_deref()));
        lists.add(entries, Type::TEXT_ARRAY, |of| of.correlation_id.as_deref());
        lists.add(entries, Type::TEXT_ARRAY, |of| of.json);
        lists
    }

    pub(super) fn typed(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.lists.iter().map(|(list, ty)| (&**list as &(dyn ToSql + Sync), ty.clone())).collect()
    }

    pub(super) fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.lists.iter().map(|(list, _)| &**list as &(dyn ToSql + Sync)).collect()
    }

    pub(super) fn types(&self) -> Vec<Type> {
        self.lists.iter().map(|(_, ty)| ty.clone()).collect()
    }

    fn add<T: ToSql + Sync + Send + 'a>(
        &mut self,
        entries: &[&'a Entry<'a>],
        ty: Type,
        of: impl Fn(&'a Entry<'a>) -> T,
    ) {
        let list: Vec<T> = entries.iter().map(|entry| of(entry)).collect();
        self.lists.push((Box::new(list), ty));
    }
}
