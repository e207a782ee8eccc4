//! All of an audited future but its body and its value. Nothing here is generic, so that an audited function adds
//! little to what the compiler has to do.

use std::any::Any;
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::call::Call;
use super::site::Site;
use super::slots::Place;
use crate::decision::Verdict;
use crate::refusal::Refusal;
use crate::ticket::Receipt;

thread_local! {
    /// The call whose body is being polled, for the prologue inside that body.
    static CALL: Cell<Option<Box<Call>>> = const { Cell::new(None) };
}

pub(super) struct Shell {
    site: &'static Site,
    call: Option<Box<Call>>,
    state: State,
    /// What the body has panicked with.
    panic: Option<Box<dyn Any + Send>>,
}

enum State {
    /// Never polled: nothing has happened, and nothing will be recorded.
    New,
    /// Waits for room for the record.
    Queuing(Box<Place>),
    Running,
    /// The body is over, the record on its way.
    Answering(Receipt),
    Over,
}

/// The part of an audited future that is compiled for each function.
pub(super) trait Body {
    /// Polls the future; says whether it is over, with its value kept.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool;
    /// Drops the future.
    fn clear(self: Pin<&mut Self>);
    /// Reads the verdict from the value.
    fn judge(self: Pin<&mut Self>, call: &mut Call) -> Verdict;
}

impl Shell {
    pub(super) const fn new(site: &'static Site, call: Option<Box<Call>>) -> Self {
        Self { site, call, state: State::New, panic: None }
    }

    /// Takes it out; what is left is over.
    pub(super) fn take(&mut self) -> Self {
        let over = Self { site: self.site, call: None, state: State::Over, panic: None };
        std::mem::replace(self, over)
    }

    /// Goes on until it has to wait, or answers: with the value (none), or with a refusal.
    pub(super) fn drive(&mut self, mut body: Pin<&mut (dyn Body + '_)>, cx: &mut Context<'_>) -> Poll<Option<Refusal>> {
        loop {
            match &mut self.state {
                State::New => {
                    let call = self.call.take().map_or_else(|| Call::begin(self.site), Call::begin_anew);
                    self.state = call.queue().map_or(State::Running, |place| State::Queuing(Box::new(place)));
                    self.call = Some(call);
                }
                State::Queuing(place) => {
                    let slot = ready!(Pin::new(&mut **place).poll(cx));
                    self.call().admit(slot.as_ref());
                    self.state = State::Running;
                }
                State::Running => {
                    if !self.poll_body(body.as_mut(), cx) {
                        return Poll::Pending;
                    }
                    self.end(body.as_mut());
                }
                State::Answering(receipt) => {
                    let answer = ready!(Pin::new(receipt).poll(cx));
                    self.state = State::Over;
                    if let Some(panic) = self.panic.take() {
                        resume_unwind(panic);
                    }
                    return Poll::Ready(self.call().answered(&answer));
                }
                State::Over => over(),
            }
        }
    }

    /// Polls the body inside its call. For that long the call lies where the body's prologue finds it.
    fn poll_body(&mut self, body: Pin<&mut (dyn Body + '_)>, cx: &mut Context<'_>) -> bool {
        self.call().swap_ambient();
        let outer = CALL.replace(self.call.take());
        let polled = catch_unwind(AssertUnwindSafe(|| body.poll(cx)));
        self.call = CALL.replace(outer);
        self.call().swap_ambient();
        polled.unwrap_or_else(|panic| {
            self.panic = Some(panic);
            true
        })
    }

    /// The body is over. Everything of it is dropped before the answer, as after a plain call; then its record is on
    /// its way.
    fn end(&mut self, mut body: Pin<&mut (dyn Body + '_)>) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.call().enter(|| body.as_mut().clear()))) {
            self.panic = Some(panic);
        }
        let receipt = match self.panic {
            Some(_) => self.call().panicked(),
            None => self.call().returned(&mut |call| body.as_mut().judge(call)),
        };
        self.state = State::Answering(receipt);
    }

    /// The future is dropped.
    pub(super) fn dropped(&mut self, body: Pin<&mut (dyn Body + '_)>) {
        let Some(call) = self.call.as_deref_mut() else { return };
        match self.state {
            State::Running => {
                // What the body's values do when they are dropped still belongs to the call.
                let dropped = catch_unwind(AssertUnwindSafe(|| call.enter(|| body.clear())));
                call.cancelled();
                if let Err(panic) = dropped {
                    resume_unwind(panic);
                }
            }
            State::Answering(_) => call.undelivered(),
            State::New | State::Queuing(_) | State::Over => {}
        }
    }

    fn call(&mut self) -> &mut Call {
        self.call.as_deref_mut().unwrap_or_else(|| over())
    }
}

#[cold]
pub(super) fn over() -> ! {
    panic!("an audited future was polled after it had returned")
}

/// The call whose body is being polled, taken out for as long as this lives.
#[must_use]
pub struct CurrentCall(Option<Box<Call>>);

impl CurrentCall {
    pub(super) fn take() -> Self {
        Self(CALL.take())
    }

    pub(super) fn get(&mut self) -> Option<&mut Call> {
        self.0.as_deref_mut()
    }
}

impl Deref for CurrentCall {
    type Target = Call;

    fn deref(&self) -> &Call {
        self.0.as_deref().unwrap_or_else(|| nobody())
    }
}

impl DerefMut for CurrentCall {
    fn deref_mut(&mut self) -> &mut Call {
        self.0.as_deref_mut().unwrap_or_else(|| nobody())
    }
}

impl Drop for CurrentCall {
    fn drop(&mut self) {
        CALL.set(self.0.take());
    }
}

#[cold]
fn nobody() -> ! {
    panic!("the body of an audited function was polled by somebody else than its own future")
}
