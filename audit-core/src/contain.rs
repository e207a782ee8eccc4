//! Foreign code, kept from hurting.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs foreign code; should it panic, so be it. The payload is dropped unread, and may panic in turn.
pub fn contained<R>(run: impl FnOnce() -> R) -> Option<R> {
    let panic = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => return Some(value),
        Err(panic) => panic,
    };
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // Whoever panics while a panic is dropped is not asked a third time.
        std::mem::forget(again);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    struct PanicsWhenDropped;

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            std::panic::panic_any(Self);
        }
    }

    #[test]
    fn a_panic_stays_inside_whatever_it_carries() {
        assert_eq!(contained(|| 1), Some(1));
        assert_eq!(contained(|| -> u8 { panic!("no") }), None);
        assert_eq!(contained(|| -> u8 { std::panic::panic_any(PanicsWhenDropped) }), None);
    }
}
