//! A call between its beginning and its body, where the attribute is not on an async function.

use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::call::Call;
use super::site::Site;
use crate::refusal::Refusal;

/// A call that captures what the attribute names. Should it be dropped before its body, as by a panic in a captured
/// expression, its record says that it was cancelled.
#[must_use]
pub struct Begun {
    /// Taken when the body takes over.
    call: Option<Box<Call>>,
}

/// Begins a call; until its body takes over, the thread is inside of it.
pub fn begin(site: &'static Site) -> Begun {
    let mut call = Call::begin(site);
    call.swap_ambient();
    Begun { call: Some(call) }
}

/// Has the body make its future. Should it panic, nobody can await the record: it is on its way.
pub fn make<F>(begun: &mut Begun, body: impl FnOnce() -> F) -> F {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(future) => future,
        Err(panic) => {
            if let Some(mut call) = begun.leave() {
                drop(call.panicked());
            }
            resume_unwind(panic)
        }
    }
}

impl Begun {
    /// Leaves the inside of the call.
    fn leave(&mut self) -> Option<Box<Call>> {
        let mut call = self.call.take()?;
        call.swap_ambient();
        Some(call)
    }

    pub(super) fn into_call(mut self) -> Box<Call> {
        self.leave().unwrap_or_else(|| gone())
    }

    /// Waits for room, and has the intent acknowledged where there is to be one. It blocks the thread.
    pub(super) fn start(self) -> (Box<Call>, Result<(), Refusal>) {
        let mut call = self.into_call();
        if let Some(place) = call.queue() {
            call.admit(place.wait().as_ref());
        }
        let started = match call.intent() {
            Ok(Some(receipt)) => call.intent_answered(&receipt.wait()),
            Ok(None) => Ok(()),
            Err(refusal) => Err(refusal),
        };
        (call, started)
    }
}

impl Deref for Begun {
    type Target = Call;

    fn deref(&self) -> &Call {
        self.call.as_deref().unwrap_or_else(|| gone())
    }
}

impl DerefMut for Begun {
    fn deref_mut(&mut self) -> &mut Call {
        self.call.as_deref_mut().unwrap_or_else(|| gone())
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(mut call) = self.leave() {
            call.cancelled();
        }
    }
}

#[cold]
fn gone() -> ! {
    unreachable!("the call is there until its body takes over")
}
