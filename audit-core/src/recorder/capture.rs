//! What the attribute names is read here, before the body runs.

use super::call::Call;
use crate::actor::Actor;
use crate::context::AuditContext;
use crate::identity::{ActorId, Identity, ResourceId, SubjectId, TenantId};
use crate::judge::Told;
use crate::record::{Draft, Stated};
use crate::resource::{Resource, Subject};
use crate::sensitive::{Redaction, Rules, Sensitive};

/// References to traits and no type parameters: this is called by every audited function.
impl Call {
    /// Captures the owner of the record. It comes before the others: it is part of what a keyed hash is made of.
    pub fn tenant(&mut self, tenant: &dyn Sensitive) {
        if self.is_off() {
            return;
        }
        let capture = |redaction: Redaction<'_>| Identity::captured(redaction, tenant);
        let Some(captured) = self.redacting(capture) else { return };
        let known = self.context().tenant.clone();
        if self.early || !known.is_some_and(|known| self.is_same(&known.0, &capture)) {
            self.state(|stated| stated.tenant(TenantId(captured)));
        }
    }

    /// Captures who acts.
    pub fn actor(&mut self, actor: &dyn CaptureActor) {
        if self.is_off() {
            return;
        }
        let Some(captured) = self.redacting(|redaction| actor.capture(redaction)) else { return };
        let known = self.context().actor.clone().filter(|known| known.kind == captured.kind);
        let id = |redaction: Redaction<'_>| Some(actor.capture(redaction)?.id?.0);
        let known = known.and_then(|known| known.id);
        if self.early || !known.is_some_and(|known| self.is_same(&known.0, &id)) {
            self.state(|stated| stated.actor(captured));
        }
    }

    /// Captures whom it is about.
    pub fn subject(&mut self, subject: &dyn CaptureSubject) {
        if self.is_off() {
            return;
        }
        if let Some(subject) = self.redacting(|redaction| subject.capture(redaction)) {
            self.state(|stated| stated.subject(subject));
        }
    }

    /// Captures what is acted on.
    pub fn resource(&mut self, kind: &'static str, id: &dyn Sensitive) {
        if self.is_off() {
            return;
        }
        if let Some(id) = self.redacting(|redaction| Identity::captured(redaction, id)) {
            self.draft.resource = Some(Resource::new(kind, ResourceId(id)));
        }
    }

    /// Captures a field of the detail.
    pub fn field(&mut self, key: &str, value: &dyn Sensitive) {
        self.fields(key, &[value]);
    }

    /// Captures several fields of the detail at once. Their keys are in one text, with commas between them: no key has any.
    pub fn fields(&mut self, keys: &str, values: &[&dyn Sensitive]) {
        if self.is_off() {
            return;
        }
        let rules = self.core.rules();
        let context = rules.ask_for_the_tenant().then(|| self.context.snapshot());
        let Draft { detail, stated, .. } = &mut *self.draft;
        detail.add(redaction(rules, context.as_deref(), stated), &mut |object| {
            for (key, value) in keys.split(',').zip(values) {
                object.value(key, value);
            }
        });
    }

    /// Takes out what was captured early and turns out to be what the context says anyway.
    pub(super) fn settle_early(&mut self) {
        let context = self.context();
        let Some(stated) = self.draft.stated.said() else { return };
        let same = |known: &Identity, stated: &Identity| self.is_same(known, &|_| Some(stated.clone()));
        let tenant = matches!((&context.tenant, &stated.tenant), (Some(a), Some(b)) if same(&a.0, &b.0));
        let actor = match (&context.actor, &stated.actor) {
            (Some(Actor { kind, id: Some(a) }), Some(Actor { kind: other, id: Some(b) })) => {
                kind == other && same(&a.0, &b.0)
            }
            _ => false,
        };
        self.draft.stated.edit(|stated| {
            if tenant {
                stated.tenant = None;
            }
            if actor {
                stated.actor = None;
            }
        });
    }

