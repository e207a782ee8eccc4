//! The threads of sinks that write on one of their own.

use std::cell::Cell;
use std::io;
use std::thread::{self, JoinHandle};

thread_local! {
    /// Whether this is a thread of such a sink.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(|| {
        OURS.set(true);
        run();
    })
}

/// Waits for threads that end by themselves, but not on one of ours: what is woken or told there may drop the last
/// handle of a sink.
pub(crate) fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    if !OURS.get() {
        for thread in threads {
            let _ = thread.join();
        }
    }
}
