//! Lines on the standard error, of what the forwarder and the journals say.

use std::io::{IsTerminal as _, stderr};

use tracing::Level;
use tracing_subscriber::fmt;

/// Begins to log: lines for people, or JSON for programs.
///
/// Where the standard error is systemd's journal, that adds the times.
pub(super) fn start(json: bool) {
    let lines = fmt().with_writer(stderr).with_max_level(Level::INFO).with_ansi(stderr().is_terminal());
    // Somebody else has set one only where this is called twice.
    let _ = if json {
        lines.json().flatten_event(true).try_init()
    } else if std::env::var_os("JOURNAL_STREAM").is_some() {
        lines.without_time().try_init()
    } else {
        lines.try_init()
    };
}
