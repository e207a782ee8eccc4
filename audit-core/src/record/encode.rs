//! From a draft to the JSON of a record: the only place that lays out the fields.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::draft::{Draft, Flag, Flags};
use super::key::{Index, Key};
use super::{Record, SCHEMA};
use crate::actor::Actor;
use crate::context::{AuditContext, Claim};
use crate::decision::{Code, Decision, Outcome};
use crate::id::RecordId;
use crate::identity::Identity;
use crate::json;
use crate::record::Times;
use crate::resource::{Resource, Subject};
use crate::scratch;
use crate::sensitive::{Notes, Paths, REDACTED, Redaction, Rules, push_hex};
use crate::source::Source;
use crate::text::start;

/// The most bytes of an identity; of a longer one the start and a digest are kept.
const MAX_IDENTITY_BYTES: usize = 256;
/// The most roles, subjects and callers that a record lists, each.
const MAX_LISTED: usize = 32;

/// What most records have besides their detail: a text that grows while it is written is copied.
const TYPICAL_BYTES: usize = 640;

/// What a client calls its request, among the claims.
pub(super) const CLIENT_REQUEST_ID: &str = "client_request_id";

/// What the recorder adds to a draft.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) id: RecordId,
    pub(crate) when: Times,
    /// What the recorder found out about it, and what the draft says itself.
    pub(crate) flags: Flags,
}

/// Writes a draft inside its context. What the context has set comes first; what the draft states besides it is a
/// claim.
pub(crate) fn encode(draft: &Draft, context: Option<&AuditContext>, stamp: &Stamp, rules: &Rules) -> Record {
    let who = match (context, draft.stated.said()) {
        (Some(context), None) => Cow::Borrowed(context),
        (None, Some(stated)) => Cow::Borrowed(stated),
        (None, None) => Cow::Borrowed(&AuditContext::EMPTY),
        (Some(context), Some(stated)) => {
            let mut context = context.clone();
            context.absorb(stated.clone());
            Cow::Owned(context)
        }
    };
    scratch::with(|out| {
        out.reserve(TYPICAL_BYTES + draft.detail.fields().len());
        let mut writer = Writer {
            out,
            index: Index::EMPTY,
            redaction: Redaction::new(rules, who.tenant.as_ref()),
            notes: Cow::Borrowed(&draft.detail.notes),
            flags: stamp.flags,
        };
        writer.out.push('{');
        writer.head(draft, stamp);
        writer.who(&who);
        writer.ties(draft, &who);
        writer.payload(draft, &who);
        writer.notes();
        writer.out.push('}');
        let index = writer.index;
        Record::from_parts(out, index)
    })
}

/// What a record shows of an identity that is too long: its start, and a digest of all of it.
pub(crate) fn cut_identity(text: &str) -> Option<String> {
    if text.len() <= MAX_IDENTITY_BYTES {
        return None;
    }
    let mut cut = format!("{}…sha256:", start(text, MAX_IDENTITY_BYTES / 2));
    push_hex(&mut cut, &Sha256::digest(text));
    Some(cut)
}

/// Whether a text looks like what [`cut_identity`] leaves of another.
pub(crate) fn is_cut_identity(text: &str) -> bool {
    let digest = text.rsplit_once("…sha256:").map(|(_, digest)| digest.as_bytes());
    digest.is_some_and(|digest| digest.len() == 64 && digest.iter().all(u8::is_ascii_hexdigit))
}

struct Writer<'a> {
    out: &'a mut String,
    index: Index,
    redaction: Redaction<'a>,
    /// The payload's, until something else is noted.
    notes: Cow<'a, Notes>,
    flags: Flags,
}

