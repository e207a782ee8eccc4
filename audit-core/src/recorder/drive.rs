//! The audited call around a body: what the attribute expands to. What is generic over the body is compiled for each
//! audited function, and does next to nothing; the rest is compiled for each type of returned values.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::begun::Begun;
use super::call::Call;
use super::leave::{Leaving, Staying};
use super::shell::{Body, Off, Shell, over, run_inside};
use super::site::Described;
use crate::decision::Verdict;
use crate::judge::{Judging, Told};
use crate::refusal::Refusal;

pin_project! {
    /// An audited future: the body, then its record, then the answer. The body drops everything of it before it is ready,
    /// as an async block does.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Audited<F, T, J> {
        // Fields are dropped in this order: should the body be dropped while it runs, what its values do still belongs to
        // the call.
        head: Head<T, J>,
        #[pin]
        body: F,
        leaving: Leaving,
    }
}

/// What an audited future is beside its body.
struct Head<T, J> {
    shell: Staying,
    value: Option<T>,
    judge: J,
}

impl<F, T, J> Audited<F, T, J> {
    fn new(shell: Shell, judge: J, body: F) -> Self {
        Self { head: Head { shell: Staying(shell), value: None, judge }, body, leaving: Leaving }
    }
}

/// Wraps the future of an audited function's body.
pub fn audit<F, J>(site: &'static str, judge: J, body: F) -> Audited<F, F::Output, J>
where
    F: Future,
    J: Judging<F::Output>,
{
    Audited::new(Shell::New(Described(site)), judge, body)
}

/// Wraps the future that a function has made.
pub fn audit_begun<F, J>(begun: Begun, judge: J, body: F) -> Audited<Cleared<F>, F::Output, J>
where
    F: Future,
    J: Judging<F::Output>,
{
    Audited::new(Shell::Captured(begun.into_call()), judge, Cleared { future: Some(body) })
}

impl<F, T, J> Future for Audited<F, T, J>
where
    F: Future<Output = T>,
    J: Judging<T>,
{
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.project();
        this.head.drive(this.body, cx)
    }
}

impl<T, J: Judging<T>> Head<T, J> {
    #[inline(never)]
    fn drive(&mut self, body: Pin<&mut (dyn Future<Output = T> + '_)>, cx: &mut Context<'_>) -> Poll<T> {
        let Self { shell: Staying(shell), value, judge } = self;
        let refusal = ready!(shell.drive(&mut Running { body, value, judge }, cx));
        let value = value.take();
        Poll::Ready(refusal.map_or_else(|| value.unwrap_or_else(|| over()), |refusal| judge.refuse(refusal)))
    }
}

/// A body that runs, and where its value is kept.
struct Running<'a, T, J> {
    body: Pin<&'a mut (dyn Future<Output = T> + 'a)>,
    value: &'a mut Option<T>,
    judge: &'a J,
}

impl<T, J: Judging<T>> Body for Running<'_, T, J> {
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let Poll::Ready(value) = self.body.as_mut().poll(cx) else { return false };
        *self.value = Some(value);
        true
    }

    fn judge(&self, told: &mut dyn Told) -> Verdict {
        self.value.as_ref().map_or(Verdict::unknown(), |value| self.judge.verdict(value, told))
    }
}

pin_project! {
    /// A future that somebody has made, which drops everything of it before it is ready, and when it panics.
    #[derive(Debug)]
    pub struct Cleared<F> {
        #[pin]
        future: Option<F>,
    }
}

impl<F: Future> Future for Cleared<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { over() };
        let polled = catch_unwind(AssertUnwindSafe(|| future.poll(cx)));
        if !matches!(polled, Ok(Poll::Pending)) {
            this.future.set(None);
        }
        polled.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Runs an audited function that is not async: the prologue and the user's part of its body, then its record. It blocks
/// the thread until that is acknowledged.
pub fn audit_sync<T, J, R>(site: &'static str, body: impl FnOnce() -> T, judge: J, refuse: R) -> T
where
    J: Fn(&T, &mut dyn Told) -> Verdict,
    R: Fn(Refusal) -> T,
{
    if let Some(_off) = Off::enter(Described(site)) {
        return body();
    }
    let (mut value, mut body) = (None, Some(body));
    let run: &mut dyn FnMut() = &mut || value = body.take().map(|body| body());
    let mut call = Call::begin_here(Described(site));
    call.wait_for_room();
    let (mut call, panic) = run_inside(call, run);
    let refusal =
        call.conclude(panic, &mut |call| value.as_ref().map_or(Verdict::unknown(), |value| judge(value, call)));
    match (refusal, value) {
        (Some(refusal), _) => refuse(refusal),
        (None, Some(value)) => value,
        (None, None) => over(),
    }
}

/// For functions that are never refused.
pub fn never_refused<T>(_: Refusal) -> T {
    unreachable!("only a `fail_closed` call, or one with a guard, is refused")
}
