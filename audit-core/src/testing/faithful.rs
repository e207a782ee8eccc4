//! A test fails where anything was recorded otherwise than it should be.

use std::fmt;

use crate::recorder::{Recorder, Stats};

/// Fails the test at its end, should the recorder until then have lost a record, met an event that its vocabulary does not
/// know, whose payload does not fit, or that came from elsewhere than it may, or redacted a value only because it could not do what the type says.
///
/// ```
/// # use audit_core as audited;
/// use audited::{Action, Recorder, TracingSink, record_action, testing::faithful, with_recorder_sync};
///
/// let recorder = Recorder::builder().sink(TracingSink::new()).allow_weak_fail_closed().build()?;
/// let _faithful = faithful(&recorder);
/// with_recorder_sync(recorder, || record_action(Action::new("door.opened")).wait())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn faithful(recorder: &Recorder) -> Faithful {
    Faithful { recorder: recorder.clone(), before: recorder.stats() }
}

/// What watches a recorder until it is dropped. See [`faithful`].
#[must_use = "it looks when it is dropped: bind it to a name"]
pub struct Faithful {
    recorder: Recorder,
    before: Stats,
}

impl Faithful {
    /// What went wrong so far; nothing if nothing did.
    pub fn findings(&self) -> Vec<String> {
        let (before, now) = (self.before, self.recorder.stats());
        let counts = [
            ("lost", now.lost - before.lost),
            ("not acknowledged in time", now.unacknowledged - before.unacknowledged),
            ("of an action that the vocabulary does not know", now.unknown - before.unknown),
            ("with a payload that does not fit the vocabulary", now.drift - before.drift),
            ("from elsewhere than it may be", now.violations - before.violations),
            ("with a value that was redacted for want of a key or of an encoding", {
                now.redaction_fallbacks - before.redaction_fallbacks
            }),
        ];
        let found = counts.into_iter().filter(|(_, count)| *count > 0);
        found.map(|(what, count)| format!("{count} {what}")).collect()
    }
}

impl Drop for Faithful {
    /// # Panics
    ///
    /// Where there are findings, unless the test panics already.
    fn drop(&mut self) {
        let findings = self.findings();
        assert!(findings.is_empty() || std::thread::panicking(), "records: {}", findings.join(", "));
    }
}

impl fmt::Debug for Faithful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faithful").field("findings", &self.findings()).finish_non_exhaustive()
    }
}
