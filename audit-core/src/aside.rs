//! What is logged where others wait for the thread that has something to say.
//!
//! A subscriber is foreign code: it may take its time, or block. A deadline that is due meanwhile must not wait for that,
//! so that the threads which see to deadlines leave their lines to another.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::contain::contained;

/// How many lines wait to be logged at most.
const MOST: usize = 1024;

static ASIDE: LazyLock<Arc<Aside>> = LazyLock::new(Arc::default);

thread_local! {
    /// Whether others wait for this thread.
    static IS_AWAITED: Cell<bool> = const { Cell::new(false) };
}

/// From now on this thread leaves what it has to log to another.
pub(crate) fn leave_lines_aside() {
    IS_AWAITED.set(true);
}

/// Logs a loss: here, or on a thread of its own where others wait for this one. Of those for which there is no room
/// there, how many they were is logged.
pub fn log_aside(line: impl FnOnce() + Send + 'static) {
    if IS_AWAITED.get() { ASIDE.push(Box::new(line)) } else { _ = contained(line) }
}

type Line = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Aside(Mutex<State>);

#[derive(Default)]
struct State {
    lines: VecDeque<Line>,
    left_out: u64,
    /// Whether there is a thread.
    started: bool,
}

impl Aside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(self: &Arc<Self>, line: Line) {
        let mut state = self.lock();
        if state.lines.len() < MOST {
            state.lines.push_back(line);
        } else {
            state.left_out += 1;
        }
        if !state.started {
            let aside = self.clone();
            // Where no thread can be had now, the next line tries again.
            state.started = thread::Builder::new().name("audited-log".into()).spawn(move || aside.run()).is_ok();
        }
    }

    /// Logs until nothing is left.
    fn run(&self) {
        while let Some(line) = self.next() {
            _ = contained(line);
        }
    }

    fn next(&self) -> Option<Line> {
        let mut state = self.lock();
        let line = state.lines.pop_front().or_else(|| match std::mem::take(&mut state.left_out) {
            0 => None,
            left_out => Some(Box::new(move || log_left_out(left_out))),
        });
        state.started = line.is_some();
        line
    }
}

fn log_left_out(losses: u64) {
    tracing::error!(target: "audited::loss", losses, "more losses than could be logged one by one");
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn whoever_leaves_a_line_waits_for_none_and_what_is_too_much_is_counted() {
        let (aside, (release, released), (tell, told)) = (Arc::new(Aside::default()), channel::<()>(), channel());
        aside.push(Box::new(move || released.recv().unwrap()));
        while !aside.lock().lines.is_empty() {
            thread::yield_now();
        }
        for n in 0..MOST + 5 {
            let tell = tell.clone();
            aside.push(Box::new(move || tell.send(n).unwrap()));
        }
        let (waiting, left_out) = {
            let state = aside.lock();
            (state.lines.len(), state.left_out)
        };
        assert_eq!((waiting, left_out), (MOST, 5));
        release.send(()).unwrap();
        let logged: Vec<_> = (0..MOST).map(|_| told.recv().unwrap()).collect();
        assert_eq!(logged, (0..MOST).collect::<Vec<_>>(), "in their order");
        while aside.lock().started {
            thread::yield_now();
        }
        assert_eq!(aside.lock().left_out, 0);
        aside.push(Box::new(move || tell.send(0).unwrap()));
        assert_eq!(told.recv().unwrap(), 0, "there is a thread again");
    }

    #[test]
    fn a_line_that_panics_takes_no_other_with_it() {
        let (aside, (tell, told)) = (Arc::new(Aside::default()), channel());
        aside.push(Box::new(|| panic!("as a subscriber may")));
        aside.push(Box::new(move || tell.send(()).unwrap()));
        told.recv().unwrap();
    }
}
