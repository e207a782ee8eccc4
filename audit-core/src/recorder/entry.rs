//! The account of a record that is on its way.

use std::sync::Arc;

use super::core::Core;
use super::flood::Mark;
use super::loss::{Loss, log};
use super::meter::Flight;
use crate::alarm::Alarms;
use crate::record::Record;
use crate::sink::SinkError;
use crate::ticket::Account;

/// The account of a record.
pub(crate) struct Entry {
    told: Told,
    flight: Flight,
    /// Where it says that denials like it follow.
    mark: Option<Box<Mark>>,
    /// Whether it has room, until the sink has answered.
    has_room: bool,
}

/// What is told where a record is lost, or late.
#[derive(Clone)]
pub(crate) struct Told {
    core: Arc<Core>,
    record: Record,
}

impl Entry {
    pub(super) fn new(
        core: Arc<Core>,
        record: Record,
        flight: Flight,
        mark: Option<Box<Mark>>,
        has_room: bool,
    ) -> Self {
        Self { told: Told { core, record }, flight, mark, has_room }
    }

    pub(crate) fn told(&self) -> &Told {
        &self.told
    }
}

impl Account for Entry {
    fn settled(&self, result: &Result<(), SinkError>, late: bool) {
        if let Some(mark) = &self.mark {
            mark.settled(result.is_ok());
        }
        match result {
            Ok(()) => self.told.core.losses.acknowledged(&self.flight, late),
            Err(error) => self.told.lost(error, late),
        }
    }

    fn expired(&self) {
        self.told.expired();
    }

    fn alarms(&self) -> Option<&Arc<Alarms>> {
        Some(self.told.core.watch.alarms())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.told.core.losses.landed();
        if self.has_room {
            self.told.core.slots.land();
        }
    }
}

impl Told {
    pub(crate) fn expired(&self) {
        self.core.losses.expired();
        self.tell("audit record not acknowledged in time", &SinkError::Deadline, false);
    }

    fn lost(&self, error: &SinkError, late: bool) {
        self.core.losses.lost(&self.record, error, late);
        self.tell("audit record lost", error, true);
    }

    fn tell(&self, what: &'static str, error: &SinkError, for_certain: bool) {
        self.core.losses.tell(&Loss::of(&self.record, error, for_certain));
        log(what, &self.record, error);
    }
}
