//! What every store promises, as one suite that anybody can run on their own.

mod cases;
pub mod made;
mod read;
mod subject;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use self::cases::Run;
use self::read::{arrived, arrived_since, found};
pub use self::subject::StoreUnderTest;
use super::contract::drive::block_on;
use super::contract::place::Place;
use super::contract::text_of;

/// More records than a case writes.
const MANY: usize = 5_000;

/// One promise of a store, and how it is put to the test. [`store_contract!`](crate::testing::store_contract) makes a test
/// of each.
#[derive(Clone, Copy, Debug)]
pub struct StoreCase {
    name: &'static str,
    run: Run,
}

impl StoreCase {
    /// How many there are.
    pub const COUNT: usize = {
        let (mut count, mut at) = (0, 0);
        while at < cases::ALL.len() {
            count += cases::ALL[at].len();
            at += 1;
        }
        count
    };

    /// Every case.
    pub fn all() -> impl Iterator<Item = Self> {
        cases::ALL.into_iter().flatten().copied()
    }

    /// The case of that name.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn named(name: &str) -> Self {
        Self::all().find(|case| case.name == name).unwrap_or_else(|| panic!("no case is called {name}"))
    }

    /// The name, which is that of its test.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Runs it on a store that `make` makes, of whatever it keeps in the empty directory that it is given.
    ///
    /// # Panics
    ///
    /// When the store breaks the promise, with how.
    pub fn run(self, make: impl Fn(&Path) -> StoreUnderTest) {
        let place = Place::new();
        let under = make(place.path());
        match self.run {
            Run::Alone(case) => case(&under),
            Run::BesideAnother(case) => {
                let beside = Place::new();
                case(&under, &make(beside.path()));
            }
        }
    }
}

/// Runs the cases of [`store_contract!`](crate::testing::store_contract) that are about stores, and gives the names of those
/// that a store fails, each with how.
pub fn store_violations(make: impl Fn(&Path) -> StoreUnderTest) -> Vec<(&'static str, String)> {
    let of = |case: StoreCase| {
        let how = catch_unwind(AssertUnwindSafe(|| case.run(&make))).err()?;
        Some((case.name, text_of(&*how)))
    };
    StoreCase::all().filter_map(of).collect()
}

/// Proves that a store keeps its promises, by one test each; those of a sink are among them.
///
/// ```text
/// audited::testing::store_contract!(my_store, |dir| {
///     let path = dir.join("audit.db");
///     let store = MyStore::open(&path).unwrap();
///     StoreUnderTest::new(store).reopened_by(move || MyStore::open(&path).unwrap()).is_opened_again()
/// });
/// ```
///
/// That makes tests such as `my_store::a_tenant_sees_its_own_records_alone` and
/// `my_store::as_a_sink::takes_one_record`. What makes the store is as with [`sink_contract!`](crate::testing::sink_contract).
#[macro_export]
macro_rules! store_contract {
    ($name:ident, || $make:expr $(,)?) => {
        $crate::store_contract!(@tests $name, _place, $make);
    };
    ($name:ident, |$place:pat_param| $make:expr $(,)?) => {
        $crate::store_contract!(@tests $name, $place, $make);
    };
    ($name:ident, $make:expr $(,)?) => {
        $crate::store_contract!(@tests $name, place, ($make)(place));
    };
    (@tests $name:ident, $place:pat_param, $make:expr) => {
        #[cfg(test)]
        fn $name($place: &::std::path::Path) -> $crate::testing::StoreUnderTest {
            $make
        }

        #[cfg(test)]
        mod $name {
            $crate::sink_contract!(as_a_sink, |place| super::$name(place).as_a_sink());
            $crate::store_contract! { @each $name
                a_tenant_sees_its_own_records_alone
                tenants_that_look_alike_are_several
                a_hashed_tenant_is_found_across_a_rotation
                what_is_no_tenant_sees_nothing
                an_id_of_another_tenant_is_found_nowhere
                finds_by_action
                finds_by_actor
                finds_by_subject_and_user
                finds_by_resource
                finds_by_decision_and_reason
                finds_by_outcome_and_code
                finds_by_request_kind_and_id
                finds_by_text_at_a_path
                begins_with_the_start_and_ends_before_the_end
                goes_by_when_it_happened
                asks_everything_that_is_asked
                equal_times_are_in_the_order_of_their_ids
                a_page_has_a_hundred_records_unless_asked
                a_page_has_at_least_one_record_and_at_most_a_thousand
                an_offset_skips
                a_cursor_goes_on_behind_its_page_whatever_the_offset
                pages_stay_as_they_are_while_records_arrive
                pages_are_full_however_few_records_fit
                the_last_page_says_so
                a_cursor_of_another_tenant_is_refused
                a_cursor_of_another_query_is_refused
                a_cursor_of_another_store_is_refused
                what_is_no_cursor_is_refused
                a_cursor_is_a_text_and_the_limit_may_change
                cursors_outlive_the_process
                what_arrives_comes_once_and_in_its_order
                what_arrives_late_is_not_passed_over
                now_begins_now
                following_gives_what_was_missed_and_then_what_comes
                following_wakes_when_something_arrives
                following_is_worth_a_cursor_at_every_record
                writers_at_once_hide_nothing_from_who_follows
                a_stream_has_no_order_to_choose
                an_intent_counts_as_its_call
                an_orphan_shows_until_its_call_ends
                orphans_are_found_alone
                whether_a_call_has_ended_does_not_depend_on_who_reads
                what_arrives_has_no_intents
                what_is_no_intent_has_no_call_to_wait_for
                a_record_that_comes_again_is_stored_once
                callers_at_once_store_a_record_once
                another_content_under_an_id_is_a_conflict
                another_record_in_a_place_is_a_conflict
                a_place_is_one_of_its_stream
                a_place_may_be_known_later_or_not
                a_batch_is_written_whole_or_not_at_all
                what_comes_back_is_what_came
                hostile_texts_are_texts
                hostile_texts_of_a_tenant_find_nothing_of_another
                a_query_that_asks_too_much_is_refused
                a_query_may_ask_a_lot
                reads_go_on_after_a_dropped_one
                a_write_that_was_dropped_is_whole_or_not_there
                a_dropped_wait_loses_nothing
                a_reading_does_not_find_itself
                a_reading_is_of_the_tenant_that_it_reads
            }
        }
    };
    (@each $name:ident $($test:ident)*) => {
        const _: () = assert!(
            [$(stringify!($test)),*].len() == $crate::testing::StoreCase::COUNT,
            "each case has a test"
        );

        $(
            #[test]
            fn $test() {
                $crate::testing::StoreCase::named(stringify!($test)).run(super::$name);
            }
        )*
    };
}

#[doc(inline)]
pub use crate::store_contract;
