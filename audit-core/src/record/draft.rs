//! A record before it is written.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Kind, Record, Stage, Stamp, Times, encode};
use crate::Recorder;
use crate::action::Action;
use crate::actor::Actor;
use crate::context::AuditContext;
use crate::decision::{Code, Decision, Outcome, Verdict};
use crate::detail::Detail;
use crate::id::RecordId;
use crate::identity::TenantId;
use crate::recorder::surrounding_context;
use crate::resource::{Resource, Subject};
use crate::sensitive::{Object, Redaction, Sensitive};
use crate::severity::Severity;
use crate::timestamp::Timestamp;

/// What a reader must know of a record besides its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Flag {
    /// The answer did not reach the caller: the future was dropped after its body had returned.
    Undelivered,
    /// Something differed from what authentication had set.
    Claimed,
    /// The action breaks the rule.
    VerbatimAction,
    /// A value could not be encoded.
    Unencodable,
    /// Something was too large.
    Cut,
    /// The recorder's vocabulary has no such action.
    UnknownAction,
    /// The payload is not what the recorder's vocabulary says.
    Drift,
    /// It was recorded from elsewhere than it may be.
    Surface,
    /// Denials like it that follow are counted for a while, and not written.
    Coalescing,
    /// It was written into a transaction of the caller's, and is there because that committed; of an intent, the success
    /// of its call is to be found so.
    InTransaction,
    /// The body succeeded, and the caller's transaction did not take the record: what became of its work is not known.
    NotInTransaction,
}

impl Flag {
    pub(crate) const ALL: [Self; 11] = [
        Self::Undelivered,
        Self::Claimed,
        Self::VerbatimAction,
        Self::Unencodable,
        Self::Cut,
        Self::UnknownAction,
        Self::Drift,
        Self::Surface,
        Self::Coalescing,
        Self::InTransaction,
        Self::NotInTransaction,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Undelivered => "undelivered",
            Self::Claimed => "claimed",
            Self::VerbatimAction => "verbatim_action",
            Self::Unencodable => "unencodable",
            Self::Cut => "cut",
            Self::UnknownAction => "unknown_action",
            Self::Drift => "drift",
            Self::Surface => "surface",
            Self::Coalescing => "coalescing",
            Self::InTransaction => "in_transaction",
            Self::NotInTransaction => "not_in_transaction",
        }
    }
}

/// A set of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u16);

impl Flags {
    pub(crate) fn raise(&mut self, flag: Flag) {
        self.0 |= 1 << flag as u8;
    }

    pub(crate) fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u8) != 0
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn raised(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.has(*flag))
    }
}

/// What a program says itself, where it says something: most records leave it to the context.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stated(Option<Box<AuditContext>>);

impl Stated {
    /// What was said, if anything was.
    pub(crate) fn said(&self) -> Option<&AuditContext> {
        self.0.as_deref().filter(|stated| !stated.is_empty())
    }

    pub(crate) fn tenant(&self) -> Option<&TenantId> {
        self.0.as_ref()?.tenant.as_ref()
    }

    pub(crate) fn edit(&mut self, edit: impl FnOnce(&mut AuditContext)) {
        edit(self.0.get_or_insert_default());
    }

    pub(crate) fn add(&mut self, add: impl FnOnce(AuditContext) -> AuditContext) {
        self.edit(|stated| *stated = add(std::mem::take(stated)));
    }
}

/// Everything of a record but its stamp (id, times) and the context around it.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) action: Action,
    pub(crate) kind: Kind,
    pub(crate) stage: Stage,
    pub(crate) decision: Option<Decision>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) severity: Option<Severity>,
    pub(crate) resource: Option<Resource>,
    /// What the program says of who and where; the context around it comes first.
    pub(crate) stated: Stated,
    pub(crate) call: Option<RecordId>,
    pub(crate) parent: Option<RecordId>,
    pub(crate) latency: Option<Duration>,
    pub(crate) detail: Detail,
    pub(crate) flags: Flags,
    /// Whether the intent of its call was handed to the sink.
    pub(crate) announced: bool,
    /// What it counts as under flood control, although it is no denial: somebody whom nobody knows can have any number of
    /// it.
    pub(crate) floods: Option<Code>,
}

