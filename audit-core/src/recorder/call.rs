//! One audited call, from its beginning to its record. Nothing here is generic over the function.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::Recorder;
use super::ambient::{Ambient, SharedContext};
use super::core::Core;
use super::site::{FailurePolicy, Site};
use super::slots::{Place, Slot};
use crate::action::Action;
use crate::actor::Actor;
use crate::context::AuditContext;
use crate::decision::{Guard, Outcome, Verdict};
use crate::id::RecordId;
use crate::identity::{ActorId, Identity, ResourceId, SubjectId, TenantId};
use crate::record::{Draft, Flag, Kind, Stage};
use crate::refusal::{Effect, Refusal};
use crate::resource::{Resource, Subject};
use crate::sensitive::{Object, Redaction, Sensitive};
use crate::sink::SinkError;
use crate::ticket::Receipt;
use crate::timestamp::Timestamp;

/// An audited call that runs.
pub struct Call {
    core: Arc<Core>,
    site: &'static Site,
    /// What the body sees: the recorder, the context, and this call as the parent of the calls it makes.
    ambient: Ambient,
    context: SharedContext,
    id: RecordId,
    occurred_at: Timestamp,
    began: Instant,
    draft: Draft,
    slot: Option<Slot>,
    /// Set where the call was refused before its body ran.
    refused: Option<Refused>,
}

/// Why a call was refused before its body ran.
enum Refused {
    /// It was not allowed.
    Denied(Verdict),
    /// Its intent was not acknowledged.
    Unavailable {
        /// Whether the sink may have the intent, or take at least the end.
        worth_recording: bool,
    },
}

impl Call {
    pub(super) fn begin(site: &'static Site) -> Box<Self> {
        Self::begin_with(site, Draft::new(site.action.clone(), Kind::Call))
    }

    /// Begins anew, here and now, with what was captured before.
    pub(super) fn begin_anew(self: Box<Self>) -> Box<Self> {
        let Self { site, draft, slot, refused, .. } = *self;
        drop(slot);
        let mut call = Self::begin_with(site, draft);
        call.refused = refused;
        call
    }

    fn begin_with(site: &'static Site, mut draft: Draft) -> Box<Self> {
        let mut ambient = Ambient::current();
        let recorder = ambient.recorder.get_or_insert_with(Recorder::installed).clone();
        let context = ambient.context.get_or_insert_default().clone();
        let occurred_at = Timestamp::now();
        let id = RecordId::at(occurred_at);
        draft.parent = ambient.call.replace(id);
        let core = recorder.into_core();
        let slot = core.try_slot();
        Box::new(Self { core, site, ambient, context, id, occurred_at, began: Instant::now(), draft, slot, refused: None })
    }

