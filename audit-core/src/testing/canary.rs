//! One line in a test: plant, run, scan.

use std::any::type_name;
use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::capture::Capture;
use super::declared::Shown;
use super::plant::Planted;
use super::report::{CanaryReport, Fault};
use super::secret::Secrets;
use super::stage::{Stage, probe, some_keys};
use crate::action::Action;
use crate::recorder::{Recorder, RecorderBuilder, record_action, with_recorder, with_recorder_sync};
use crate::sensitive::{Mode, Sensitive};
use crate::sink::AuditSink;

/// Plants a secret in every sensitive field of a value.
///
/// Sensitive is what a record of the value lists as redacted. The secrets go in by way of the value's JSON, each a
/// value of the same kind that the type accepts: a text, a number, bytes; of a list, a map or a nested type every leaf,
/// and the keys of maps.
///
/// ```
/// # use audit_core as audited;
/// use audited::testing::canary;
/// use audited::{Action, Encoder, Sensitive, record_action};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Order { items: u32, note: String }
///
/// // What `#[derive(Sensitive)]` writes, with `#[sensitive]` on the note.
/// impl Sensitive for Order {
///     fn write(&self, encoder: &mut Encoder<'_>) {
///         encoder.object(|fields| {
///             fields.value("items", &self.items);
///             fields.redacted("note");
///         });
///     }
/// }
///
/// let order = Order { items: 3, note: "leave it with the neighbour".into() };
/// canary(&order)
///     .run_sync(|order| record_action(Action::new("order.place")).field("order", &order).wait())
///     .assert_clean()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// When the value does not come back from its own JSON: then [`Canary::with`] lets you build it by hand.
#[track_caller]
pub fn canary<T: Serialize + DeserializeOwned + Sensitive>(value: &T) -> Canary<T> {
    let planted = Planted::in_value(value).unwrap_or_else(|why| unusable::<T>(&why));
    let value = planted.value().unwrap_or_else(|why| unusable::<T>(&why));
    Canary { probe: Some(probe::<T>), ..Canary::new(value, planted) }
}

#[track_caller]
fn unusable<T>(why: &str) -> ! {
    panic!("`{}` takes no secrets by way of its JSON, {why}; build the value with `Canary::with`", type_name::<T>())
}

/// A value with secrets in it, ready to be run through code: what [`canary`] returns.
#[must_use = "nothing runs until `run`, `run_sync` or `check`"]
pub struct Canary<T> {
    value: T,
    planted: Planted,
    /// Records the value by itself, in every way there is.
    probe: Option<fn(&T, &Stage)>,
    capture: Capture,
    sinks: Vec<Arc<dyn AuditSink>>,
    configure: Option<Configure>,
    keys: bool,
    needs_record: bool,
    faults: Vec<Fault>,
}

type Configure = Box<dyn FnOnce(RecorderBuilder) -> RecorderBuilder + Send>;

