//! Says that no recorder is installed, where somebody may hear it.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::contain::contained;

static SAID: AtomicBool = AtomicBool::new(false);

/// Says it, once a process. It is noted before: a subscriber may record something itself.
pub(super) fn say_once() {
    if SAID.load(Ordering::Relaxed) || SAID.swap(true, Ordering::Relaxed) {
        return;
    }
    if tracing::dispatcher::has_been_set() {
        // The subscriber is foreign code.
        contained(|| {
            tracing::warn!(
                target: "audited",
                "no recorder is installed, so records go to `tracing`; build one and `install()` it in `main`"
            );
        });
        return;
    }
    // Who has closed it does not want to hear it.
    let _ = writeln!(
        io::stderr(),
        "audited: no recorder is installed, so records go to `tracing`, and nobody listens there; build one and \
         `install()` it in `main`"
    );
}
