//! Moments so far away that they need not be exact.

use std::time::{Duration, Instant};

/// What a user waits for who says for ever: thirty years, which every platform can add to a moment.
const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// The moment so long after another, and years away where there is no such moment: `Duration::MAX` is a fair answer to
/// how long something may take.
pub(crate) fn after(start: Instant, wait: Duration) -> Instant {
    start.checked_add(wait).unwrap_or_else(|| start + FOR_EVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_exact_where_there_is_one_and_far_away_otherwise() {
        let now = Instant::now();
        assert_eq!(after(now, Duration::from_millis(5)), now + Duration::from_millis(5));
        assert!(after(now, Duration::MAX) >= now + FOR_EVER);
    }
}
