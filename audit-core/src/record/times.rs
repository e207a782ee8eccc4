//! When it happened, and when the record of it was made.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// Up to which length a call's end is told by its beginning and its latency, without another look at the clock that tells
/// the time: that may be set anew, or stand still while the machine sleeps, but hardly just then.
const SHORT: Duration = Duration::from_millis(1);

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

    /// Of what took so long and is over now.
    pub(crate) fn after(occurred_at: Timestamp, latency: Duration) -> Self {
        if latency > SHORT {
            return Self::until_now(occurred_at);
        }
        Self { occurred_at, recorded_at: occurred_at.plus(latency) }
    }
}
