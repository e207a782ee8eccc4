//! What was left so far within a scope.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Coverage;
use crate::decision::{Decision, Outcome};
use crate::id::RecordId;
use crate::record::{Draft, Stage};

/// What was left so far within a scope, for whoever asks around it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The more, the higher.
    coverage: AtomicU8,
    left: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    left: Left,
    /// The call around the one that is noted.
    around: Option<RecordId>,
}

/// The records that say how a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// The final record of the audited call that ended last; or of one that was denied or failed, where what ended later
    /// was allowed and is not the call around it.
    pub call: Option<LeftRecord>,
    /// The last event that was denied or failed; the last one, where none was.
    pub event: Option<LeftRecord>,
    /// Whether a record says that the answer of a call did not reach its caller.
    pub undelivered: bool,
}

/// A record that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftRecord {
    /// Its id.
    pub id: RecordId,
    /// How it says that it ended.
    pub ending: LeftEnding,
}

/// How a record says that it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftEnding {
    /// It was allowed, and nothing is said of a failure.
    Allowed,
    /// It was allowed, and failed.
    Failed,
    /// It was denied.
    Denied,
    /// Its future was dropped.
    Cancelled,
    /// It panicked.
    Panicked,
}

impl LeftEnding {
    pub(crate) fn of(draft: &Draft) -> Self {
        match (draft.stage, &draft.decision, &draft.outcome) {
            (Stage::Cancelled, ..) => Self::Cancelled,
            (Stage::Panicked, ..) => Self::Panicked,
            (_, Some(Decision::Deny { .. }), _) => Self::Denied,
            (_, _, Some(Outcome::Failure { .. })) => Self::Failed,
            _ => Self::Allowed,
        }
    }
}

impl Tally {
    pub(crate) fn note(&self, coverage: Coverage) {
        self.coverage.fetch_max(coverage as u8, Ordering::Relaxed);
    }

    /// A call has ended, which `around` was around.
    pub(crate) fn call(&self, id: RecordId, around: Option<RecordId>, ending: LeftEnding) {
        self.with(|noted| {
            // What ended inside of this call, it answers for itself; what ended beside it, it knows nothing of.
            let beside = noted.left.call.is_some_and(|call| call.id != id) && noted.around != Some(id);
            let adverse = noted.left.call.is_some_and(|call| call.ending != LeftEnding::Allowed);
            if !(beside && adverse && ending == LeftEnding::Allowed) {
                *noted = Noted { left: Left { call: Some(LeftRecord { id, ending }), ..noted.left }, around };
            }
        });
    }

    pub(crate) fn event(&self, id: RecordId, ending: LeftEnding) {
        self.with(|Noted { left, .. }| {
            let adverse = left.event.is_some_and(|event| event.ending != LeftEnding::Allowed);
            if !adverse || ending != LeftEnding::Allowed {
                left.event = Some(LeftRecord { id, ending });
            }
        });
    }

    pub(crate) fn undelivered(&self) {
        self.with(|noted| noted.left.undelivered = true);
    }

    pub(crate) fn left(&self) -> Left {
        self.with(|noted| noted.left)
    }

    pub(crate) fn coverage(&self) -> Coverage {
        match self.coverage.load(Ordering::Relaxed) {
            0 => Coverage::Unaudited,
            1 => Coverage::Exempt,
            _ => Coverage::Audited,
        }
    }

    fn with<R>(&self, look: impl FnOnce(&mut Noted) -> R) -> R {
        look(&mut self.left.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_was_allowed_does_not_hide_one_that_was_not() {
        let (tally, [first, second, third]) = (Tally::default(), [(); 3].map(|()| RecordId::new()));
        tally.event(first, LeftEnding::Allowed);
        tally.event(second, LeftEnding::Denied);
        tally.event(third, LeftEnding::Allowed);
        assert_eq!(tally.left().event, Some(LeftRecord { id: second, ending: LeftEnding::Denied }));
    }

    #[test]
    fn of_calls_the_one_that_ended_last_counts() {
        let (tally, [inner, outer]) = (Tally::default(), [(); 2].map(|()| RecordId::new()));
        tally.call(inner, Some(outer), LeftEnding::Failed);
        tally.call(outer, None, LeftEnding::Allowed);
        assert_eq!(tally.left().call, Some(LeftRecord { id: outer, ending: LeftEnding::Allowed }));
    }

    #[test]
    fn a_call_that_was_allowed_does_not_hide_what_was_not_beside_it() {
        let (tally, [denied, allowed, failed]) = (Tally::default(), [(); 3].map(|()| RecordId::new()));
        tally.call(denied, None, LeftEnding::Denied);
        tally.call(allowed, None, LeftEnding::Allowed);
        assert_eq!(tally.left().call, Some(LeftRecord { id: denied, ending: LeftEnding::Denied }));
        tally.call(failed, None, LeftEnding::Failed);
        assert_eq!(tally.left().call, Some(LeftRecord { id: failed, ending: LeftEnding::Failed }));
    }
}
