//! The audited call around a body: what the attribute expands to. It is compiled for each audited function, and so does
//! as little as it can.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::begun::Begun;
use super::call::Call;
use super::shell::{Body, CurrentCall, Shell, drive, dropped, over};
use super::site::Site;
use crate::decision::{Guard, Verdict};
use crate::refusal::{Effect, Refusal};
use crate::ticket::Receipt;

pin_project! {
    /// An audited future: the body, then its record, then the answer.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Audited<F, J, R>
    where
        F: Future,
        J: Fn(&F::Output, &mut Call) -> Verdict,
    {
        #[pin]
        body: Option<F>,
        value: Option<F::Output>,
        judge: J,
        refuse: R,
        shell: Shell,
    }

    impl<F, J, R> PinnedDrop for Audited<F, J, R>
    where
        F: Future,
        J: Fn(&F::Output, &mut Call) -> Verdict,
    {
        fn drop(this: Pin<&mut Self>) {
            dropped(this);
        }
    }
}

impl<F, J, R> Body for Audited<F, J, R>
where
    F: Future,
    J: Fn(&F::Output, &mut Call) -> Verdict,
{
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else { over() };
        let Poll::Ready(value) = body.poll(cx) else { return false };
        *this.value = Some(value);
        true
    }

    fn shell(self: Pin<&mut Self>) -> &mut Shell {
        self.project().shell
    }

    fn clear(self: Pin<&mut Self>) {
        self.project().body.set(None);
    }

    fn judge(self: Pin<&mut Self>, call: &mut Call) -> Verdict {
        let this = self.project();
        let Some(value) = this.value else { over() };
        (this.judge)(value, call)
    }
}

/// Wraps the future of an audited function's body.
pub fn audit<F, J, R>(site: &'static Site, body: F, judge: J, refuse: R) -> Audited<F, J, R>
where
    F: Future,
    J: Fn(&F::Output, &mut Call) -> Verdict,
    R: Fn(Refusal) -> F::Output,
{
    Audited { body: Some(body), value: None, judge, refuse, shell: Shell::New(site) }
}

/// Wraps the future that a function has made.
pub fn audit_begun<F, J, R>(begun: Begun, body: F, judge: J, refuse: R) -> Audited<F, J, R>
where
    F: Future,
    J: Fn(&F::Output, &mut Call) -> Verdict,
    R: Fn(Refusal) -> F::Output,
{
    let shell = Shell::Captured(begun.into_call());
    Audited { body: Some(body), value: None, judge, refuse, shell }
}

impl<F, J, R> Future for Audited<F, J, R>
where
    F: Future,
    J: Fn(&F::Output, &mut Call) -> Verdict,
    R: Fn(Refusal) -> F::Output,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let refusal = ready!(drive(self.as_mut(), cx));
        let this = self.project();
        Poll::Ready(answer(refusal, this.value.take(), &*this.refuse))
    }
}

fn answer<T>(refusal: Option<Refusal>, value: Option<T>, refuse: &dyn Fn(Refusal) -> T) -> T {
    match (refusal, value) {
        (Some(refusal), _) => refuse(refusal),
        (None, Some(value)) => value,
        (None, None) => over(),
    }
}

/// Runs the body of an audited function that is not async, and blocks the thread until its record is acknowledged.
pub fn audit_sync<T, J, R>(begun: Begun, body: impl FnOnce() -> T, judge: J, refuse: R) -> T
where
    J: Fn(&T, &mut Call) -> Verdict,
    R: Fn(Refusal) -> T,
{
    let (mut call, started) = begun.start();
    let (mut value, mut body) = (None, Some(body));
    let mut run = || {
        value = match started {
            Ok(()) => body.take().map(|body| body()),
            Err(refusal) => Some(refuse(refusal)),
        };
    };
    let panic = catch_unwind(AssertUnwindSafe(|| call.enter(&mut run as &mut dyn FnMut()))).err();
    let refusal =
        call.conclude(panic, &mut |call| value.as_ref().map_or(Verdict::unknown(), |value| judge(value, call)));
    answer(refusal, value, &refuse)
}

/// The call whose body is being polled. The body of an audited future captures with it what the attribute names.
pub fn call() -> CurrentCall {
    CurrentCall::take()
}

/// Lets the call pass its guard, or notes that it is denied. Called by the body of an audited future.
///
/// # Errors
///
/// The refusal to answer with.
pub fn require(guard: impl Guard) -> Result<(), Refusal> {
    call().get().map_or(Err(Refusal::Denied), |call| call.require(guard))
}

/// Has the intent acknowledged, where the policy asks for it. Awaited by the body of an audited future; a refusal
/// means that the user's part must not run.
pub fn intent() -> Intent {
    Intent { receipt: None }
}

/// See [`intent`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Intent {
    receipt: Option<Receipt>,
}

impl Future for Intent {
    type Output = Result<(), Refusal>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let receipt = match &mut self.receipt {
            Some(receipt) => receipt,
            none => match call().get().map(Call::intent) {
                Some(Ok(Some(receipt))) => none.insert(receipt),
                Some(Ok(None)) => return Poll::Ready(Ok(())),
                Some(Err(refusal)) => return Poll::Ready(Err(refusal)),
                None => return Poll::Ready(Err(NOT_STARTED)),
            },
        };
        let answer = ready!(Pin::new(receipt).poll(cx));
        Poll::Ready(call().get().map_or(Err(NOT_STARTED), |call| call.intent_answered(&answer)))
    }
}

const NOT_STARTED: Refusal = Refusal::Unavailable { effect: Effect::NotStarted };

/// For functions that are never refused.
pub fn never_refused<T>(_: Refusal) -> T {
    unreachable!("only a `fail_closed` call, or one with a guard, is refused")
}
