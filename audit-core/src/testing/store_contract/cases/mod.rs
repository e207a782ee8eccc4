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

use super::made::names;
use super::read::{arrived, found};
use super::subject::StoreUnderTest;
use super::{StoreCase, block_on};
use crate::{Query, Reader};

pub(super) const ALL: [&[StoreCase]; 10] = [
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

/// What is put to the test.
#[derive(Clone, Copy, Debug)]
pub(super) enum Run {
    Alone(fn(&StoreUnderTest)),
    BesideAnother(fn(&StoreUnderTest, &StoreUnderTest)),
}

/// Cases that are called as their functions are.
macro_rules! cases {
    ($($case:ident $(beside $another:ident)?),* $(,)?) => {
        &[$(StoreCase { name: stringify!($case), run: cases!(@run $case $($another)?) }),*]
    };
    (@run $case:ident) => {
        super::Run::Alone($case)
    };
    (@run $case:ident $another:ident) => {
        super::Run::BesideAnother($case)
    };
}

use cases;

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
