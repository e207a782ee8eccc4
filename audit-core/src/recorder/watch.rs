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
        if !self.gap_due.swap(true, Ordering::SeqCst) {
            self.alarms.at(Instant::now() + GAP_RETRY, self);
        }
    }

    pub(super) fn close(&self) {
        self.alarms.close();
    }
}

impl Alarm for Watch {
    fn ring(&self) {
        self.gap_due.store(false, Ordering::SeqCst);
        if let Some(core) = self.core.get().and_then(Weak::upgrade) {
            core.write_gap();
        }
    }

    fn is_over(&self) -> bool {
        false
    }
}
