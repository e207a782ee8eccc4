//! Stores that break a promise each, to show that the suite sees it; and one that keeps them all, which is not ours.

mod list;
mod taking;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::list::ListStore;
use super::{Fixture, cases, store_contract};

/// What a bad store does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    ForgetsTheTenant,
    CountsForEverybody,
    FoldsTheTenant,
    TrimsTheTenant,
    EndsTextsAtNul,
    /// Of these conditions, by their name.
    Forgets(&'static str),
    NeverFinds(&'static str),
    TakesPrefixesForPatterns,
    FoldsPrefixes,
    LeavesTheStartOut,
    TakesTheEndIn,
    OrdersByArrival,
    OrdersEqualTimesByArrival,
    OrdersByRecording,
    OldestFirstAlways,
    RepeatsAtCursors,
    SkipsAtCursors,
    IgnoresOffsets,
    LimitsBeforeItFilters,
    CountsPages,
    CountsOneMore,
    GivesOneTooFew,
    ShowsEndedIntents,
    HidesOrphans,
    EndsCallsWithinATenant,
    StreamsIntents,
    SkipsInStreams,
    RepeatsInStreams,
    StreamsByTime,
    StreamsWithoutLimit,
    BeginsAnew,
    NeverWakes,
    StoresAgain,
    TakesOtherContents,
    RefusesWhatItHas,
    IgnoresPlaces,
    TakesRecordsElsewhere,
    SeesNoPairInABatch,
    WritesHalfOfABatch,
    WritesInTwoSteps,
    Rewrites,
    ChangesItsKey,
    StaysBusy,
}

fn list(flaw: Flaw) -> Fixture {
    Fixture::new(ListStore::new(flaw))
}

/// Whether a case sees a flaw.
fn sees(name: &str, flaw: Flaw) -> bool {
    let case = cases::ALL.iter().copied().flatten().find(|(case, _)| *case == name);
    let (_, case) = case.unwrap_or_else(|| panic!("no case is called {name}"));
    catch_unwind(AssertUnwindSafe(|| case(&list(flaw)))).is_err()
}

#[test]
fn a_store_of_somebody_else_keeps_it() {
    store_contract(|| list(Flaw::None));
}

#[test]
fn a_store_of_somebody_else_answers_as_the_model() {
    super::random::answers_as_the_model(|| list(Flaw::None), 1_000);
}

#[test]
fn the_suite_sees_every_flaw_of_what_is_found() {
    assert_seen(&[
        (Flaw::ForgetsTheTenant, "a tenant sees its own records alone"),
        (Flaw::CountsForEverybody, "a tenant sees its own records alone"),
        (Flaw::FoldsTheTenant, "tenants that look alike are several"),
        (Flaw::TrimsTheTenant, "tenants that look alike are several"),
        (Flaw::EndsTextsAtNul, "tenants that look alike are several"),
        (Flaw::EndsTextsAtNul, "finds by action"),
        (Flaw::TakesPrefixesForPatterns, "hostile texts are texts"),
        (Flaw::FoldsPrefixes, "finds by action"),
        (Flaw::LeavesTheStartOut, "begins with the start and ends before the end"),
        (Flaw::TakesTheEndIn, "begins with the start and ends before the end"),
        (Flaw::ShowsEndedIntents, "an intent counts as its call"),
        (Flaw::HidesOrphans, "an orphan shows until its call ends"),
        (Flaw::HidesOrphans, "orphans are found alone"),
        (Flaw::EndsCallsWithinATenant, "whether a call has ended does not depend on who reads"),
        (Flaw::CountsPages, "a page has a hundred records unless asked"),
        (Flaw::CountsOneMore, "finds by action"),
        (Flaw::GivesOneTooFew, "the last page says so"),
    ]);
}

#[test]
fn the_suite_sees_every_condition_that_is_forgotten() {
    for (name, case) in [
        ("tenant", "a tenant sees its own records alone"),
        ("from", "begins with the start and ends before the end"),
        ("until", "begins with the start and ends before the end"),
        ("action", "finds by action"),
        ("user", "finds by subject and user"),
        ("actor", "finds by actor"),
        ("subject", "finds by subject and user"),
        ("resource", "finds by resource"),
        ("decision", "finds by decision and reason"),
        ("reason", "finds by decision and reason"),
        ("outcome", "finds by outcome and code"),
        ("code", "finds by outcome and code"),
        ("correlation", "finds by request, kind and id"),
        ("kind", "finds by request, kind and id"),
        ("text", "finds by text at a path"),
        ("id", "finds by request, kind and id"),
        ("not", "a reading does not find itself"),
    ] {
        assert!(sees(case, Flaw::Forgets(name)), "`{case}` does not see that `{name}` is forgotten");
        assert!(sees(case, Flaw::NeverFinds(name)), "`{case}` does not see that `{name}` never holds");
    }
}

#[test]
fn the_suite_sees_every_flaw_of_order_and_pages() {
    assert_seen(&[
        (Flaw::OrdersByArrival, "equal times are in the order of their ids"),
        (Flaw::OrdersEqualTimesByArrival, "equal times are in the order of their ids"),
        (Flaw::OldestFirstAlways, "equal times are in the order of their ids"),
        (Flaw::OrdersByRecording, "goes by when it happened"),
        (Flaw::RepeatsAtCursors, "equal times are in the order of their ids"),
        (Flaw::SkipsAtCursors, "equal times are in the order of their ids"),
        (Flaw::SkipsAtCursors, "pages stay as they are while records arrive"),
        (Flaw::IgnoresOffsets, "an offset skips"),
        (Flaw::LimitsBeforeItFilters, "pages are full however few records fit"),
        (Flaw::ChangesItsKey, "a cursor is a text and the limit may change"),
        (Flaw::StaysBusy, "reads go on after a dropped one"),
    ]);
}

#[test]
fn the_suite_sees_every_flaw_of_what_arrives() {
    assert_seen(&[
        (Flaw::StreamsIntents, "what arrives has no intents"),
        (Flaw::SkipsInStreams, "what arrives comes once and in its order"),
        (Flaw::RepeatsInStreams, "what arrives comes once and in its order"),
        (Flaw::StreamsByTime, "what arrives late is not passed over"),
        (Flaw::StreamsWithoutLimit, "a page has a hundred records unless asked"),
        (Flaw::BeginsAnew, "what arrives late is not passed over"),
    ]);
}

#[test]
fn the_suite_sees_a_store_that_never_wakes() {
    assert_seen(&[(Flaw::NeverWakes, "following wakes when something arrives")]);
}

#[test]
fn the_suite_sees_every_flaw_of_what_is_written() {
    assert_seen(&[
        (Flaw::StoresAgain, "a record that comes again is stored once"),
        (Flaw::StoresAgain, "callers at once store a record once"),
        (Flaw::TakesOtherContents, "another content under an id is a conflict"),
        (Flaw::RefusesWhatItHas, "a record that comes again is stored once"),
        (Flaw::RefusesWhatItHas, "a place may be known later or not"),
        (Flaw::IgnoresPlaces, "another record in a place is a conflict"),
        (Flaw::TakesRecordsElsewhere, "another record in a place is a conflict"),
        (Flaw::SeesNoPairInABatch, "a record that comes again is stored once"),
        (Flaw::SeesNoPairInABatch, "another content under an id is a conflict"),
        (Flaw::WritesHalfOfABatch, "a batch is written whole or not at all"),
        (Flaw::WritesInTwoSteps, "a write that was dropped is whole or not there"),
        (Flaw::Rewrites, "what comes back is what came"),
    ]);
}

#[track_caller]
fn assert_seen(flaws: &[(Flaw, &str)]) {
    for (flaw, case) in flaws {
        assert!(sees(case, *flaw), "`{case}` does not see that a store {flaw:?}");
    }
}
