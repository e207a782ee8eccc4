//! What surrounds the running code: the recorder, the context, the audited call.
//!
//! It lives in a thread-local; a scoped future puts it there for the length of each poll, so that no particular
//! runtime is needed.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use thiserror::Error;

use super::Recorder;
use crate::__private::debug_as_display;
use crate::context::AuditContext;
use crate::coverage::{Coverage, LeftEnding, Tally};
use crate::id::RecordId;

/// A context that a scope and everything within it share, so that what a handler adds is in the records of the
/// calls around it too.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedContext(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    first: AuditContext,
    /// With what was added, once something was.
    with_more: OnceLock<Mutex<Arc<AuditContext>>>,
}

impl SharedContext {
    pub(crate) fn new(context: AuditContext) -> Self {
        Self(Arc::new(Shared { first: context, ..Shared::default() }))
    }

    /// The context as it is now.
    pub(crate) fn snapshot(&self) -> Snapshot<'_> {
        self.with_more().map_or(Snapshot::First(&self.0.first), Snapshot::WithMore)
    }

    /// The same, for longer than this is there.
    pub(crate) fn into_snapshot(self) -> Snapshot<'static> {
        self.with_more().map_or(Snapshot::Shared(self), Snapshot::WithMore)
    }

    fn with_more(&self) -> Option<Arc<AuditContext>> {
        let with_more = self.0.with_more.get()?;
        Some(with_more.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    pub(crate) fn absorb(&self, stated: AuditContext) {
        let Shared { first, with_more } = &*self.0;
        let with_more = with_more.get_or_init(|| Mutex::new(Arc::new(first.clone())));
        Arc::make_mut(&mut with_more.lock().unwrap_or_else(PoisonError::into_inner)).absorb(stated);
    }
}

/// A context that does not change any more.
#[derive(Debug)]
pub(crate) enum Snapshot<'a> {
    First(&'a AuditContext),
    Shared(SharedContext),
    WithMore(Arc<AuditContext>),
}

impl Deref for Snapshot<'_> {
    type Target = AuditContext;

    #[inline]
    fn deref(&self) -> &AuditContext {
        match self {
            Self::First(context) => context,
            Self::Shared(context) => &context.0.first,
            Self::WithMore(context) => context,
        }
    }
}

/// What surrounds the running code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ambient {
    pub(crate) recorder: Option<Recorder>,
    pub(crate) context: Option<SharedContext>,
    pub(crate) call: Option<RecordId>,
    /// What the request around the code has left so far, where somebody asks.
    pub(crate) tally: Option<Arc<Tally>>,
}

thread_local! {
    static AMBIENT: RefCell<Ambient> = const { RefCell::new(Ambient::NOTHING) };
}

impl Ambient {
    const NOTHING: Self = Self { recorder: None, context: None, call: None, tally: None };

    /// Where the thread is ending and its locals are gone already, nothing surrounds the code that still runs.
    pub(crate) fn current() -> Self {
        AMBIENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// Looks at what surrounds the code, unless the thread is ending.
    #[inline]
    pub(super) fn look<R>(look: impl FnOnce(&Self) -> R) -> Option<R> {
        AMBIENT.try_with(|current| look(&current.borrow())).ok()
    }

    /// The recorder of the scope that the code runs in, if any.
    pub(crate) fn recorder() -> Option<Recorder> {
        AMBIENT.try_with(|current| current.borrow().recorder.clone()).unwrap_or_default()
    }

    /// Exchanges this ambient for the current one.
    pub(crate) fn swap(&mut self) {
        let _ = AMBIENT.try_with(|current| mem::swap(&mut *current.borrow_mut(), self));
    }

    /// Runs `inside` within this ambient, and puts back what was there before, also when `inside` panics.
    pub(crate) fn enter<R>(&mut self, inside: impl FnOnce() -> R) -> R {
        struct Leave<'a>(&'a mut Ambient);

        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.swap();
            }
        }

        self.swap();
        let _leave = Leave(self);
        inside()
    }

    /// A record is about to be made here.
    pub(crate) fn note_audited(&self) {
        if let Some(tally) = &self.tally {
            tally.note(Coverage::Audited);
        }
    }

    /// An audited call has left its final record here, or it is lost and counted.
    pub(super) fn note_call(&self, id: RecordId, around: Option<RecordId>, ending: LeftEnding) {
        if let Some(tally) = &self.tally {
            tally.call(id, around, ending);
        }
    }

    /// The answer of an audited call did not reach its caller, and that is recorded.
    pub(super) fn note_undelivered(&self) {
        if let Some(tally) = &self.tally {
            tally.undelivered();
        }
    }

    fn of_context(context: AuditContext) -> Self {
        Self { context: Some(SharedContext::new(context)), ..Self::default() }
    }

    fn of_recorder(recorder: Recorder) -> Self {
        recorder.announce_scope();
        Self { recorder: Some(recorder), ..Self::default() }
    }

    /// Runs `inside` within what surrounds the code now, with what this one sets in its place.
    pub(crate) fn enter_over<R>(&self, inside: impl FnOnce() -> R) -> R {
        let around = Self::current();
        let mut ambient = Self {
            recorder: self.recorder.clone().or(around.recorder),
            context: self.context.clone().or(around.context),
            call: self.call.or(around.call),
            tally: self.tally.clone().or(around.tally),
        };
        ambient.enter(inside)
    }
}

