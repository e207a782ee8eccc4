//! What the test modules share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use audited::{AuditSink, Durability, Kind, Record, Recorder, SinkError};
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Long enough that only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a [`Capture`] does with the batches that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each module uses some")]
pub(crate) enum Behaviour {
    /// Keeps them.
    Ok,
    /// Says no.
    Fail,
    /// Panics while it is polled.
    Panic,
    /// Stays pending until another behaviour is set.
    HangAsync,
    /// Blocks the thread that polls it until another behaviour is set.
    HangBlocking,
    /// Keeps them after blocking the thread that polls it.
    Slow(Duration),
}

/// A foreign sink in memory whose behaviour can be switched. Clones share everything.
#[derive(Clone)]
pub(crate) struct Capture(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    behaviour: Behaviour,
    records: Vec<Record>,
    batches: usize,
    flushes: usize,
    wakers: Vec<Waker>,
}

impl Capture {
    pub(crate) fn new() -> Self {
        let state = State { behaviour: Behaviour::Ok, records: Vec::new(), batches: 0, flushes: 0, wakers: Vec::new() };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }))
    }

    /// Changes what it does, also with the batch that it hangs on now: that one then gets the new behaviour.
    pub(crate) fn set(&self, behaviour: Behaviour) {
        let wakers = {
            let mut state = self.lock();
            state.behaviour = behaviour;
            std::mem::take(&mut state.wakers)
        };
        self.0.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// What it has kept, in order, without what the framework says about itself.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.all().into_iter().filter(|record| record.kind() != Some(Kind::System)).collect()
    }

    /// What it has kept, in order.
    pub(crate) fn all(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    /// How many batches it was given, kept or not.
    pub(crate) fn batches(&self) -> usize {
        self.lock().batches
    }

    /// How many times it was flushed.
    pub(crate) fn flushes(&self) -> usize {
        self.lock().flushes
    }

    /// Waits until it has kept `count` records, without those of the framework, and gives them.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize, within: Duration) -> Vec<Record> {
        assert!(
            self.wait_until(within, |all| all.iter().filter(|r| r.kind() != Some(Kind::System)).count() >= count),
            "{count} records expected, these are there: {:#?}",
            self.all()
        );
        self.records()
    }

    /// Waits for a record of this action, the framework's own included, and gives the first.
    #[track_caller]
    pub(crate) fn wait_for_action(&self, action: &str, within: Duration) -> Record {
        assert!(
            self.wait_until(within, |all| all.iter().any(|record| record.action() == action)),
            "`{action}` expected, these are there: {:#?}",
            self.all()
        );
        self.all().into_iter().find(|record| record.action() == action).unwrap()
    }

    /// Waits until it has been given `count` batches, kept or not.
    #[track_caller]
    pub(crate) fn wait_for_batches(&self, count: usize, within: Duration) {
        let state = self.lock();
        let (state, out) = self
            .0
            .changed
            .wait_timeout_while(state, within, |state| state.batches < count)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!out.timed_out(), "{count} batches expected, {} came", state.batches);
    }

    fn wait_until(&self, within: Duration, is_there: impl Fn(&[Record]) -> bool) -> bool {
        let state = self.lock();
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(state, within, |state| !is_there(&state.records))
            .unwrap_or_else(PoisonError::into_inner);
        is_there(&state.records)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits out a hang, and gives the behaviour that holds then.
    async fn behaviour(&self) -> Behaviour {
        std::future::poll_fn(|cx| {
            let mut state = self.lock();
            if state.behaviour == Behaviour::HangBlocking {
                state = self
                    .0
                    .changed
                    .wait_while(state, |state| state.behaviour == Behaviour::HangBlocking)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if state.behaviour == Behaviour::HangAsync {
                state.wakers.push(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(state.behaviour)
        })
        .await
    }
}

#[async_trait]
impl AuditSink for Capture {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.lock().batches += 1;
        self.0.changed.notify_all();
        match self.behaviour().await {
            Behaviour::Fail => return Err(SinkError::failed(std::io::Error::other("s3cret in an error"))),
            Behaviour::Panic => panic!("s3cret in a panic"),
            Behaviour::Slow(time) => std::thread::sleep(time),
            Behaviour::Ok | Behaviour::HangAsync | Behaviour::HangBlocking => {}
        }
        self.lock().records.extend_from_slice(batch);
        self.0.changed.notify_all();
        Ok(())
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.lock().flushes += 1;
        match self.behaviour().await {
            Behaviour::Fail => Err(SinkError::failed(std::io::Error::other("s3cret in an error"))),
            Behaviour::Panic => panic!("s3cret in a panic"),
            _ => Ok(()),
        }
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "capture".into()
    }
}

/// What was logged, on any target, by the code inside of its subscriber.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Logged>>>);

/// One event of `tracing`, the values of its fields as text.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) target: String,
    pub(crate) level: Level,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

impl Log {
    /// A subscriber that hears everything.
    pub(crate) fn dispatch(&self) -> Dispatch {
        Dispatch::new(tracing_subscriber::registry().with(self.clone()))
    }

    /// All that was logged.
    #[allow(dead_code, reason = "each module uses some")]
    pub(crate) fn all(&self) -> Vec<Logged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was logged on a target.
    pub(crate) fn on(&self, target: &str) -> Vec<Logged> {
        let logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logged.iter().filter(|event| event.target == target).cloned().collect()
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = LoggedFields(BTreeMap::new());
        event.record(&mut fields);
        let metadata = event.metadata();
        let logged = Logged { target: metadata.target().into(), level: *metadata.level(), fields: fields.0 };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(logged);
    }
}

struct LoggedFields(BTreeMap<&'static str, String>);

impl Visit for LoggedFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// A recorder on this sink, weak as it may be.
pub(crate) fn recorder(sink: impl AuditSink) -> Recorder {
    Recorder::builder().sink(sink).allow_weak_fail_closed().build().expect("a recorder")
}

/// Waits until something holds that nothing can be notified of.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
