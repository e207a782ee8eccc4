//! Moments.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// A moment in UTC, to the microsecond. Its text is RFC 3339 with six decimals.
///
/// ```
/// let moment: audit_core::Timestamp = "2026-11-21T09:30:00.000123Z".parse()?;
/// assert_eq!(moment.to_string(), "2026-11-21T09:30:00.000123Z");
/// # Ok::<(), audit_core::InvalidTimestamp>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The present.
    pub fn now() -> Self {
        Self(to_micros(jiff::Timestamp::now()))
    }

    /// Takes microseconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// [`InvalidTimestamp`] outside the years -9999 to 9999.
    pub fn from_unix_micros(micros: i64) -> Result<Self, InvalidTimestamp> {
        jiff::Timestamp::from_microsecond(micros).map(Self).map_err(|_| InvalidTimestamp)
    }

    /// Microseconds since the Unix epoch.
    pub fn as_unix_micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Seconds and nanoseconds since the Unix epoch; a clock before it counts as the epoch.
    pub(crate) fn since_epoch(self) -> (u64, u32) {
        let micros = u64::try_from(self.as_unix_micros()).unwrap_or(0);
        let within = u32::try_from(micros % 1_000_000).unwrap_or(0);
        (micros / 1_000_000, within * 1_000)
    }

    #[cfg(test)]
    pub(crate) fn minus_micros(self, micros: i64) -> Self {
        Self::from_unix_micros(self.as_unix_micros() - micros).unwrap()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        text.parse().map(to_micros).map(Self).map_err(|_| InvalidTimestamp)
    }
}

impl From<SystemTime> for Timestamp {
    /// A time outside the representable years becomes the nearest one inside.
    fn from(time: SystemTime) -> Self {
        let moment = jiff::Timestamp::try_from(time).unwrap_or(if time < SystemTime::UNIX_EPOCH {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        Self(to_micros(moment))
    }
}

/// Not an RFC 3339 timestamp.
#[derive(Debug, Error)]
#[error("not an RFC 3339 timestamp such as 2026-11-21T09:30:00.000000Z")]
pub struct InvalidTimestamp;

fn to_micros(moment: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment)
}
