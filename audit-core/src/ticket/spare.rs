//! Slips that are used again. Each record has one, and most are done with on the thread that made them.

use std::cell::Cell;
use std::sync::{Arc, PoisonError};

use super::{Kept, Slip, State};

thread_local! {
    static SPARE: Cell<Option<Arc<Slip>>> = const { Cell::new(None) };
}

/// One that nobody else has.
pub(super) fn slip(account: Option<Kept>) -> Arc<Slip> {
    // A model has no memory of another, and a thread that is ending none at all.
    let kept = if cfg!(loom) { None } else { SPARE.try_with(Cell::take).ok().flatten() };
    let Some(mut slip) = kept else { return Arc::new(Slip::new(account)) };
    // Whoever let go of it last may have it no more, not even an alarm.
    match Arc::get_mut(&mut slip) {
        Some(Slip { state, .. }) => *state.get_mut().unwrap_or_else(PoisonError::into_inner) = State::new(account),
        None => return Arc::new(Slip::new(account)),
    }
    slip
}

/// Keeps one that is done with.
pub(super) fn keep(slip: &mut Arc<Slip>) {
    if Arc::strong_count(slip) == 1 && Arc::weak_count(slip) == 0 {
        let _ = SPARE.try_with(|spare| spare.set(Some(slip.clone())));
    }
}
