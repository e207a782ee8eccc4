//! Futures that are dropped half-way leave nothing half done.

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::{Query, Since};
use serde_json::json;

use super::super::block_on;
use super::super::made::{id, made, name, names};
use super::super::{StoreUnderTest, arrived, found};
use super::{StoreCase, cases};

pub(super) const CASES: &[StoreCase] = cases! {
    reads_go_on_after_a_dropped_one,
    a_write_that_was_dropped_is_whole_or_not_there,
    a_dropped_wait_loses_nothing,
};

/// Polls a future so many times, and drops it; gives what it has given by then.
fn poll_and_drop<F: IntoFuture>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future.into_future());
    for _ in 0..times {
        if let Poll::Ready(given) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(given);
        }
        thread::sleep(Duration::from_micros(200));
    }
    None
}

fn reads_go_on_after_a_dropped_one(under: &StoreUnderTest) {
    let batch: Vec<_> = (0..20).map(|n| made(&n.to_string(), json!({ "id": id(n) }))).collect();
    under.write(&batch).unwrap();
    let (all, query) = (under.global(), Query::new().limit(7));
    for times in 0..20 {
        poll_and_drop(all.page(&query), times);
        poll_and_drop(all.count(&query), times);
        poll_and_drop(all.get(id(3)), times);
        poll_and_drop(all.since(&query, Since::Beginning), times);
        poll_and_drop(all.follow(&query, Since::Now), times);
    }
    assert_eq!(found(&all, &query).len(), 20);
    assert_eq!(arrived(&all, &query).len(), 20);
    assert_eq!(block_on(all.count(&query)).unwrap(), 20);
    under.write(&[made("after", json!({}))]).unwrap();
    assert_eq!(block_on(all.count(&query)).unwrap(), 21);
}

fn a_write_that_was_dropped_is_whole_or_not_there(under: &StoreUnderTest) {
    let batches: Vec<Vec<_>> =
        (0..20).map(|n| (0..5).map(|m| made(&format!("{n}.{m}"), json!({}))).collect()).collect();
    for (times, batch) in batches.iter().enumerate() {
        poll_and_drop(under.store.write(batch), times);
    }
    // What comes behind it is acknowledged behind it.
    under.write(&[made("after", json!({}))]).unwrap();
    let found = names(&block_on(under.global().page(&Query::new().limit(1000))).unwrap().records);
    for batch in &batches {
        let there = batch.iter().filter(|record| found.contains(&name(&(*record).clone().into()))).count();
        assert!(there == 0 || there == batch.len(), "{there} of a batch");
    }
    for batch in &batches {
        under.write(batch).unwrap();
    }
    let mut arrived = names(&arrived(&under.global(), &Query::new()));
    assert_eq!(arrived.len(), 101);
    arrived.sort_unstable();
    arrived.dedup();
    assert_eq!(arrived.len(), 101);
}

fn a_dropped_wait_loses_nothing(under: &StoreUnderTest) {
    let mut follow = block_on(under.global().follow(&Query::new().limit(2), Since::Beginning)).unwrap();
    let mut found = Vec::new();
    for n in 0..20_usize {
        found.extend(poll_and_drop(follow.next(), n % 7).map(|record| name(&record.unwrap())));
        under.write(&[made(&n.to_string(), json!({}))]).unwrap();
        if n % 3 == 0 && found.len() <= n {
            found.push(name(&block_on(follow.next()).unwrap()));
        }
    }
    while found.len() < 20 {
        found.push(name(&block_on(follow.next()).unwrap()));
    }
    assert_eq!(found, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}
