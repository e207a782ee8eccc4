//! All of an audited future but its body and its value. Nothing here is generic, so that an audited function adds
//! little to what the compiler has to do.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

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

/// What an audited future does next.
pub(super) enum Next {
    /// It is not its turn.
    Wait,
    /// It polls its body, by [`Shell::poll_body`].
    Poll,
    /// It answers: with its value, or with a refusal.
    Answer(Option<Refusal>),
}

impl Shell {
    pub(super) const fn new(site: &'static Site, call: Option<Box<Call>>) -> Self {
        Self { site, call, state: State::New, panic: None }
    }

    pub(super) fn next(&mut self, cx: &mut Context<'_>) -> Next {
        loop {
            match &mut self.state {
                State::New => {
                    let call = self.call.take().map_or_else(|| Call::begin(self.site), Call::begin_anew);
                    self.state = call.queue().map_or(State::Running, |place| State::Queuing(Box::new(place)));
                    self.call = Some(call);
                }
                State::Queuing(place) => {
                    let Poll::Ready(slot) = Pin::new(&mut **place).poll(cx) else { return Next::Wait };
                    self.call().admit(slot);
                    self.state = State::Running;
                }
                State::Running => return Next::Poll,
                State::Answering(receipt) => {
                    let Poll::Ready(answer) = Pin::new(receipt).poll(cx) else { return Next::Wait };
                    self.state = State::Over;
                    if let Some(panic) = self.panic.take() {
                        resume_unwind(panic);
                    }
                    return Next::Answer(self.call().answered(&answer));
                }
                State::Over => over(),
            }
        }
    }

    /// Polls the body inside its call; `poll` says whether it is over. For that long the call lies where the body's
    /// prologue finds it.
    pub(super) fn poll_body(&mut self, poll: &mut dyn FnMut() -> bool) -> bool {
        self.call().swap_ambient();
        let outer = CALL.replace(self.call.take());
        let polled = catch_unwind(AssertUnwindSafe(poll));
        self.call = CALL.replace(outer);
        self.call().swap_ambient();
        polled.unwrap_or_else(|panic| {
            self.panic = Some(panic);
            true
        })
    }

    /// The body is over. Everything of it is dropped before the answer, as after a plain call; then its record is on
    /// its way.
    pub(super) fn end(&mut self, drop_body: &mut dyn FnMut(), judge: &mut dyn FnMut(&mut Call) -> Verdict) {
        let dropped = catch_unwind(AssertUnwindSafe(|| self.call().enter(drop_body)));
        if let Err(panic) = dropped {
            self.panic = Some(panic);
        }
        let receipt = if self.panic.is_some() { self.call().panicked() } else { self.call().returned(judge) };
        self.state = State::Answering(receipt);
    }

    /// The future is dropped.
    pub(super) fn dropped(&mut self, drop_body: &mut dyn FnMut()) {
        let Some(call) = self.call.as_deref_mut() else { return };
        match self.state {
            State::Running => {
                // What the body's values do when they are dropped still belongs to the call.
                let dropped = catch_unwind(AssertUnwindSafe(|| call.enter(drop_body)));
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

/// Reaches the call whose body is being polled.
pub(super) fn with_call<R>(reach: impl FnOnce(&mut Call) -> R) -> Option<R> {
    struct PutBack(Option<Box<Call>>);

    impl Drop for PutBack {
        fn drop(&mut self) {
            CALL.set(self.0.take());
        }
    }

    let mut call = PutBack(CALL.take());
    call.0.as_deref_mut().map(reach)
}
