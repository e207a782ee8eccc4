//! When it happened, and when the record of it was made.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// The two moments of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) occurred_at: Timestamp,
    pub(crate) recorded_at: Timestamp,
}

impl Times {
    pub(crate) fn both(moment: Timestamp) -> Self {
        Self { occurred_at: moment, recorded_at: moment }
    }

    pub(crate) fn until_now(occurred_at: Timestamp) -> Self {
        Self { occurred_at, recorded_at: Timestamp::now() }
    }

    /// How long lies between them: nothing, where the clock was set back meanwhile.
    pub(crate) fn latency(self) -> Duration {
        self.recorded_at.since(self.occurred_at)
    }
}
