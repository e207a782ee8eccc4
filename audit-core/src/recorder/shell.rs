//! All of an audited future but its body and its value. Nothing here is generic, so that an audited function adds
//! little to what the compiler has to do.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use super::Recorder;
use super::ambient::Ambient;
use super::call::Call;
use super::running::Running;
use super::site::Described;
use super::slots::Place;
use crate::decision::Verdict;
use crate::judge::Told;
use crate::refusal::Refusal;
use crate::ticket::Receipt;

thread_local! {
    /// The call whose body is being polled, for the prologue inside that body.
    static CALL: Cell<Option<Running>> = const { Cell::new(None) };
    /// Whether the body is that of a call whose action is switched off: of that there is nothing else, and the call above
    /// is one around it.
    static OFF: Cell<bool> = const { Cell::new(false) };
}

/// How far an audited future has come.
pub(super) enum Shell {
    /// Never polled: nothing has happened, and nothing will be recorded.
    New(Described),
    /// Never polled either, but what the attribute names is captured.
    Captured(Running),
    Going(Running),
    /// Its action is switched off, and the body runs.
    Off,
    Over,
}

/// How far the call of an audited future has come.
pub(super) enum Progress {
    /// It waits for room for its record.
    Queuing(Place),
    /// Its body runs.
    Running,
    /// Its body is over, maybe with a panic, and its record is on its way. The lock is never taken: behind it, a future
    /// stays `Sync` that is so without us.
    Answering(Receipt, Mutex<Option<Box<dyn Any + Send>>>),
}

/// The part of an audited future that depends on the type of its value.
pub(super) trait Body {
    /// Polls the future; says whether it is over, with its value kept and nothing else left of it.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool;
    /// Reads the verdict from the value.
    fn judge(&self, told: &mut dyn Told) -> Verdict;
}

impl Shell {
    /// Takes it out; what is left is over.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Over)
    }

    /// Goes on until it has to wait, or answers: with the value (none), or with a refusal.
    pub(super) fn drive(&mut self, body: &mut dyn Body, cx: &mut Context<'_>) -> Poll<Option<Refusal>> {
        loop {
            let mut call = match self.take() {
                Self::New(site) => match Off::enter(site) {
                    Some(off) => return self.drive_off(off, body, cx),
                    None => queued(Call::begin(site)),
                },
                Self::Off => return self.drive_off(Off::again(), body, cx),
                Self::Captured(call) => queued(call.into_call().begin_anew()),
                Self::Going(call) => call,
                Self::Over => over(),
            };
            match &mut call.progress {
                Progress::Queuing(place) => {
                    let Poll::Ready(slot) = Pin::new(place).poll(cx) else { return self.wait(call) };
                    call.admit(slot.as_ref());
                    call.progress = Progress::Running;
                }
                Progress::Running => {
                    let panic;
                    let mut over = false;
                    (call, panic) = run_inside(call, &mut || over = body.poll(cx));
                    if !over && panic.is_none() {
                        return self.wait(call);
                    }
                    end(&mut call, body, panic);
                }
                Progress::Answering(receipt, panic) => {
                    let Poll::Ready(answer) = Pin::new(receipt).poll(cx) else { return self.wait(call) };
                    if let Some(panic) = panic.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
                        resume_unwind(panic);
                    }
                    return Poll::Ready(call.answered(&answer));
                }
            }
            *self = Self::Going(call);
        }
    }

    fn drive_off(&mut self, _off: Off, body: &mut dyn Body, cx: &mut Context<'_>) -> Poll<Option<Refusal>> {
        if body.poll(cx) {
            return Poll::Ready(None);
        }
        *self = Self::Off;
        Poll::Pending
    }

    fn wait(&mut self, call: Running) -> Poll<Option<Refusal>> {
        *self = Self::Going(call);
        Poll::Pending
    }
}

fn queued(mut call: Running) -> Running {
    call.queue_for_room();
    call
}

/// Runs a body inside its call. For that long the call lies where the body's prologue finds it.
pub(super) fn run_inside(mut call: Running, run: &mut dyn FnMut()) -> (Running, Option<Box<dyn Any + Send>>) {
    call.swap_ambient();
    let (outer, outer_off) = (exchange(Some(call)), OFF.replace(false));
    let panic = catch_unwind(AssertUnwindSafe(run)).err();
    OFF.set(outer_off);
    let mut call = exchange(outer).unwrap_or_else(|| nobody());
    call.swap_ambient();
    (call, panic)
}

/// The body runs of a call whose action is switched off, until this is dropped.
#[must_use = "it is over when this is dropped"]
pub(super) struct Off {
    around: bool,
}

impl Off {
    /// Enters the body of a call that begins here, where its action is switched off and nothing need be done but to run
    /// that: the code is inside of a context, and nobody asks what it leaves.
    pub(super) fn enter(site: Described) -> Option<Self> {
        let looked = Ambient::look(|ambient| {
            let recorder = ambient.recorder.as_ref().unwrap_or_else(|| Recorder::installed());
            recorder.core().switches.is_site_off(site) && ambient.context.is_some() && ambient.tally.is_none()
        });
        looked.unwrap_or(false).then(Self::again)
    }

    /// Goes on with one.
    fn again() -> Self {
        Self { around: OFF.replace(true) }
    }
}

impl Drop for Off {
    #[inline]
    fn drop(&mut self) {
        OFF.set(self.around);
    }
}

/// The body is over, and everything of it is dropped, as after a plain call; now its record is on its way.
fn end(call: &mut Call, body: &dyn Body, panic: Option<Box<dyn Any + Send>>) {
    let receipt = match panic {
        Some(_) => call.panicked(),
        None => call.returned(&mut |call| body.judge(call)),
    };
    call.progress = Progress::Answering(receipt, Mutex::new(panic));
}

#[cold]
pub(super) fn over() -> ! {
    panic!("an audited future was polled after it had returned")
}

/// Reaches the call whose body is running.
#[inline]
pub(super) fn with_call<R>(reach: impl FnOnce(&mut Call) -> R) -> Option<R> {
    if is_inside_off() { None } else { with_current(reach) }
}

#[inline(never)]
fn with_current<R>(reach: impl FnOnce(&mut Call) -> R) -> Option<R> {
    struct PutBack(Option<Running>);

    impl Drop for PutBack {
        fn drop(&mut self) {
            exchange(self.0.take());
        }
    }

    PutBack(exchange(None)).0.as_deref_mut().map(reach)
}

/// Whether the body that is running is that of a call whose action is switched off.
#[inline]
pub(super) fn is_inside_off() -> bool {
    OFF.get()
}

/// Exchanges the call whose body is running. Where the thread is ending and its locals are gone, there is none.
fn exchange(call: Option<Running>) -> Option<Running> {
    let mut call = call;
    match CALL.try_with(|current| current.replace(call.take())) {
        Ok(before) => before,
        Err(_) => call,
    }
}

#[cold]
fn nobody() -> ! {
    panic!("the body of an audited function was polled by somebody else than its own future")
}
