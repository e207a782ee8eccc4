//! One transaction for many callers.

use std::thread;

use super::{fresh, record, texts};

#[test]
fn callers_share_commits() {
    const CALLERS: usize = 32;
    const EACH: usize = 40;
    let fresh = fresh();
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| (0..EACH).for_each(|n| fresh.write(&[record(n)])));
        }
    });
    let stats = fresh.store.stats();
    assert_eq!(stats.records, (CALLERS * EACH) as u64);
    assert!(stats.commits < stats.records / 2, "{stats:?}");
    assert_eq!(texts(&fresh.path).len(), CALLERS * EACH);
}

#[test]
fn who_comes_alone_has_a_commit_of_its_own() {
    let fresh = fresh();
    (0..20).for_each(|n| fresh.write(&[record(n)]));
    assert_eq!(fresh.store.stats().commits, 20);
}