impl Draft {
    pub(crate) fn new(action: Action, kind: Kind) -> Self {
        Self {
            action,
            kind,
            stage: Stage::Completed,
            decision: None,
            outcome: None,
            severity: None,
            resource: None,
            stated: Stated::default(),
            call: None,
            parent: None,
            latency: None,
            detail: Detail::default(),
            flags: Flags::default(),
            announced: false,
            floods: None,
        }
    }

    /// Forgets all but what it is of; the memory for the payload stays.
    pub(crate) fn clear(&mut self) {
        let Self {
            action: _,
            kind: _,
            stage,
            decision,
            outcome,
            severity,
            resource,
            stated,
            call,
            parent,
            latency,
            detail,
            flags,
            announced,
            floods,
        } = self;
        *stage = Stage::Completed;
        (*decision, *outcome, *severity, *resource) = (None, None, None, None);
        *stated = Stated::default();
        (*call, *parent, *latency) = (None, None, None);
        detail.clear();
        *flags = Flags::default();
        *announced = false;
        *floods = None;
    }

    pub(crate) fn set_verdict(&mut self, verdict: Verdict) {
        self.decision = Some(verdict.decision);
        self.outcome = Some(verdict.outcome);
    }
}

/// Puts a record together: [`record`](crate::record()) starts one of an event, and awaiting it records it.
///
/// [`Record::builder`] starts one by hand, for sinks and their tests. That one knows no key, so that what should be
/// hashed is redacted.
///
/// ```
/// # use audit_core as audited;
/// use audited::{Action, Actor, ActorId, Outcome, Record};
///
/// let record = Record::builder(Action::new("session.close"))
///     .actor(Actor::user(ActorId::plain("u-17")))
///     .outcome(Outcome::Success)
///     .field("minutes", &42_u32)
///     .build();
/// assert!(record.json().contains(r#""detail":{"minutes":42}"#));
/// ```
///
/// An event is redacted when the builder is done, as the record's own tenant wants it. What is added by
/// [`field`](Self::field) and [`fields`](Self::fields) is redacted when it is added: where a tenant matters, to a policy
/// or to a hash, state the context before.
#[derive(Clone)]
#[must_use = "nothing is recorded until `.await` or `.wait()`, and no record is made until `build`"]
pub struct RecordBuilder<'e> {
    pub(crate) draft: Draft,
    pub(crate) id: Option<RecordId>,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) recorder: Option<Recorder>,
    event: Option<Arc<WriteFields<'e>>>,
}

/// Writes the fields of an event.
type WriteFields<'e> = dyn Fn(&mut Object<'_, '_>) + Send + Sync + 'e;

impl<'e> RecordBuilder<'e> {
    pub(crate) fn new(action: Action) -> Self {
        let mut draft = Draft::new(action, Kind::Event);
        draft.outcome = Some(Outcome::Success);
        Self { draft, id: None, occurred_at: None, recorder: None, event: None }
    }

    /// Takes the recorder: its keys for what is hashed, and its sink.
    pub(crate) fn by(mut self, recorder: Recorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Takes the event, which is written when the rest is known.
    pub(crate) fn of(mut self, write: impl Fn(&mut Object<'_, '_>) + Send + Sync + 'e) -> Self {
        self.event = Some(Arc::new(write));
        self
    }

    /// Writes the event.
    pub(crate) fn written(mut self) -> RecordBuilder<'static> {
        if let Some(write) = self.event.take() {
            self = self.fields(|object| write(object));
        }
        let Self { draft, id, occurred_at, recorder, .. } = self;
        RecordBuilder { draft, id, occurred_at, recorder, event: None }
    }

