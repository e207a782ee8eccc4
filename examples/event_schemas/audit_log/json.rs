//! A record as clients know it: these fields, and no others.

use std::collections::HashMap;
use std::net::IpAddr;

use audited::{Fields, StoredActor, StoredOutcome};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Success,
    Failure,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventJson {
    pub(crate) id: Uuid,
    /// The place in the journal; none of what was written in a transaction.
    pub(crate) seq: Option<u64>,
    pub(crate) event_type: String,
    pub(crate) outcome: Outcome,
    pub(crate) actor_id: Option<Uuid>,
    pub(crate) account_id: Option<Uuid>,
    pub(crate) target_account_id: Option<Uuid>,
    pub(crate) target_actor_id: Option<Uuid>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) created_at: String,
    pub(crate) metadata: Option<Map<String, Value>>,
}

/// The same with the names of the accounts, where they are known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct NamedEventJson {
    #[serde(flatten)]
    pub(crate) event: EventJson,
    pub(crate) username: Option<String>,
    pub(crate) target_username: Option<String>,
}

impl EventJson {
    /// None where the record is no event of such a log.
    pub(crate) fn of(record: &Fields) -> Option<Self> {
        let id_of = |actor: StoredActor| actor.id?.parse().ok();
        let subjects = record.subjects();
        let target = |kind| subjects.iter().find(|subject| subject.kind == kind)?.id.parse().ok();
        Some(Self {
            id: record.id()?.as_uuid(),
            seq: record.seq(),
            event_type: record.action().into_owned(),
            outcome: match record.outcome()? {
                StoredOutcome::Success => Outcome::Success,
                _ => Outcome::Failure,
            },
            actor_id: record.on_behalf_of().and_then(id_of),
            account_id: record.actor().and_then(id_of),
            target_account_id: target("user"),
            target_actor_id: target("actor"),
            ip: record.source().and_then(|source| source.ip),
            created_at: record.occurred_at()?.to_string(),
            metadata: record.detail().and_then(|metadata| serde_json::from_str(metadata).ok()),
        })
    }

    pub(crate) fn named(self, names: &HashMap<Uuid, String>) -> NamedEventJson {
        let name = |account: Option<Uuid>| names.get(&account?).cloned();
        NamedEventJson { username: name(self.account_id), target_username: name(self.target_account_id), event: self }
    }
}
