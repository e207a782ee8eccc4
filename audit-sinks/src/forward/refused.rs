//! Journals of dead processes that could not be delivered: when each is tried again, and what is told about them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How much longer one rests after each further attempt, and how long at most: an attempt writes to it.
const FACTOR: u32 = 4;
const MOST: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, Default)]
pub(super) struct Refused(BTreeMap<PathBuf, Refusal>);

#[derive(Debug)]
struct Refusal {
    error: String,
    rest: Duration,
    since: Instant,
}

impl Refused {
    /// Whether it is to be left alone for now.
    pub(super) fn rests(&self, path: &Path, now: Instant) -> bool {
        self.0.get(path).is_some_and(|refusal| now.duration_since(refusal.since) < refusal.rest)
    }

    /// Notes that it could not be delivered, and is to rest so long after the first time; says whether that is news.
    pub(super) fn note(&mut self, path: &Path, error: String, first: Duration, now: Instant) -> bool {
        let before = self.0.get(path);
        let is_news = before.is_none_or(|before| before.error != error);
        let rest = before.map_or(first, |before| before.rest.saturating_mul(FACTOR)).min(MOST);
        self.0.insert(path.to_owned(), Refusal { error, rest, since: now });
        is_news
    }

    /// Nothing is wrong with it any more.
    pub(super) fn forget(&mut self, path: &Path) {
        self.0.remove(path);
    }

    /// Forgets all that are not there any more.
    pub(super) fn retain(&mut self, is_there: impl Fn(&Path) -> bool) {
        self.0.retain(|path, _| is_there(path));
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// What is wrong with the first of them.
    pub(super) fn error(&self) -> Option<&str> {
        self.0.values().next().map(|refusal| &*refusal.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rests_longer_after_each_attempt_and_a_day_at_most() {
        let (path, first, mut now) = (Path::new("a"), Duration::from_secs(60), Instant::now());
        let mut refused = Refused::default();
        let mut rests = Vec::new();
        for attempt in 0..8 {
            assert!(!refused.rests(path, now));
            assert_eq!(refused.note(path, "no".into(), first, now), attempt == 0, "the same again is no news");
            let rest = (0..=24 * 60).find(|minutes| !refused.rests(path, now + Duration::from_secs(minutes * 60)));
            rests.push(rest.unwrap());
            now += MOST;
        }
        assert_eq!(rests, [1, 4, 16, 64, 256, 1024, 1440, 1440]);
        assert!(refused.note(path, "another".into(), first, now));
        assert!(!refused.rests(Path::new("b"), now));
    }

    #[test]
    fn what_is_well_or_gone_is_forgotten() {
        let mut refused = Refused::default();
        for path in ["a", "b", "c"] {
            refused.note(Path::new(path), format!("{path} is wrong"), MOST, Instant::now());
        }
        assert_eq!((refused.count(), refused.error()), (3, Some("a is wrong")));
        refused.forget(Path::new("a"));
        refused.retain(|path| path == Path::new("c"));
        assert_eq!((refused.count(), refused.error()), (1, Some("c is wrong")));
    }
}
