//! The cases of the suite, by what they are about.

mod arriving;
mod conditions;
mod cursors;
mod dropped;
mod hostile;
mod intents;
mod paging;
mod reading;
mod scopes;
mod writing;

use audited::{Query, Reader};

use super::made::names;
use super::{Fixture, arrived, found};
use crate::contract::block_on;

pub(super) use hostile::HOSTILE;

pub(super) type Case = fn(&Fixture);

pub(super) const ALL: &[&[(&str, Case)]] = &[
    scopes::CASES,
    conditions::CASES,
    paging::CASES,
    cursors::CASES,
    arriving::CASES,
    intents::CASES,
    writing::CASES,
    hostile::CASES,
    dropped::CASES,
    reading::CASES,
];

/// Asserts that a reader finds the records of these names, in whatever way it is asked. None of them is an intent.
#[track_caller]
fn assert_finds(reader: &Reader, query: &Query, expected: &[&str]) {
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names
    };
    let expected = sorted(expected.iter().map(ToString::to_string).collect());
    assert_eq!(sorted(names(&found(reader, query))), expected, "by pages: {query:?}");
    assert_eq!(sorted(names(&found(reader, &query.clone().limit(1)))), expected, "one by one: {query:?}");
    let reversed = query.clone().oldest_first().limit(2);
    assert_eq!(sorted(names(&found(reader, &reversed))), expected, "the oldest first: {query:?}");
    assert_eq!(block_on(reader.count(query)).unwrap(), expected.len() as u64, "counted: {query:?}");
    assert_eq!(sorted(names(&arrived(reader, query))), expected, "as they arrived: {query:?}");
    let one_by_one = query.clone().limit(1);
    assert_eq!(sorted(names(&arrived(reader, &one_by_one))), expected, "one by one, as they arrived: {query:?}");
}
