//! What gives up on answers past their deadline, and asks again about gaps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use super::core::Core;
use crate::alarm::{Alarm, Alarms};

/// How often a sink that lost records is asked whether it takes the gap record.
const GAP_RETRY: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(super) struct Watch {
    core: OnceLock<Weak<Core>>,
    alarms: Arc<Alarms>,
    /// Whether it is about to ask about a gap.
    gap_due: AtomicBool,
    /// Whether the recorder is gone.
    closed: AtomicBool,
}

impl Watch {
    /// Sets whose gaps it asks about. Until then it asks about none.
    pub(super) fn serve(&self, core: &Arc<Core>) {
        let _ = self.core.set(Arc::downgrade(core));
    }

    pub(super) fn alarms(&self) -> &Arc<Alarms> {
        &self.alarms
    }

    /// Sees to it that a gap is written before long.
    pub(super) fn gap_due(self: &Arc<Self>) {
        // A model has no time.
        if !cfg!(loom) && !self.gap_due.swap(true, Ordering::SeqCst) {
            self.alarms.at(Instant::now() + GAP_RETRY, self);
        }
    }

    /// Has its thread go on with what is owed.
    pub(super) fn take_over(self: &Arc<Self>) {
        self.alarms.at(Instant::now(), self);
    }

    /// Has what is owed written, where the recorder is still there.
    pub(super) fn write_now(&self) {
        if let Some(core) = self.core.get().and_then(Weak::upgrade) {
            core.write_owed();
        }
    }

    /// Goes on with what is owed and with what stands behind it, where the recorder is still there.
    pub(super) fn go_on(&self) {
        if let Some(core) = self.core.get().and_then(Weak::upgrade) {
            core.go_on();
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.alarms.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

impl Alarm for Watch {
    fn ring(&self) {
        self.gap_due.store(false, Ordering::SeqCst);
        self.write_now();
    }

    fn is_over(&self) -> bool {
        false
    }
}
