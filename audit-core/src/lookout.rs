//! Looking out for what mostly comes soon, before a thread sleeps.

use std::thread;
use std::time::{Duration, Instant};

/// How long is looked out. To wake a thread that sleeps takes about as long.
const WATCH: Duration = Duration::from_micros(80);

/// How often in a row that may be in vain, and how many times are let pass by then before the next try.
const TRIES: u32 = 2;
const PAUSE: u32 = 64;

/// Whether it was worthwhile lately: a caller that has just been answered often comes again at once.
#[derive(Debug, Default)]
pub struct Lookout {
    in_vain: u32,
}

impl Lookout {
    /// Looks out for something until a moment after `since`; says whether it came.
    pub fn look(&mut self, since: Instant, is_there: impl Fn() -> bool) -> bool {
        // A model has no time.
        if cfg!(loom) {
            return false;
        }
        if self.in_vain >= TRIES {
            self.in_vain = (self.in_vain + 1) % (TRIES + PAUSE);
            return is_there();
        }
        while !is_there() {
            if since.elapsed() >= WATCH {
                self.in_vain += 1;
                return false;
            }
            thread::yield_now();
        }
        self.in_vain = 0;
        true
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How often it looks for what comes at the `nth` look, having had no luck so many times before.
    fn looks(lookout: &mut Lookout, nth: u32) -> (u32, bool) {
        let count = Cell::new(0);
        let found = lookout.look(Instant::now(), || {
            count.set(count.get() + 1);
            count.get() >= nth
        });
        (count.get(), found)
    }

    #[test]
    fn what_comes_soon_is_waited_for() {
        let mut lookout = Lookout::default();
        for _ in 0..1000 {
            assert_eq!(looks(&mut lookout, 2), (2, true));
        }
    }

    #[test]
    fn a_thread_that_looked_in_vain_looks_once_for_a_while() {
        let mut lookout = Lookout::default();
        for _ in 0..TRIES {
            assert!(!looks(&mut lookout, u32::MAX).1);
        }
        for _ in 0..PAUSE {
            assert_eq!(looks(&mut lookout, u32::MAX), (1, false));
        }
        assert_eq!(looks(&mut lookout, 2), (2, true), "then it tries again");
    }
}
