//! Cursors go on where they were given, and nowhere else.

use crate::{AuditStore, Cursor, Query, Reader, Since, StoreError};
use serde_json::json;

use super::super::block_on;
use super::super::made::{made, names};
use super::super::{StoreUnderTest, arrived_since, found};
use super::paging::{in_order, numbered};
use super::{StoreCase, cases};

pub(super) const CASES: &[StoreCase] = cases! {
    a_cursor_of_another_tenant_is_refused,
    a_cursor_of_another_query_is_refused,
    a_cursor_of_another_store_is_refused beside another,
    what_is_no_cursor_is_refused,
    a_cursor_is_a_text_and_the_limit_may_change,
    cursors_outlive_the_process,
};

fn first_page(reader: &Reader, query: &Query) -> Cursor {
    block_on(reader.page(&query.clone().limit(2))).unwrap().next.unwrap()
}

fn position(reader: &Reader, query: &Query) -> Cursor {
    block_on(reader.since(&query.clone().limit(2), Since::Beginning)).unwrap().next
}

#[track_caller]
fn assert_refuses_page(reader: &Reader, query: &Query, cursor: &Cursor) {
    let refused = block_on(reader.page(&query.clone().after(cursor.clone())));
    assert!(matches!(refused, Err(StoreError::InvalidCursor(_))), "{query:?}: {refused:?}");
}

#[track_caller]
fn assert_refuses_stream(reader: &Reader, query: &Query, cursor: &Cursor) {
    let refused = block_on(reader.since(query, Since::Cursor(cursor.clone())));
    assert!(matches!(refused, Err(StoreError::InvalidCursor(_))), "{query:?}: {refused:?}");
    let refused = block_on(reader.follow(query, Since::Cursor(cursor.clone())));
    assert!(matches!(refused, Err(StoreError::InvalidCursor(_))), "{query:?}: {refused:?}");
}

fn two_tenants(under: &StoreUnderTest) {
    under.write(&numbered(10)).unwrap();
    let others: Vec<_> = (0..10).map(|n: u32| made(&format!("other {n}"), json!({ "tenant": "other" }))).collect();
    under.write(&others).unwrap();
}

fn a_cursor_of_another_tenant_is_refused(under: &StoreUnderTest) {
    two_tenants(under);
    let query = Query::new();
    let readers = [under.tenant("acme"), under.tenant("other"), under.global()];
    for (at, giver) in readers.iter().enumerate() {
        let (page, stream) = (first_page(giver, &query), position(giver, &query));
        for (other, taker) in readers.iter().enumerate() {
            if at == other {
                block_on(taker.page(&query.clone().after(page.clone()))).unwrap();
                block_on(taker.since(&query, Since::Cursor(stream.clone()))).unwrap();
            } else {
                assert_refuses_page(taker, &query, &page);
                assert_refuses_stream(taker, &query, &stream);
            }
        }
    }
}

fn a_cursor_of_another_query_is_refused(under: &StoreUnderTest) {
    two_tenants(under);
    let queries = [
        Query::new(),
        Query::new().action("suite.made"),
        Query::new().action_prefix("suite.made"),
        Query::new().actions(["suite.made", ""]),
        Query::new().actions(["suite.mad", "e"]),
        Query::new().succeeded(),
        Query::new().succeeded().succeeded(),
        Query::new().text("detail.name", crate::AnyOf::from_iter(["1", "2", "3", "4", "5", "6"])),
        Query::new().until("2100-01-01T00:00:00Z".parse::<crate::Timestamp>().unwrap()),
    ];
    let acme = under.tenant("acme");
    for (at, given_for) in queries.iter().enumerate() {
        let (page, stream) = (first_page_or_none(&acme, given_for), position(&acme, given_for));
        assert_refuses_page(&acme, given_for, &stream);
        for (other, query) in queries.iter().enumerate() {
            if at != other {
                assert_refuses_stream(&acme, query, &stream);
            }
            if let Some(page) = page.as_ref().filter(|_| at != other) {
                assert_refuses_page(&acme, query, page);
            }
        }
        if let Some(page) = page {
            assert_refuses_stream(&acme, given_for, &page);
            assert_refuses_page(&acme, &given_for.clone().oldest_first(), &page);
            assert_refuses_page(&acme, &given_for.clone().orphans(), &page);
        }
    }
}

fn first_page_or_none(reader: &Reader, query: &Query) -> Option<Cursor> {
    block_on(reader.page(&query.clone().limit(2))).unwrap().next
}

fn a_cursor_of_another_store_is_refused(under: &StoreUnderTest, other: &StoreUnderTest) {
    two_tenants(under);
    two_tenants(other);
    let (own, others) = (under.tenant("acme"), other.tenant("acme"));
    let query = Query::new();
    assert_refuses_page(&own, &query, &first_page(&others, &query));
    assert_refuses_stream(&own, &query, &position(&others, &query));
    assert_refuses_page(&others, &query, &first_page(&own, &query));
    assert_refuses_stream(&others, &query, &position(&own, &query));
}

fn what_is_no_cursor_is_refused(under: &StoreUnderTest) {
    two_tenants(under);
    let (acme, query) = (under.tenant("acme"), Query::new());
    let refuses = |text: &str| {
        if let Ok(cursor) = text.parse::<Cursor>() {
            assert_refuses_page(&acme, &query, &cursor);
            assert_refuses_stream(&acme, &query, &cursor);
        }
    };
    for text in ["", "0", "AAAA", "' OR 1=1 --", "%", "\0", "ü", &"A".repeat(10_000), &"A".repeat(10_000_000)] {
        refuses(text);
    }
    for cursor in [first_page(&acme, &query), position(&acme, &query)] {
        let text = cursor.to_string();
        for len in (0..text.len()).step_by(3) {
            refuses(&text[..len]);
        }
        for at in (0..text.len()).step_by(3) {
            let other = if &text[at..=at] == "A" { "B" } else { "A" };
            refuses(&[&text[..at], other, &text[at + 1..]].concat());
        }
        refuses(&format!("{text}A"));
        refuses(&format!("{text}{text}"));
    }
}

fn a_cursor_is_a_text_and_the_limit_may_change(under: &StoreUnderTest) {
    under.write(&numbered(10)).unwrap();
    let all = under.global();
    let query = Query::new().oldest_first();
    let text = first_page(&all, &query).to_string();
    let page = block_on(all.page(&query.limit(5).after(text.parse().unwrap()))).unwrap();
    assert_eq!(names(&page.records), in_order(10)[2..7]);
}

fn cursors_outlive_the_process(under: &StoreUnderTest) {
    let Some(reopen) = &under.reopen else { return };
    under.write(&numbered(10)).unwrap();
    let query = Query::new();
    let (page, stream) = (first_page(&under.global(), &query), position(&under.global(), &query));
    let again = reopen().global("suite").unrecorded();
    let rest = found(&again, &query.clone().after(page));
    assert_eq!(rest.len(), 8);
    assert_eq!(arrived_since(&again, &query, Since::Cursor(stream)).0.len(), 8);
}
