//! Order, pages, limits and offsets.

use crate::{DEFAULT_PAGE_RECORDS, InvalidQuery, MAX_OFFSET, MAX_PAGE_RECORDS, Query, Record, StoreError};
use serde_json::json;

use super::super::block_on;
use super::super::made::{id, made, moment, names};
use super::super::{StoreUnderTest, found};
use super::{StoreCase, assert_finds, cases};

pub(super) const CASES: &[StoreCase] = cases! {
    equal_times_are_in_the_order_of_their_ids,
    a_page_has_a_hundred_records_unless_asked,
    a_page_has_at_least_one_record_and_at_most_a_thousand,
    an_offset_skips,
    a_cursor_goes_on_behind_its_page_whatever_the_offset,
    pages_stay_as_they_are_while_records_arrive,
    pages_are_full_however_few_records_fit,
    the_last_page_says_so,
};

/// Records in the reverse of their order, and in pairs of equal times.
pub(super) fn numbered(count: u32) -> Vec<Record> {
    let one = |n: u32| {
        let place = if n.is_multiple_of(2) { n + 1 } else { n - 1 };
        made(
            &n.to_string(),
            json!({ "id": id(place.into()), "occurred_at": moment((n / 2).into()).to_string(), "tenant": "acme" }),
        )
    };
    (0..count).rev().map(one).collect()
}

/// The names of [`numbered`] records in their order, the oldest first.
pub(super) fn in_order(count: u32) -> Vec<String> {
    (0..count).map(|n| if n.is_multiple_of(2) { n + 1 } else { n - 1 }.to_string()).collect()
}

fn reversed(mut names: Vec<String>) -> Vec<String> {
    names.reverse();
    names
}

fn equal_times_are_in_the_order_of_their_ids(under: &StoreUnderTest) {
    under.write(&numbered(10)).unwrap();
    for reader in [under.global(), under.tenant("acme")] {
        assert_eq!(names(&found(&reader, &Query::new().oldest_first())), in_order(10));
        assert_eq!(names(&found(&reader, &Query::new())), reversed(in_order(10)));
        for limit in 1..=11 {
            assert_eq!(names(&found(&reader, &Query::new().oldest_first().limit(limit))), in_order(10), "by {limit}");
            assert_eq!(names(&found(&reader, &Query::new().limit(limit))), reversed(in_order(10)), "by {limit}");
        }
    }
}

fn a_page_has_a_hundred_records_unless_asked(under: &StoreUnderTest) {
    let batch = numbered(110);
    under.write(&batch).unwrap();
    let page = block_on(under.global().page(&Query::new())).unwrap();
    assert_eq!(page.records.len(), DEFAULT_PAGE_RECORDS);
    assert!(page.next.is_some());
    let page = block_on(under.global().page(&Query::new().limit(7))).unwrap();
    assert_eq!(page.records.len(), 7);
    let arrivals = block_on(under.global().since(&Query::new(), crate::Since::Beginning)).unwrap();
    assert!(arrivals.records.len() <= DEFAULT_PAGE_RECORDS && arrivals.more);
    let arrivals = block_on(under.global().since(&Query::new().limit(7), crate::Since::Beginning)).unwrap();
    assert!(arrivals.records.len() <= 7 && arrivals.more);
    assert_eq!(block_on(under.global().count(&Query::new().limit(7).offset(50))).unwrap(), 110);
}

fn a_page_has_at_least_one_record_and_at_most_a_thousand(under: &StoreUnderTest) {
    let batch: Vec<_> = (0..1100).map(|n: u32| made(&n.to_string(), json!({}))).collect();
    under.write(&batch).unwrap();
    let all = under.global();
    for limit in [MAX_PAGE_RECORDS, MAX_PAGE_RECORDS + 1, usize::MAX] {
        let page = block_on(all.page(&Query::new().limit(limit))).unwrap();
        assert_eq!(page.records.len(), MAX_PAGE_RECORDS);
        assert!(page.next.is_some());
        let arrivals = block_on(all.since(&Query::new().limit(limit), crate::Since::Beginning)).unwrap();
        assert!(arrivals.records.len() <= MAX_PAGE_RECORDS && arrivals.more);
    }
    // Of none, nobody could go on.
    let page = block_on(all.page(&Query::new().limit(0))).unwrap();
    assert_eq!(page.records.len(), 1);
    assert!(page.next.is_some());
    let few = Query::new().id(batch[0].id().unwrap()).limit(0);
    assert_eq!(super::arrived(&all, &few).len(), 1);
    let mut follow = block_on(all.follow(&few, crate::Since::Beginning)).unwrap();
    assert_eq!(block_on(follow.next()).unwrap().json(), batch[0].json());
}

