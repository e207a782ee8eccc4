//! That somebody reads is a record, too.

use sha2::{Digest, Sha256};

use super::StoreError;
use super::scope::Scope;
use crate::action::Action;
use crate::context::AuditContext;
use crate::id::RecordId;
use crate::query::{AnyOf, Condition, Intents, Query};
use crate::record::Kind;
use crate::recorder::{Recorder, record_action, surrounding_context};
use crate::sensitive::{Encoder, Object};

/// Records that a reading begins: who reads is in the context, what is in the detail. Texts that are searched for are
/// hashed, or redacted where there is no key; shown are names of the program's own, as far as they look like names.
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
    let has_key = recorder.core().rules().keys.is_some();
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
        if query.intents() == Intents::OrphansOnly {
            fields.plain("orphans", &true);
        }
        // One entry a condition: two of a kind are two.
        fields.field("filter", |filter| {
            filter.array(|filter| {
                query.conditions().for_each(|condition| {
                    filter.item(|item| item.object(|fields| Filter { fields, has_key }.write(&condition)));
                });
            });
        });
    });
    builder.await.map_err(StoreError::Unrecorded)
}

/// A digest of who reads, by the context: of who acts, and for whom.
pub(super) fn who() -> [u8; 16] {
    let context = surrounding_context();
    let mut hash = Sha256::new_with_prefix("audited/reader/1");
    let actor = context.as_ref().and_then(|context| context.actor.as_ref());
    let principal = context.as_ref().and_then(|context| context.on_behalf_of.as_ref());
    for actor in [actor, principal] {
        let kind = actor.map_or("", |actor| actor.kind.as_str());
        let id = actor.and_then(|actor| actor.id.as_ref()).map_or("", |id| id.0.secret());
        for part in [kind, id] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    let digest = hash.finalize();
    std::array::from_fn(|at| digest[at])
}

/// What is written of a condition.
struct Filter<'f, 'o, 'a> {
    fields: &'f mut Object<'o, 'a>,
    /// Whether anything can be hashed.
    has_key: bool,
}

impl Filter<'_, '_, '_> {
    fn write(&mut self, condition: &Condition) {
        match condition {
            Condition::Tenant(_) | Condition::Not(_) => {}
            Condition::From(moment) => self.fields.plain("from", moment),
            Condition::Until(moment) => self.fields.plain("until", moment),
            Condition::Action { exact, prefixes } => {
                self.names("actions", exact.texts());
                if !prefixes.texts().is_empty() {
                    self.names("action_prefixes", prefixes.texts());
                }
            }
            Condition::User(any) => self.secret("user", any),
            Condition::Actor { kind, id } => {
                if let Some(kind) = kind {
                    self.fields.plain("actor_kind", kind.as_str());
                }
                self.kind_and_id(None, ("actor", id.as_ref()));
            }
            Condition::Subject { kind, id } => self.kind_and_id(Some(("subject_kind", kind)), ("subject", id.as_ref())),
            Condition::Resource { kind, id } => {
                self.kind_and_id(Some(("resource_kind", kind)), ("resource", id.as_ref()));
            }
            Condition::Allowed(allowed) => self.fields.plain("decision", if *allowed { "allow" } else { "deny" }),
            Condition::DenyReason(any) => self.names("reason", any.texts()),
            Condition::Ended(ending) => self.fields.plain("outcome", ending.as_str()),
            Condition::FailureCode(any) => self.names("code", any.texts()),
            Condition::CorrelationId(any) => self.secret("correlation_id", any),
            Condition::Id(id) => self.fields.plain("id", id),
            Condition::Kind(kind) => self.fields.plain("kind", kind.as_str()),
            Condition::Text { path, texts } => {
                self.name("path", path);
                self.secret("text", texts);
            }
        }
    }

    fn kind_and_id(&mut self, kind: Option<(&str, &str)>, (key, id): (&str, Option<&AnyOf>)) {
        if let Some((key, kind)) = kind {
            self.name(key, kind);
        }
        if let Some(id) = id {
            self.secret(key, id);
        }
    }

    fn name(&mut self, key: &str, name: &str) {
        let has_key = self.has_key;
        self.fields.field(key, |value| push_name(value, name, has_key));
    }

    fn names(&mut self, key: &str, names: &[String]) {
        let has_key = self.has_key;
        self.fields.field(key, |value| {
            value.array(|items| names.iter().for_each(|name| items.item(|item| push_name(item, name, has_key))));
        });
    }

    fn secret(&mut self, key: &str, any: &AnyOf) {
        let has_key = self.has_key;
        self.fields.field(key, |value| {
            value
                .array(|items| any.texts().iter().for_each(|text| items.item(|item| push_secret(item, text, has_key))));
        });
    }
}

/// A name is shown where it can be one of the program's: a client's text that stands in for it may be anything.
fn push_name(value: &mut Encoder<'_>, name: &str, has_key: bool) {
    if name.is_empty() || Action::parse(name).is_ok() { value.plain(name) } else { push_secret(value, name, has_key) }
}

fn push_secret(value: &mut Encoder<'_>, text: &str, has_key: bool) {
    // Without a key that is all that a hash would leave, and nothing that anybody has to mend.
    if has_key { value.hashed(text) } else { value.redacted() }
}
