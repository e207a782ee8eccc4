//! Moments as people write them.

use audited::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Zoned};

use crate::failure::Failure;
use crate::output::escape;

/// Reads a moment: RFC 3339, a date, a date and a time, `now`, `today`, `yesterday`, or how long ago, such as `2h`.
///
/// What names no zone is in the one that times are shown in; a date is its first moment.
pub(crate) fn parse(option: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Failure> {
    let now = jiff::Timestamp::now().to_zoned(zone.clone());
    let moment = find(text.trim(), &now).ok_or_else(|| {
        Failure::usage(format!(
            "`{}` is no moment for {option}: write how long ago it is (2h, 3d, 1h30m), `now`, `today`, `yesterday`, a date \
             (2026-11-21), a date and a time (2026-11-21T09:30), or RFC 3339 (2026-11-21T09:30:00Z)",
            escape(text)
        ))
    })?;
    Timestamp::from_unix_micros(moment.timestamp().as_microsecond()).map_err(|error| Failure::usage(error.to_string()))
}

fn find(text: &str, now: &Zoned) -> Option<Zoned> {
    match text {
        "now" => return Some(now.clone()),
        "today" => return now.start_of_day().ok(),
        "yesterday" => return now.yesterday().ok()?.start_of_day().ok(),
        _ => {}
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.to_zoned(now.time_zone().clone()));
    }
    if text.len() <= "2026-11-21".len()
        && let Ok(date) = text.parse::<Date>()
    {
        return date.to_zoned(now.time_zone().clone()).ok();
    }
    if let Ok(moment) = text.parse::<DateTime>() {
        return moment.to_zoned(now.time_zone().clone()).ok();
    }
    now.checked_sub(text.parse::<Span>().ok()?.abs()).ok()
}
