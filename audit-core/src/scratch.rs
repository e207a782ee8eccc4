//! Memory for texts that are gone again at once.

use std::cell::Cell;

/// The most that a thread keeps.
const MOST_KEPT_BYTES: usize = 16 * 1024;

thread_local! {
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// Lends an empty text. Within, another one is lent, so that what foreign code does there is no matter.
pub(crate) fn with<R>(write: impl FnOnce(&mut String) -> R) -> R {
    // Where the thread is ending, there is none to keep.
    let mut text = SCRATCH.try_with(Cell::take).unwrap_or_default();
    let written = write(&mut text);
    if text.capacity() <= MOST_KEPT_BYTES {
        text.clear();
        let _ = SCRATCH.try_with(|scratch| scratch.set(text));
    }
    written
}