fn an_offset_skips(under: &StoreUnderTest) {
    under.write(&numbered(10)).unwrap();
    let all = under.global();
    for offset in [0, 1, 5, 9, 10, 11, MAX_OFFSET] {
        let expected: Vec<_> = in_order(10).into_iter().skip(offset).collect();
        let page = block_on(all.page(&Query::new().oldest_first().offset(offset))).unwrap();
        assert_eq!(names(&page.records), expected);
        let expected: Vec<_> = reversed(in_order(10)).into_iter().skip(offset).take(3).collect();
        let page = block_on(all.page(&Query::new().offset(offset).limit(3))).unwrap();
        assert_eq!(names(&page.records), expected);
    }
    let refused = block_on(all.page(&Query::new().offset(MAX_OFFSET + 1)));
    assert!(matches!(refused, Err(StoreError::InvalidQuery(InvalidQuery::Offset { .. }))));
}

fn a_cursor_goes_on_behind_its_page_whatever_the_offset(under: &StoreUnderTest) {
    under.write(&numbered(10)).unwrap();
    let query = Query::new().oldest_first().offset(3).limit(2);
    assert_eq!(names(&found(&under.global(), &query)), in_order(10)[3..]);
}

fn pages_stay_as_they_are_while_records_arrive(under: &StoreUnderTest) {
    under.write(&numbered(10)).unwrap();
    let all = under.global();
    let first = block_on(all.page(&Query::new().limit(4))).unwrap();
    // Newer ones, and one of the same time as the last of the page, which stands before it.
    let last = first.records.last().unwrap();
    let same_time = json!({ "id": id(1000), "occurred_at": last.occurred_at().unwrap().to_string() });
    let newer = json!({ "occurred_at": moment(50).to_string() });
    under.write(&[made("same time", same_time), made("newer", newer)]).unwrap();
    let second = block_on(all.page(&Query::new().limit(4).after(first.next.unwrap()))).unwrap();
    let expected = reversed(in_order(10));
    assert_eq!(names(&first.records), expected[..4]);
    assert_eq!(names(&second.records), expected[4..8]);
}

fn pages_are_full_however_few_records_fit(under: &StoreUnderTest) {
    let one = |n: u32| {
        let device = if n.is_multiple_of(97) { "rare" } else { "common" };
        made(&n.to_string(), json!({ "occurred_at": moment(n.into()).to_string(), "detail": { "device": device } }))
    };
    let batch: Vec<_> = (0..700).map(one).collect();
    under.write(&batch).unwrap();
    let rare: Vec<_> = (0..700).filter(|n: &u32| n.is_multiple_of(97)).map(|n| n.to_string()).collect();
    let query = Query::new().text("detail.device", "rare");
    assert_finds(&under.global(), &query, &rare.iter().map(String::as_str).collect::<Vec<_>>());
    let page = block_on(under.global().page(&query.clone().oldest_first().offset(2).limit(3))).unwrap();
    assert_eq!(names(&page.records), rare[2..5]);
    let page = block_on(under.global().page(&query.offset(1).limit(5))).unwrap();
    assert_eq!(names(&page.records), rare[2..7].iter().rev().cloned().collect::<Vec<_>>());
}

fn the_last_page_says_so(under: &StoreUnderTest) {
    let all = under.global();
    assert!(block_on(all.page(&Query::new())).unwrap().next.is_none());
    under.write(&numbered(6)).unwrap();
    assert!(block_on(all.page(&Query::new().limit(6))).unwrap().next.is_none());
    assert!(block_on(all.page(&Query::new().limit(5))).unwrap().next.is_some());
    assert!(block_on(all.page(&Query::new().limit(1).offset(5))).unwrap().next.is_none());
}
