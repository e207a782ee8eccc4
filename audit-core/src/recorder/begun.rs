//! A call between its beginning and its body, where the attribute is on a function that builds its future by hand.

use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::call::Call;
use super::running::Running;
use super::site::Described;

/// A call that captures what the attribute names. Should it be dropped before its body, as by a panic in a captured
/// expression, its record says that it was cancelled.
#[must_use]
pub struct Begun {
    /// Taken when the body takes over.
    call: Option<Running>,
}

/// Begins a call; until its body takes over, the thread is inside of it.
pub fn begin(site: &'static str) -> Begun {
    let mut call = Call::begin_early(Described(site));
    call.swap_ambient();
    Begun { call: Some(call) }
}

/// Has the body make its future. Should it panic, the record comes before the panic goes on.
pub fn make<F>(begun: &mut Begun, body: impl FnOnce() -> F) -> F {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(future) => future,
        Err(panic) => {
            if let Some(mut call) = begun.leave() {
                let _ = call.panicked().wait();
            }
            resume_unwind(panic)
        }
    }
}

impl Begun {
    /// Leaves the inside of the call.
    fn leave(&mut self) -> Option<Running> {
        let mut call = self.call.take()?;
        call.swap_ambient();
        Some(call)
    }

    pub(super) fn into_call(mut self) -> Running {
        self.leave().unwrap_or_else(|| gone())
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
