//! What is put out while the user's code runs, kept to be scanned.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tracing::Dispatch;
use tracing::dispatcher::{self, DefaultGuard};

use super::listener::Listener;
use super::stage::PROBE;
use crate::record::{Kind, Record};
use crate::sink::{AuditSink, Durability, SinkError};

/// Where a secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// In a record that a sink got.
    Record {
        /// The action of the record.
        action: String,
    },
    /// In an event or a span of `tracing`.
    Log {
        /// Its target.
        target: String,
    },
    /// In the `Debug` of something.
    Debug {
        /// Of what.
        what: String,
    },
    /// In an error: its `Display`, its sources or its `Debug`.
    Error {
        /// Which.
        what: String,
    },
    /// In what the test handed over.
    Seen {
        /// As the test calls it.
        what: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { action } => write!(f, "the record `{action}`"),
            Self::Log { target } => write!(f, "the log line of `{target}`"),
            Self::Debug { what } => write!(f, "the Debug of {what}"),
            Self::Error { what } => write!(f, "the error of {what}"),
            Self::Seen { what } => f.write_str(what),
        }
    }
}

/// Something that was put out.
pub(super) struct Output {
    pub(super) place: Place,
    pub(super) bytes: Vec<u8>,
}

/// Everything that was put out. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Capture(Arc<Mutex<Kept>>);

#[derive(Default)]
pub(super) struct Kept {
    pub(super) outputs: Vec<Output>,
    /// Without those of the framework and of the harness itself.
    pub(super) records: Vec<Record>,
}

impl Capture {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, place: Place, bytes: impl Into<Vec<u8>>) {
        let output = Output { place, bytes: bytes.into() };
        self.lock().outputs.push(output);
    }

    pub(super) fn add_debug(&self, what: &str, value: &dyn fmt::Debug) {
        self.add(Place::Debug { what: what.to_owned() }, both_debugs(value));
    }

    pub(super) fn add_error(&self, what: &str, error: &(dyn Error + 'static)) {
        self.add(Place::Error { what: what.to_owned() }, whole_error(error));
    }

    fn add_record(&self, record: &Record) {
        let place = Place::Record { action: record.action().into_owned() };
        self.add(place, record.json());
        self.add_debug("a record", record);
        if record.kind() != Some(Kind::System) && record.action() != PROBE {
            self.lock().records.push(record.clone());
        }
    }

    /// Gives everything, and keeps nothing.
    pub(super) fn take(&self) -> Kept {
        std::mem::take(&mut self.lock())
    }

    /// What sees every event and span.
    pub(super) fn dispatch(&self) -> Dispatch {
        Dispatch::new(Listener::new(self.clone()))
    }
}

/// Both forms of a value's `Debug`.
pub(super) fn both_debugs(value: &dyn fmt::Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

/// An error with its sources: what each says, and what its `Debug` shows.
pub(super) fn whole_error(error: &(dyn Error + 'static)) -> String {
    let mut text = both_debugs(&error);
    let mut next = Some(error);
    while let Some(error) = next {
        let _ = write!(text, "\n{error}\n{error:#}");
        next = error.source();
    }
    text
}

/// The sink of the harness: it keeps what it gets, and hands it on to the sinks of the test.
///
/// It is a foreign sink to the recorder, and so polled on a thread of the recorder's own. What is logged there is
/// captured too.
pub(super) struct Tap {
    pub(super) capture: Capture,
    pub(super) dispatch: Dispatch,
    pub(super) sinks: Vec<Arc<dyn AuditSink>>,
}

thread_local! {
    /// The recorder's thread serves this one sink and ends with it.
    static LISTENING: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

impl Tap {
    fn listen(&self) {
        LISTENING.with_borrow_mut(|listening| {
            listening.get_or_insert_with(|| dispatcher::set_default(&self.dispatch));
        });
    }

    /// Keeps how each of the sinks has answered; the first failure stands for all.
    fn answer(&self, results: Vec<Result<(), SinkError>>) -> Result<(), SinkError> {
        for error in results.iter().filter_map(|result| result.as_ref().err()) {
            self.capture.add_error("a sink", error);
        }
        results.into_iter().collect()
    }
}

#[async_trait]
impl AuditSink for Tap {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.listen();
        for record in batch {
            self.capture.add_record(record);
        }
        let mut results = Vec::new();
        for sink in &self.sinks {
            results.push(sink.write(batch).await);
        }
        self.answer(results)
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.listen();
        let mut results = Vec::new();
        for sink in &self.sinks {
            results.push(sink.flush().await);
        }
        self.answer(results)
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        self.sinks.iter().fold("canary".to_owned(), |all, sink| format!("{all}, {}", sink.describe()))
    }
}
