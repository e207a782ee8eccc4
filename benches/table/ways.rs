//! The ways of leaving one record for one call: by hand, by loggers, and ours. All write the same values: an id of its
//! own, times, who, what, on what, where from, and six arguments of which two are redacted.

use std::hint::black_box;
use std::path::Path;

use audited::{Action, Recorder};
use audited_benches::transfer::{Null, Order, inside, recorder, transfer};
use tokio::runtime::Builder;
use uuid::Uuid;

use super::by_hand::{self, Ring};
use super::{loggers, peers};

/// Runs something within a scope.
type Scope = Box<dyn Fn(&dyn Fn()) + Send + Sync>;

/// One way of leaving a record.
pub(super) struct Way {
    pub(super) name: &'static str,
    scope: Scope,
    once: Box<dyn Fn() + Send + Sync>,
}

impl Way {
    pub(super) fn new(name: &'static str, once: impl Fn() + Send + Sync + 'static) -> Self {
        Self { name, scope: Box::new(|run| run()), once: Box::new(once) }
    }

    /// Within one more scope, which is entered once for many records.
    pub(super) fn within(self, outer: impl Fn(&dyn Fn()) + Send + Sync + 'static) -> Self {
        let inner = self.scope;
        Self { scope: Box::new(move |run| outer(&|| inner(run))), ..self }
    }

    /// Enters the scope, and leaves in it what it is given: what leaves one record.
    pub(super) fn enter(&self, run: impl Fn(&dyn Fn())) {
        (self.scope)(&|| run(&*self.once));
    }
}

/// What is measured against what: by their places.
pub(super) struct Ways {
    pub(super) limit: Way,
    pub(super) by_hand: Way,
    pub(super) serde_json: Way,
    pub(super) tracing: [Way; 2],
    pub(super) loggers: [Way; 3],
    pub(super) id: Way,
    pub(super) ours: Way,
    /// The same call, of an action that is switched off.
    pub(super) switched_off: Way,
}

impl Ways {
    /// Files are in that directory.
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            limit: limit(),
            by_hand: by_hand(),
            serde_json: peers::serde_json(directory),
            tracing: [peers::tracing_buffered(directory), peers::tracing_queue(directory)],
            loggers: [loggers::slog(directory), loggers::spdlog(directory), loggers::logforth(directory)],
            id: Way::new("`Uuid::now_v7` alone, random bits of a thread's own", || {
                black_box(Uuid::now_v7());
            }),
            ours: ours("**ours: `#[audited]`, context, six arguments**", recorder(Null)),
            switched_off: switched_off(),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Way> {
        [&self.limit, &self.by_hand, &self.serde_json]
            .into_iter()
            .chain(&self.tracing)
            .chain(&self.loggers)
            .chain([&self.id, &self.ours])
    }
}

/// An audited call.
pub(super) fn ours(name: &'static str, recorder: Recorder) -> Way {
    let order = Order::example();
    Way::new(name, move || transfer("acc-2020", &order)).within(move |run| inside(&recorder, run))
}

fn switched_off() -> Way {
    let recorder = recorder(Null);
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(recorder.switch_off(Action::new("account.transfer"), "to see what is left")).unwrap();
    ours("ours: its action is switched off", recorder)
}

fn limit() -> Way {
    let (ring, bytes) = (Ring::of(RING_BYTES), vec![b'x'; 512]);
    Way::new("the limit: a clock read and a copy of 512 bytes", move || {
        black_box(by_hand::now());
        ring.copy(black_box(&bytes));
    })
}

const RING_BYTES: usize = 1 << 20;

fn by_hand() -> Way {
    let (ring, order) = (Ring::of(RING_BYTES), Order::example());
    Way::new("JSON by hand into a shared ring", move || by_hand::record(&ring, &order))
}
