//! The audited call around a body: what the attribute expands to. It is compiled for each audited function, and so does
//! as little as it can.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::call::Call;
use super::shell::{Next, Shell, over, with_call};
use super::site::Site;
use crate::decision::{Guard, Verdict};
use crate::refusal::{Effect, Refusal};
use crate::ticket::Receipt;

pin_project! {
    /// An audited future: the body, then its record, then the answer.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Audited<F: Future, J, R> {
        #[pin]
        body: Option<F>,
        value: Option<F::Output>,
        judge: J,
        refuse: R,
        shell: Shell,
    }

    impl<F: Future, J, R> PinnedDrop for Audited<F, J, R> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.shell.dropped(&mut || this.body.set(None));
        }
    }
}

/// Wraps the future of an audited function's body.
pub fn audit<F, J, R>(site: &'static Site, body: F, judge: J, refuse: R) -> Audited<F, J, R>
where
    F: Future,
    J: Fn(&F::Output, &mut Call) -> Verdict,
    R: Fn(Refusal) -> F::Output,
{
    Audited { body: Some(body), value: None, judge, refuse, shell: Shell::new(site, None) }
}

/// Captures what the attribute names for a function that returns a future, before its body takes the arguments. The
/// call itself begins, as that of an async function, when the future is first polled.
pub fn begin(site: &'static Site, capture: &mut dyn FnMut(&mut Call)) -> Box<Call> {
    let mut call = Call::begin(site);
    capture(&mut call);
    call
}

/// Has the body make its future. Should it panic, nobody can await the record: it is on its way.
pub fn make<F>(call: &mut Call, body: impl FnOnce() -> F) -> F {
    match catch_unwind(AssertUnwindSafe(|| call.enter(body))) {
        Ok(future) => future,
        Err(panic) => {
            drop(call.panicked());
            resume_unwind(panic)
        }
    }
}

/// Wraps the future that a function has made.
pub fn audit_begun<F, J, R>(call: Box<Call>, body: F, judge: J, refuse: R) -> Audited<F, J, R>
where
    F: Future,
    J: Fn(&F::Output, &mut Call) -> Verdict,
    R: Fn(Refusal) -> F::Output,
{
    Audited { body: Some(body), value: None, judge, refuse, shell: Shell::new(call.site(), Some(call)) }
}

impl<F, J, R> Future for Audited<F, J, R>
where
    F: Future,
    J: Fn(&F::Output, &mut Call) -> Verdict,
    R: Fn(Refusal) -> F::Output,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        loop {
            match this.shell.next(cx) {
                Next::Wait => return Poll::Pending,
                Next::Poll => {
                    let over = this.shell.poll_body(&mut || {
                        if let Some(body) = this.body.as_mut().as_pin_mut()
                            && let Poll::Ready(value) = body.poll(cx)
                        {
                            *this.value = Some(value);
                        }
                        this.value.is_some()
                    });
                    if !over {
                        return Poll::Pending;
                    }
                    this.shell.end(&mut || this.body.set(None), &mut |call| match this.value {
                        Some(value) => (this.judge)(value, call),
                        None => Verdict::unknown(),
                    });
                }
                Next::Answer(refusal) => return Poll::Ready(answer(refusal, this.value.take(), &*this.refuse)),
            }
        }
    }
}

fn answer<T>(refusal: Option<Refusal>, value: Option<T>, refuse: impl Fn(Refusal) -> T) -> T {
    match (refusal, value) {
        (Some(refusal), _) => refuse(refusal),
        (None, Some(value)) => value,
        (None, None) => over(),
    }
}

/// An audited call that is not async, after its prologue.
pub struct Begun {
    call: Box<Call>,
    started: Result<(), Refusal>,
}

/// Begins an audited function that is not async: captures what the attribute names, and has the intent acknowledged
/// where the policy asks for it.
pub fn begin_sync(site: &'static Site, prologue: &mut dyn FnMut(&mut Call) -> Result<(), Refusal>) -> Begun {
    let mut call = Call::begin(site);
    if let Some(place) = call.queue() {
        call.admit(place.wait());
    }
    call.swap_ambient();
    let captured = catch_unwind(AssertUnwindSafe(|| prologue(&mut call)));
    call.swap_ambient();
    let captured = captured.unwrap_or_else(|panic| {
        let _ = call.panicked().wait();
        resume_unwind(panic)
    });
    let started = captured.and_then(|()| {
        let Some(receipt) = call.intent()? else { return Ok(()) };
        call.intent_answered(&receipt.wait())
    });
    Begun { call, started }
}

/// Runs the body of an audited function that is not async, and blocks the thread until its record is acknowledged.
pub fn audit_sync<T, J, R>(begun: Begun, body: impl FnOnce() -> T, judge: J, refuse: R) -> T
where
    J: Fn(&T, &mut Call) -> Verdict,
    R: Fn(Refusal) -> T,
{
    let Begun { mut call, started } = begun;
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
    answer(refusal, value, refuse)
}

/// Captures what the attribute names. Called by the body of an audited future, before the user's part of it.
pub fn capture(capture: &mut dyn FnMut(&mut Call)) {
    with_call(capture);
}

/// Lets the call pass its guard, or notes that it is denied. Called by the body of an audited future.
///
/// # Errors
///
/// The refusal to answer with.
pub fn require(guard: impl Guard) -> Result<(), Refusal> {
    with_call(|call| call.require(guard)).unwrap_or(Err(Refusal::Denied))
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
            none => match with_call(Call::intent) {
                Some(Ok(Some(receipt))) => none.insert(receipt),
                Some(Ok(None)) => return Poll::Ready(Ok(())),
                Some(Err(refusal)) => return Poll::Ready(Err(refusal)),
                None => return Poll::Ready(Err(NOT_STARTED)),
            },
        };
        let answer = ready!(Pin::new(receipt).poll(cx));
        Poll::Ready(with_call(|call| call.intent_answered(&answer)).unwrap_or(Err(NOT_STARTED)))
    }
}

const NOT_STARTED: Refusal = Refusal::Unavailable { effect: Effect::NotStarted };

/// For functions that are never refused.
pub fn never_refused<T>(_: Refusal) -> T {
    unreachable!("only a `fail_closed` call, or one with a guard, is refused")
}
