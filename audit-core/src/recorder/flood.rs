//! Flood control: denials above a quota are counted instead of written one by one.

mod denial;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(super) use self::denial::{Counted, Counts, DenialKind};
use super::owed::Owed;
use crate::alarm::Alarm;
use crate::context::AuditContext;
use crate::record::Draft;
use crate::timestamp::Timestamp;

/// Has denials of one kind and source above a quota counted instead of written, so that an anonymous caller cannot buy
/// a write to the disk each.
///
/// A kind is an action, a reason and the tenant of the context; a source is a client's address, of IPv6 its first 64
/// bits. In each window the first denials up to the quota are written as always. The one after them is written with the
/// flag `coalescing`. Once a sink has acknowledged that one, those that follow are answered without a record of their
/// own, and one `audit.coalesced` says at the end of the window how many there were; it is kept until a sink takes it,
/// and merged with those of later windows. What is allowed is always written, and so are the end of a call whose intent
/// was, and calls that were cancelled or that panicked.
///
/// What an `AuditLayer` records of a request by somebody whom nobody has identified counts as a denial, although it is
/// none: one that was refused, with the code of its status as the reason (`http.404`), one that was `cancelled`, and an
/// answer that was lost. A scanner would be that many writes otherwise.
///
/// # What an acknowledgement of a counted denial is worth
///
/// The stream says that denials like it follow, durably; how many they were is in the memory of the process until the
/// window ends and a sink takes the count. A process that is killed before that loses the count, not the flag. The id
/// of a counted event is in no record, and neither is the `parent` of what a counted call has recorded. A guard of a
/// `fail_closed` function answers a counted denial with [`Refusal::Denied`](crate::Refusal::Denied) also while no sink
/// takes records.
///
/// # How much a caller can buy
///
/// Up to the quota and one more for each kind and source, of which 1024 are told apart in a window; all others share
/// one more quota, and are counted under `…`. Until the flagged record is acknowledged, denials are written as always:
/// as many as callers ask for at the same time.
///
/// ```
/// # use audit_core as audited;
/// use std::time::Duration;
///
/// use audited::{FloodControl, Recorder, TracingSink};
///
/// let recorder = Recorder::builder()
///     .sink(TracingSink::new())
///     .flood_control(FloodControl::new(20, Duration::from_secs(10)))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloodControl {
    pub(super) quota: u32,
    pub(super) window: Duration,
}

impl FloodControl {
    /// Writes so many denials of each kind and source in each window of time.
    pub const fn new(quota: u32, window: Duration) -> Self {
        Self { quota, window }
    }
}

pub(super) struct Flood {
    pub(super) control: FloodControl,
    state: Mutex<State>,
    /// Where what was counted goes when its window ends.
    owed: Arc<Owed>,
}

#[derive(Default)]
struct State {
    kinds: HashMap<DenialKind, Seen>,
    /// When the window that runs ends; never where that is too far to be a moment.
    ends: Option<Instant>,
    /// Which window runs: a mark of an earlier one says nothing of this one.
    window: u64,
}

/// What became of the denials of one kind in the window that runs.
#[derive(Default)]
struct Seen {
    written: u32,
    mark: MarkState,
    counted: Option<Counted>,
}

/// How far the record is that says that others follow it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum MarkState {
    /// There is none, or the sink did not take it.
    #[default]
    None,
    OnItsWay,
    Acknowledged,
}

/// What becomes of a record.
pub(super) enum Admission {
    Written,
    /// Written, with the flag that others follow it. They do once it is acknowledged.
    Marked(Mark),
    Counted,
}

/// The record that says that others follow it, while it is on its way.
pub(super) struct Mark {
    flood: Arc<Flood>,
    kind: DenialKind,
    window: u64,
}

impl Flood {
    pub(super) fn new(control: FloodControl, owed: Arc<Owed>) -> Arc<Self> {
        Arc::new(Self { control, state: Mutex::default(), owed })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn admit(self: &Arc<Self>, draft: &Draft, context: Option<&AuditContext>, when: Timestamp) -> Admission {
        let Some(kind) = DenialKind::of(draft, context) else { return Admission::Written };
        let now = Instant::now();
        // Where no alarm could be set, the next denial ends the window.
        self.end_window_if(|state| state.is_over(now));
        let mut state = self.lock();
        let starts = state.kinds.is_empty();
        if starts {
            state.ends = now.checked_add(self.control.window);
        }
        let ends = state.ends.filter(|_| starts);
        let (kind, window) = (state.known(kind), state.window);
        let seen = state.kinds.entry(kind.clone()).or_default();
        let admission = if seen.written < self.control.quota {
            seen.written += 1;
            Admission::Written
        } else {
            match seen.mark {
                MarkState::None => {
                    seen.mark = MarkState::OnItsWay;
                    Admission::Marked(Mark { flood: self.clone(), kind, window })
                }
                MarkState::OnItsWay => Admission::Written,
                MarkState::Acknowledged => {
                    let one = Counted::one(when);
                    match &mut seen.counted {
                        Some(sum) => sum.merge(one),
                        none => *none = Some(one),
                    }
                    Admission::Counted
                }
            }
        };
        drop(state);
        if let Some(ends) = ends {
            self.owed.watch().alarms().at(ends, self);
        }
        admission
    }

    /// Ends the window; what was counted in it is owed to the stream.
    pub(super) fn end_window(&self) {
        self.end_window_if(|_| true);
    }

    fn end_window_if(&self, ends: impl FnOnce(&State) -> bool) {
        let mut state = self.lock();
        if !ends(&state) {
            return;
        }
        state.window += 1;
        state.ends = None;
        let kinds = std::mem::take(&mut state.kinds);
        // Under the lock, so that whoever ends the window next finds it owed.
        self.owed.counted(kinds.into_iter().filter_map(|(kind, seen)| Some((kind, seen.counted?))));
    }
}

impl Alarm for Flood {
    fn ring(&self) {
        let now = Instant::now();
        self.end_window_if(|state| state.is_over(now));
        self.owed.watch().write_now();
    }

    fn is_over(&self) -> bool {
        false
    }
}

impl State {
    fn is_over(&self, now: Instant) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }

    fn known(&mut self, kind: DenialKind) -> DenialKind {
        let is_full = self.kinds.len() >= denial::MAX_KINDS;
        match self.kinds.entry(kind) {
            Entry::Vacant(new) if is_full => {
                drop(new);
                DenialKind::others()
            }
            entry => entry.key().clone(),
        }
    }
}

impl Mark {
    /// The sink has answered for it.
    pub(super) fn settled(&self, is_acknowledged: bool) {
        let mut state = self.flood.lock();
        if state.window != self.window {
            return;
        }
        if let Some(seen) = state.kinds.get_mut(&self.kind) {
            seen.mark = if is_acknowledged { MarkState::Acknowledged } else { MarkState::None };
        }
    }
}