#[allow(clippy::inline_always, reason = "the compiler sees which key it is, and how long its lead, only there")]
impl Writer<'_> {
    fn head(&mut self, draft: &Draft, stamp: &Stamp) {
        self.key(Key::Schema, |w| json::push_integer(w.out, SCHEMA));
        self.quoted(Key::Id, |out| stamp.id.push_to(out));
        self.entry(Key::Kind, draft.kind.entry());
        self.entry(Key::Stage, draft.stage.entry());
        if draft.action.breaks_the_rule() {
            self.text(Key::Action, draft.action.as_str());
            self.flags.raise(Flag::VerbatimAction);
        } else {
            // The rule knows nothing that needs escaping.
            self.quoted(Key::Action, |out| out.push_str(draft.action.as_str()));
        }
        self.quoted(Key::OccurredAt, |out| stamp.when.occurred_at.push_to(out));
        self.quoted(Key::RecordedAt, |out| stamp.when.recorded_at.push_to(out));
        match &draft.decision {
            Some(Decision::Allow) => self.entry(Key::Decision, r#","decision":"allow""#),
            Some(Decision::Deny { reason }) => {
                self.entry(Key::Decision, r#","decision":"deny""#);
                self.text(Key::Reason, reason.as_str());
            }
            None => {}
        }
        match &draft.outcome {
            Some(Outcome::Success) => self.entry(Key::Outcome, r#","outcome":"success""#),
            Some(Outcome::Failure { code }) => {
                self.entry(Key::Outcome, r#","outcome":"failure""#);
                self.text(Key::Code, code.as_str());
            }
            Some(Outcome::Unknown) => self.entry(Key::Outcome, r#","outcome":"unknown""#),
            None => {}
        }
        if let Some(severity) = draft.severity {
            self.quoted(Key::Severity, |out| out.push_str(severity.as_str()));
        }
    }

    fn who(&mut self, who: &AuditContext) {
        self.optional(Key::Actor, who.actor.as_ref(), |w, actor| w.actor("actor.id", actor));
        self.optional(Key::OnBehalfOf, who.on_behalf_of.as_ref(), |w, actor| w.actor("on_behalf_of.id", actor));
        self.list(Key::InvocationChain, &who.invocation_chain, |w, actor| w.actor("invocation_chain[].id", actor));
        self.list(Key::Subjects, &who.subjects, Self::subject);
    }

    fn ties(&mut self, draft: &Draft, who: &AuditContext) {
        self.optional(Key::Resource, draft.resource.as_ref(), Self::resource);
        self.optional(Key::Tenant, who.tenant.as_ref(), |w, tenant| w.identity("tenant", &tenant.0));
        self.list(Key::Roles, &who.roles, Self::code);
        self.optional(Key::Session, who.session.as_ref(), |w, session| w.identity("session", &session.0));
        let source = (!who.source.is_empty()).then_some(&who.source);
        self.optional(Key::Source, source, Self::source);
        if let Some(id) = &who.correlation_id {
            // It has letters, digits and the like.
            self.quoted(Key::CorrelationId, |out| out.push_str(id.as_str()));
        }
        self.optional(Key::TraceId, who.trace_id, Self::push_display);
        for (key, id) in [(Key::Call, draft.call), (Key::Parent, draft.parent)] {
            if let Some(id) = id {
                self.quoted(key, |out| id.push_to(out));
            }
        }
        self.optional(Key::LatencyUs, draft.latency, |w, latency| json::push_integer(w.out, latency.as_micros()));
    }

    fn payload(&mut self, draft: &Draft, who: &AuditContext) {
        if !draft.detail.fields().is_empty() {
            self.key(Key::Detail, |w| {
                w.out.push('{');
                w.out.push_str(draft.detail.fields());
                w.out.push('}');
            });
        }
        if !who.claimed.is_empty() {
            self.flags.raise(Flag::Claimed);
        }
        if who.has_claims() {
            self.key(Key::Claimed, |w| w.claims(who));
        }
    }

    fn notes(&mut self) {
        let notes = std::mem::take(&mut self.notes);
        if notes.unencodable {
            self.flags.raise(Flag::Unencodable);
        }
        if !notes.cut().is_empty() {
            self.flags.raise(Flag::Cut);
        }
        // These are bounded where they are made.
        self.paths(Key::Redacted, notes.redacted());
        self.paths(Key::Cut, notes.cut());
        if self.flags != Flags::default() {
            let flags: Vec<_> = self.flags.raised().collect();
            self.all(Key::Flags, &flags, |w, flag| w.push_text(flag.as_str()));
        }
    }

    fn paths(&mut self, key: Key, paths: &Paths) {
        if !paths.is_empty() {
            self.key(key, |w| {
                w.out.push('[');
                paths.push_json(w.out);
                w.out.push(']');
            });
        }
    }

    fn claims(&mut self, who: &AuditContext) {
        self.out.push('{');
        let mut seen = Vec::with_capacity(who.claimed.len());
        let trace = who.client_trace_id.map(Claim::TraceId);
        for claim in who.claimed.iter().chain(&trace) {
            let key = claim.key();
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            json::push_key(self.out, key.as_str());
            match claim {
                Claim::Actor(actor) => self.actor("claimed.actor.id", actor),
                Claim::OnBehalfOf(actor) => self.actor("claimed.on_behalf_of.id", actor),
                Claim::InvocationChain(chain) => self.bounded(chain, "claimed.invocation_chain", |w, actor| {
                    w.actor("claimed.invocation_chain[].id", actor);
                }),
                Claim::Tenant(tenant) => self.identity("claimed.tenant", &tenant.0),
                Claim::Roles(roles) => self.bounded(roles, "claimed.roles", Self::code),
                Claim::Session(session) => self.identity("claimed.session", &session.0),
                Claim::Source(source) => self.source(source),
                Claim::CorrelationId(id) => self.push_text(id.as_str()),
                Claim::TraceId(id) => self.push_display(*id),
            }
        }
        if let Some(id) = &who.client_request_id {
            json::push_key(self.out, CLIENT_REQUEST_ID);
            self.push_text(id);
        }
        self.out.push('}');
    }

    fn actor(&mut self, path: &str, actor: &Actor) {
        self.out.push_str("{\"kind\":\"");
        self.out.push_str(actor.kind.as_str());
        self.out.push('"');
        if let Some(id) = &actor.id {
            self.out.push_str(",\"id\":");
            self.identity(path, &id.0);
        }
        self.out.push('}');
    }

    fn subject(&mut self, subject: &Subject) {
        self.kind_and_id(["subjects[].kind", "subjects[].id"], &subject.kind, &subject.id.0);
    }

    fn resource(&mut self, resource: &Resource) {
        self.kind_and_id(["resource.kind", "resource.id"], &resource.kind, &resource.id.0);
    }

    fn kind_and_id(&mut self, [kind_path, id_path]: [&str; 2], kind: &str, id: &Identity) {
        self.out.push_str("{\"kind\":");
        self.push_bounded(kind_path, kind);
        self.out.push_str(",\"id\":");
        self.identity(id_path, id);
        self.out.push('}');
    }

    fn source(&mut self, source: &Source) {
        self.out.push('{');
        if let Some(ip) = source.ip {
            self.out.push_str(r#""ip":""#);
            json::push_address(self.out, ip);
            self.out.push('"');
        }
        for (key, text) in [(r#""user_agent":"#, &source.user_agent), (r#""origin":"#, &source.origin)] {
            if let Some(text) = text {
                if !self.out.ends_with('{') {
                    self.out.push(',');
                }
                self.out.push_str(key);
                self.push_text(text);
            }
        }
        self.out.push('}');
    }

    fn code(&mut self, code: &Code) {
        self.push_text(code.as_str());
    }

    fn identity(&mut self, path: &str, identity: &Identity) {
        if identity.is_redacted() {
            self.notes.to_mut().redacted_mut().note(path);
        }
        if let Some(text) = identity.shown() {
            return self.push_bounded(path, text);
        }
        let hash = self.redaction.hash(None, identity.secret());
        self.push_text(hash.as_deref().unwrap_or(REDACTED));
    }

    fn push_bounded(&mut self, path: &str, text: &str) {
        if text.len() <= MAX_IDENTITY_BYTES {
            return self.push_text(text);
        }
        if let Some(cut) = cut_identity(text) {
            self.push_text(&cut);
            self.notes.to_mut().cut_mut().note(path);
        }
    }

    #[inline(always)]
    fn key(&mut self, key: Key, write: impl FnOnce(&mut Self)) {
        let lead = key.lead();
        let lead = &lead[..lead.len() - 1];
        // The first one has no comma before it.
        self.out.push_str(if self.out.len() == 1 { &lead[1..] } else { lead });
        let start = self.out.len();
        write(self);
        self.index.set(key, start, self.out.len());
    }

    /// Writes a text that needs no escaping.
    #[inline(always)]
    fn quoted(&mut self, key: Key, write: impl FnOnce(&mut String)) {
        self.out.push_str(key.lead());
        let start = self.out.len() - 1;
        write(self.out);
        self.out.push('"');
        self.index.set(key, start, self.out.len());
    }

    #[inline(always)]
    fn optional<T>(&mut self, key: Key, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        if let Some(value) = value {
            self.key(key, |w| write(w, value));
        }
    }

    fn list<T>(&mut self, key: Key, items: &[T], write: impl Fn(&mut Self, &T)) {
        if !items.is_empty() {
            self.key(key, |w| w.bounded(items, key.as_str(), write));
        }
    }

    fn all<T>(&mut self, key: Key, items: &[T], write: impl Fn(&mut Self, &T)) {
        if !items.is_empty() {
            self.key(key, |w| w.items(items, write));
        }
    }

    /// Writes what may be listed, and notes where that is not all.
    fn bounded<T>(&mut self, items: &[T], path: &str, write: impl Fn(&mut Self, &T)) {
        self.items(&items[..items.len().min(MAX_LISTED)], write);
        if items.len() > MAX_LISTED {
            self.notes.to_mut().cut_mut().note(path);
        }
    }

    fn items<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            write(self, item);
        }
        self.out.push(']');
    }

    /// Writes an entry that is ready, `,"key":"word"`.
    #[inline(always)]
    fn entry(&mut self, key: Key, json: &'static str) {
        debug_assert!(json.starts_with(key.lead()), "{json}");
        let start = self.out.len() + key.lead().len() - 1;
        self.out.push_str(json);
        self.index.set(key, start, self.out.len());
    }

    #[inline(always)]
    fn text(&mut self, key: Key, text: &str) {
        self.quoted(key, |out| json::push_fragment(out, text));
    }

    fn push_text(&mut self, text: &str) {
        json::push_string(self.out, text);
    }

    /// For what is seldom written and needs no escaping.
    fn push_display(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.out, "\"{value}\"");
    }
}

impl Claim {
    const fn key(&self) -> Key {
        match self {
            Self::Actor(_) => Key::Actor,
            Self::OnBehalfOf(_) => Key::OnBehalfOf,
            Self::InvocationChain(_) => Key::InvocationChain,
            Self::Tenant(_) => Key::Tenant,
            Self::Roles(_) => Key::Roles,
            Self::Session(_) => Key::Session,
            Self::Source(_) => Key::Source,
            Self::CorrelationId(_) => Key::CorrelationId,
            Self::TraceId(_) => Key::TraceId,
        }
    }
}
