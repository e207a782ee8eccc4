//! The cases in which something is wrong with what the sink stands on.

use std::time::Duration;

use super::cases::{numbered, recorder};
use super::drive::eventually;
use super::subject::SinkUnderTest;
use crate::action::Action;
use crate::record::Record;
use crate::recorder::{record_action, with_recorder_sync};

/// How long a recorder waits for a sink that hangs.
const DEADLINE: Duration = Duration::from_secs(1);

pub(super) fn refuses_what_it_cannot_keep(under: &SinkUnderTest) {
    let Some(breaks) = &under.breaks else { return };
    let mut acknowledged = taken(under, 0);
    breaks();
    let mut refused = 0;
    for n in 0..3 {
        let batch = [numbered(1, 2 * n), numbered(1, 2 * n + 1)];
        match under.write(&batch) {
            Ok(()) => acknowledged.extend(batch),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0, "it acknowledges everything while its medium fails, or `breaks` does not break it");
    mended(under, &mut acknowledged);
    under.assert_has_among_others(&acknowledged);
}

pub(super) fn hurts_nobody_while_it_hangs(under: &SinkUnderTest) {
    let Some(hangs) = &under.hangs else { return };
    let recorder = recorder(under, DEADLINE);
    let mut acknowledged = taken(under, 0);
    hangs();
    let record = || record_action(Action::new("contract.held")).wait();
    let held = under.with(|| with_recorder_sync(recorder.clone(), record));
    assert!(held.is_err(), "it acknowledges a record while its medium hangs, or `hangs` does not hang it");
    mended(under, &mut acknowledged);
    if under.mends.is_some() {
        // A sink that was stuck is asked again, as soon as it answers.
        let again = || under.with(|| with_recorder_sync(recorder.clone(), record)).is_ok();
        eventually("the recorder is acknowledged again", again);
        under.assert_has_among_others(&acknowledged);
    }
}

pub(super) fn refuses_once_it_is_closed(under: &SinkUnderTest) {
    let Some(closes) = &under.closes else { return };
    let acknowledged = taken(under, 0);
    closes();
    for n in 0..3 {
        assert!(under.write(&[numbered(1, n)]).is_err(), "it acknowledges records although it is closed");
    }
    under.assert_has(&acknowledged);
}

/// What it takes before anything is wrong.
fn taken(under: &SinkUnderTest, caller: usize) -> Vec<Record> {
    let batch: Vec<_> = (0..3).map(|n| numbered(caller, n)).collect();
    under.takes(&batch, "it refuses records while nothing is wrong");
    batch
}

/// Makes the medium whole, where that can be done, and has the sink take records again.
fn mended(under: &SinkUnderTest, acknowledged: &mut Vec<Record>) {
    let Some(mends) = &under.mends else { return };
    mends();
    let after = numbered(2, 0);
    // One that it has refused may be there, and the same id twice is no business of this case: each try is another.
    let mut n = 1;
    let mut last = after;
    eventually("it takes records again", || {
        let taken = under.write(std::slice::from_ref(&last)).is_ok();
        if !taken {
            last = numbered(2, n);
            n += 1;
        }
        taken
    });
    acknowledged.push(last);
}
