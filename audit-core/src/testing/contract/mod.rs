//! What every sink promises, as one suite that anybody can run on their own.

mod cases;
pub(super) mod drive;
mod kill;
mod lines;
pub(super) mod place;
mod subject;
mod troubles;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use self::place::Place;
pub use self::subject::SinkUnderTest;

/// One promise of a sink, and how it is put to the test. [`sink_contract!`](crate::testing::sink_contract) makes a test
/// of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SinkCase {
    /// A record that was acknowledged is there, whole, and once.
    TakesOneRecord,
    /// A batch without records is acknowledged and leaves nothing.
    TakesAnEmptyBatch,
    /// Of 3000 records in one batch each is there, in their order.
    TakesALargeBatchInItsOrder,
    /// Whatever was acknowledged is there as soon as it was.
    HasWhatItAcknowledged,
    /// Eight threads write at once, and the records of each are in its order.
    TakesConcurrentCallers,
    /// A caller who leaves leaves a record that is there once or not at all, and hinders nobody.
    GoesOnAfterADroppedFuture,
    /// Line breaks, control characters, quotes and names of our own keys come back as they were.
    KeepsHostilePayloads,
    /// Its description is one line, and neither that nor its durability changes while it is used.
    DescribesItself,
    /// It can be flushed before there is something, and after.
    Flushes,
    /// A recorder drives it, on a thread without a runtime.
    WorksBehindARecorder,
    /// It is driven inside of a runtime: [`SinkUnderTest::runs_in`].
    WorksInsideARuntime,
    /// The process is killed, and what it had acknowledged is there: [`SinkUnderTest::is_opened_again`].
    OutlivesAKill,
    /// While its medium fails it acknowledges nothing that it does not have, and it says no:
    /// [`SinkUnderTest::breaks`].
    RefusesWhatItCannotKeep,
    /// While its medium hangs it acknowledges nothing, and its recorder goes on: [`SinkUnderTest::hangs`].
    HurtsNobodyWhileItHangs,
    /// Once it is closed it says no: [`SinkUnderTest::closes`].
    RefusesOnceItIsClosed,
    /// Says on stderr what the others could not prove of this sink.
    SaysWhatIsNotProven,
}

impl SinkCase {
    /// Every case.
    pub const ALL: [Self; 16] = [
        Self::TakesOneRecord,
        Self::TakesAnEmptyBatch,
        Self::TakesALargeBatchInItsOrder,
        Self::HasWhatItAcknowledged,
        Self::TakesConcurrentCallers,
        Self::GoesOnAfterADroppedFuture,
        Self::KeepsHostilePayloads,
        Self::DescribesItself,
        Self::Flushes,
        Self::WorksBehindARecorder,
        Self::WorksInsideARuntime,
        Self::OutlivesAKill,
        Self::RefusesWhatItCannotKeep,
        Self::HurtsNobodyWhileItHangs,
        Self::RefusesOnceItIsClosed,
        Self::SaysWhatIsNotProven,
    ];

    /// The name of its test.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TakesOneRecord => "takes_one_record",
            Self::TakesAnEmptyBatch => "takes_an_empty_batch",
            Self::TakesALargeBatchInItsOrder => "takes_a_large_batch_in_its_order",
            Self::HasWhatItAcknowledged => "has_what_it_acknowledged",
            Self::TakesConcurrentCallers => "takes_concurrent_callers",
            Self::GoesOnAfterADroppedFuture => "goes_on_after_a_dropped_future",
            Self::KeepsHostilePayloads => "keeps_hostile_payloads",
            Self::DescribesItself => "describes_itself",
            Self::Flushes => "flushes",
            Self::WorksBehindARecorder => "works_behind_a_recorder",
            Self::WorksInsideARuntime => "works_inside_a_runtime",
            Self::OutlivesAKill => "outlives_a_kill",
            Self::RefusesWhatItCannotKeep => "refuses_what_it_cannot_keep",
            Self::HurtsNobodyWhileItHangs => "hurts_nobody_while_it_hangs",
            Self::RefusesOnceItIsClosed => "refuses_once_it_is_closed",
            Self::SaysWhatIsNotProven => "says_what_is_not_proven",
        }
    }

    /// Runs it on a sink that `make` makes, of whatever it keeps in the empty directory that it is given. `module` is the
    /// path of the module that the test of this name is in, as `module_path!` gives it.
    ///
    /// # Panics
    ///
    /// When the sink breaks the promise, with how.
    pub fn run(self, make: impl Fn(&Path) -> SinkUnderTest, module: &str) {
        if self == Self::OutlivesAKill && kill::is_the_child_of(module) {
            kill::write_until_killed(&make);
        }
        let place = Place::new();
        let under = make(place.path());
        match self {
            Self::TakesOneRecord => cases::takes_one_record(&under),
            Self::TakesAnEmptyBatch => cases::takes_an_empty_batch(&under),
            Self::TakesALargeBatchInItsOrder => cases::takes_a_large_batch_in_its_order(&under),
            Self::HasWhatItAcknowledged => cases::has_what_it_acknowledged(&under),
            Self::TakesConcurrentCallers => cases::takes_concurrent_callers(&under),
            Self::GoesOnAfterADroppedFuture => cases::goes_on_after_a_dropped_future(&under),
            Self::KeepsHostilePayloads => cases::keeps_hostile_payloads(&under),
            Self::DescribesItself => cases::describes_itself(&under),
            Self::Flushes => cases::flushes(&under),
            Self::WorksBehindARecorder => cases::works_behind_a_recorder(&under),
            Self::WorksInsideARuntime => cases::works_inside_a_runtime(&under),
            Self::OutlivesAKill => kill::outlives_a_kill(under, &place, &make, module),
            Self::RefusesWhatItCannotKeep => troubles::refuses_what_it_cannot_keep(&under),
            Self::HurtsNobodyWhileItHangs => troubles::hurts_nobody_while_it_hangs(&under),
            Self::RefusesOnceItIsClosed => troubles::refuses_once_it_is_closed(&under),
            Self::SaysWhatIsNotProven => under.say_what_is_not_proven(module),
        }
    }
}