    pub(super) fn site(&self) -> &'static Site {
        self.site
    }

    /// Where there was no room for the record: a place in the queue.
    pub(super) fn queue(&self) -> Option<Place> {
        self.slot.is_none().then(|| self.core.queue_for_slot())
    }

    pub(super) fn set_slot(&mut self, slot: Option<Slot>) {
        self.slot = slot;
    }

    /// Exchanges what surrounds the thread for what surrounds the body, and back.
    pub(super) fn swap_ambient(&mut self) {
        self.ambient.swap();
    }

    pub(super) fn enter<R>(&mut self, inside: impl FnOnce() -> R) -> R {
        self.ambient.enter(inside)
    }

    /// Captures the owner of the record. It comes before the others: it is part of what a keyed hash is made of.
    pub fn tenant<T: Sensitive + ?Sized>(&mut self, tenant: &T) {
        let tenant = TenantId(self.redacting(|redaction| Identity::captured(redaction, tenant)));
        let known = self.context().tenant.clone();
        if !self.same_identity(known.as_ref().map(|known| &known.0), &tenant.0) {
            self.state(|stated| stated.tenant(tenant));
        }
    }

    /// Captures who acts.
    pub fn actor<A: CaptureActor + ?Sized>(&mut self, actor: &A) {
        let actor = self.redacting(|redaction| actor.capture(redaction));
        let known = self.context().actor.clone().filter(|known| known.kind == actor.kind);
        let same = match (known.and_then(|known| known.id), &actor.id) {
            (Some(known), Some(id)) => self.same_identity(Some(&known.0), &id.0),
            _ => false,
        };
        if !same {
            self.state(|stated| stated.actor(actor));
        }
    }

    /// Captures whom it is about.
    pub fn subject<S: CaptureSubject + ?Sized>(&mut self, subject: &S) {
        let subject = self.redacting(|redaction| subject.capture(redaction));
        self.state(|stated| stated.subject(subject));
    }

    /// Captures what is acted on.
    pub fn resource<T: Sensitive + ?Sized>(&mut self, kind: &'static str, id: &T) {
        let id = ResourceId(self.redacting(|redaction| Identity::captured(redaction, id)));
        self.draft.resource = Some(Resource::new(kind, id));
    }

    /// Captures fields of the detail.
    pub fn fields(&mut self, write: impl FnOnce(&mut Object<'_, '_>)) {
        let mut detail = std::mem::take(&mut self.draft.detail);
        self.redacting(|redaction| detail.add(redaction, write));
        self.draft.detail = detail;
    }

    fn context(&self) -> Arc<AuditContext> {
        self.context.snapshot()
    }

    fn redacting<R>(&self, capture: impl FnOnce(Redaction<'_>) -> R) -> R {
        let context = self.context();
        let tenant = context.tenant.as_ref().or(self.draft.stated.tenant.as_ref());
        capture(Redaction { keys: self.core.keys(), tenant: tenant.map(|tenant| tenant.0.secret()) })
    }

    /// Whether a captured identity is the one that authentication had set, however each may be shown.
    fn same_identity(&self, known: Option<&Identity>, captured: &Identity) -> bool {
        known.is_some_and(|known| {
            self.redacting(|redaction| Identity::captured(redaction, known)).secret() == captured.secret()
        })
    }

    fn state(&mut self, state: impl FnOnce(AuditContext) -> AuditContext) {
        self.draft.stated = state(std::mem::take(&mut self.draft.stated));
    }

    /// Lets the call pass its guard, or notes that it is denied.
    ///
    /// # Errors
    ///
    /// The refusal to answer with.
    pub fn require(&mut self, guard: impl Guard) -> Result<(), Refusal> {
        guard.guard().map_err(|reason| {
            self.refused = Some(Refused::Denied(Verdict::denied(reason)));
            Refusal::Denied
        })
    }

    /// Has the intent written, where there is to be one. A refusal means that the body must not run.
    pub(super) fn intent(&mut self) -> Result<Option<Receipt>, Refusal> {
        if matches!(self.refused, Some(Refused::Denied(_))) {
            return Err(Refusal::Denied);
        }
        if !self.site.intent {
            return Ok(None);
        }
        let closed = self.site.policy == FailurePolicy::Closed;
        if closed && (self.slot.is_none() || !self.core.can_fail_closed()) {
            return Err(self.unavailable(true));
        }
        let slot = self.core.try_slot();
        if closed && slot.is_none() {
            return Err(self.unavailable(true));
        }
        let mut intent = self.draft.clone();
        intent.stage = Stage::Intent;
        intent.call = Some(self.id);
        let id = RecordId::at(self.occurred_at);
        Ok(Some(self.core.submit(&intent, Some(&self.context()), id, self.occurred_at, slot)))
    }

    pub(super) fn intent_answered(&mut self, answer: &Result<(), SinkError>) -> Result<(), Refusal> {
        match answer {
            Ok(()) => Ok(()),
            Err(_) if self.site.policy == FailurePolicy::Open => Ok(()),
            // It may be in the stream nevertheless: then its end should be, too.
            Err(SinkError::Deadline) => Err(self.unavailable(true)),
            Err(_) => Err(self.unavailable(false)),
        }
    }

    fn unavailable(&mut self, worth_recording: bool) -> Refusal {
        self.refused = Some(Refused::Unavailable { worth_recording });
        Refusal::Unavailable { effect: Effect::NotStarted }
    }

    /// The body has returned. `judge` reads the returned value; should it panic, nobody knows how the call ended.
    pub(super) fn returned(&mut self, judge: impl FnOnce(&mut Self) -> Verdict) -> Receipt {
        let verdict = match self.refused.take() {
            None => catch_unwind(AssertUnwindSafe(|| judge(self))).unwrap_or(Verdict::unknown()),
            Some(Refused::Denied(verdict)) => verdict,
            Some(Refused::Unavailable { worth_recording }) => {
                // The caller has waited for this sink long enough, and is refused whatever it says now.
                self.draft.set_verdict(Verdict::failure("audit_unavailable"));
                if worth_recording {
                    drop(self.submit(Stage::Completed));
                }
                return Receipt::acknowledged();
            }
        };
        self.draft.set_verdict(verdict);
        self.submit(Stage::Completed)
    }

    pub(super) fn panicked(&mut self) -> Receipt {
        self.draft.set_verdict(Verdict::failure("panicked"));
        self.submit(Stage::Panicked)
    }

    pub(super) fn cancelled(&mut self) {
        self.draft.decision = None;
        self.draft.outcome = Some(Outcome::Unknown);
        drop(self.submit(Stage::Cancelled));
    }

    /// Adds to the final record that its answer did not reach the caller.
    pub(super) fn undelivered(&mut self) {
        let mut addition = Draft::new(Action::new("audit.undelivered"), Kind::System);
        addition.call = Some(self.id);
        addition.flags.raise(Flag::Undelivered);
        drop(self.core.submit_system(&addition));
    }

    /// The final record is answered for. A refusal takes the place of the returned value.
    pub(super) fn answered(&self, answer: &Result<(), SinkError>) -> Option<Refusal> {
        let closed = self.site.policy == FailurePolicy::Closed;
        (closed && answer.is_err()).then_some(Refusal::Unavailable { effect: Effect::MayHaveHappened })
    }

    fn submit(&mut self, stage: Stage) -> Receipt {
        self.draft.stage = stage;
        self.draft.latency = Some(self.began.elapsed());
        let context = self.context();
        self.core.submit(&self.draft, Some(&context), self.id, self.occurred_at, self.slot.take())
    }
}

