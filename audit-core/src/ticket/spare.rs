//! Slips that are used again. Each record has one, and most are done with on the thread that made them.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::{Arc, PoisonError};

use super::{Kept, Slip, State};

thread_local! {
    static SPARE: Cell<Option<Arc<Slip>>> = const { Cell::new(None) };
}

/// A slip that is kept for another record once nobody has it any more.
pub(super) struct Reclaimed(Option<Arc<Slip>>);

impl Reclaimed {
    /// One that nobody else has.
    pub(super) fn new(account: Option<Kept>) -> Self {
        // A model has no memory of another, and a thread that is ending none at all.
        let kept = if cfg!(loom) { None } else { SPARE.try_with(Cell::take).ok().flatten() };
        Self(Some(match kept {
            Some(slip) => renewed(slip, account),
            None => Arc::new(Slip::new(account)),
        }))
    }
}

fn renewed(mut slip: Arc<Slip>, account: Option<Kept>) -> Arc<Slip> {
    // Whoever let go of it last may have it no more, not even an alarm.
    match Arc::get_mut(&mut slip) {
        Some(Slip { state, .. }) => {
            *state.get_mut().unwrap_or_else(PoisonError::into_inner) = State::new(account);
            slip
        }
        None => Arc::new(Slip::new(account)),
    }
}

impl Deref for Reclaimed {
    type Target = Arc<Slip>;

    #[inline]
    fn deref(&self) -> &Arc<Slip> {
        self.0.as_ref().unwrap_or_else(|| unreachable!("a slip is there until it is dropped"))
    }
}

impl Drop for Reclaimed {
    fn drop(&mut self) {
        let Some(slip) = self.0.take() else { return };
        if Arc::strong_count(&slip) == 1 && Arc::weak_count(&slip) == 0 {
            let _ = SPARE.try_with(|spare| spare.set(Some(slip)));
        }
    }
}
