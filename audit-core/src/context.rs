//! What is known about a call before it is made: who, for whom, from where.

use crate::actor::Actor;
use crate::correlation::{CorrelationId, MAX_CORRELATION_ID_LEN, TraceId};
use crate::decision::Code;
use crate::identity::{IntoId, SessionId, TenantId};
use crate::resource::Subject;
use crate::source::Source;

/// The most claims that a context keeps.
const MAX_CLAIMS: usize = 16;

/// The most subjects that a context keeps. A record lists fewer, and says so.
const MAX_SUBJECTS: usize = 64;

/// Who acts, for whom, in which tenant, from where: what every record made inside a scope is stamped with.
///
/// Authentication makes one and scopes it to the handling of a request ([`with_context`](crate::with_context));
/// a handler that knows more adds to it ([`extend_context`](crate::extend_context)). What is set is never
/// replaced: a differing value is kept in the record under `claimed`, and the record is flagged.
///
/// ```
/// # use audit_core as audited;
/// use audited::{Actor, ActorId, AuditContext, TenantId};
///
/// let context = AuditContext::new()
///     .actor(Actor::user(ActorId::hash("ann@example.org")))
///     .tenant(TenantId::plain("acme"))
///     .role("admin");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a context does nothing until it is scoped, by `with_context`"]
pub struct AuditContext {
    pub(crate) actor: Option<Actor>,
    pub(crate) on_behalf_of: Option<Actor>,
    pub(crate) invocation_chain: Vec<Actor>,
    pub(crate) subjects: Vec<Subject>,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) roles: Vec<Code>,
    pub(crate) session: Option<SessionId>,
    pub(crate) source: Source,
    pub(crate) correlation_id: Option<CorrelationId>,
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) claimed: Vec<Claim>,
    /// What a client says, and nothing contradicts: it stands among the claims, and raises no flag.
    pub(crate) client_request_id: Option<String>,
    pub(crate) client_trace_id: Option<TraceId>,
}

/// A value that differs from the one that was already set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Claim {
    Actor(Actor),
    OnBehalfOf(Actor),
    InvocationChain(Vec<Actor>),
    Tenant(TenantId),
    Roles(Vec<Code>),
    Session(SessionId),
    Source(Source),
    CorrelationId(CorrelationId),
    TraceId(TraceId),
}

