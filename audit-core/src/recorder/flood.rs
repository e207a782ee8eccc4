//! Flood control: denials above a quota are counted instead of written one by one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::core::Core;
use crate::action::Action;
use crate::alarm::{Alarm, Alarms};
use crate::context::AuditContext;
use crate::decision::{Code, Decision};
use crate::record::{Draft, Kind, Stage};
use crate::sensitive::Redaction;
use crate::timestamp::Timestamp;

/// How many kinds of denials are told apart in one window; all others count as one more.
const MAX_KINDS: usize = 1024;

/// Has denials of one kind and source above a quota counted instead of written, so that an anonymous caller cannot buy
/// a write to the disk each.
///
/// A kind is an action and a reason, a source is a client's address. In each window the first denials up to the quota
/// are written as always. The one after them is written with the flag `coalescing`; those that follow are answered
/// without a record of their own, and one `audit.coalesced` says at the end of the window how many there were. What is
/// allowed is always written, and so is the end of a call whose intent was.
///
/// A process that is killed loses the count since the last window, not the flag.
///
/// ```
/// use std::time::Duration;
///
/// use audit_core::{FloodControl, Recorder, TracingSink};
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
    alarms: Arc<Alarms>,
    /// Who writes what was counted.
    core: OnceLock<Weak<Core>>,
}

#[derive(Default)]
struct State {
    kinds: HashMap<DenialKind, Count>,
    /// When the window that runs ends.
    ends: Option<Instant>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct DenialKind {
    action: String,
    reason: String,
    source: Option<IpAddr>,
}

struct Count {
    written: u32,
    coalesced: u64,
    from: Timestamp,
    to: Timestamp,
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Written,
    /// Written, and the last one of its kind in this window.
    LastWritten,
    Counted,
}

impl Flood {
    pub(super) fn new(control: FloodControl, alarms: Arc<Alarms>) -> Arc<Self> {
        Arc::new(Self { control, state: Mutex::default(), alarms, core: OnceLock::new() })
    }

    /// Sets whose denials it counts.
    pub(super) fn serve(&self, core: &Arc<Core>) {
        let _ = self.core.set(Arc::downgrade(core));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn admit(self: &Arc<Self>, draft: &Draft, context: Option<&AuditContext>, when: Timestamp) -> Admission {
        let Some(kind) = DenialKind::of(draft, context) else { return Admission::Written };
        let mut state = self.lock();
        let starts = state.ends.is_none();
        if starts {
            state.ends = Instant::now().checked_add(self.control.window);
        }
        let count = state.count(kind, when);
        let admission = match count.written.cmp(&self.control.quota) {
            std::cmp::Ordering::Less => Admission::Written,
            std::cmp::Ordering::Equal => Admission::LastWritten,
            std::cmp::Ordering::Greater => Admission::Counted,
        };
        if admission == Admission::Counted {
            count.coalesced += 1;
            count.to = count.to.max(when);
        } else {
            count.written += 1;
            count.from = when;
            count.to = when;
        }
        let ends = state.ends.filter(|_| starts);
        drop(state);
        if let Some(ends) = ends {
            self.alarms.at(ends, self);
        }
        admission
    }

    /// Ends the window; gives the records of what was counted in it.
    pub(super) fn take(&self) -> Vec<Draft> {
        let kinds = std::mem::take(&mut *self.lock()).kinds;
        kinds.iter().filter(|(_, count)| count.coalesced > 0).map(|(kind, count)| kind.draft(count)).collect()
    }
}

impl Alarm for Flood {
    fn ring(&self) {
        if let Some(core) = self.core.get().and_then(Weak::upgrade) {
            core.write_floods();
        }
    }

    fn is_over(&self) -> bool {
        false
    }
}

impl State {
    fn count(&mut self, kind: DenialKind, when: Timestamp) -> &mut Count {
        let known = self.kinds.len() < MAX_KINDS || self.kinds.contains_key(&kind);
        let kind = if known { kind } else { DenialKind::others() };
        self.kinds.entry(kind).or_insert(Count { written: 0, coalesced: 0, from: when, to: when })
    }
}

impl DenialKind {
    fn of(draft: &Draft, context: Option<&AuditContext>) -> Option<Self> {
        let Some(Decision::Deny { reason }) = &draft.decision else { return None };
        if draft.kind == Kind::System || draft.stage != Stage::Completed || draft.announced {
            return None;
        }
        let source = draft.stated.source.ip.or_else(|| context.and_then(|context| context.source.ip));
        Some(Self { action: draft.action.as_str().to_owned(), reason: Code::as_str(reason).to_owned(), source })
    }

    fn others() -> Self {
        Self { action: "…".to_owned(), reason: "…".to_owned(), source: None }
    }

    fn draft(&self, count: &Count) -> Draft {
        let mut draft = Draft::new(Action::new("audit.coalesced"), Kind::System);
        draft.detail.add(Redaction::default(), &mut |fields| {
            fields.plain("action", &self.action);
            fields.plain("reason", &self.reason);
            if let Some(source) = self.source {
                fields.plain("ip", &source.to_string());
            }
            fields.value("denials", &count.coalesced);
            fields.value("from", &count.from);
            fields.value("to", &count.to);
        });
        draft
    }
}
