//! Nothing is measured without the feature `metrics`.

use crate::record::Flags;

pub(super) struct Meter;

pub(super) struct Flight;

#[allow(clippy::unused_self, reason = "as with the feature")]
impl Meter {
    pub(super) fn register() -> Self {
        Self
    }

    pub(super) fn took_off(&self) -> Flight {
        Flight
    }

    pub(super) fn landed(&self) {}

    pub(super) fn acknowledged(&self, _flight: &Flight, _late: bool) {}

    pub(super) fn unacknowledged(&self) {}

    pub(super) fn lost(&self, _reason: &'static str) {}

    pub(super) fn coalesced(&self) {}

    pub(super) fn transacted(&self, _is_written: bool) {}

    pub(super) fn flagged(&self, _flags: Flags, _fell_back: bool) {}
}
