//! Lines on the standard error, of what the forwarder and the journals say.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

/// Begins to log: lines for people, or JSON for programs.
///
/// Only what `audited` says: what clients of servers log may hold anything. Where the standard error is systemd's
/// journal, that adds the times.
pub(super) fn start(json: bool) {
    let lines = fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal());
    let lines = if json {
        lines.json().flatten_event(true).boxed()
    } else if std::env::var_os("JOURNAL_STREAM").is_some() {
        lines.without_time().boxed()
    } else {
        lines.boxed()
    };
    let ours = Targets::new().with_target("audited", LevelFilter::INFO);
    // Somebody else has set one only where this is called twice.
    let _ = registry().with(lines.with_filter(ours)).try_init();
}
