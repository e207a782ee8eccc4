//! From what happened to a record.

use std::net::IpAddr;

use audited::{Action, Actor as AuditedActor, AuditContext, RecordBuilder, Source, Subject, record_action};
use serde_json::{Map, Value};
use uuid::Uuid;

/// One of the figures in which an account acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) id: Uuid,
    pub(crate) account_id: Uuid,
}

/// Whom it is about: with an actor comes its account, so that the two cannot contradict each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Account(Uuid),
    Actor(Actor),
}

/// What happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Happened<'a> {
    pub(crate) event_type: &'a str,
    pub(crate) failed: bool,
    pub(crate) by: Option<Actor>,
    pub(crate) target: Option<Target>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) metadata: Map<String, Value>,
}

impl Happened<'_> {
    /// The record of it: awaited, it is acknowledged; `in_transaction`, it is there if that commits.
    ///
    /// Whatever the type and the metadata are, it is written.
    pub(crate) fn record(&self) -> RecordBuilder<'static> {
        let mut who = AuditContext::new();
        if let Some(ip) = self.ip {
            who = who.source(Source::new().ip(ip));
        }
        // An account acts, as one of its actors.
        if let Some(by) = self.by {
            who = who.actor(AuditedActor::user(by.account_id)).on_behalf_of(AuditedActor::user(by.id));
        }
        match self.target {
            Some(Target::Account(account)) => who = who.subject(Subject::user(account)),
            Some(Target::Actor(Actor { id, account_id })) => {
                who = who.subject(Subject::user(account_id)).subject(Subject::new("actor", id));
            }
            None => {}
        }
        let record = record_action(Action::verbatim(self.event_type)).context(who);
        let record = if self.failed { record.failed("failed") } else { record };
        record.fields(|fields| self.metadata.iter().for_each(|(key, value)| fields.plain(key, value)))
    }
}
