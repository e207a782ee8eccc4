//! A stored record as the readers of this framework know it.

use audited::{StoredActor, StoredDecision, StoredRecord};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};

use super::decision::DenyReason;
use super::names::{MethodPath, RoleName, Scope, SessionId, UserId};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowKind {
    /// Also of rows from before there were kinds.
    #[default]
    ScopeCheck,
    ForwardPolicyApplied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub(crate) enum RowDecision {
    Allow,
    Deny { reason: DenyReason },
}

/// One row. What is absent is left out of its JSON, and read as none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) timestamp: String,
    #[serde(default)]
    pub(crate) kind: RowKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) originator: Option<UserId>,
    /// A keyed hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) invocation_chain: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<RoleName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<MethodPath>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scope_required: Option<Scope>,
    #[serde(flatten)]
    pub(crate) decision: RowDecision,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) latency_us: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) derivation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) caller_ns: Option<String>,
}

#[derive(Deserialize)]
struct RowDetail {
    scope_required: Option<Scope>,
    policy_name: Option<String>,
    derivation: Option<String>,
    caller_ns: Option<String>,
}

impl Row {
    /// None where the record is none of the dispatch.
    pub(crate) fn of(record: &StoredRecord) -> Option<Self> {
        let kind: serde_json::Result<RowKind> = serde_json::from_str(record.get("action")?);
        let detail: RowDetail = record.detail_as().ok()?;
        let source = record.source().unwrap_or_default();
        let id = |actor: StoredActor| actor.id;
        Some(Self {
            timestamp: record.occurred_at()?.to_string(),
            kind: kind.ok()?,
            originator: record.actor().and_then(id).map(UserId::new),
            session_id: record.session().map(SessionId::new),
            invocation_chain: record.invocation_chain().into_iter().filter_map(id).collect(),
            roles: record.roles().into_iter().map(RoleName::new).collect(),
            method: record.resource().and_then(|method| method.id.parse().ok()),
            scope_required: detail.scope_required,
            decision: match record.decision()? {
                StoredDecision::Deny { reason } => RowDecision::Deny { reason: reason_of(&reason) },
                _ => RowDecision::Allow,
            },
            latency_us: record.latency().and_then(|latency| u64::try_from(latency.as_micros()).ok()),
            origin: source.origin,
            client_ip: source.ip.map(|ip| ip.to_string()),
            correlation_id: record.correlation_id().map(Into::into),
            policy_name: detail.policy_name,
            derivation: detail.derivation,
            caller_ns: detail.caller_ns,
        })
    }
}

fn reason_of(reason: &str) -> DenyReason {
    let reason: Result<_, serde::de::value::Error> = DenyReason::deserialize(reason.into_deserializer());
    reason.unwrap_or(DenyReason::Other)
}
