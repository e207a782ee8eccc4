//! Recording an event.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use thiserror::Error;

use super::Recorder;
use super::ambient::{Ambient, SharedContext, Snapshot};
use super::slots::Slot;
use crate::__private::debug_as_display;
use crate::action::Action;
use crate::coverage::LeftEnding;
use crate::event::{Anywhere, AuditEvent, EventKind};
use crate::id::RecordId;
use crate::record::{Flag, RecordBuilder, Times};
use crate::sink::SinkError;
use crate::surface::{Surface, is_minted};
use crate::ticket::Receipt;

/// Records an event: awaiting it, or [`RecordBuilder::wait`], returns when a sink has acknowledged it, unless its action is
/// [switched off](Recorder::switch_off).
///
/// ```text
/// record(UserEvent::Created { id: 7, name }).subject(Subject::user(7)).await?;
/// ```
///
/// Its decision, outcome and severity are those of the event, unless the builder is told others.
pub fn record<E: AuditEvent + Anywhere + Sync + ?Sized>(event: &E) -> RecordBuilder<'_> {
    record_where(event, is_minted)
}

/// Records an event from a surface that it may be bound to. As [`record`] otherwise.
pub fn record_from<'e, E: AuditEvent + Sync + ?Sized>(surface: &Surface, event: &'e E) -> RecordBuilder<'e> {
    record_where(event, |name| name == surface.name())
}

fn record_where<E>(event: &E, may: impl FnOnce(&str) -> bool) -> RecordBuilder<'_>
where
    E: AuditEvent + Sync + ?Sized,
{
    let mut builder = record_action(event.kind().action()).of(|fields| event.write_fields(fields));
    if let Some(verdict) = event.verdict() {
        builder.draft.set_verdict(verdict);
    }
    builder.draft.severity = event.severity();
    if event.surface().is_some_and(|name| !may(name)) {
        builder.draft.flags.raise(Flag::Surface);
    }
    builder
}

/// Records something that has no vocabulary, by its action.
///
/// The recorder is the one that is current here, not where the builder is awaited.
pub fn record_action(action: Action) -> RecordBuilder<'static> {
    RecordBuilder::new(action).by(Recorder::current())
}

impl RecordBuilder<'_> {
    /// Records it, and blocks the thread until it is acknowledged.
    ///
    /// Of an action that is [switched off](Recorder::switch_off) there is no record, and the id is that of none.
    ///
    /// # Errors
    ///
    /// [`Unacknowledged`] when the sink did not acknowledge it in time; the loss is counted.
    pub fn wait(self) -> Result<RecordId, Unacknowledged> {
        let (recorder, written) = (self.recorder(), self.written());
        let slot = recorder.core().try_slot().or_else(|| recorder.core().queue_for_slot().wait());
        let (id, receipt) = written.submit(&recorder, slot);
        receipt.answer().map(|()| id).map_err(Unacknowledged)
    }

    pub(super) fn recorder(&self) -> Recorder {
        self.recorder.clone().unwrap_or_else(Recorder::current)
    }

    fn submit(mut self, recorder: &Recorder, slot: Option<Slot>) -> (RecordId, Receipt) {
        let (context, id, when) = self.placed();
        if recorder.core().switches.is_off(&self.draft.action) {
            return (id, Receipt::acknowledged());
        }
        (id, recorder.core().submit(&self.draft, context.as_deref(), id, when, slot.into()))
    }

    /// Takes what surrounds the code: the context, and the call around it.
    pub(super) fn placed(&mut self) -> (Option<Snapshot<'static>>, RecordId, Times) {
        let ambient = Ambient::current();
        ambient.note_audited();
        self.draft.parent = ambient.call;
        let (id, now) = RecordId::now();
        let id = self.id.unwrap_or(id);
        let when = Times { occurred_at: self.occurred_at.unwrap_or(now), recorded_at: now };
        if let Some(tally) = &ambient.tally {
            tally.event(id, LeftEnding::of(&self.draft));
        }
        (ambient.context.map(SharedContext::into_snapshot), id, when)
    }
}

impl IntoFuture for RecordBuilder<'_> {
    type Output = Result<RecordId, Unacknowledged>;
    type IntoFuture = Acknowledging;

    fn into_future(self) -> Acknowledging {
        let (recorder, written) = (self.recorder(), self.written());
        Acknowledging(Box::pin(async move {
            let slot = match recorder.core().try_slot() {
                Some(slot) => Some(slot),
                None => recorder.core().queue_for_slot().await,
            };
            let (id, receipt) = written.submit(&recorder, slot);
            receipt.await.map(|()| id).map_err(Unacknowledged)
        }))
    }
}

/// The future of a record: its id, once it is acknowledged.
#[must_use = "futures do nothing unless awaited"]
pub struct Acknowledging(Pin<Box<dyn Future<Output = Result<RecordId, Unacknowledged>> + Send>>);

impl Future for Acknowledging {
    type Output = Result<RecordId, Unacknowledged>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

/// A record was not acknowledged. It is counted, and the stream will say so.
#[derive(Error)]
#[error("the audit record was not acknowledged")]
pub struct Unacknowledged(#[source] pub(super) SinkError);

debug_as_display!(Unacknowledged);
