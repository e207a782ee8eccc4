//! Moments.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use thiserror::Error;

/// A moment in UTC, to the microsecond. Its text is RFC 3339 with six decimals.
///
/// ```
/// # use audit_core as audited;
/// let moment: audited::Timestamp = "2026-11-21T09:30:00.000123Z".parse()?;
/// assert_eq!(moment.to_string(), "2026-11-21T09:30:00.000123Z");
/// # Ok::<(), audited::InvalidTimestamp>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp {
    /// Microseconds since the Unix epoch, within the years that `jiff` knows.
    micros: i64,
}

const MICROS_PER_SECOND: i64 = 1_000_000;

impl Timestamp {
    /// The present.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Takes microseconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// [`InvalidTimestamp`] outside the years -9999 to 9999.
    pub fn from_unix_micros(micros: i64) -> Result<Self, InvalidTimestamp> {
        let moment = Self { micros };
        moment.to_jiff().map(|_| moment).map_err(|_| InvalidTimestamp)
    }

    /// So long after the Unix epoch, and no later than there are years.
    #[inline]
    pub(crate) fn since_epoch(since: Duration) -> Self {
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        let micros = seconds.saturating_mul(MICROS_PER_SECOND).saturating_add(since.subsec_micros().into());
        Self { micros: micros.min(jiff::Timestamp::MAX.as_microsecond()) }
    }

    /// Microseconds since the Unix epoch.
    pub fn as_unix_micros(self) -> i64 {
        self.micros
    }

    /// How long it is after an earlier moment.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.micros.saturating_sub(earlier.micros)).unwrap_or_default())
    }

    /// Appends its text, which needs no escaping.
    pub(crate) fn push_to(self, out: &mut String) {
        let (second, micros) = (self.micros.div_euclid(MICROS_PER_SECOND), self.micros.rem_euclid(MICROS_PER_SECOND));
        let pushed = LAST.try_with(|last| {
            let mut last = last.borrow_mut();
            if last.second != Some(second) {
                *last = Second::of(second);
            }
            out.push_str(&last.text);
        });
        if pushed.is_err() {
            // The thread is ending, and its locals are gone.
            out.push_str(&Second::of(second).text);
        }
        // All six digits: a point stands in place of the one before them.
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(MICROS_PER_SECOND + micros);
        out.extend([".", &digits[1..], "Z"]);
    }

    /// As `jiff` knows it; of microseconds alone it takes fewer.
    fn to_jiff(self) -> Result<jiff::Timestamp, jiff::Error> {
        let micros = i32::try_from(self.micros % MICROS_PER_SECOND).unwrap_or_default();
        jiff::Timestamp::new(self.micros / MICROS_PER_SECOND, micros * 1_000)
    }

    #[cfg(test)]
    pub(crate) fn minus_micros(self, micros: i64) -> Self {
        Self::from_unix_micros(self.as_unix_micros() - micros).unwrap()
    }
}

thread_local! {
    /// The second that was written last: of the records that a thread makes many lie in the same.
    static LAST: RefCell<Second> = const { RefCell::new(Second { second: None, text: String::new() }) };
}

/// A second, and its text up to where the decimals begin.
struct Second {
    second: Option<i64>,
    text: String,
}

impl Second {
    fn of(second: i64) -> Self {
        let moment = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::MIN);
        let mut text = moment.to_string();
        // The `Z`.
        text.pop();
        Self { second: Some(second), text }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.to_jiff().unwrap_or_default())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
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
        text.parse().map(to_micros).map_err(|_| InvalidTimestamp)
    }
}

impl From<SystemTime> for Timestamp {
    /// A time outside the representable years becomes the nearest one inside.
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Self::since_epoch(since),
            // Before the epoch a microsecond is rounded as `jiff` does.
            Err(_) => to_micros(jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::MIN)),
        }
    }
}

/// Not an RFC 3339 timestamp.
#[derive(Debug, Error)]
#[error("not an RFC 3339 timestamp such as 2026-11-21T09:30:00.000000Z")]
pub struct InvalidTimestamp;

fn to_micros(moment: jiff::Timestamp) -> Timestamp {
    Timestamp { micros: moment.as_microsecond() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_what_is_displayed() {
        let [min, max] = [jiff::Timestamp::MIN, jiff::Timestamp::MAX].map(jiff::Timestamp::as_microsecond);
        let edges =
            [min, min + 1, -62_135_596_800_000_001, -1, 0, 1, 999_999, 1_000_000, 1_764_484_777_000_123, max - 1, max];
        // Each twice in a row, and back: what is kept of the last one must not show in the next.
        for micros in edges.into_iter().chain(edges.into_iter().rev()) {
            let moment = Timestamp::from_unix_micros(micros).unwrap();
            for _ in 0..2 {
                let mut pushed = String::new();
                moment.push_to(&mut pushed);
                assert_eq!(pushed, moment.to_string());
                assert_eq!(pushed.parse::<Timestamp>().unwrap(), moment);
            }
        }
    }

    #[test]
    fn a_system_time_is_cut_to_the_microsecond_and_to_the_years() {
        let at = |nanos: i64| {
            let since = Duration::from_nanos(nanos.unsigned_abs());
            let epoch = SystemTime::UNIX_EPOCH;
            Timestamp::from(if nanos < 0 { epoch - since } else { epoch + since }).as_unix_micros()
        };
        assert_eq!([at(1_999), at(1_000_000_000_000_000_999), at(-1_000)], [1, 1_000_000_000_000_000, -1]);
        let far = Duration::from_secs(1 << 40);
        assert_eq!(
            Timestamp::from(SystemTime::UNIX_EPOCH + far).to_jiff().unwrap().as_second(),
            jiff::Timestamp::MAX.as_second()
        );
        assert_eq!(Timestamp::from(SystemTime::UNIX_EPOCH - far), to_micros(jiff::Timestamp::MIN));
    }

    #[test]
    fn what_is_later_than_all_years_is_the_last_moment() {
        let last = to_micros(jiff::Timestamp::MAX);
        assert_eq!(Timestamp::since_epoch(Duration::MAX), last);
        assert_eq!(Timestamp::since_epoch(Duration::from_nanos(7_999)).as_unix_micros(), 7);
    }

    #[test]
    fn what_is_not_later_lies_no_time_after() {
        let [early, late] = [5, 12].map(|micros| Timestamp::from_unix_micros(micros).unwrap());
        assert_eq!([late.since(early), early.since(late)], [Duration::from_micros(7), Duration::ZERO]);
    }
}
