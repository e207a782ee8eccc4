//! The audited call around a body: what the attribute expands to. It is compiled for each audited function, and so does
//! as little as it can.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::begun::Begun;
use super::call::Call;
use super::shell::{Body, Shell, drive, dropped, over, run_inside};
use super::site::Site;
use crate::decision::Verdict;
use crate::refusal::Refusal;

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

/// Runs an audited function that is not async: the prologue and the user's part of its body, then its record. It blocks
/// the thread until that is acknowledged.
pub fn audit_sync<T, J, R>(site: &'static Site, body: impl FnOnce() -> T, judge: J, refuse: R) -> T
where
    J: Fn(&T, &mut Call) -> Verdict,
    R: Fn(Refusal) -> T,
{
    let (mut value, mut body) = (None, Some(body));
    let (mut call, panic) = run_inside(Call::begin(site).admitted(), &mut || value = body.take().map(|body| body()));
    let refusal =
        call.conclude(panic, &mut |call| value.as_ref().map_or(Verdict::unknown(), |value| judge(value, call)));
    answer(refusal, value, &refuse)
}

/// For functions that are never refused.
pub fn never_refused<T>(_: Refusal) -> T {
    unreachable!("only a `fail_closed` call, or one with a guard, is refused")
}
