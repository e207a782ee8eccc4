//! Building a recorder.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::Recorder;
use super::core::Core;
use super::flood::{Flood, FloodControl};
use super::lane::Lane;
use super::loss::{Loss, Losses, OnLoss};
use super::site::{FailurePolicy, sites};
use super::slots::Slots;
use crate::action::Action;
use crate::catalogue::collision::{self, Collision};
use crate::contain::contained;
use crate::guarded::Guarded;
use crate::record::{Draft, Kind};
use crate::sensitive::{Folded, InvalidPolicy, KeyRing, Limits, Redaction, RedactionPolicy, Rules};
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
    allow_weak: bool,
    vocabulary: Option<Vocabulary>,
    flood_control: Option<FloodControl>,
    on_loss: Option<Box<OnLoss>>,
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
            allow_weak: false,
            vocabulary: None,
            flood_control: None,
            on_loss: None,
        }
    }

    /// Sets where records go. One sink; several are combined into one.
    pub fn sink(mut self, sink: impl AuditSink) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Sets the keys for what is kept as a hash. Without them it is redacted.
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

    /// Lets `fail_closed` functions run on a sink that is weaker than [`Durability::Disk`]. For tests; the start
    /// record says so.
    pub fn allow_weak_fail_closed(mut self) -> Self {
        self.allow_weak = true;
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

    /// Builds the recorder and writes the start record.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when there is no sink, an action of this binary is declared at two places, the sink is too weak
    /// for the `fail_closed` functions of this binary, the redaction policy names what does not exist, or no thread
    /// could be started.
    pub fn build(mut self) -> Result<Recorder, BuildError> {
        let sink = Guarded::new(self.sink.clone().ok_or(BuildError::NoSink)?);
        if let Some(Collision { action, places: [first, second] }) = collision::of_this_binary().cloned() {
            return Err(BuildError::Collision { action, first, second });
        }
        let closed: Vec<_> = sites()
            .into_iter()
            .filter(|site| site.policy == FailurePolicy::Closed)
            .map(|site| site.action.as_str().to_owned())
            .collect();
        let durability = sink.durability();
        if durability < Durability::Disk && !self.allow_weak && !closed.is_empty() {
            let sink = sink.description().to_owned();
            return Err(BuildError::WeakSink { sink, durability, actions: closed });
        }
        let policy = std::mem::take(&mut self.policy);
        let policy = if policy.rules().is_empty() { None } else { Some(policy.fold()?) };
        let losses = Losses::new(Arc::default(), self.on_loss.take());
        let lane =
            if sink.is_inline() { None } else { Some(Lane::start(sink.share(), losses.clone(), self.deadline)?) };
        let recorder = self.with(sink, lane, losses, policy);
        recorder.announce_start();
        Ok(recorder)
    }

    /// For the sink to `tracing`, which needs no thread: the recorder until one is installed.
    pub(super) fn unchecked(self) -> Recorder {
        let sink = self.sink.clone().unwrap_or_else(|| Arc::new(crate::TracingSink::new()));
        self.with(Guarded::new(sink), None, Losses::new(Arc::default(), None), None)
    }

    fn with(self, sink: Guarded, lane: Option<Lane>, losses: Arc<Losses>, policy: Option<Folded>) -> Recorder {
        let core = Arc::new(Core {
            sink,
            lane,
            vocabulary: self.vocabulary,
            rules: Rules { keys: self.keys, limits: self.limits, policy },
            deadline: self.deadline,
            allow_weak: self.allow_weak,
            slots: Slots::new(self.max_in_flight),
            flood: self.flood_control.map(|control| Flood::new(control, losses.watch().alarms().clone())),
            watch: losses.watch().clone(),
            losses,
        });
        core.watch.serve(&core);
        if let Some(flood) = &core.flood {
            flood.serve(&core);
        }
        Recorder(core)
    }
}

impl Recorder {
    /// States, in a log line and in a first record, what this configuration guarantees.
    fn announce_start(&self) {
        let core = self.core();
        let (sink, durability) = (core.sink.description(), core.sink.durability().as_str());
        contained(|| {
            tracing::info!(
                target: "audited",
                sink,
                durability,
                guarantee = core.sink.durability().guarantee(),
                weak_fail_closed = core.allow_weak,
                "audit recorder started"
            );
        });
        let mut draft = Draft::new(Action::new("audit.started"), Kind::System);
        draft.detail.add(Redaction::default(), &mut |fields| {
            fields.plain("sink", sink);
            fields.plain("durability", durability);
            fields.value("weak_fail_closed", &core.allow_weak);
            fields.value("hash_keys", &core.rules.keys.is_some());
            if let Some(policy) = &core.rules.policy {
                let rules: Vec<_> = policy.rules().iter().map(ToString::to_string).collect();
                fields.plain("redaction_rules", &rules);
            }
            fields.plain("guarantee", core.sink.durability().guarantee());
            if let Some(flood) = &core.flood {
                fields.value("flood_quota", &flood.control.quota);
                fields.value("flood_window_ms", &u64::try_from(flood.control.window.as_millis()).unwrap_or(u64::MAX));
            }
            fields.value("deadline_ms", &u64::try_from(core.deadline.as_millis()).unwrap_or(u64::MAX));
        });
        drop(core.submit_system(&draft));
    }
}

/// A recorder cannot be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No sink was set.
    #[error("a recorder needs a sink: `Recorder::builder().sink(…)`")]
    NoSink,
    /// The sink promises less than the `fail_closed` functions of this binary need.
    #[error(
        "`{sink}` promises only `{durability}`, but these actions are fail_closed and need `disk`: {}. Take a journal, or `allow_weak_fail_closed()` in a test",
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
    /// The redaction policy cannot be taken.
    #[error(transparent)]
    Policy(#[from] InvalidPolicy),
    /// The thread for the sink could not be started.
    #[error("the thread for the sink could not be started: {}", .0.kind())]
    Thread(#[from] io::Error),
}
