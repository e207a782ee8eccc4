//! What became of the records that a member was to have.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use audit_core::__private::log_aside;
use audit_core::{Record, SinkError};

/// What became of the records that one sink of a combination was to have, so far.
///
/// A record that was handed to it and answered for is in `acknowledged` or in `failed`, never in both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberStats {
    /// The sink, as it describes itself.
    pub sink: String,
    /// Acknowledged in time.
    pub acknowledged: u64,
    /// Not acknowledged in time, by [`SinkError::reason`].
    pub failed: BTreeMap<&'static str, u64>,
    /// Of the failed, those that it acknowledged after its deadline.
    pub late: u64,
    /// Of the failed, those that never reached it: its queue was full, or it was stuck.
    pub dropped: u64,
    /// Those that the combination acknowledged and this sink did not: to be looked for elsewhere.
    pub missed: u64,
}

pub(super) struct Ledger(Mutex<MemberStats>);

impl Ledger {
    pub(super) fn new(sink: &str) -> Self {
        Self(Mutex::new(MemberStats { sink: sink.to_owned(), ..MemberStats::default() }))
    }

    pub(super) fn stats(&self) -> MemberStats {
        self.lock().clone()
    }

    pub(super) fn answered(&self, records: usize, result: &Result<(), SinkError>) {
        let stats = &mut *self.lock();
        match result {
            Ok(()) => stats.acknowledged += records as u64,
            Err(error) => *stats.failed.entry(error.reason()).or_default() += records as u64,
        }
    }

    pub(super) fn late(&self, records: usize) {
        self.lock().late += records as u64;
    }

    pub(super) fn dropped(&self, records: usize) {
        self.lock().dropped += records as u64;
    }

    pub(super) fn missed(&self, records: usize) {
        self.lock().missed += records as u64;
    }

    /// Says that a sink lacks records although they are acknowledged.
    pub(super) fn log_missed(&self, batch: &[Record], reason: &'static str) {
        let (sink, records) = (self.lock().sink.clone(), batch.len());
        let [first, last] = [batch.first(), batch.last()].map(|record| record.and_then(|record| record.id()));
        log_aside(move || {
            tracing::error!(
                target: "audited::loss",
                sink,
                reason,
                records,
                first = first.map(tracing::field::display),
                last = last.map(tracing::field::display),
                "audit records acknowledged by others only"
            );
        });
    }

    fn lock(&self) -> MutexGuard<'_, MemberStats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
