//! The recorder: it stamps, takes the context, drives the sink, and answers for what is lost.

mod ambient;
mod begun;
mod build;
mod call;
mod capture;
mod core;
mod drive;
mod event;
mod guarded;
mod lane;
mod loss;
pub(crate) mod prologue;
mod shell;
mod site;
mod slots;
mod watch;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use thiserror::Error;

pub(crate) use self::ambient::{Ambient, scoped_to_tally, surrounding_context};
pub use self::ambient::{
    NoContext, Scoped, carry, current_context, extend_context, with_context, with_context_sync, with_recorder,
    with_recorder_sync,
};
pub use self::begun::{Begun, begin, make};
pub use self::build::{BuildError, DEFAULT_DEADLINE, DEFAULT_MAX_IN_FLIGHT, RecorderBuilder};
pub use self::call::Call;
pub use self::capture::{CaptureActor, CaptureSubject};
pub(crate) use self::core::Core;
pub use self::drive::{Audited, audit, audit_begun, audit_sync, never_refused};
pub use self::event::{Acknowledging, Unacknowledged, record, record_action, record_from};
pub use self::guarded::Guarded;
pub use self::lane::block_on;
pub use self::loss::Stats;
pub use self::site::{AboutSite, FailurePolicy, RegisteredSite, Site, sites};
use crate::action::Action;
use crate::record::{Draft, Kind};
use crate::sensitive::Redaction;
use crate::sink::{Durability, SinkError};
use crate::tracing_sink::TracingSink;

/// Stamps records, drives the sink, applies the failure policy, and counts every loss.
///
/// A service builds one and installs it; tests scope one of their own with [`with_recorder`]. Until one is
/// installed, records go to `tracing`, and the body of a `fail_closed` function does not run.
///
/// ```
/// use audit_core::{Recorder, TracingSink};
///
/// let recorder = Recorder::builder().sink(TracingSink::new()).build()?;
/// recorder.install()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Cloning it copies a pointer.
#[derive(Clone)]
pub struct Recorder(Arc<Core>);

static INSTALLED: OnceLock<Recorder> = OnceLock::new();
static FALLBACK: OnceLock<Recorder> = OnceLock::new();

impl Recorder {
    /// Starts a recorder.
    pub fn builder() -> RecorderBuilder {
        RecorderBuilder::new()
    }

    /// Makes this the recorder of the process.
    ///
    /// # Errors
    ///
    /// [`AlreadyInstalled`] when there is one: a recorder is never replaced in silence.
    pub fn install(&self) -> Result<(), AlreadyInstalled> {
        INSTALLED.set(self.clone()).map_err(|_| AlreadyInstalled)
    }

    /// What became of the records so far.
    pub fn stats(&self) -> Stats {
        self.0.losses.stats()
    }

    /// What an acknowledgement of this recorder promises.
    pub fn durability(&self) -> Durability {
        self.0.sink.durability()
    }

    /// Waits until every record on its way is answered for and the sink is flushed. It blocks the thread.
    ///
    /// Audited calls that still run have no record on its way yet, and are not waited for.
    ///
    /// # Errors
    ///
    /// [`NotFlushed`] when that takes longer than `within`, or the sink says no.
    pub fn flush(&self, within: Duration) -> Result<(), NotFlushed> {
        self.flush_until(within, Instant::now().checked_add(within))
    }

    /// Writes what was lost and the stop record, then flushes. It blocks the thread.
    ///
    /// Call it last: records of calls that were cancelled are on their way with nobody waiting for them.
    ///
    /// # Errors
    ///
    /// As [`Recorder::flush`].
    pub fn shutdown(&self, within: Duration) -> Result<(), NotFlushed> {
        let until = Instant::now().checked_add(within);
        let stop = Draft::new(Action::new("audit.stopped"), Kind::System);
        self.0.write_gap();
        let slot = self.0.try_slot().or_else(|| self.0.queue_for_slot_within(within).wait());
        drop(self.0.submit_system_in(&stop, slot));
        self.flush_until(within, until)
    }

    fn flush_until(&self, within: Duration, until: Option<Instant>) -> Result<(), NotFlushed> {
        let on_their_way = self.0.slots.wait_until_landed(until);
        if on_their_way > 0 {
            return Err(NotFlushed::OnTheirWay { records: on_their_way });
        }
        let left = until.map_or(within, |until| until.saturating_duration_since(Instant::now()));
        self.0.flush_sink(left).map_err(NotFlushed::Sink)
    }

    /// The recorder that records are made with here: the scoped one, the installed one, or the one to `tracing`.
    pub fn current() -> Self {
        Ambient::recorder().unwrap_or_else(|| Self::installed().clone())
    }

    pub(crate) fn installed() -> &'static Self {
        INSTALLED.get().unwrap_or_else(Self::fallback)
    }

    fn fallback() -> &'static Self {
        FALLBACK.get_or_init(|| RecorderBuilder::new().sink(TracingSink::new()).unchecked())
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.0
    }

    pub(crate) fn into_core(self) -> Arc<Core> {
        self.0
    }

    /// Tells the installed recorder, if there is one, that this one takes its place in a scope.
    fn announce_scope(&self) {
        let Some(Self(installed)) = INSTALLED.get() else { return };
        if Arc::ptr_eq(installed, &self.0) {
            return;
        }
        let mut draft = Draft::new(Action::new("audit.recorder_replaced"), Kind::System);
        draft.detail.add(Redaction::default(), &mut |fields| {
            fields.plain("sink", self.0.sink.description());
            fields.plain("durability", self.0.sink.durability().as_str());
        });
        drop(installed.submit_system(&draft));
    }
}

/// Its locks are taken whether they are poisoned or not: a panic elsewhere leaves it whole.
impl UnwindSafe for Recorder {}
impl RefUnwindSafe for Recorder {}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("sink", &self.0.sink.description()).finish_non_exhaustive()
    }
}

/// A recorder is installed already.
#[derive(Debug, Error)]
#[error("a recorder is installed already; install one, at start-up, and scope others with `with_recorder`")]
pub struct AlreadyInstalled;

/// Not everything is flushed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NotFlushed {
    /// The sink has not answered for all records.
    #[error("{records} records are still on their way")]
    OnTheirWay {
        /// How many.
        records: usize,
    },
    /// The sink could not be flushed.
    #[error("the sink was not flushed")]
    Sink(#[source] SinkError),
}