/// What surrounds the body of a call, while that does not run; while it does, what surrounds the call.
pub(super) struct Inside {
    pub(super) ambient: Ambient,
    /// Which of these are exchanged: of a body that runs where its call begins only what there was not.
    recorder: bool,
    context: bool,
}

impl Inside {
    /// The inside of a call that begins here, its recorder, and its context.
    pub(super) fn of_current(here: bool) -> (Self, Recorder, SharedContext) {
        // Where the thread is ending and its locals are gone already, nothing surrounds the code that still runs.
        let of = |around: &Ambient| Self::of(around, here);
        AMBIENT.try_with(|current| of(&current.borrow())).unwrap_or_else(|_| of(&Ambient::NOTHING))
    }

    #[inline]
    fn of(around: &Ambient, here: bool) -> (Self, Recorder, SharedContext) {
        let recorder = around.recorder.clone().unwrap_or_else(|| Recorder::installed().clone());
        let context = around.context.clone().unwrap_or_default();
        let (own_recorder, own_context) = (!here || around.recorder.is_none(), !here || around.context.is_none());
        let ambient = Ambient {
            recorder: own_recorder.then(|| recorder.clone()),
            context: own_context.then(|| context.clone()),
            call: around.call,
            tally: around.tally.clone(),
        };
        let inside = Self { ambient, recorder: own_recorder, context: own_context };
        (inside, recorder, context)
    }

    /// Exchanges it for what surrounds the code now.
    pub(super) fn swap(&mut self) {
        let Self { ambient, recorder, context } = self;
        let _ = AMBIENT.try_with(|current| {
            let current = &mut *current.borrow_mut();
            mem::swap(&mut current.call, &mut ambient.call);
            mem::swap(&mut current.tally, &mut ambient.tally);
            if *recorder {
                mem::swap(&mut current.recorder, &mut ambient.recorder);
            }
            if *context {
                mem::swap(&mut current.context, &mut ambient.context);
            }
        });
    }
}

pin_project! {
    /// A future within a scope: what [`with_context`], [`with_recorder`] and [`carry`] return.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Scoped<F> {
        // What the scope sets; the rest is as it is where the future is polled.
        scope: Ambient,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                this.scope.enter_over(|| this.future.set(None));
            }
        }
    }
}

impl<F> Scoped<F> {
    pub(crate) fn new(scope: Ambient, future: F) -> Self {
        Self { scope, future: Some(future) }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        this.scope.enter_over(|| {
            let future = this.future.as_mut().as_pin_mut().expect("a scoped future was polled after it had returned");
            let output = ready!(future.poll(cx));
            // What the future still holds is dropped where it ran.
            this.future.set(None);
            Poll::Ready(output)
        })
    }
}

impl<F> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").finish_non_exhaustive()
    }
}

/// Scopes a context to a future: every record made while it is polled is stamped with it.
///
/// A context around this one is replaced within the scope, not merged.
pub fn with_context<F: IntoFuture>(context: AuditContext, future: F) -> Scoped<F::IntoFuture> {
    Scoped::new(Ambient::of_context(context), future.into_future())
}

/// Has what the future leaves counted.
pub(crate) fn scoped_to_tally<F: Future>(tally: Arc<Tally>, future: F) -> Scoped<F> {
    Scoped::new(Ambient { tally: Some(tally), ..Ambient::default() }, future)
}

/// Scopes a context to a closure.
pub fn with_context_sync<R>(context: AuditContext, inside: impl FnOnce() -> R) -> R {
    Ambient::of_context(context).enter_over(inside)
}

/// Scopes a recorder to a future, in place of the installed one. Tests use it to run in parallel.
///
/// Where a recorder is installed, that one gets a record of the replacement.
pub fn with_recorder<F: IntoFuture>(recorder: Recorder, future: F) -> Scoped<F::IntoFuture> {
    Scoped::new(Ambient::of_recorder(recorder), future.into_future())
}

/// Scopes a recorder to a closure, as [`with_recorder`] does to a future.
pub fn with_recorder_sync<R>(recorder: Recorder, inside: impl FnOnce() -> R) -> R {
    Ambient::of_recorder(recorder).enter_over(inside)
}

/// Carries recorder, context and the audited call around this one into a task that is spawned:
/// `tokio::spawn(carry(work()))`.
pub fn carry<F: IntoFuture>(future: F) -> Scoped<F::IntoFuture> {
    Scoped::new(Ambient::current(), future.into_future())
}

/// The context around the running code, as it is now.
pub fn current_context() -> Option<AuditContext> {
    surrounding_context().map(|context| context.clone())
}

/// The same, to look at.
pub(crate) fn surrounding_context() -> Option<Snapshot<'static>> {
    let context = AMBIENT.try_with(|current| current.borrow().context.clone()).unwrap_or_default();
    context.map(SharedContext::into_snapshot)
}

/// Adds to the context around the running code, once more is known. What is set already stays: a differing value
/// is kept in the records under `claimed`, and they are flagged.
///
/// # Errors
///
/// [`NoContext`] outside of any scope and any audited call.
pub fn extend_context(stated: AuditContext) -> Result<(), NoContext> {
    Ambient::current().context.ok_or(NoContext)?.absorb(stated);
    Ok(())
}

/// There is no context to add to.
#[derive(Error)]
#[error("no audit context here: scope one with `with_context`, and carry it into spawned tasks with `carry`")]
pub struct NoContext;

debug_as_display!(NoContext);
