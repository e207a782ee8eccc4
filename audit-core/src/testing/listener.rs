//! A subscriber of `tracing` that keeps all it is told.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

use super::capture::{Capture, Place, both_debugs, whole_error};

/// Keeps every event and span, with all of their fields.
pub(super) struct Listener {
    capture: Capture,
    ids: AtomicU64,
    spans: Mutex<Spans>,
}

#[derive(Default)]
struct Spans {
    known: HashMap<u64, &'static Metadata<'static>>,
    /// Which are entered, the innermost last: `Span::current()` asks.
    entered: HashMap<ThreadId, Vec<Id>>,
}

impl Listener {
    pub(super) fn new(capture: Capture) -> Self {
        Self { capture, ids: AtomicU64::new(1), spans: Mutex::default() }
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Lines)) {
        let mut lines = Lines(format!("{} ", metadata.name()));
        record(&mut lines);
        self.capture.add(Place::Log { target: metadata.target().to_owned() }, lines.0);
    }
}

impl Subscriber for Listener {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.keep(span.metadata(), |lines| span.record(lines));
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        self.spans().known.insert(id, span.metadata());
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let metadata = self.spans().known.get(&span.into_u64()).copied();
        if let Some(metadata) = metadata {
            self.keep(metadata, |lines| values.record(lines));
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.keep(event.metadata(), |lines| event.record(lines));
    }

    fn enter(&self, span: &Id) {
        self.spans().entered.entry(thread::current().id()).or_default().push(span.clone());
    }

    fn exit(&self, span: &Id) {
        if let Some(entered) = self.spans().entered.get_mut(&thread::current().id())
            && let Some(at) = entered.iter().rposition(|id| id == span)
        {
            entered.remove(at);
        }
    }

    fn current_span(&self) -> Current {
        let spans = self.spans();
        let id = spans.entered.get(&thread::current().id()).and_then(|entered| entered.last());
        match id.and_then(|id| Some((id, spans.known.get(&id.into_u64())?))) {
            Some((id, metadata)) => Current::new(id.clone(), metadata),
            None => Current::none(),
        }
    }
}

/// The fields of an event or a span, each in every form in which a subscriber may write it.
struct Lines(String);

impl Lines {
    fn line(&mut self, field: &Field, text: impl fmt::Display) {
        let _ = writeln!(self.0, "{}={text}", field.name());
    }
}

impl Visit for Lines {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.line(field, value);
        self.line(field, format_args!("{value:?}"));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.line(field, String::from_utf8_lossy(value));
        self.line(field, format_args!("{value:?}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.line(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.line(field, whole_error(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.line(field, both_debugs(value));
    }
}
