//! A request in the hands of a middleware: its context, what it has left, and what the middleware itself records of it.
//!
//! Nothing here knows of a framework, or of HTTP but the names of two actions.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use crate::action::Action;
use crate::actor::ActorKind;
use crate::context::AuditContext;
use crate::correlation::CorrelationId;
use crate::coverage::{Coverage, Left, Tally};
use crate::decision::{Code, Verdict};
use crate::id::RecordId;
use crate::record::{Draft, Kind, Stage, Times};
use crate::recorder::{Ambient, Core, Place, Recorder, Room, Scoped, SharedContext};
use crate::sensitive::{Object, Redaction};
use crate::sink::SinkError;
use crate::ticket::Receipt;
use crate::timestamp::Timestamp;

/// The action of the record that a layer leaves of a request which nothing else accounts for.
pub const HTTP_REQUEST: &str = "http.request";

/// The action of what is added where an answer was not given to the end.
pub const HTTP_RESPONSE_LOST: &str = "http.response_lost";

/// A request while it is handled. Clones are of the same one.
#[derive(Clone)]
pub struct RequestScope(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    /// What surrounds the handling.
    scope: Ambient,
    context: SharedContext,
    correlation_id: CorrelationId,
    tally: Arc<Tally>,
    /// Who asks around the layer.
    around: Option<Arc<Tally>>,
    id: RecordId,
    occurred_at: Timestamp,
    began: Instant,
}

/// What the fields of a record are written by.
type WriteFields<'w> = dyn FnMut(&mut Object<'_, '_>) + 'w;

impl RequestScope {
    /// Begins the handling. What surrounds the layer has set the context first, and this request has a copy of it: what
    /// one request adds is in the records of no other.
    pub fn begin(mut stated: AuditContext) -> Self {
        let around = Ambient::current();
        let mut context = around.context.as_ref().map(|context| context.snapshot().clone()).unwrap_or_default();
        if let Some(known) = &context.correlation_id {
            stated.correlation_id = Some(known.clone());
        }
        let correlation_id = stated.correlation_id.get_or_insert_with(CorrelationId::random).clone();
        context.absorb(stated);
        let context = SharedContext::new(context);
        let tally = Arc::new(Tally::default());
        let recorder = around.recorder.clone().unwrap_or_else(|| Recorder::installed().clone());
        let scope = Ambient {
            recorder: around.recorder,
            context: Some(context.clone()),
            call: around.call,
            tally: Some(tally.clone()),
        };
        let (id, occurred_at) = RecordId::now();
        Self(Arc::new(Inner {
            core: recorder.into_core(),
            scope,
            context,
            correlation_id,
            tally,
            around: around.tally,
            id,
            occurred_at,
            began: Instant::now(),
        }))
    }

    /// The context, as it is now.
    pub fn context(&self) -> AuditContext {
        self.0.context.snapshot().clone()
    }

    /// Adds to the context; what is set stays.
    pub fn extend(&self, stated: AuditContext) {
        self.0.context.absorb(stated);
    }

    /// What ties the records of this request together.
    pub fn correlation_id(&self) -> &CorrelationId {
        &self.0.correlation_id
    }

    /// Runs a part of the handling.
    pub fn enter<R>(&self, inside: impl FnOnce() -> R) -> R {
        self.0.scope.enter_over(inside)
    }

    /// Makes a future a part of the handling, and its drop.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(self.0.scope.clone(), future)
    }

    /// What was left so far.
    pub fn coverage(&self) -> Coverage {
        self.0.tally.coverage()
    }

    /// Which records that was.
    pub fn left(&self) -> Left {
        self.0.tally.left()
    }

    /// The id of the layer's own record, should there be one.
    pub fn id(&self) -> RecordId {
        self.0.id
    }

    /// Whether the layer's own record may be relied on as that of a `fail_closed` call.
    pub fn can_fail_closed(&self) -> bool {
        self.0.core.can_fail_closed(&Action::new(HTTP_REQUEST))
    }

    /// The handling is over: who asks around the layer knows what it left.
    pub fn over(&self) {
        if let Some(around) = &self.0.around {
            around.note(self.coverage());
        }
    }

    /// Records how the request ended. Where `floods`, and nobody knows whose it was, flood control may count it as this.
    pub fn ended(
        &self,
        stage: Stage,
        verdict: Verdict,
        floods: Option<Code>,
        fields: &mut WriteFields<'_>,
    ) -> Recording {
        self.0.scope.note_audited();
        let mut draft = Draft::new(Action::new(HTTP_REQUEST), Kind::Call);
        draft.stage = stage;
        draft.set_verdict(verdict);
        if stage == Stage::Cancelled {
            draft.decision = None;
        }
        draft.parent = self.0.scope.call;
        draft.latency = Some(self.0.began.elapsed());
        self.finish(&mut draft, floods, fields);
        let first = match self.0.core.try_slot() {
            Some(slot) => State::Handed(self.hand_over(&draft, Room::Slot(slot))),
            None => State::Queuing(self.0.core.queue_for_slot(), Box::new(draft)),
        };
        Recording { request: self.clone(), state: first }
    }

    /// Adds, without waiting, that the answer was not given to the end. `record` is what says how the request ended.
    pub fn lost(&self, record: RecordId, reason: Code, fields: &mut WriteFields<'_>) {
        let mut draft = Draft::new(Action::new(HTTP_RESPONSE_LOST), Kind::System);
        draft.call = Some(record);
        self.finish(&mut draft, Some(reason), fields);
        let (id, now) = RecordId::now();
        drop(self.submit(&draft, id, Times::both(now), self.0.core.try_slot().into()));
    }

    fn finish(&self, draft: &mut Draft, floods: Option<Code>, fields: &mut WriteFields<'_>) {
        draft.detail.add(Redaction::default(), fields);
        draft.floods = floods.filter(|_| self.is_anonymous());
    }

    fn is_anonymous(&self) -> bool {
        let context = self.0.context.snapshot();
        context.actor.as_ref().is_none_or(|actor| actor.kind == ActorKind::Anonymous)
    }

    fn hand_over(&self, draft: &Draft, room: Room) -> Receipt {
        self.submit(draft, self.0.id, Times::until_now(self.0.occurred_at), room)
    }

    fn submit(&self, draft: &Draft, id: RecordId, when: Times, room: Room) -> Receipt {
        self.0.core.submit(draft, Some(&self.0.context.snapshot()), id, when, room)
    }
}

/// The layer's own record on its way: a future, ready when the sink has answered. Dropping it leaves the record on its
/// way.
#[must_use = "the record is acknowledged only once this says so"]
pub struct Recording {
    request: RequestScope,
    state: State,
}

enum State {
    /// It waits for room.
    Queuing(Place, Box<Draft>),
    Handed(Receipt),
}

impl Future for Recording {
    type Output = Result<(), SinkError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { request, state } = &mut *self;
        if let State::Queuing(place, draft) = state {
            let slot = ready!(Pin::new(place).poll(cx));
            *state = State::Handed(request.hand_over(draft, slot.into()));
        }
        let State::Handed(receipt) = state else { unreachable!("it was handed over") };
        Pin::new(receipt).poll(cx)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // Nobody waits for room any more: it goes where there is some, or it is lost, and counted.
        if let State::Queuing(_, draft) = &self.state {
            drop(self.request.hand_over(draft, self.request.0.core.try_slot().into()));
        }
    }
}

impl fmt::Debug for RequestScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestScope").field("correlation_id", &self.0.correlation_id).finish_non_exhaustive()
    }
}