    /// Sets the id, where it must be the same each time; otherwise one is made.
    pub fn id(mut self, id: RecordId) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets when it happened; otherwise that is now.
    pub fn occurred_at(mut self, moment: Timestamp) -> Self {
        self.occurred_at = Some(moment);
        self
    }

    /// Sets what the record is about; otherwise an event.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.draft.kind = kind;
        self
    }

    /// Sets how far the call has come; otherwise completed.
    pub fn stage(mut self, stage: Stage) -> Self {
        self.draft.stage = stage;
        self
    }

    /// Sets whether it was allowed.
    pub fn decision(mut self, decision: Decision) -> Self {
        self.draft.decision = Some(decision);
        self
    }

    /// Sets how it ended; otherwise a success.
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.draft.outcome = Some(outcome);
        self
    }

    /// Sets a failure as how it ended.
    pub fn failed(self, code: impl Into<Code>) -> Self {
        self.outcome(Outcome::failure(code))
    }

    /// Sets that it was denied: the decision, and a failure with the reason as its code.
    pub fn denied(self, reason: impl Into<Code>) -> Self {
        self.verdict(Verdict::denied(reason))
    }

    /// Sets decision and outcome together.
    pub fn verdict(mut self, verdict: Verdict) -> Self {
        self.draft.set_verdict(verdict);
        self
    }

    /// Sets how grave it is; otherwise the record does not say.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.draft.severity = Some(severity);
        self
    }

    /// Sets who did it.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.draft.stated.add(|stated| stated.actor(actor));
        self
    }

    /// Adds whom it is about.
    pub fn subject(mut self, subject: Subject) -> Self {
        self.draft.stated.add(|stated| stated.subject(subject));
        self
    }

    /// Sets what was acted on.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.draft.resource = Some(resource);
        self
    }

    /// Adds all that a context knows; what is set already stays.
    pub fn context(mut self, context: AuditContext) -> Self {
        self.draft.stated.edit(|stated| stated.absorb(context));
        self
    }

    /// Sets how long it took, written in whole microseconds.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.draft.latency = Some(latency);
        self
    }

    /// Adds a classified value to the detail.
    pub fn field<T: Sensitive + ?Sized>(self, key: &str, value: &T) -> Self {
        self.fields(|fields| fields.value(key, value))
    }

    /// Adds fields to the detail, each as it says.
    pub fn fields(mut self, fields: impl FnOnce(&mut Object<'_, '_>)) -> Self {
        let rules = self.recorder.as_ref().map(|recorder| recorder.core().rules());
        let context = rules.filter(|rules| rules.ask_for_the_tenant()).and_then(|_| surrounding_context());
        let tenant = context.as_ref().and_then(|context| context.tenant.as_ref()).or(self.draft.stated.tenant());
        let redaction = rules.map_or_else(Redaction::default, |rules| Redaction::new(rules, tenant));
        let mut fields = Some(fields);
        self.draft.detail.add(redaction, &mut |object| {
            if let Some(fields) = fields.take() {
                fields(object);
            }
        });
        self
    }

    /// Sets the detail, in place of what was added before.
    pub fn detail(mut self, detail: Detail) -> Self {
        self.draft.detail = detail;
        self
    }

    /// Makes the record.
    pub fn build(self) -> Record {
        let written = self.written();
        let occurred_at = written.occurred_at.unwrap_or_else(Timestamp::now);
        let stamp = Stamp {
            id: written.id.unwrap_or_else(RecordId::new),
            when: Times::both(occurred_at),
            flags: written.draft.flags,
        };
        encode(&written.draft, None, &stamp, Redaction::default().rules)
    }
}

impl fmt::Debug for RecordBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBuilder").field("action", &self.draft.action).finish_non_exhaustive()
    }
}
