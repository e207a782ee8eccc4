//! The recorder and the ears around the code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tracing::Dispatch;
use tracing::dispatcher;

use super::capture::{Capture, Kept, Place, Tap};
use super::declared::declared;
use super::plant::Planted;
use super::report::{CanaryReport, Fault};
use super::scan::Scanner;
use super::secret::Secret;
use super::tree::Tree;
use crate::action::Action;
use crate::recorder::{Recorder, RecorderBuilder, record_action, with_recorder_sync};
use crate::sensitive::{KeyRing, Sensitive};
use crate::sink::AuditSink;
use crate::tracing_sink::TracingSink;

/// The action of the records that the harness itself makes of a value.
pub(super) const PROBE: &str = "canary.value";

/// How long the records of the code may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// What surrounds the code.
pub(super) struct Stage {
    pub(super) recorder: Recorder,
    dispatch: Dispatch,
    capture: Capture,
    planted: Planted,
    needs_record: bool,
    faults: Vec<Fault>,
}

impl Stage {
    #[track_caller]
    pub(super) fn new(
        builder: RecorderBuilder,
        capture: Capture,
        sinks: Vec<Arc<dyn AuditSink>>,
        planted: Planted,
        needs_record: bool,
        faults: Vec<Fault>,
    ) -> Self {
        let dispatch = capture.dispatch();
        let tap = Tap { capture: capture.clone(), dispatch: dispatch.clone(), sinks };
        let recorder = dispatcher::with_default(&dispatch, || builder.sink(tap).allow_weak_fail_closed().build());
        let recorder = recorder.unwrap_or_else(|error| panic!("the harness has no recorder: {error}"));
        Self { recorder, dispatch, capture, planted, needs_record, faults }
    }

    /// Runs code whose log lines are kept.
    pub(super) fn within<R>(&self, inside: impl FnOnce() -> R) -> thread::Result<R> {
        catch_unwind(AssertUnwindSafe(|| dispatcher::with_default(&self.dispatch, inside)))
    }

    pub(super) fn report<R>(mut self, outcome: thread::Result<R>) -> CanaryReport<R> {
        let flushed = dispatcher::with_default(&self.dispatch, || self.recorder.shutdown(PATIENCE));
        match flushed {
            Ok(()) => {}
            Err(error) if error.on_their_way > 0 => {
                self.faults.push(Fault::NotFlushed { why: error.to_string() });
            }
            Err(error) => self.capture.add_error("flushing", &error),
        }
        self.capture.add_debug("the recorder", &self.recorder);
        self.capture.add_debug("its stats", &self.recorder.stats());
        let kept = self.capture.take();
        if self.planted.secrets.all.is_empty() {
            self.faults.push(Fault::NothingPlanted);
        }
        if self.needs_record && kept.records.is_empty() {
            self.faults.push(Fault::NoRecord);
        }
        let secrets = with_declared(self.planted.secrets.all, &kept);
        let scanner = Scanner::new(secrets);
        CanaryReport::new(outcome, scanner, kept, self.planted.unplanted, self.faults)
    }
}

/// Notes what may be shown of each secret, as far as any record shows it.
fn with_declared(mut secrets: Vec<Secret>, kept: &Kept) -> Vec<Secret> {
    let records = kept.outputs.iter().filter(|output| matches!(output.place, Place::Record { .. }));
    let trees: Vec<_> = records.filter_map(|output| Tree::parse(str::from_utf8(&output.bytes).ok()?).ok()).collect();
    let shown = trees.iter().flat_map(Tree::texts).collect();
    for secret in &mut secrets {
        secret.shown.get_or_insert_with(|| declared(&secret.path, &secret.text, &shown));
    }
    secrets
}

/// Records a value by a foreign sink and inline, with keys and without, and into the sink to `tracing`.
pub(super) fn probe<T: Sensitive>(value: &T, stage: &Stage) {
    let Stage { capture, dispatch, .. } = stage;
    let tap = || Tap { capture: capture.clone(), dispatch: dispatch.clone(), sinks: Vec::new() };
    let recorders = [
        Recorder::builder().sink(tap()).keys(some_keys()),
        Recorder::builder().sink(tap()),
        Recorder::builder().sink(TracingSink::new()).keys(some_keys()),
        Recorder::builder().sink(TracingSink::json()),
    ];
    let record = |recorder: RecorderBuilder| match recorder.allow_weak_fail_closed().build() {
        Ok(recorder) => with_recorder_sync(recorder, || {
            let builder = record_action(Action::new(PROBE)).field("value", value);
            capture.add_debug("a record's builder", &builder);
            if let Err(error) = builder.wait() {
                capture.add_error("a record", &error);
            }
        }),
        Err(error) => capture.add_error("a recorder", &error),
    };
    dispatcher::with_default(dispatch, || recorders.into_iter().for_each(record));
}

/// A key, so that what is hashed is hashed.
pub(super) fn some_keys() -> KeyRing {
    KeyRing::ephemeral().clone()
}
