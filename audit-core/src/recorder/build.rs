//! Building a recorder.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::Recorder;
use super::core::Core;
use super::flood::{Flood, FloodControl};
use super::keyless;
use super::lane::Lane;
use super::loss::{Loss, Losses, OnLoss};
use super::owed::Owed;
use super::slots::Slots;
use super::switch::{self, SwitchError, Switches};
use super::weak::WeakFailClosed;
use crate::__private::debug_as_display;
use crate::action::Action;
use crate::catalogue::collision::{self, Collision};
use crate::guarded::Guarded;
use crate::sensitive::{InvalidPolicy, KeyRing, Limits, RedactionPolicy, Rules};
use crate::sink::{AuditSink, Durability};
use crate::vocabulary::Vocabulary;

/// How long a caller waits for an acknowledgement, unless the builder says otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// How many records may be on their way at once, unless the builder says otherwise.
pub const DEFAULT_MAX_IN_FLIGHT: usize = 8192;

/// Builds a [`Recorder`].
#[must_use = "a builder makes nothing until `build`"]
pub struct RecorderBuilder {
    sink: Option<Arc<dyn AuditSink>>,
    keys: Option<KeyRing>,
    limits: Limits,
    policy: RedactionPolicy,
    deadline: Duration,
    max_in_flight: usize,
    weak: WeakFailClosed,
    vocabulary: Option<Vocabulary>,
    flood_control: Option<FloodControl>,
    on_loss: Option<Box<OnLoss>>,
    switched_off: Vec<(Action, String)>,
}

impl RecorderBuilder {
    pub(super) fn new() -> Self {
        Self {
            sink: None,
            keys: None,
            limits: Limits::new(),
            policy: RedactionPolicy::new(),
            deadline: DEFAULT_DEADLINE,
            max_in_flight: DEFAULT_MAX_IN_FLIGHT,
            weak: WeakFailClosed::default(),
            vocabulary: None,
            flood_control: None,
            on_loss: None,
            switched_off: Vec::new(),
        }
    }

