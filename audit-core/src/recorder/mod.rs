//! The recorder: it stamps, takes the context, drives the sink, and answers for what is lost.

mod ambient;
mod begun;
mod build;
mod call;
mod capture;
mod core;
mod drive;
mod entry;
mod event;
mod flood;
mod flush;
mod forgotten;
mod gap;
mod keyless;
mod lane;
mod leave;
mod ledger;
mod line;
mod loss;
#[cfg(feature = "metrics")]
mod meter;
#[cfg(not(feature = "metrics"))]
#[path = "unmetered.rs"]
mod meter;
mod note;
mod owed;
pub(crate) mod prologue;
mod running;
mod shell;
mod site;
mod slots;
mod start;
mod switch;
mod watch;
mod weak;
pub(crate) mod within;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, OnceLock};

use thiserror::Error;

pub(crate) use self::ambient::{Ambient, SharedContext, scoped_to_tally, surrounding_context};
pub use self::ambient::{
    NoContext, Scoped, carry, current_context, extend_context, with_context, with_context_sync, with_recorder,
    with_recorder_sync,
};
pub use self::begun::{Begun, begin, make};
pub use self::build::{BuildError, DEFAULT_DEADLINE, DEFAULT_MAX_IN_FLIGHT, RecorderBuilder};
pub use self::call::Call;
pub use self::capture::{CaptureActor, CaptureSubject};
pub(crate) use self::core::Core;
pub use self::drive::{Audited, Cleared, audit, audit_begun, audit_sync, never_refused};
pub(crate) use self::entry::Entry;
pub use self::event::{Acknowledging, Unacknowledged, record, record_action, record_from};
pub use self::flood::FloodControl;
pub use self::flush::NotFlushed;
pub use self::loss::{Loss, Stats};
pub(crate) use self::site::Capture;
pub use self::site::{FailurePolicy, RegisteredSite, Site, sites};
pub(crate) use self::slots::{Place, Room};
pub use self::switch::SwitchError;
pub use self::within::NotInTransaction;
use crate::__private::debug_as_display;
use crate::action::Action;
use crate::record::{Draft, Kind};
use crate::sensitive::Redaction;
use crate::sink::Durability;
use crate::tracing_sink::TracingSink;

/// Stamps records, drives the sink, applies the failure policy, and counts every loss.
///
/// A service builds one and installs it; tests scope one of their own with [`with_recorder`]. Until one is
/// installed, records go to `tracing`, and the body of a `fail_closed` function does not run. The first one that goes there
/// is preceded by a warning that nothing is installed: to `tracing`, or where that has no subscriber, to standard error.
///
/// ```
/// # use audit_core as audited;
/// use audited::{Recorder, TracingSink};
///
/// let recorder = Recorder::builder().sink(TracingSink::new()).build()?;
/// recorder.install()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Cloning it copies a pointer. Whoever waits for room or for an answer has one of his own: dropping the others leaves
/// him waiting for the sink, up to the deadline. With the last one what was lost and what was counted is written, if
/// the sink takes it; nobody waits for that, so call [`Recorder::shutdown`] first.
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

    /// How many records were lost for certain, by reason; together they are [`Stats::lost`].
    pub fn losses(&self) -> BTreeMap<&'static str, u64> {
        self.0.losses.reasons()
    }

    /// Of those that were lost with the reason `io`, how many by what the operating system said.
    pub fn io_losses(&self) -> BTreeMap<io::ErrorKind, u64> {
        self.0.losses.io()
    }

    /// What an acknowledgement of this recorder promises.
    pub fn durability(&self) -> Durability {
        self.0.sink.durability()
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
        drop(installed.submit_system(&draft, None));
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
#[derive(Error)]
#[error("a recorder is installed already; install one, at start-up, and scope others with `with_recorder`")]
pub struct AlreadyInstalled;

debug_as_display!(AlreadyInstalled);
