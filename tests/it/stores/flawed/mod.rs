//! Stores that break a promise each, to show that the suite sees it; and one that keeps them all, which is not ours.

mod list;
mod taking;

use std::panic::{AssertUnwindSafe, catch_unwind};

use audited::testing::{StoreCase, StoreUnderTest, store_contract};

use self::list::ListStore;
use super::Fixture;

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
    catch_unwind(AssertUnwindSafe(|| StoreCase::named(name).run(|_| under(flaw)))).is_err()
}

/// The same, under the suite.
fn under(flaw: Flaw) -> StoreUnderTest {
    StoreUnderTest::new(ListStore::new(flaw))
}

store_contract!(a_store_of_somebody_else_keeps_it, || under(Flaw::None));

#[test]
fn a_store_of_somebody_else_answers_as_the_model() {
    super::random::answers_as_the_model(|| list(Flaw::None), 1_000);
}

#[test]
fn the_suite_sees_every_flaw_of_what_is_found() {
    assert_seen(&[
        (Flaw::ForgetsTheTenant, "a_tenant_sees_its_own_records_alone"),
        (Flaw::CountsForEverybody, "a_tenant_sees_its_own_records_alone"),
        (Flaw::FoldsTheTenant, "tenants_that_look_alike_are_several"),
        (Flaw::TrimsTheTenant, "tenants_that_look_alike_are_several"),
        (Flaw::EndsTextsAtNul, "tenants_that_look_alike_are_several"),
        (Flaw::EndsTextsAtNul, "finds_by_action"),
        (Flaw::TakesPrefixesForPatterns, "hostile_texts_are_texts"),
        (Flaw::FoldsPrefixes, "finds_by_action"),
        (Flaw::LeavesTheStartOut, "begins_with_the_start_and_ends_before_the_end"),
        (Flaw::TakesTheEndIn, "begins_with_the_start_and_ends_before_the_end"),
        (Flaw::ShowsEndedIntents, "an_intent_counts_as_its_call"),
        (Flaw::HidesOrphans, "an_orphan_shows_until_its_call_ends"),
        (Flaw::HidesOrphans, "orphans_are_found_alone"),
        (Flaw::EndsCallsWithinATenant, "whether_a_call_has_ended_does_not_depend_on_who_reads"),
        (Flaw::CountsPages, "a_page_has_a_hundred_records_unless_asked"),
        (Flaw::CountsOneMore, "finds_by_action"),
        (Flaw::GivesOneTooFew, "the_last_page_says_so"),
    ]);
}

#[test]
fn the_suite_sees_every_condition_that_is_forgotten() {
    for (name, case) in [
        ("tenant", "a_tenant_sees_its_own_records_alone"),
        ("from", "begins_with_the_start_and_ends_before_the_end"),
        ("until", "begins_with_the_start_and_ends_before_the_end"),
        ("action", "finds_by_action"),
        ("user", "finds_by_subject_and_user"),
        ("actor", "finds_by_actor"),
        ("subject", "finds_by_subject_and_user"),
        ("resource", "finds_by_resource"),
        ("decision", "finds_by_decision_and_reason"),
        ("reason", "finds_by_decision_and_reason"),
        ("outcome", "finds_by_outcome_and_code"),
        ("code", "finds_by_outcome_and_code"),
        ("correlation", "finds_by_request_kind_and_id"),
        ("kind", "finds_by_request_kind_and_id"),
        ("text", "finds_by_text_at_a_path"),
        ("id", "finds_by_request_kind_and_id"),
        ("not", "a_reading_does_not_find_itself"),
    ] {
        assert!(sees(case, Flaw::Forgets(name)), "`{case}` does not see that `{name}` is forgotten");
        assert!(sees(case, Flaw::NeverFinds(name)), "`{case}` does not see that `{name}` never holds");
    }
}

#[test]
fn the_suite_sees_every_flaw_of_order_and_pages() {
    assert_seen(&[
        (Flaw::OrdersByArrival, "equal_times_are_in_the_order_of_their_ids"),
        (Flaw::OrdersEqualTimesByArrival, "equal_times_are_in_the_order_of_their_ids"),
        (Flaw::OldestFirstAlways, "equal_times_are_in_the_order_of_their_ids"),
        (Flaw::OrdersByRecording, "goes_by_when_it_happened"),
        (Flaw::RepeatsAtCursors, "equal_times_are_in_the_order_of_their_ids"),
        (Flaw::SkipsAtCursors, "equal_times_are_in_the_order_of_their_ids"),
        (Flaw::SkipsAtCursors, "pages_stay_as_they_are_while_records_arrive"),
        (Flaw::IgnoresOffsets, "an_offset_skips"),
        (Flaw::LimitsBeforeItFilters, "pages_are_full_however_few_records_fit"),
        (Flaw::ChangesItsKey, "a_cursor_is_a_text_and_the_limit_may_change"),
        (Flaw::StaysBusy, "reads_go_on_after_a_dropped_one"),
    ]);
}

#[test]
fn the_suite_sees_every_flaw_of_what_arrives() {
    assert_seen(&[
        (Flaw::StreamsIntents, "what_arrives_has_no_intents"),
        (Flaw::SkipsInStreams, "what_arrives_comes_once_and_in_its_order"),
        (Flaw::RepeatsInStreams, "what_arrives_comes_once_and_in_its_order"),
        (Flaw::StreamsByTime, "what_arrives_late_is_not_passed_over"),
        (Flaw::StreamsWithoutLimit, "a_page_has_a_hundred_records_unless_asked"),
        (Flaw::BeginsAnew, "what_arrives_late_is_not_passed_over"),
    ]);
}

#[test]
fn the_suite_sees_a_store_that_never_wakes() {
    assert_seen(&[(Flaw::NeverWakes, "following_wakes_when_something_arrives")]);
}

#[test]
fn the_suite_sees_every_flaw_of_what_is_written() {
    assert_seen(&[
        (Flaw::StoresAgain, "a_record_that_comes_again_is_stored_once"),
        (Flaw::StoresAgain, "callers_at_once_store_a_record_once"),
        (Flaw::TakesOtherContents, "another_content_under_an_id_is_a_conflict"),
        (Flaw::RefusesWhatItHas, "a_record_that_comes_again_is_stored_once"),
        (Flaw::RefusesWhatItHas, "a_place_may_be_known_later_or_not"),
        (Flaw::IgnoresPlaces, "another_record_in_a_place_is_a_conflict"),
        (Flaw::TakesRecordsElsewhere, "another_record_in_a_place_is_a_conflict"),
        (Flaw::SeesNoPairInABatch, "a_record_that_comes_again_is_stored_once"),
        (Flaw::SeesNoPairInABatch, "another_content_under_an_id_is_a_conflict"),
        (Flaw::WritesHalfOfABatch, "a_batch_is_written_whole_or_not_at_all"),
        (Flaw::WritesInTwoSteps, "a_write_that_was_dropped_is_whole_or_not_there"),
        (Flaw::Rewrites, "what_comes_back_is_what_came"),
    ]);
}

#[track_caller]
fn assert_seen(flaws: &[(Flaw, &str)]) {
    for (flaw, case) in flaws {
        assert!(sees(case, *flaw), "`{case}` does not see that a store {flaw:?}");
    }
}