impl fmt::Display for SinkCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A promise that a sink breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkViolation {
    /// Which.
    pub case: SinkCase,
    /// How, as its test would say.
    pub how: String,
}

impl fmt::Display for SinkViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.how)
    }
}

/// Runs the cases of [`sink_contract!`](crate::testing::sink_contract) and gives what a sink breaks: for sinks that are
/// made in a loop, and for whoever tests the tests. [`SinkCase::OutlivesAKill`], which needs a test to start again, is not
/// among them.
///
/// ```
/// # use audit_core as audited;
/// use audited::TracingSink;
/// use audited::testing::{SinkUnderTest, sink_violations};
///
/// let violations = sink_violations(|_| SinkUnderTest::new(TracingSink::new()));
/// assert_eq!(violations, []);
/// ```
pub fn sink_violations(make: impl Fn(&Path) -> SinkUnderTest) -> Vec<SinkViolation> {
    let of = |case: SinkCase| {
        let how = catch_unwind(AssertUnwindSafe(|| case.run(&make, module_path!()))).err()?;
        Some(SinkViolation { case, how: text_of(&*how) })
    };
    let all = SinkCase::ALL.into_iter();
    all.filter(|case| !matches!(case, SinkCase::OutlivesAKill | SinkCase::SaysWhatIsNotProven)).filter_map(of).collect()
}

/// What a panic says.
pub(super) fn text_of(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    literal.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}

/// Proves that a sink keeps its promises, by one test each.
///
/// ```text
/// audited::testing::sink_contract!(my_sink, |dir| {
///     let path = dir.join("audit.jsonl");
///     let sink = MySink::open(&path).unwrap();
///     SinkUnderTest::new(sink).reads(move || lines_of(&path)).is_opened_again()
/// });
/// ```
///
/// That makes tests from `my_sink::takes_one_record` to `my_sink::refuses_once_it_is_closed`; [`SinkCase`] says what each
/// puts to the test. Each makes a sink of its own, in a directory of its own, which is empty and removed at the end. What
/// makes it is a closure with the directory, one without an argument, or the name of a function of `&Path`.
///
/// A sink proves as much as can be seen of it. How it is read back, failed, hung, closed and opened again is said to
/// [`SinkUnderTest`]; what is not said is not proven, and `says_what_is_not_proven` lists it on stderr.
///
/// That a sink syncs is not among it: what a killed process has written, the system still has, synced or not. A sink that
/// says [`Disk`](crate::Durability::Disk) or [`Replicated`](crate::Durability::Replicated) needs a test of its own for
/// that, and the list says so.
///
/// No async runtime is needed.
#[macro_export]
macro_rules! sink_contract {
    ($name:ident, || $make:expr $(,)?) => {
        $crate::sink_contract!(@tests $name, _place, $make);
    };
    ($name:ident, |$place:pat_param| $make:expr $(,)?) => {
        $crate::sink_contract!(@tests $name, $place, $make);
    };
    ($name:ident, $make:expr $(,)?) => {
        $crate::sink_contract!(@tests $name, place, ($make)(place));
    };
    (@tests $name:ident, $place:pat_param, $make:expr) => {
        #[cfg(test)]
        fn $name($place: &::std::path::Path) -> $crate::testing::SinkUnderTest {
            $make
        }

        #[cfg(test)]
        mod $name {
            $crate::sink_contract! { @each $name
                takes_one_record: TakesOneRecord,
                takes_an_empty_batch: TakesAnEmptyBatch,
                takes_a_large_batch_in_its_order: TakesALargeBatchInItsOrder,
                has_what_it_acknowledged: HasWhatItAcknowledged,
                takes_concurrent_callers: TakesConcurrentCallers,
                goes_on_after_a_dropped_future: GoesOnAfterADroppedFuture,
                keeps_hostile_payloads: KeepsHostilePayloads,
                describes_itself: DescribesItself,
                flushes: Flushes,
                works_behind_a_recorder: WorksBehindARecorder,
                works_inside_a_runtime: WorksInsideARuntime,
                outlives_a_kill: OutlivesAKill,
                refuses_what_it_cannot_keep: RefusesWhatItCannotKeep,
                hurts_nobody_while_it_hangs: HurtsNobodyWhileItHangs,
                refuses_once_it_is_closed: RefusesOnceItIsClosed,
                says_what_is_not_proven: SaysWhatIsNotProven,
            }
        }
    };
    (@each $name:ident $($test:ident: $case:ident,)*) => {
        const _: () = assert!(
            [$($crate::testing::SinkCase::$case),*].len() == $crate::testing::SinkCase::ALL.len(),
            "each case has a test"
        );

        $(
            #[test]
            fn $test() {
                $crate::testing::SinkCase::$case.run(super::$name, module_path!());
            }
        )*
    };
}

#[doc(inline)]
pub use crate::sink_contract;
