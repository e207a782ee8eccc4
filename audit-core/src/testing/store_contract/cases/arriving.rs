//! What arrives: nothing is passed over, nothing comes twice.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Follow, InvalidQuery, Query, Since, StoreError, StoredRecord};
use serde_json::json;

use super::super::block_on;
use super::super::made::{made, moment, name, names};
use super::super::{StoreUnderTest, arrived, arrived_since};
use super::{StoreCase, cases};

pub(super) const CASES: &[StoreCase] = cases! {
    what_arrives_comes_once_and_in_its_order,
    what_arrives_late_is_not_passed_over,
    now_begins_now,
    following_gives_what_was_missed_and_then_what_comes,
    following_wakes_when_something_arrives,
    following_is_worth_a_cursor_at_every_record,
    writers_at_once_hide_nothing_from_who_follows,
    a_stream_has_no_order_to_choose,
};

fn what_arrives_comes_once_and_in_its_order(under: &StoreUnderTest) {
    let (all, acme) = (under.global(), under.tenant("acme"));
    let query = Query::new().limit(1);
    let (nothing, mut at) = arrived_since(&all, &query, Since::Beginning);
    let (_, mut acme_at) = arrived_since(&acme, &query, Since::Beginning);
    assert!(nothing.is_empty());
    let (mut expected, mut own, mut found, mut acme_found) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..12_i64 {
        let tenant = if round % 3 == 0 { "acme" } else { "other" };
        let batch: Vec<_> = (0..round % 4)
            .map(|n| {
                made(&format!("{round}.{n}"), json!({ "tenant": tenant, "occurred_at": moment(-round).to_string() }))
            })
            .collect();
        under.write(&batch).unwrap();
        // What is there already arrives no second time.
        under.write(&batch).unwrap();
        let written = batch.iter().map(|record| name(&record.clone().into()));
        expected.extend(written.clone());
        own.extend(written.filter(|_| tenant == "acme"));
        let (records, next) = arrived_since(&all, &query, Since::Cursor(at));
        found.extend(names(&records));
        at = next;
        let (records, next) = arrived_since(&acme, &query, Since::Cursor(acme_at));
        acme_found.extend(names(&records));
        acme_at = next;
    }
    assert_eq!(found, expected);
    assert_eq!(acme_found, own);
    assert_eq!(names(&arrived(&all, &Query::new())), expected);
    assert_eq!(names(&arrived(&acme, &Query::new().limit(2))), own);
}

fn what_arrives_late_is_not_passed_over(under: &StoreUnderTest) {
    let all = under.global();
    let one = |name: &str, micros: i64| made(name, json!({ "occurred_at": moment(micros).to_string() }));
    under.write(&[one("noon", 12)]).unwrap();
    let (_, at) = arrived_since(&all, &Query::new(), Since::Beginning);
    under.write(&[one("morning", 6)]).unwrap();
    let (records, at) = arrived_since(&all, &Query::new(), Since::Cursor(at));
    assert_eq!(names(&records), ["morning"]);
    under.write(&[one("noon again", 12), one("midnight", 0)]).unwrap();
    assert_eq!(names(&arrived_since(&all, &Query::new(), Since::Cursor(at)).0), ["noon again", "midnight"]);
}

fn now_begins_now(under: &StoreUnderTest) {
    let all = under.global();
    under.write(&[made("before", json!({}))]).unwrap();
    let (none, at) = arrived_since(&all, &Query::new(), Since::Now);
    assert!(none.is_empty());
    let mut follow = block_on(all.follow(&Query::new(), Since::Now)).unwrap();
    under.write(&[made("after", json!({ "occurred_at": moment(-1).to_string() }))]).unwrap();
    assert_eq!(names(&arrived_since(&all, &Query::new(), Since::Cursor(at)).0), ["after"]);
    assert_eq!(name(&block_on(follow.next()).unwrap()), "after");
}

fn following_gives_what_was_missed_and_then_what_comes(under: &StoreUnderTest) {
    let acme = under.tenant("acme");
    let one = |n: usize, tenant: &str| made(&n.to_string(), json!({ "tenant": tenant }));
    under.write(&[one(0, "acme"), one(100, "other"), one(1, "acme")]).unwrap();
    let mut follow = block_on(acme.follow(&Query::new().limit(1), Since::Beginning)).unwrap();
    for n in 0..8 {
        if n >= 2 {
            under.write(&[one(100 + n, "other"), one(n, "acme"), one(200 + n, "other")]).unwrap();
        }
        assert_eq!(name(&block_on(follow.next()).unwrap()), n.to_string());
    }
    assert!(is_pending(&mut follow));
}