impl AuditContext {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets who acts.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actor = Some(actor);
        self
    }

    /// Sets the one for whom the actor acts, as support staff does for a customer.
    pub fn on_behalf_of(mut self, principal: Actor) -> Self {
        self.on_behalf_of = Some(principal);
        self
    }

    /// Adds a caller between the originator and this service; the first one added is the farthest.
    pub fn called_by(mut self, caller: Actor) -> Self {
        self.invocation_chain.push(caller);
        self
    }

    /// Adds a person or account that the records are about. There can be several.
    pub fn subject(mut self, subject: Subject) -> Self {
        add_once(&mut self.subjects, subject);
        self
    }

    /// Sets the organisation that owns the records.
    pub fn tenant(mut self, tenant: impl IntoId<TenantId>) -> Self {
        self.tenant = Some(tenant.into_id());
        self
    }

    /// Adds a role of the actor.
    pub fn role(mut self, role: impl Into<Code>) -> Self {
        add_once(&mut self.roles, role.into());
        self
    }

    /// Sets the session.
    pub fn session(mut self, session: SessionId) -> Self {
        self.session = Some(session);
        self
    }

    /// Sets where the call came from.
    pub fn source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// Sets what ties the records of one request together.
    pub fn correlation_id(mut self, id: CorrelationId) -> Self {
        self.correlation_id = Some(id);
        self
    }

    /// Sets the trace that the records belong to.
    pub fn trace_id(mut self, id: TraceId) -> Self {
        self.trace_id = Some(id);
        self
    }

    /// Keeps what the client calls its request, where nobody vouches for it. It is in the record as
    /// `claimed.client_request_id`, and the record is not flagged for it: it contradicts nothing.
    ///
    /// It is cut at 64 characters, and `_` stands for each that is not one of `[A-Za-z0-9._-]`.
    pub fn client_request_id(mut self, id: impl AsRef<str>) -> Self {
        let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
        let plain = id.as_ref().chars().map(|char| if plain(char) { char } else { '_' });
        self.client_request_id = Some(plain.take(MAX_CORRELATION_ID_LEN).collect());
        self
    }

    /// Keeps the trace that the client says it belongs to, where nobody vouches for it. It is in the record as
    /// `claimed.trace_id`, and the record is not flagged for it.
    pub fn client_trace_id(mut self, id: TraceId) -> Self {
        self.client_trace_id = Some(id);
        self
    }

    /// Knows nothing at all.
    pub(crate) const EMPTY: Self = Self {
        actor: None,
        on_behalf_of: None,
        invocation_chain: Vec::new(),
        subjects: Vec::new(),
        tenant: None,
        roles: Vec::new(),
        session: None,
        source: Source::new(),
        correlation_id: None,
        trace_id: None,
        claimed: Vec::new(),
        client_request_id: None,
        client_trace_id: None,
    };

    /// Whether anything is to stand among the claims.
    pub(crate) fn has_claims(&self) -> bool {
        !self.claimed.is_empty() || self.client_request_id.is_some() || self.client_trace_id.is_some()
    }

    /// Takes what `stated` adds. What is already set stays, a differing value becomes a claim.
    pub(crate) fn absorb(&mut self, stated: Self) {
        let source = Source {
            ip: settle(&mut self.source.ip, stated.source.ip),
            user_agent: settle(&mut self.source.user_agent, stated.source.user_agent),
            origin: settle(&mut self.source.origin, stated.source.origin),
        };
        let claims = [
            settle(&mut self.actor, stated.actor).map(Claim::Actor),
            settle(&mut self.on_behalf_of, stated.on_behalf_of).map(Claim::OnBehalfOf),
            settle_all(&mut self.invocation_chain, stated.invocation_chain).map(Claim::InvocationChain),
            settle(&mut self.tenant, stated.tenant).map(Claim::Tenant),
            settle_all(&mut self.roles, stated.roles).map(Claim::Roles),
            settle(&mut self.session, stated.session).map(Claim::Session),
            (!source.is_empty()).then_some(Claim::Source(source)),
            settle(&mut self.correlation_id, stated.correlation_id).map(Claim::CorrelationId),
            settle(&mut self.trace_id, stated.trace_id).map(Claim::TraceId),
        ];
        for claim in claims.into_iter().flatten().chain(stated.claimed) {
            add_once(&mut self.claimed, claim);
        }
        self.claimed.truncate(MAX_CLAIMS);
        // Of two things that a client says, neither is worth more.
        settle(&mut self.client_request_id, stated.client_request_id);
        settle(&mut self.client_trace_id, stated.client_trace_id);
        for subject in stated.subjects {
            add_once(&mut self.subjects, subject);
        }
        self.subjects.truncate(MAX_SUBJECTS);
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }
}

/// Takes a stated value where none is held; gives back one that differs.
fn settle<T: PartialEq>(held: &mut Option<T>, stated: Option<T>) -> Option<T> {
    let Some(held) = held else {
        *held = stated;
        return None;
    };
    stated.filter(|stated| held != stated)
}

fn settle_all<T: PartialEq>(held: &mut Vec<T>, stated: Vec<T>) -> Option<Vec<T>> {
    if held.is_empty() {
        *held = stated;
        return None;
    }
    (!stated.is_empty() && *held != stated).then_some(stated)
}

fn add_once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::ActorId;

    #[test]
    fn what_is_set_stays_and_a_differing_value_becomes_a_claim() {
        let ann = Actor::user(ActorId::plain("ann"));
        let bob = Actor::user(ActorId::plain("bob"));
        let mut context = AuditContext::new().actor(ann.clone()).tenant(TenantId::plain("acme"));
        context.absorb(AuditContext::new().actor(bob.clone()).tenant(TenantId::plain("acme")));
        assert_eq!(context.actor, Some(ann));
        assert_eq!(context.claimed, [Claim::Actor(bob)]);
    }

    #[test]
    fn what_is_missing_is_taken() {
        let mut context = AuditContext::new();
        let stated = AuditContext::new()
            .actor(Actor::system())
            .role("admin")
            .source(Source::new().user_agent("curl"))
            .subject(Subject::user(1_u32));
        context.absorb(stated.clone());
        assert_eq!(context, stated);
        context.absorb(AuditContext::new().source(Source::new().user_agent("wget").origin("x")));
        assert_eq!(context.source, Source::new().user_agent("curl").origin("x"));
        assert_eq!(context.claimed, [Claim::Source(Source::new().user_agent("wget"))]);
    }
}
