//! The recorder: what it promises while the sink does what it likes.

mod behind;
mod build;
mod dropping;
mod failing;
mod flood;
mod gap;
mod install;
#[cfg(feature = "metrics")]
mod metrics;
mod runtime;
mod shutdown;
mod switch;
mod waiting;
mod weak;

use std::time::Duration;

use audited::{Action, Recorder, RecorderBuilder, Unacknowledged, record_action, with_recorder_sync};

use crate::support::{self, Capture};

const DONE: Action = Action::new("thing.done");

/// A recorder on this sink, configured further.
fn recorder_with(sink: &Capture, configure: impl FnOnce(RecorderBuilder) -> RecorderBuilder) -> Recorder {
    let builder = Recorder::builder().sink(sink.clone()).allow_weak_fail_closed();
    let recorder = configure(builder).build().expect("a recorder");
    sink.wait_for_action("audit.started", support::PATIENCE);
    recorder
}

/// Records `n` on the blocking path.
fn record_n(recorder: &Recorder, n: u32) -> Result<(), Unacknowledged> {
    with_recorder_sync(recorder.clone(), || record_action(DONE).field("n", &n).wait().map(drop))
}

/// The numbers that [`record_n`] gave to the records in the sink.
fn numbers(sink: &Capture) -> Vec<u32> {
    #[derive(serde::Deserialize)]
    struct Detail {
        n: u32,
    }
    sink.records().iter().map(|record| record.detail_as::<Detail>().unwrap().n).collect()
}

/// Short enough to wait for, long enough for a sink that works.
const SHORT: Duration = Duration::from_millis(200);
