//! The memory of an audited call. It is used again: each call needs as much as the one before.

use std::cell::Cell;
use std::mem;
use std::ops::{Deref, DerefMut};

use super::call::Call;
use crate::detail::Detail;

/// A call that runs, where its body and whoever drops that find it.
pub(super) struct Running(Option<Box<Memory>>);

#[derive(Default)]
struct Memory {
    call: Option<Call>,
    /// Empty, and with room for the payload of the next call.
    detail: Detail,
}

thread_local! {
    static SPARE: Cell<Option<Box<Memory>>> = const { Cell::new(None) };
}

impl Running {
    pub(super) fn new(call: Call) -> Self {
        // A thread that is ending has none.
        let mut memory = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default();
        let call = memory.call.insert(call);
        if call.draft.detail.is_empty() {
            mem::swap(&mut call.draft.detail, &mut memory.detail);
        }
        Self(Some(memory))
    }

    /// Takes the call out.
    pub(super) fn into_call(mut self) -> Call {
        self.0.as_mut().and_then(|memory| memory.call.take()).unwrap_or_else(|| gone())
    }
}

impl Deref for Running {
    type Target = Call;

    #[inline]
    fn deref(&self) -> &Call {
        match &self.0 {
            Some(memory) => memory.call.as_ref().unwrap_or_else(|| gone()),
            None => gone(),
        }
    }
}

impl DerefMut for Running {
    #[inline]
    fn deref_mut(&mut self) -> &mut Call {
        match &mut self.0 {
            Some(memory) => memory.call.as_mut().unwrap_or_else(|| gone()),
            None => gone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut memory) = self.0.take() else { return };
        let Memory { call, detail } = &mut *memory;
        if let Some(call) = call {
            mem::swap(&mut call.draft.detail, detail);
            detail.clear();
        }
        *call = None;
        let _ = SPARE.try_with(|spare| spare.set(Some(memory)));
    }
}

#[cold]
fn gone() -> ! {
    unreachable!("a call is there until it is dropped")
}
