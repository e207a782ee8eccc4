//! Whether the files of a directory are still those that were listed.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// How long a change may take to be seen in the time of a directory: it goes by the ticks of a clock, and not every
/// filesystem asks its server each time. A list is made anew as often as this in any case.
const SETTLED: Duration = Duration::from_secs(1);

/// When a directory was listed, and when it had changed by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    at: Instant,
    changed: Option<SystemTime>,
}

impl Listing {
    /// It is about to be listed.
    pub(super) fn begin(directory: &Path) -> Self {
        // What has changed just now may change once more without another time.
        let is_settled = |changed: &SystemTime| changed.elapsed().is_ok_and(|since| since >= SETTLED);
        Self { at: Instant::now(), changed: changed(directory).filter(is_settled) }
    }

    /// Whether another list would have the same.
    pub(super) fn holds(&self, directory: &Path) -> bool {
        self.changed.is_some() && self.at.elapsed() < SETTLED && self.changed == changed(directory)
    }
}

fn changed(directory: &Path) -> Option<SystemTime> {
    directory.metadata().ok()?.modified().ok()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn it_holds_until_a_file_comes_or_goes_and_not_where_one_has_just_come() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let settle = || File::open(directory).unwrap().set_modified(SystemTime::now() - 2 * SETTLED).unwrap();
        let begin = || Listing::begin(directory);
        assert!(!begin().holds(directory), "it has just been made");
        settle();
        let listing = begin();
        fs::write(directory.join("a"), "").unwrap();
        assert!(!listing.holds(directory));
        assert!(!begin().holds(directory), "another may come in the same tick");
        settle();
        // Within a second, which a machine under load may not have.
        assert!((0..100).any(|_| begin().holds(directory)));
        let listing = begin();
        fs::remove_file(directory.join("a")).unwrap();
        assert!(!listing.holds(directory));
        settle();
        let before = Instant::now().checked_sub(SETTLED).unwrap();
        assert!(!Listing { at: before, ..begin() }.holds(directory), "once in a second in any case");
    }
}
