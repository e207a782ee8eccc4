//! One audited call, from its beginning to its record. Nothing here is generic over the function.

use std::any::Any;
use std::panic::{RefUnwindSafe, UnwindSafe, resume_unwind};
use std::sync::Arc;

use super::ambient::{Inside, SharedContext, Snapshot};
use super::core::Core;
use super::running::{Running, Sheet};
use super::shell::Progress;
use super::site::{Described, FailurePolicy};
use super::slots::{Place, Room, Slot};
use super::within::Within;
use crate::action::Action;
use crate::contain::contained;
use crate::coverage::LeftEnding;
use crate::decision::{Guard, Outcome, Verdict};
use crate::id::RecordId;
use crate::record::{Draft, Flag, Kind, Stage, Times};
use crate::refusal::{Effect, Refusal};
use crate::sink::SinkError;
use crate::surface::is_minted;
use crate::ticket::Receipt;
use crate::timestamp::Timestamp;

/// An audited call that runs.
#[allow(clippy::struct_excessive_bools, reason = "each can be so whatever the others are")]
pub struct Call {
    pub(super) core: Arc<Core>,
    site: Described,
    /// What the body sees: the recorder, the context, and this call as the parent of the calls it makes.
    inside: Inside,
    pub(super) context: SharedContext,
    pub(super) id: RecordId,
    pub(super) occurred_at: Timestamp,
    pub(super) draft: Sheet,
    /// Whether there was room when it began; its records then always have some, so that none of them has to wait, not
    /// even when the future is dropped.
    admitted: bool,
    /// Whether its action is switched off: it leaves nothing.
    off: bool,
    /// Whether it captures in a context that is not the one of its record.
    pub(super) early: bool,
    /// Whether its intent is acknowledged: without that the body of a `fail_closed` call has not run.
    announced: bool,
    /// Set where the call was refused before its body ran.
    refused: Option<Refused>,
    /// Of an audited future, how far it has come.
    pub(super) progress: Progress,
    /// How far its record is that goes into a transaction of the caller's.
    pub(super) within: Within,
}

