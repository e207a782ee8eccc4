//! The audited call around a body: what the attribute expands to.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::call::Call;
use super::site::Site;
use super::slots::Place;
use crate::decision::{Guard, Verdict};
use crate::refusal::{Effect, Refusal};
use crate::sink::SinkError;
use crate::ticket::Receipt;

thread_local! {
    /// The call whose body is being polled, for the prologue inside that body.
    static CALL: Cell<Option<Box<Call>>> = const { Cell::new(None) };
}

pin_project! {
    /// An audited future: the body, then its record, then the answer.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Audited<F: Future, J, R> {
        #[pin]
        body: Option<F>,
        state: State<F::Output>,
        judge: J,
        refuse: R,
        site: &'static Site,
        call: Option<Box<Call>>,
    }

    impl<F: Future, J, R> PinnedDrop for Audited<F, J, R> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(call) = this.call.as_deref_mut() else { return };
            match this.state {
                State::Running => {
                    // What the body's values do when they are dropped still belongs to the call.
                    let dropped = catch_unwind(AssertUnwindSafe(|| call.enter(|| this.body.set(None))));
                    call.cancelled();
                    if let Err(panic) = dropped {
                        resume_unwind(panic);
                    }
                }
                State::Answering(..) => call.undelivered(),
                State::New | State::Queuing(_) | State::Over => {}
            }
        }
    }
}

enum State<T> {
    /// Never polled: nothing has happened, and nothing will be recorded.
    New,
    /// Waits for room for the record.
    Queuing(Place),
    Running,
    /// The body is over, the record on its way.
    Answering(Receipt, End<T>),
    Over,
}

/// How the body ended.
enum End<T> {
    Returned(T),
    Panicked(Box<dyn Any + Send>),
}

/// Wraps the future of an audited function's body.
pub fn audit<F, J, R>(site: &'static Site, body: F, judge: J, refuse: R) -> Audited<F, J, R>
where
    F: Future,
    J: Fn(&F::Output, &mut Call) -> Verdict,
    R: Fn(Refusal) -> F::Output,
{
    Audited { body: Some(body), state: State::New, judge, refuse, site, call: None }
}

/// Captures what the attribute names for a function that returns a future, before its body takes the arguments. The
/// call itself begins, as that of an async function, when the future is first polled.
pub fn begin(site: &'static Site, capture: impl FnOnce(&mut Call)) -> Box<Call> {
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
    let site = call.site();
    Audited { body: Some(body), state: State::New, judge, refuse, site, call: Some(call) }
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
            if matches!(this.state, State::New) {
                let begun = this.call.take().map_or_else(|| Call::begin(this.site), Call::begin_anew);
                *this.state = begun.queue().map_or(State::Running, State::Queuing);
                *this.call = Some(begun);
            }
            let Some(call) = this.call.as_deref_mut() else { over() };
            match this.state {
                State::Queuing(place) => {
                    call.set_slot(ready!(Pin::new(place).poll(cx)));
                    *this.state = State::Running;
                }
                State::Running => {
                    let Some(body) = this.body.as_mut().as_pin_mut() else { over() };
                    let end = match poll_body(this.call, || body.poll(cx)) {
                        Ok(Poll::Pending) => return Poll::Pending,
                        Ok(Poll::Ready(value)) => End::Returned(value),
                        Err(panic) => End::Panicked(panic),
                    };
                    // As after a plain call: everything of the body is dropped before the answer.
                    let Some(call) = this.call.as_deref_mut() else { over() };
                    let dropped = catch_unwind(AssertUnwindSafe(|| call.enter(|| this.body.set(None))));
                    let end = dropped.map_or_else(End::Panicked, |()| end);
                    let receipt = match &end {
                        End::Returned(value) => call.returned(|call| (this.judge)(value, call)),
                        End::Panicked(_) => call.panicked(),
                    };
                    *this.state = State::Answering(receipt, end);
                }
                State::Answering(receipt, _) => {
                    let answer = ready!(Pin::new(receipt).poll(cx));
                    let State::Answering(_, end) = std::mem::replace(this.state, State::Over) else { over() };
                    return Poll::Ready(finish(call, &answer, end, &*this.refuse));
                }
                State::New | State::Over => over(),
            }
        }
    }
}

#[cold]
fn over() -> ! {
    panic!("an audited future was polled after it had returned")
}

/// An audited call that is not async, after its prologue.
pub struct Begun {
    call: Box<Call>,
    started: Result<(), Refusal>,
}

/// Begins an audited function that is not async: captures what the attribute names, and has the intent
/// acknowledged where the policy asks for it.
pub fn begin_sync(site: &'static Site, prologue: impl FnOnce(&mut Call) -> Result<(), Refusal>) -> Begun {
    let mut call = Call::begin(site);
    if let Some(place) = call.queue() {
        call.set_slot(place.wait());
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
    let end = match started {
        Err(refusal) => End::Returned(refuse(refusal)),
        Ok(()) => match catch_unwind(AssertUnwindSafe(|| call.enter(body))) {
            Ok(value) => End::Returned(value),
            Err(panic) => End::Panicked(panic),
        },
    };
    let receipt = match &end {
        End::Returned(value) => call.returned(|call| judge(value, call)),
        End::Panicked(_) => call.panicked(),
    };
    finish(&call, &receipt.wait(), end, &refuse)
}

fn finish<T>(call: &Call, answer: &Result<(), SinkError>, end: End<T>, refuse: &dyn Fn(Refusal) -> T) -> T {
    match end {
        End::Panicked(panic) => resume_unwind(panic),
        End::Returned(value) => call.answered(answer).map_or(value, refuse),
    }
}

/// Polls a body inside its call. For that long the call lies where the body's prologue finds it.
fn poll_body<T>(own: &mut Option<Box<Call>>, poll: impl FnOnce() -> T) -> std::thread::Result<T> {
    if let Some(call) = own {
        call.swap_ambient();
    }
    let outer = CALL.replace(own.take());
    let result = catch_unwind(AssertUnwindSafe(poll));
    *own = CALL.replace(outer);
    if let Some(call) = own {
        call.swap_ambient();
    }
    result
}

/// Reaches the call whose body is being polled.
fn with_call<R>(reach: impl FnOnce(&mut Call) -> R) -> Option<R> {
    struct PutBack(Option<Box<Call>>);

    impl Drop for PutBack {
        fn drop(&mut self) {
            CALL.set(self.0.take());
        }
    }

    let mut call = PutBack(CALL.take());
    call.0.as_deref_mut().map(reach)
}

/// Captures what the attribute names. Called by the body of an audited future, before the user's part of it.
pub fn capture(capture: impl FnOnce(&mut Call)) {
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
