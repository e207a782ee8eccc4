//! An audited future is dropped: around the drop of its body there is its call.
//!
//! One field before the body enters the call, one behind it leaves it and has it recorded. So nothing of this is compiled
//! for each function but two calls, and a panic of the body's values needs no catching.

use std::cell::RefCell;

use super::running::Running;
use super::shell::{Progress, Shell};

thread_local! {
    /// The calls whose bodies are being dropped, the innermost last; none in place of a body that was not running.
    static LEFT: RefCell<Vec<Option<Running>>> = const { RefCell::new(Vec::new()) };
}

/// The shell of an audited future. When that is dropped, it comes before the body.
pub(super) struct Staying(pub(super) Shell);

impl Drop for Staying {
    #[inline(never)]
    fn drop(&mut self) {
        let Shell::Going(call) = self.0.take() else { return enter(None) };
        match call.progress {
            Progress::Queuing(_) => enter(None),
            Progress::Running => enter(Some(call)),
            Progress::Answering(..) => {
                enter(None);
                call.undelivered();
            }
        }
    }
}

/// The last field of an audited future.
pub(super) struct Leaving;

impl Drop for Leaving {
    #[inline(never)]
    fn drop(&mut self) {
        let left = LEFT.try_with(|left| left.borrow_mut().pop());
        if let Ok(Some(Some(call))) = left {
            leave(call);
        }
    }
}

fn enter(mut call: Option<Running>) {
    if let Some(call) = &mut call {
        call.swap_ambient();
    }
    let _ = LEFT.try_with(|left| left.borrow_mut().push(call.take()));
    // Where the thread is ending and its locals are gone, the body is dropped outside of its call.
    if let Some(call) = call {
        leave(call);
    }
}

fn leave(mut call: Running) {
    call.swap_ambient();
    call.cancelled();
}