/// What `actor = …` takes: an [`Actor`], or the classified id of a user.
#[diagnostic::on_unimplemented(
    message = "nobody has decided what an audit record may show of the actor `{Self}`",
    label = "not classified",
    note = "say it at the attribute: `actor = hash(value)` (keyed hash) or `actor = plain(value)`",
    note = "or with a whole one: `actor = Actor::user(ActorId::hash(name))`",
    note = "if it is your type: `#[derive(Sensitive)]`"
)]
pub trait CaptureActor {
    #[doc(hidden)]
    fn capture(&self, redaction: Redaction<'_>) -> Actor;
}

#[diagnostic::do_not_recommend]
impl<T: Sensitive + ?Sized> CaptureActor for T {
    fn capture(&self, redaction: Redaction<'_>) -> Actor {
        Actor::user(ActorId(Identity::captured(redaction, self)))
    }
}

#[diagnostic::do_not_recommend]
impl CaptureActor for Actor {
    fn capture(&self, redaction: Redaction<'_>) -> Actor {
        let id = self.id.as_ref().map(|id| ActorId(Identity::captured(redaction, id)));
        Actor { kind: self.kind, id }
    }
}

#[diagnostic::do_not_recommend]
impl CaptureActor for &Actor {
    fn capture(&self, redaction: Redaction<'_>) -> Actor {
        (**self).capture(redaction)
    }
}

/// What `subject = …` takes: a [`Subject`], or the classified id of a user.
#[diagnostic::on_unimplemented(
    message = "nobody has decided what an audit record may show of the subject `{Self}`",
    label = "not classified",
    note = "say it at the attribute: `subject = hash(value)` (keyed hash) or `subject = plain(value)`",
    note = "or with a whole one: `subject = Subject::user(SubjectId::hash(name))`",
    note = "if it is your type: `#[derive(Sensitive)]`"
)]
pub trait CaptureSubject {
    #[doc(hidden)]
    fn capture(&self, redaction: Redaction<'_>) -> Subject;
}

#[diagnostic::do_not_recommend]
impl<T: Sensitive + ?Sized> CaptureSubject for T {
    fn capture(&self, redaction: Redaction<'_>) -> Subject {
        Subject::user(SubjectId(Identity::captured(redaction, self)))
    }
}

#[diagnostic::do_not_recommend]
impl CaptureSubject for Subject {
    fn capture(&self, redaction: Redaction<'_>) -> Subject {
        Subject::new(self.kind.clone(), SubjectId(Identity::captured(redaction, &self.id)))
    }
}

#[diagnostic::do_not_recommend]
impl CaptureSubject for &Subject {
    fn capture(&self, redaction: Redaction<'_>) -> Subject {
        (**self).capture(redaction)
    }
}
