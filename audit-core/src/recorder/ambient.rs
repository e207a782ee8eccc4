//! What surrounds the running code: the recorder, the context, the audited call.
//!
//! It lives in a thread-local; a scoped future puts it there for the length of each poll, so that no particular
//! runtime is needed.

use std::cell::RefCell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use thiserror::Error;

use super::Recorder;
use crate::context::AuditContext;
use crate::id::RecordId;

/// A context that a scope and everything within it share, so that what a handler adds is in the records of the
/// calls around it too.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedContext(Arc<Mutex<Arc<AuditContext>>>);

impl SharedContext {
    fn new(context: AuditContext) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(context))))
    }

    pub(crate) fn snapshot(&self) -> Arc<AuditContext> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn absorb(&self, stated: AuditContext) {
        let mut context = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut context).absorb(stated);
    }
}

/// What surrounds the running code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ambient {
    pub(crate) recorder: Option<Recorder>,
    pub(crate) context: Option<SharedContext>,
    pub(crate) call: Option<RecordId>,
}

thread_local! {
    static AMBIENT: RefCell<Ambient> = const { RefCell::new(Ambient { recorder: None, context: None, call: None }) };
}

impl Ambient {
    pub(crate) fn current() -> Self {
        AMBIENT.with_borrow(Clone::clone)
    }

    /// Exchanges this ambient for the current one.
    pub(crate) fn swap(&mut self) {
        AMBIENT.with_borrow_mut(|current| mem::swap(current, self));
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

    fn with_context(context: AuditContext) -> Self {
        Self { context: Some(SharedContext::new(context)), ..Self::current() }
    }

    fn with_recorder(recorder: Recorder) -> Self {
        recorder.announce_scope();
        Self { recorder: Some(recorder), ..Self::current() }
    }
}

pin_project! {
    /// A future within a scope: what [`with_context`], [`with_recorder`] and [`carry`] return.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Scoped<F> {
        ambient: Ambient,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.ambient.enter(|| this.future.poll(cx))
    }
}

/// Scopes a context to a future: every record made while it is polled is stamped with it.
///
/// A context around this one is replaced within the scope, not merged.
pub fn with_context<F: IntoFuture>(context: AuditContext, future: F) -> Scoped<F::IntoFuture> {
    Scoped { ambient: Ambient::with_context(context), future: future.into_future() }
}

/// Scopes a context to a closure.
pub fn with_context_sync<R>(context: AuditContext, inside: impl FnOnce() -> R) -> R {
    Ambient::with_context(context).enter(inside)
}

/// Scopes a recorder to a future, in place of the installed one. Tests use it to run in parallel.
///
/// Where a recorder is installed, that one gets a record of the replacement.
pub fn with_recorder<F: IntoFuture>(recorder: Recorder, future: F) -> Scoped<F::IntoFuture> {
    Scoped { ambient: Ambient::with_recorder(recorder), future: future.into_future() }
}

/// Scopes a recorder to a closure, as [`with_recorder`] does to a future.
pub fn with_recorder_sync<R>(recorder: Recorder, inside: impl FnOnce() -> R) -> R {
    Ambient::with_recorder(recorder).enter(inside)
}

/// Carries recorder, context and the audited call around this one into a task that is spawned:
/// `tokio::spawn(carry(work()))`.
pub fn carry<F: IntoFuture>(future: F) -> Scoped<F::IntoFuture> {
    Scoped { ambient: Ambient::current(), future: future.into_future() }
}

/// The context around the running code, as it is now.
pub fn current_context() -> Option<AuditContext> {
    let context = AMBIENT.with_borrow(|ambient| ambient.context.clone())?;
    Some(AuditContext::clone(&context.snapshot()))
}

/// Adds to the context around the running code, once more is known. What is set already stays: a differing value
/// is kept in the records under `claimed`, and they are flagged.
///
/// # Errors
///
/// [`NoContext`] outside of any scope and any audited call.
pub fn extend_context(stated: AuditContext) -> Result<(), NoContext> {
    let context = AMBIENT.with_borrow(|ambient| ambient.context.clone()).ok_or(NoContext)?;
    context.absorb(stated);
    Ok(())
}

/// There is no context to add to.
#[derive(Debug, Error)]
#[error("no audit context here: scope one with `with_context`, and carry it into spawned tasks with `carry`")]
pub struct NoContext;
