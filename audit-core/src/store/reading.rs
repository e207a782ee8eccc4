//! That somebody reads is a record, too.

use super::StoreError;
use super::scope::Scope;
use crate::action::Action;
use crate::context::AuditContext;
use crate::id::RecordId;
use crate::query::{AnyOf, Condition, Intents, Query};
use crate::record::Kind;
use crate::recorder::{Recorder, record_action};
use crate::sensitive::Object;

/// Records that a reading begins: who reads is in the context, what is in the detail. Texts that are searched for are
/// hashed, but for names that are the program's own.
pub(super) async fn record(
    recorder: &Recorder,
    what: &str,
    scope: &Scope,
    query: &Query,
) -> Result<RecordId, StoreError> {
    let mut builder = record_action(Action::new("audit.read")).by(recorder.clone()).kind(Kind::System);
    if let Scope::Tenant { id, .. } = scope {
        // Those whose records are read see who has read them.
        builder = builder.context(AuditContext::new().tenant(id.clone()));
    }
    let builder = builder.fields(|fields| {
        fields.plain("reading", what);
        match scope {
            Scope::Tenant { .. } => fields.plain("scope", "tenant"),
            Scope::Nobody => fields.plain("scope", "nobody"),
            Scope::Global { reason } => {
                fields.plain("scope", "global");
                fields.plain("reason", reason.as_str());
            }
        }
        fields.field("filter", |filter| {
            filter.object(|filter| {
                query.conditions().for_each(|condition| write(filter, &condition));
                if query.intents() == Intents::OrphansOnly {
                    filter.plain("orphans", &true);
                }
            });
        });
    });
    builder.await.map_err(StoreError::Unrecorded)
}

fn write(filter: &mut Object<'_, '_>, condition: &Condition) {
    let known = |filter: &mut Object<'_, '_>, key: &str, any: &AnyOf| filter.plain(key, any.texts());
    match condition {
        Condition::Tenant(_) | Condition::Not(_) => {}
        Condition::From(moment) => filter.plain("from", moment),
        Condition::Until(moment) => filter.plain("until", moment),
        Condition::Action { exact, prefixes } => {
            known(filter, "actions", exact);
            if !prefixes.texts().is_empty() {
                known(filter, "action_prefixes", prefixes);
            }
        }
        Condition::User(any) => hashed(filter, "user", any),
        Condition::Actor { kind, id } => {
            if let Some(kind) = kind {
                filter.plain("actor_kind", kind.as_str());
            }
            if let Some(id) = id {
                hashed(filter, "actor", id);
            }
        }
        Condition::Subject { kind, id } => {
            filter.plain("subject_kind", kind);
            if let Some(id) = id {
                hashed(filter, "subject", id);
            }
        }
        Condition::Resource { kind, id } => {
            filter.plain("resource_kind", kind);
            if let Some(id) = id {
                hashed(filter, "resource", id);
            }
        }
        Condition::Allowed(allowed) => filter.plain("decision", if *allowed { "allow" } else { "deny" }),
        Condition::DenyReason(any) => known(filter, "reason", any),
        Condition::Ended(ending) => filter.plain("outcome", ending.as_str()),
        Condition::FailureCode(any) => known(filter, "code", any),
        Condition::CorrelationId(any) => hashed(filter, "correlation_id", any),
        Condition::Id(id) => filter.plain("id", id),
        Condition::Kind(kind) => filter.plain("kind", kind.as_str()),
        Condition::Text { path, texts } => {
            filter.plain("path", path);
            hashed(filter, "text", texts);
        }
    }
}

fn hashed(filter: &mut Object<'_, '_>, key: &str, any: &AnyOf) {
    filter.field(key, |value| {
        value.array(|items| any.texts().iter().for_each(|text| items.item(|item| item.hashed(text))));
    });
}
