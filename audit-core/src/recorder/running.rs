//! The memory of an audited call. It is used again: each call needs as much as the one before.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

use super::call::Call;
use crate::action::Action;
use crate::record::{Draft, Kind};

/// A call that runs, where its body and whoever drops that find it.
pub(super) struct Running(Reused<Option<Call>>);

/// The draft of its record. It is much larger than the rest of the call, and stays where it is when that is moved.
pub(super) type Sheet = Reused<Draft>;

thread_local! {
    static CALL: Cell<Option<Box<Option<Call>>>> = const { Cell::new(None) };
    static DRAFT: Cell<Option<Box<Draft>>> = const { Cell::new(None) };
}

impl Running {
    #[inline]
    pub(super) fn new(call: Call) -> Self {
        let mut memory = Reused::new(|| None);
        *memory = Some(call);
        Self(memory)
    }

    /// Takes the call out.
    pub(super) fn into_call(mut self) -> Call {
        self.0.take().unwrap_or_else(|| gone())
    }
}

impl Sheet {
    pub(super) fn of(action: Action, kind: Kind) -> Self {
        let mut draft = Self::new(|| Draft::new(Action::checked(""), kind));
        (draft.action, draft.kind) = (action, kind);
        draft
    }
}

impl Deref for Running {
    type Target = Call;

    #[inline]
    fn deref(&self) -> &Call {
        self.0.as_ref().unwrap_or_else(|| gone())
    }
}

impl DerefMut for Running {
    #[inline]
    fn deref_mut(&mut self) -> &mut Call {
        self.0.as_mut().unwrap_or_else(|| gone())
    }
}

/// A value in memory that is kept for the next one of its kind on the thread.
pub(super) struct Reused<T: Reusable>(Option<Box<T>>);

/// What can be used again.
pub(super) trait Reusable: Sized + 'static {
    /// Where one is kept that nobody uses.
    const SPARE: &'static LocalKey<Cell<Option<Box<Self>>>>;

    /// Lets go of what it holds; the memory stays.
    fn clear(&mut self);
}

impl Reusable for Option<Call> {
    const SPARE: &'static LocalKey<Cell<Option<Box<Self>>>> = &CALL;

    fn clear(&mut self) {
        *self = None;
    }
}

impl Reusable for Draft {
    const SPARE: &'static LocalKey<Cell<Option<Box<Self>>>> = &DRAFT;

    fn clear(&mut self) {
        Self::clear(self);
    }
}

impl<T: Reusable> Reused<T> {
    /// One that was cleared, or a new one.
    #[inline]
    fn new(new: impl FnOnce() -> T) -> Self {
        // A thread that is ending has none.
        let spare = T::SPARE.try_with(Cell::take).ok().flatten();
        Self(Some(spare.unwrap_or_else(|| Box::new(new()))))
    }
}

impl<T: Reusable> Deref for Reused<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or_else(|| gone())
    }
}

impl<T: Reusable> DerefMut for Reused<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_deref_mut().unwrap_or_else(|| gone())
    }
}

impl<T: Reusable> Drop for Reused<T> {
    fn drop(&mut self) {
        let Some(mut memory) = self.0.take() else { return };
        memory.clear();
        let _ = T::SPARE.try_with(|spare| spare.set(Some(memory)));
    }
}

#[cold]
fn gone() -> ! {
    unreachable!("a call is there until it is dropped")
}
