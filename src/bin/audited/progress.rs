//! How far a long work has come, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line on the standard error that says how far it is, where that is a terminal. It goes with this value.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Without a known end.
    pub(crate) fn start(what: &'static str) -> Self {
        Self::of(ProgressBar::new_spinner(), "{spinner} {human_pos} records {msg} ({per_sec}, {elapsed})", what)
    }

    /// Up to so many.
    pub(crate) fn up_to(records: u64, what: &'static str) -> Self {
        const BAR: &str = "{wide_bar} {human_pos} of {human_len} records {msg} ({per_sec}, {eta} left)";
        Self::of(ProgressBar::new(records), BAR, what)
    }

    fn of(bar: ProgressBar, template: &str, what: &'static str) -> Self {
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Whether anybody sees it.
    pub(crate) fn is_seen(&self) -> bool {
        !self.0.is_hidden()
    }

    pub(crate) fn add(&self, records: usize) {
        self.0.inc(records as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