    fn redacting<R>(&self, capture: impl FnOnce(Redaction<'_>) -> R) -> R {
        self.redacting_with(self.core.rules(), capture)
    }

    fn redacting_with<R>(&self, rules: &Rules, capture: impl FnOnce(Redaction<'_>) -> R) -> R {
        let context = rules.ask_for_the_tenant().then(|| self.context());
        capture(redaction(rules, context.as_deref(), &self.draft.stated))
    }

    /// Whether a captured identity is the one that authentication had set, however each may be shown. Without a key of
    /// its own the recorder compares by one that is forgotten with the process.
    fn is_same(&self, known: &Identity, capture: &dyn Fn(Redaction<'_>) -> Option<Identity>) -> bool {
        let own = self.core.rules();
        let rules = if own.keys.is_some() { own } else { Rules::ephemeral() };
        self.redacting_with(rules, |redaction| match (Identity::captured(redaction, known), capture(redaction)) {
            (Some(known), Some(captured)) => known.secret() == captured.secret(),
            _ => false,
        })
    }

    fn state(&mut self, state: impl FnOnce(AuditContext) -> AuditContext) {
        self.draft.stated.add(state);
    }
}

/// By the tenant of a context, or else by the one that is stated; without a context it is not asked for.
fn redaction<'a>(rules: &'a Rules, context: Option<&'a AuditContext>, stated: &'a Stated) -> Redaction<'a> {
    Redaction::new(rules, context.and_then(|context| context.tenant.as_ref().or(stated.tenant())))
}

impl Told for Call {
    fn fields(&mut self, keys: &str, values: &[&dyn Sensitive]) {
        Self::fields(self, keys, values);
    }

    /// A field that the attribute names comes first.
    fn error(&mut self, detail: &dyn Sensitive) {
        if !self.draft.detail.has(ERROR) {
            self.field(ERROR, detail);
        }
    }
}

/// The key of what an error says besides its code.
const ERROR: &str = "error";

/// What `actor = …` takes: an [`Actor`], or the classified id of a user. One that is absent states nothing.
#[diagnostic::on_unimplemented(
    message = "nobody has decided what an audit record may show of the actor `{Self}`",
    label = "not classified",
    note = "say it at the attribute: `actor = hash(value)` (keyed hash) or `actor = plain(value)`",
    note = "or with a whole one: `actor = Actor::user(ActorId::hash(name))`",
    note = "if it is your type: `#[derive(Sensitive)]`"
)]
pub trait CaptureActor {
    #[doc(hidden)]
    fn capture(&self, redaction: Redaction<'_>) -> Option<Actor>;
}

#[diagnostic::do_not_recommend]
impl<T: Sensitive> CaptureActor for T {
    fn capture(&self, redaction: Redaction<'_>) -> Option<Actor> {
        Some(Actor::user(ActorId(Identity::captured(redaction, self)?)))
    }
}

#[diagnostic::do_not_recommend]
impl CaptureActor for Actor {
    fn capture(&self, redaction: Redaction<'_>) -> Option<Actor> {
        let id = self.id.as_ref().and_then(|id| Identity::captured(redaction, id));
        Some(Self { kind: self.kind, id: id.map(ActorId) })
    }
}

#[diagnostic::do_not_recommend]
impl CaptureActor for &Actor {
    fn capture(&self, redaction: Redaction<'_>) -> Option<Actor> {
        (**self).capture(redaction)
    }
}

#[diagnostic::do_not_recommend]
impl CaptureActor for Option<Actor> {
    fn capture(&self, redaction: Redaction<'_>) -> Option<Actor> {
        self.as_ref()?.capture(redaction)
    }
}

/// What `subject = …` takes: a [`Subject`], or the classified id of a user. One that is absent states nothing.
#[diagnostic::on_unimplemented(
    message = "nobody has decided what an audit record may show of the subject `{Self}`",
    label = "not classified",
    note = "say it at the attribute: `subject = hash(value)` (keyed hash) or `subject = plain(value)`",
    note = "or with a whole one: `subject = Subject::user(SubjectId::hash(name))`",
    note = "if it is your type: `#[derive(Sensitive)]`"
)]
pub trait CaptureSubject {
    #[doc(hidden)]
    fn capture(&self, redaction: Redaction<'_>) -> Option<Subject>;
}

#[diagnostic::do_not_recommend]
impl<T: Sensitive> CaptureSubject for T {
    fn capture(&self, redaction: Redaction<'_>) -> Option<Subject> {
        Some(Subject::user(SubjectId(Identity::captured(redaction, self)?)))
    }
}

#[diagnostic::do_not_recommend]
impl CaptureSubject for Subject {
    fn capture(&self, redaction: Redaction<'_>) -> Option<Subject> {
        let id = SubjectId(Identity::captured(redaction, &self.id)?);
        Some(Self::new(self.kind.clone(), id))
    }
}

#[diagnostic::do_not_recommend]
impl CaptureSubject for &Subject {
    fn capture(&self, redaction: Redaction<'_>) -> Option<Subject> {
        (**self).capture(redaction)
    }
}

#[diagnostic::do_not_recommend]
impl CaptureSubject for Option<Subject> {
    fn capture(&self, redaction: Redaction<'_>) -> Option<Subject> {
        self.as_ref()?.capture(redaction)
    }
}