impl<T> Canary<T> {
    /// Takes a value that the test builds by hand, for types that do not come back from their JSON, and for code that
    /// takes more than one value.
    ///
    /// ```
    /// # use audit_core as audited;
    /// use audited::testing::Canary;
    /// use audited::{Action, record_action};
    ///
    /// Canary::with(|secrets| secrets.text("password"))
    ///     .run_sync(|password| record_action(Action::new("user.login")).fields(|fields| fields.redacted("password")).wait())
    ///     .assert_clean()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with(make: impl FnOnce(&mut Secrets) -> T) -> Self {
        let mut planted = Planted::empty();
        let value = make(&mut planted.secrets);
        Self::new(value, planted)
    }

    fn new(value: T, planted: Planted) -> Self {
        Self {
            value,
            planted,
            probe: None,
            capture: Capture::default(),
            sinks: Vec::new(),
            configure: None,
            keys: true,
            needs_record: true,
            faults: Vec::new(),
        }
    }

    /// Plants at a path as well, whatever the type says of it, as in a record's list of redacted paths: `memo`,
    /// `items[].card`. The run fails if nothing could be planted there.
    ///
    /// For what must not leave even if somebody takes its mark away.
    #[track_caller]
    pub fn plant(mut self, path: &str) -> Self
    where
        T: Serialize + DeserializeOwned + Sensitive,
    {
        self.planted.plant::<T>(path);
        if self.planted.secrets.all.iter().any(|secret| secret.path == path) {
            self.value = self.planted.value().unwrap_or_else(|why| unusable::<T>(&why));
        } else {
            self.faults.push(Fault::NotPlanted { path: path.to_owned() });
        }
        self
    }

    /// Declares what may be shown of what was planted at a path, where no registered field of that name says so: what a
    /// redactor of your own shows, say.
    ///
    /// # Panics
    ///
    /// When nothing was planted there.
    #[track_caller]
    pub fn shows(mut self, path: &str, mode: Mode) -> Self {
        let mut any = false;
        for secret in self.planted.secrets.all.iter_mut().filter(|secret| secret.path == path) {
            secret.shown = Some(Shown::of(mode, &secret.text));
            any = true;
        }
        assert!(any, "nothing was planted at `{path}`");
        self
    }

    /// Adds a sink that gets every record. What it logs and the errors it returns are scanned; for what it writes
    /// elsewhere there are [`CanaryReport::saw`] and [`CanaryReport::saw_file`].
    pub fn sink(mut self, sink: impl AuditSink) -> Self {
        self.sinks.push(Arc::new(sink));
        self
    }

    /// Configures the recorder further. Its sink stays that of the harness.
    pub fn recorder(mut self, configure: impl FnOnce(RecorderBuilder) -> RecorderBuilder + Send + 'static) -> Self {
        self.configure = Some(Box::new(configure));
        self
    }

    /// Runs the code with a recorder that has no keys, so that what is hashed is redacted; otherwise it has one.
    pub fn without_keys(mut self) -> Self {
        self.keys = false;
        self
    }

    /// Lets the code leave no record; otherwise that is a failure.
    pub fn without_record(mut self) -> Self {
        self.needs_record = false;
        self
    }

    /// Scans the `Debug` of the value, too. Where that is a derived one it shows all: `#[sensitive(debug)]` derives one
    /// that does not.
    pub fn and_debug(self) -> Self
    where
        T: fmt::Debug,
    {
        self.capture.add_debug("the value", &self.value);
        self
    }

    /// Runs async code with the value, and scans what was put out meanwhile: every record, whatever is logged by
    /// `tracing` on the way, every error of a sink.
    ///
    /// The code runs where this future is polled, on any runtime. What it spawns is within the scope of the harness's
    /// recorder where it is spawned with [`carry`](crate::carry) and awaited; what it logs there is not captured.
    ///
    /// ```
    /// # use audit_core as audited;
    /// # use audited::{Action, record_action, testing::Canary};
    /// # async fn nothing_leaks() {
    /// Canary::with(|secrets| secrets.text("memo"))
    ///     .run(async |memo| record_action(Action::new("note.write")).fields(|fields| fields.hashed("memo", &memo)).await)
    ///     .await
    ///     .assert_clean()
    ///     .unwrap();
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When the recorder cannot be built.
    pub async fn run<R>(self, code: impl AsyncFnOnce(T) -> R) -> CanaryReport<R> {
        let (stage, value) = self.stage();
        let scoped = stage.within(|| with_recorder(stage.recorder.clone(), async move { code(value).await }));
        let outcome = match scoped {
            Ok(scoped) => {
                let mut scoped = Box::pin(scoped);
                let ended = poll_fn(|cx| match stage.within(|| scoped.as_mut().poll(cx)) {
                    Ok(Poll::Ready(result)) => Poll::Ready(Ok(result)),
                    Ok(Poll::Pending) => Poll::Pending,
                    Err(panic) => Poll::Ready(Err(panic)),
                })
                .await;
                let dropped = stage.within(|| drop(scoped));
                ended.and_then(|result| dropped.map(|()| result))
            }
            Err(panic) => Err(panic),
        };
        stage.report(outcome)
    }

    /// Runs code with the value, as [`Canary::run`] does.
    ///
    /// # Panics
    ///
    /// When the recorder cannot be built.
    pub fn run_sync<R>(self, code: impl FnOnce(T) -> R) -> CanaryReport<R> {
        let (stage, value) = self.stage();
        let outcome = stage.within(|| with_recorder_sync(stage.recorder.clone(), || code(value)));
        stage.report(outcome)
    }

    /// Runs no code: records the value by itself, so that the type and the sinks are checked.
    ///
    /// ```
    /// # use audit_core as audited;
    /// use audited::testing::canary;
    /// # use audited::{Encoder, Sensitive};
    /// # #[derive(serde::Deserialize, serde::Serialize)]
    /// # struct Note(String);
    /// # impl Sensitive for Note {
    /// #     fn write(&self, encoder: &mut Encoder<'_>) {
    /// #         encoder.redacted();
    /// #     }
    /// # }
    /// canary(&Note("a secret".into())).check().assert_clean();
    /// ```
    ///
    /// # Panics
    ///
    /// When the recorder cannot be built.
    pub fn check(self) -> CanaryReport<()>
    where
        T: Sensitive,
    {
        self.run_sync(|value| drop(record_action(Action::new("canary.check")).field("value", &value).wait()))
    }

    #[track_caller]
    fn stage(self) -> (Stage, T) {
        let Self { value, planted, probe, capture, sinks, configure, keys, needs_record, faults } = self;
        let builder = if keys { Recorder::builder().keys(some_keys()) } else { Recorder::builder() };
        let builder = match configure {
            Some(configure) => configure(builder),
            None => builder,
        };
        let stage = Stage::new(builder, capture, sinks, planted, needs_record, faults);
        if let Some(probe) = probe {
            probe(&value, &stage);
        }
        (stage, value)
    }
}

impl<T> fmt::Debug for Canary<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canary").field("planted", &self.planted.secrets).finish_non_exhaustive()
    }
}