    /// Sets where records go. One sink; several are combined into one.
    pub fn sink(mut self, sink: impl AuditSink) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Sets the keys for what is kept as a hash. Without them it is redacted, and [`build`](Self::build) warns of it, on the
    /// target `audited::redaction`, where a linked type or function has something to hash.
    pub fn keys(mut self, keys: KeyRing) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Sets what the operator wants redacted beyond what the types say.
    pub fn redaction(mut self, policy: RedactionPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets which events are expected: others, and those whose payload does not fit, are written, flagged and counted.
    /// Without one all are.
    pub fn vocabulary(mut self, vocabulary: Vocabulary) -> Self {
        self.vocabulary = Some(vocabulary);
        self
    }

    /// Sets how much of a payload a record takes; otherwise the defaults of [`Limits`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long a caller waits for an acknowledgement, and the sink for its answer; otherwise
    /// [`DEFAULT_DEADLINE`].
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how many records may be on their way to the sink at once, at least one; otherwise
    /// [`DEFAULT_MAX_IN_FLIGHT`]. An event or a call that finds no room waits for it, up to the deadline.
    ///
    /// A call that was let in always has room for its own records, so that memory is bounded by this and by the calls
    /// that run at the same time.
    pub fn max_in_flight(mut self, records: usize) -> Self {
        self.max_in_flight = records.max(1);
        self
    }

    /// Lets every `fail_closed` function run on a sink that is weaker than [`Durability::Disk`]. For tests; the start
    /// record says so.
    pub fn allow_weak_fail_closed(mut self) -> Self {
        self.weak = WeakFailClosed::All;
        self
    }

    /// Lets the `fail_closed` functions of these actions, and no others, run on a sink that is weaker than
    /// [`Durability::Disk`]. Called again it adds to them; the start record lists them. A layer that is `fail_closed` goes
    /// by the name of its action, `http.request`.
    ///
    /// ```
    /// # use audit_core as audited;
    /// use audited::{BuildError, Recorder, TracingSink};
    ///
    /// let builder = Recorder::builder().sink(TracingSink::new());
    /// let misspelt = builder.allow_weak_fail_closed_for(["acount.transfer"]).build();
    /// assert!(matches!(misspelt, Err(BuildError::NotFailClosed { .. })));
    /// ```
    pub fn allow_weak_fail_closed_for<A: Into<String>>(mut self, actions: impl IntoIterator<Item = A>) -> Self {
        self.weak.add(actions.into_iter().map(Into::into));
        self
    }

    /// Has denials of one kind and source above a quota counted instead of written. Without it all are written.
    pub fn flood_control(mut self, control: FloodControl) -> Self {
        self.flood_control = Some(control);
        self
    }

    /// Has each record told that was not acknowledged: on the thread that finds out, which others wait for, so without
    /// waiting for anything. The log has it, too, and the stream as soon as the sink takes records again.
    pub fn on_loss(mut self, told: impl Fn(&Loss<'_>) + Send + Sync + 'static) -> Self {
        self.on_loss = Some(Box::new(told));
        self
    }

    /// Has an action leave no records from the start, as [`Recorder::switch_off`] does later. The start record says so, and
    /// why.
    pub fn switched_off(mut self, action: Action, reason: impl Into<String>) -> Self {
        self.switched_off.push((action, reason.into()));
        self
    }

    /// Builds the recorder and writes the start record.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when there is no sink, an action of this binary is declared at two places, the sink is too weak
    /// for the `fail_closed` functions of this binary, one is allowed by name that is not there, an action is switched off that
    /// cannot be, the redaction policy names what does not exist, or no thread could be started.
    pub fn build(mut self) -> Result<Recorder, BuildError> {
        let sink = Guarded::new(self.sink.clone().ok_or(BuildError::NoSink)?);
        if let Some(Collision { action, places: [first, second] }) = collision::of_this_binary().cloned() {
            return Err(BuildError::Collision { action, first, second });
        }
        self.weak.check(&sink)?;
        for (action, _) in &self.switched_off {
            switch::check(action)?;
        }
        let policy = std::mem::take(&mut self.policy);
        let policy = if policy.rules().is_empty() { None } else { Some(policy.fold()?) };
        let rules = Arc::new(Rules { keys: self.keys.take(), limits: self.limits, policy });
        let losses = Losses::new(Owed::new(Arc::default(), rules.clone()), self.on_loss.take());
        let lane =
            if sink.is_inline() { None } else { Some(Lane::start(sink.share(), losses.clone(), self.deadline)?) };
        let recorder = self.with(sink, lane, losses, rules, false);
        if recorder.core().rules.keys.is_none() {
            keyless::warn();
        }
        recorder.announce_start();
        Ok(recorder)
    }

    /// For the sink to `tracing`, which needs no thread: the recorder until one is installed.
    pub(super) fn unchecked(self) -> Recorder {
        let sink = self.sink.clone().unwrap_or_else(|| Arc::new(crate::TracingSink::new()));
        let rules = Arc::new(Rules { keys: None, limits: self.limits, policy: None });
        let losses = Losses::new(Owed::new(Arc::default(), rules.clone()), None);
        self.with(Guarded::new(sink), None, losses, rules, true)
    }

    fn with(
        self,
        sink: Guarded,
        lane: Option<Lane>,
        losses: Arc<Losses>,
        rules: Arc<Rules>,
        is_fallback: bool,
    ) -> Recorder {
        let watch = losses.owed().watch().clone();
        let core = Arc::new(Core {
            is_fallback,
            sink,
            lane,
            vocabulary: self.vocabulary,
            rules,
            deadline: self.deadline,
            weak: self.weak,
            slots: Slots::new(self.max_in_flight),
            flood: self.flood_control.map(|control| Flood::new(control, losses.owed().clone())),
            losses,
            watch,
            switches: Switches::default(),
        });
        core.switches.change(|off| {
            off.extend(self.switched_off.into_iter().map(|(action, reason)| (action.as_str().to_owned(), reason)));
        });
        core.watch.serve(&core);
        Recorder(core)
    }
}

/// A recorder cannot be built.
#[derive(Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No sink was set.
    #[error("a recorder needs a sink: `Recorder::builder().sink(…)`")]
    NoSink,
    /// The sink promises less than the `fail_closed` functions of this binary need.
    #[error(
        "`{sink}` promises only `{durability}`, but these actions are fail_closed and need `disk`: {}. Take a journal, or allow them by name with `allow_weak_fail_closed_for([…])`; in a test, `allow_weak_fail_closed()` allows all",
        actions.join(", ")
    )]
    WeakSink {
        /// The sink, as it describes itself.
        sink: String,
        /// What it promises.
        durability: Durability,
        /// The actions that need more.
        actions: Vec<String>,
    },
    /// What [`RecorderBuilder::allow_weak_fail_closed_for`] names is not there to be allowed.
    #[error(
        "`allow_weak_fail_closed_for` names what no fail_closed function of this binary has as its action: {}. {}",
        actions.join(", "), there_are(there)
    )]
    NotFailClosed {
        /// The names.
        actions: Vec<String>,
        /// The actions of the `fail_closed` functions that there are.
        there: Vec<String>,
    },
    /// An action is declared at two places.
    #[error(
        "`{action}` is declared at {first} and at {second}: rename one with `action = \"…\"`, or, if they are doors of one operation whose records show the same, say `shared` at both"
    )]
    Collision {
        /// The action.
        action: String,
        /// One of the places.
        first: String,
        /// The other.
        second: String,
    },
    /// What [`RecorderBuilder::switched_off`] names cannot be switched off.
    #[error(transparent)]
    SwitchedOff(#[from] SwitchError),
    /// The redaction policy cannot be taken.
    #[error(transparent)]
    Policy(#[from] InvalidPolicy),
    /// The thread for the sink could not be started.
    #[error("the thread for the sink could not be started: {}", .0.kind())]
    Thread(#[from] io::Error),
}

debug_as_display!(BuildError);

fn there_are(actions: &[String]) -> String {
    if actions.is_empty() { "There is none".to_owned() } else { format!("There are: {}", actions.join(", ")) }
}