/// It is whole whatever panics around it.
impl UnwindSafe for Call {}
impl RefUnwindSafe for Call {}

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
    /// Begins a call whose body runs here and now.
    pub(super) fn begin_here(site: Described) -> Running {
        Self::begin_with(site, Self::draft(site), true)
    }

    /// Begins a call whose body may run on any thread, in whatever surrounds it there.
    pub(super) fn begin(site: Described) -> Running {
        Self::begin_with(site, Self::draft(site), false)
    }

    fn draft(site: Described) -> Sheet {
        let (action, only_from) = site.action_and_surface();
        let mut draft = Sheet::of(action, Kind::Call);
        if !only_from.is_empty() && !is_minted(only_from) {
            draft.flags.raise(Flag::Surface);
        }
        draft
    }

    /// Begins where what is captured is not yet known to be what the context says: the context is another one later.
    pub(super) fn begin_early(site: Described) -> Running {
        let mut call = Self::begin(site);
        call.early = true;
        call
    }

    /// Begins anew, here and now, with what was captured early.
    pub(super) fn begin_anew(self) -> Running {
        let mut call = Self::begin_with(self.site, self.draft, false);
        call.settle_early();
        call
    }

    #[inline]
    fn begin_with(site: Described, mut draft: Sheet, here: bool) -> Running {
        let (mut inside, recorder, context) = Inside::of_current(here);
        inside.ambient.note_audited();
        let (id, occurred_at) = RecordId::now();
        let core = recorder.into_core();
        let off = core.switches.is_site_off(site);
        // The calls within one that leaves nothing are those of the one around it.
        draft.parent = if off { inside.ambient.call } else { inside.ambient.call.replace(id) };
        let admitted = off || core.has_room();
        Running::new(Self {
            core,
            site,
            inside,
            context,
            id,
            occurred_at,
            draft,
            admitted,
            early: false,
            off,
            announced: false,
            refused: None,
            progress: Progress::Running,
            within: Within::Not,
        })
    }

    /// Where there was no room: a place in the queue for it.
    fn queue(&self) -> Option<Place> {
        (!self.admitted).then(|| self.core.queue_for_slot())
    }

    /// Has an audited future queue before its body runs, where there is no room.
    pub(super) fn queue_for_room(&mut self) {
        if let Some(place) = self.queue() {
            self.progress = Progress::Queuing(place);
        }
    }

    /// Blocks the thread until there is room, or none within the deadline.
    pub(super) fn wait_for_room(&mut self) {
        if let Some(place) = self.queue() {
            self.admit(place.wait().as_ref());
        }
    }

    /// There is room now, or none within the deadline.
    pub(super) fn admit(&mut self, slot: Option<&Slot>) {
        self.admitted = slot.is_some();
    }

    /// Exchanges what surrounds the thread for what surrounds the body, and back.
    pub(super) fn swap_ambient(&mut self) {
        self.inside.swap();
    }

    pub(super) fn context(&self) -> Snapshot<'_> {
        self.context.snapshot()
    }

    /// Whether its action is switched off.
    pub(super) fn is_off(&self) -> bool {
        self.off
    }

    /// Whether it was refused before its body ran.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.is_some()
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
        if self.off || !self.site.intent() {
            return Ok(None);
        }
        let closed = self.site.policy() == FailurePolicy::Closed;
        if closed && !(self.admitted && self.core.can_fail_closed(&self.site.action())) {
            return Err(self.unavailable(true));
        }
        // The draft itself, payload and all; its own end overwrites the stage.
        self.draft.stage = Stage::Intent;
        self.draft.call = Some(self.id);
        let flags = self.draft.flags;
        if self.site.transaction() {
            self.draft.flags.raise(Flag::InTransaction);
        }
        let id = RecordId::at(self.occurred_at);
        let when = Times::until_now(self.occurred_at);
        let receipt = self.core.submit(&self.draft, Some(&self.context()), id, when, self.room());
        (self.draft.call, self.draft.flags) = (None, flags);
        self.draft.announced = true;
        Ok(Some(receipt))
    }

    pub(super) fn intent_answered(&mut self, answer: &Result<(), SinkError>) -> Result<(), Refusal> {
        match answer {
            Ok(()) => {
                self.announced = true;
                Ok(())
            }
            Err(_) if self.site.policy() == FailurePolicy::Open => Ok(()),
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
    pub(super) fn returned(&mut self, judge: &mut dyn FnMut(&mut Self) -> Verdict) -> Receipt {
        if self.within.is_written() {
            self.note_left();
            return Receipt::acknowledged();
        }
        let verdict = match &self.refused {
            None if self.within.is_over() => self.judged_before(),
            None => {
                // What the user's code does there belongs to the call.
                self.swap_ambient();
                let verdict = contained(|| judge(self));
                self.swap_ambient();
                verdict.unwrap_or(Verdict::unknown())
            }
            Some(Refused::Denied(verdict)) => verdict.clone(),
            Some(Refused::Unavailable { worth_recording }) => {
                // The caller has waited for this sink long enough, and is refused whatever it says now.
                let worth_recording = *worth_recording;
                self.draft.set_verdict(Verdict::failure("audit_unavailable"));
                if worth_recording {
                    drop(self.submit(Stage::Completed));
                } else {
                    self.note_left();
                }
                return Receipt::acknowledged();
            }
        };
        self.draft.set_verdict(verdict);
        self.submit(Stage::Completed)
    }

    pub(super) fn panicked(&mut self) -> Receipt {
        if self.within.may_be_written() {
            return self.add_undelivered();
        }
        self.draft.set_verdict(Verdict::failure("panicked"));
        self.keep_denial();
        self.submit(Stage::Panicked)
    }

    pub(super) fn cancelled(&mut self) {
        if self.within.may_be_written() {
            return self.undelivered();
        }
        self.draft.decision = None;
        self.draft.outcome = Some(Outcome::Unknown);
        self.keep_denial();
        drop(self.submit(Stage::Cancelled));
    }

    /// However a denied call ends, it was denied.
    fn keep_denial(&mut self) {
        if let Some(Refused::Denied(verdict)) = &self.refused {
            self.draft.decision = Some(verdict.decision().clone());
        }
    }

    /// Ends a call that is not async, and blocks the thread until its record is acknowledged. The body's panic resumes.
    pub(super) fn conclude(
        &mut self,
        panic: Option<Box<dyn Any + Send>>,
        judge: &mut dyn FnMut(&mut Self) -> Verdict,
    ) -> Option<Refusal> {
        let Some(panic) = panic else {
            let answer = self.returned(judge).answer();
            return self.answered(&answer);
        };
        let _ = self.panicked().answer();
        resume_unwind(panic)
    }

    /// Adds to the final record that its answer did not reach the caller.
    pub(super) fn undelivered(&self) {
        drop(self.add_undelivered());
    }

    fn add_undelivered(&self) -> Receipt {
        if self.off {
            return Receipt::acknowledged();
        }
        self.inside.ambient.note_undelivered();
        let mut addition = Draft::new(Action::new("audit.undelivered"), Kind::System);
        addition.call = Some(self.id);
        addition.flags.raise(Flag::Undelivered);
        if self.within.may_be_written() {
            addition.flags.raise(Flag::InTransaction);
        }
        self.core.submit_system_in(&addition, self.room())
    }

    /// The final record is answered for. A refusal takes the place of the returned value.
    pub(super) fn answered(&self, answer: &Result<(), SinkError>) -> Option<Refusal> {
        let closed = self.site.policy() == FailurePolicy::Closed;
        let effect = if self.announced { Effect::MayHaveHappened } else { Effect::NotStarted };
        let refused = closed && (answer.is_err() || self.within.is_refused());
        if refused {
            // Its caller is told that it failed, whatever its record says, should that come to the stream.
            self.inside.ambient.note_call(self.id, self.draft.parent, LeftEnding::Failed);
        }
        refused.then_some(Refusal::Unavailable { effect })
    }

    /// Tells who asks around the request how this call ended.
    fn note_left(&self) {
        self.inside.ambient.note_call(self.id, self.draft.parent, LeftEnding::of(&self.draft));
    }

    /// It is over now: notes how long it took.
    pub(super) fn end(&mut self) -> Times {
        let when = Times::until_now(self.occurred_at);
        self.draft.latency = Some(when.latency());
        when
    }

    fn room(&self) -> Room {
        if self.admitted { Room::Beyond } else { self.core.try_slot().into() }
    }

    fn submit(&mut self, stage: Stage) -> Receipt {
        if self.off {
            return Receipt::acknowledged();
        }
        self.draft.stage = stage;
        let when = self.end();
        self.note_left();
        let context = self.context();
        self.core.submit(&self.draft, Some(&context), self.id, when, self.room())
    }
}
