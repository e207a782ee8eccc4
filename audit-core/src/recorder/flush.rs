//! Waiting for what is on its way, and the end of a recorder.

use std::fmt;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::Recorder;
use super::owed::Debts;
use crate::__private::debug_as_display;
use crate::action::Action;
use crate::record::{Draft, Kind};
use crate::sink::SinkError;

impl Recorder {
    /// Waits until every record on its way is answered for and the sink is flushed. It blocks the thread.
    ///
    /// Audited calls that still run have no record on its way yet, and are not waited for; neither is what has no room
    /// yet.
    ///
    /// # Errors
    ///
    /// [`NotFlushed`] when that takes longer than `within`, or the sink says no.
    pub fn flush(&self, within: Duration) -> Result<(), NotFlushed> {
        let not_flushed = self.flush_until(within, Instant::now().checked_add(within));
        if not_flushed.is_flushed() { Ok(()) } else { Err(not_flushed) }
    }

    /// Writes what was counted or lost, and the stop record, then flushes. It blocks the thread, for no longer than
    /// `within`.
    ///
    /// Call it last: records of calls that were cancelled are on their way with nobody waiting for them. What is
    /// recorded later is written as before, after the stop record.
    ///
    /// # Errors
    ///
    /// [`NotFlushed`] says in numbers what is not in the stream: what is on its way after that time, and what was lost
    /// or counted without a record that says so.
    ///
    /// ```
    /// # use audit_core as audited;
    /// use std::time::Duration;
    ///
    /// use audited::{Recorder, TracingSink};
    ///
    /// let recorder = Recorder::builder().sink(TracingSink::new()).build()?;
    /// if let Err(not_flushed) = recorder.shutdown(Duration::from_secs(5)) {
    ///     eprintln!("{not_flushed}");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown(&self, within: Duration) -> Result<(), NotFlushed> {
        let until = Instant::now().checked_add(within);
        let stop = Draft::new(Action::new("audit.stopped"), Kind::System);
        self.0.end_flood_window();
        self.0.write_owed();
        let slot = self.0.try_slot().or_else(|| self.0.queue_for_slot_within(within).wait());
        let stopped = self.0.submit_system_in(&stop, slot.into());
        // Should the sink not take it, it is among the lost, and should it not answer, on its way.
        let _ = stopped.within(until.map_or(within, left)).wait();
        self.0.write_owed();
        let not_flushed = self.flush_until(within, until);
        let is_whole = not_flushed.is_flushed() && not_flushed.lost == 0 && not_flushed.coalesced == 0;
        if is_whole { Ok(()) } else { Err(not_flushed) }
    }

    fn flush_until(&self, within: Duration, until: Option<Instant>) -> NotFlushed {
        let on_their_way = self.0.slots.wait_until_landed(until);
        let sink = match on_their_way {
            0 => self.0.flush_sink(until.map_or(within, left)).err(),
            _ => None,
        };
        let Debts { lost, denials } = self.0.losses.owed().wait_until_landed(until);
        NotFlushed { on_their_way, waiting: self.0.slots.waiting(), lost, coalesced: denials, sink }
    }
}

/// Not everything is flushed, and how much is not.
#[derive(Error)]
#[non_exhaustive]
pub struct NotFlushed {
    /// Records that the sink has and has not answered for. It was not flushed while there are any.
    pub on_their_way: usize,
    /// Events and calls that wait for room.
    pub waiting: usize,
    /// Records that were lost, and no acknowledged gap record says so.
    pub lost: u64,
    /// Denials that were counted, and no acknowledged record says so.
    pub coalesced: u64,
    /// What the sink said to its flush, where that is not that it went well.
    #[source]
    pub sink: Option<SinkError>,
}

debug_as_display!(NotFlushed);

impl NotFlushed {
    fn is_flushed(&self) -> bool {
        self.on_their_way == 0 && self.sink.is_none()
    }
}

impl fmt::Display for NotFlushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = u64::try_from(self.waiting).unwrap_or(u64::MAX);
        let on_their_way = u64::try_from(self.on_their_way).unwrap_or(u64::MAX);
        let parts = [
            (on_their_way, "records are still on their way"),
            (waiting, "wait for room"),
            (self.lost, "are lost without a gap record"),
            (self.coalesced, "denials are counted without a record"),
        ];
        f.write_str("not everything is flushed")?;
        let mut before = ": ";
        for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{before}{count} {what}")?;
            before = ", ";
        }
        if self.sink.is_some() {
            write!(f, "{before}the sink was not flushed")?;
        }
        Ok(())
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}