/// Whether nothing is given for a while.
fn is_pending(follow: &mut Follow) -> bool {
    let until = Instant::now() + Duration::from_millis(50);
    let mut next = pin!(follow.next());
    while Instant::now() < until {
        if next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

fn following_wakes_when_something_arrives(under: &StoreUnderTest) {
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    let acme = under.tenant("acme");
    let mut follow = block_on(acme.follow(&Query::new(), Since::Beginning)).unwrap();
    for n in 0..5 {
        assert!(is_pending(&mut follow));
        let others = made("other", json!({ "tenant": "other" }));
        under.write(&[others]).unwrap();
        assert!(is_pending(&mut follow));
        let waiting = thread::scope(|scope| {
            let waiting = scope.spawn(|| block_on(follow.next()).unwrap());
            thread::sleep(Duration::from_millis(5));
            under.write(&[made(&n.to_string(), json!({ "tenant": "acme" }))]).unwrap();
            waiting.join().unwrap()
        });
        assert_eq!(name(&waiting), n.to_string());
    }
    // Nobody but the store can wake who waits here.
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(count.clone());
    let mut next = pin!(follow.next());
    let before = loop {
        let before = count.0.load(Ordering::SeqCst);
        assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        thread::sleep(Duration::from_millis(20));
        if count.0.load(Ordering::SeqCst) == before {
            break before;
        }
    };
    under.write(&[made("last", json!({ "tenant": "acme" }))]).unwrap();
    crate::testing::contract::drive::eventually("it wakes", || count.0.load(Ordering::SeqCst) > before);
}

fn following_is_worth_a_cursor_at_every_record(under: &StoreUnderTest) {
    let all = under.global();
    let batch: Vec<_> = (0..6).map(|n| made(&n.to_string(), json!({}))).collect();
    under.write(&batch).unwrap();
    let mut follow = block_on(all.follow(&Query::new(), Since::Beginning)).unwrap();
    for n in 0..6_usize {
        let rest = |cursor| arrived_since(&all, &Query::new(), Since::Cursor(cursor)).0;
        assert_eq!(rest(follow.cursor()).len(), 6 - n);
        assert_eq!(name(&block_on(follow.next()).unwrap()), n.to_string());
        let cursor = follow.cursor().to_string().parse().unwrap();
        let mut again = block_on(all.follow(&Query::new(), Since::Cursor(cursor))).unwrap();
        if n < 5 {
            assert_eq!(name(&block_on(again.next()).unwrap()), (n + 1).to_string());
        } else {
            assert!(is_pending(&mut again));
        }
    }
}

fn writers_at_once_hide_nothing_from_who_follows(under: &StoreUnderTest) {
    const WRITERS: usize = 6;
    const EACH: usize = 25;
    let all = under.global();
    let mut follow = block_on(all.follow(&Query::new().limit(3), Since::Beginning)).unwrap();
    let mut found: Vec<StoredRecord> = Vec::new();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                for n in 0..EACH {
                    let batch: Vec<_> = (0..2).map(|m| made(&format!("{writer}.{n}.{m}"), json!({}))).collect();
                    under.write(&batch).unwrap();
                }
            });
        }
        while found.len() < WRITERS * EACH * 2 {
            found.push(block_on(follow.next()).unwrap());
        }
    });
    assert!(is_pending(&mut follow), "nothing comes twice");
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    for record in &found {
        let name = name(record);
        let (writer, n) = name.split_once('.').unwrap();
        let (n, m) = n.split_once('.').unwrap();
        let expected = next.entry(writer.to_owned()).or_default();
        assert_eq!(2 * n.parse::<usize>().unwrap() + m.parse::<usize>().unwrap(), *expected, "of writer {writer}");
        *expected += 1;
    }
    assert!(next.len() == WRITERS && next.values().all(|count| *count == 2 * EACH));
}

fn a_stream_has_no_order_to_choose(under: &StoreUnderTest) {
    under.write(&super::paging::numbered(6)).unwrap();
    let all = under.global();
    let page = block_on(all.page(&Query::new().limit(1))).unwrap().next.unwrap();
    for query in [Query::new().oldest_first(), Query::new().offset(1), Query::new().orphans(), Query::new().after(page)]
    {
        let refused = block_on(all.since(&query, Since::Beginning)).err();
        assert!(matches!(refused, Some(StoreError::InvalidQuery(InvalidQuery::Stream))), "{query:?}");
        let refused = block_on(all.follow(&query, Since::Now)).err();
        assert!(matches!(refused, Some(StoreError::InvalidQuery(InvalidQuery::Stream))), "{query:?}");
    }
}
