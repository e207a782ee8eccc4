//! A sink under test, and what can be done with it.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use tracing::{Dispatch, dispatcher};

use super::drive::block_on;
use super::lines::Lines;
use crate::id::RecordId;
use crate::record::{Record, StoredRecord};
use crate::sink::{AuditSink, Durability, SinkError};

type Hook = Box<dyn Fn() + Send + Sync>;
type Drive = dyn Fn(Pin<Box<dyn Future<Output = ()> + Send + 'static>>) + Send + Sync;

enum Read {
    Json(Box<dyn Fn() -> Vec<String> + Send + Sync>),
    Ids(Box<dyn Fn() -> Vec<RecordId> + Send + Sync>),
}

/// A sink that [`sink_contract!`](crate::testing::sink_contract) puts to the test, with what can be seen of it and done to
/// it. The more is said here, the more is proven.
///
/// ```
/// # use audit_core as audited;
/// # use std::sync::{Arc, Mutex};
/// # use async_trait::async_trait;
/// # use audited::{AuditSink, Durability, Record, SinkError};
/// use audited::testing::{SinkUnderTest, sink_violations};
///
/// #[derive(Clone, Default)]
/// struct Lines(Arc<Mutex<Vec<String>>>);
///
/// # #[async_trait]
/// impl AuditSink for Lines {
///     // …
/// #    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
/// #        self.0.lock().unwrap().extend(batch.iter().map(|record| record.json().to_owned()));
/// #        Ok(())
/// #    }
/// #    fn durability(&self) -> Durability {
/// #        Durability::Memory
/// #    }
/// #    fn describe(&self) -> String {
/// #        "lines".into()
/// #    }
/// }
///
/// let violations = sink_violations(|_| {
///     let lines = Lines::default();
///     SinkUnderTest::new(lines.clone()).reads(move || lines.0.lock().unwrap().clone())
/// });
/// assert_eq!(violations, []);
/// ```
#[must_use = "it is what the cases run on"]
pub struct SinkUnderTest {
    pub(super) sink: Arc<dyn AuditSink>,
    read: Option<Read>,
    /// What `read` reads, where that is a file of lines.
    lines: Option<Arc<Lines>>,
    pub(super) breaks: Option<Hook>,
    pub(super) hangs: Option<Hook>,
    pub(super) mends: Option<Hook>,
    pub(super) closes: Option<Hook>,
    pub(super) runs_in: Option<Box<Drive>>,
    pub(super) opened_again: bool,
    dispatch: Dispatch,
    held: Vec<Box<dyn Any + Send + Sync>>,
}

impl SinkUnderTest {
    /// Takes a sink of which nothing can be seen but its answers.
    pub fn new(sink: impl AuditSink) -> Self {
        Self {
            sink: Arc::new(sink),
            read: None,
            lines: None,
            breaks: None,
            hangs: None,
            mends: None,
            closes: None,
            runs_in: None,
            opened_again: false,
            dispatch: Dispatch::none(),
            held: Vec::new(),
        }
    }

    /// Says how to see what it has: the JSON of each record, in its order, without records that the sink adds of its own.
    /// A place that it has given to each (`stream`, `seq`, `prev`) may be there or not.
    pub fn reads<T: Into<String>, I: IntoIterator<Item = T>>(
        mut self,
        read: impl Fn() -> I + Send + Sync + 'static,
    ) -> Self {
        self.read = Some(Read::Json(Box::new(move || read().into_iter().map(Into::into).collect())));
        self
    }

    /// Says that it writes a file of JSON, one record a line. Lines that are none are passed over: what nobody was told of
    /// may end in the middle of one. Where a record is missing that was acknowledged, they are named.
    pub fn reads_lines_of(mut self, path: impl Into<PathBuf>) -> Self {
        let lines = Arc::new(Lines(path.into()));
        self.lines = Some(lines.clone());
        self.reads(move || lines.records())
    }

    /// Says how to see which records it has, where it keeps them in a form of its own: their ids, in its order. Whether
    /// their contents are kept is not proven then.
    pub fn reads_ids<I: IntoIterator<Item = RecordId>>(mut self, read: impl Fn() -> I + Send + Sync + 'static) -> Self {
        self.read = Some(Read::Ids(Box::new(move || read().into_iter().collect())));
        self
    }

    /// Says that a sink which is made again in the same directory has what the one before had, so that a process may be
    /// killed in between. The one that is killed is a child of the test: the test binary, which runs this one test.
    pub fn is_opened_again(mut self) -> Self {
        self.opened_again = true;
        self
    }

    /// Says how its medium is made to fail: the server is stopped, the disk is full. Unless [`mends`](Self::mends) says how
    /// that ends, it must be readable nevertheless.
    pub fn breaks(mut self, by: impl Fn() + Send + Sync + 'static) -> Self {
        self.breaks = Some(Box::new(by));
        self
    }

    /// Says how its medium is made to take everything and answer nothing.
    pub fn hangs(mut self, by: impl Fn() + Send + Sync + 'static) -> Self {
        self.hangs = Some(Box::new(by));
        self
    }

    /// Says how the medium is made whole again; the sink then takes records again.
    pub fn mends(mut self, by: impl Fn() + Send + Sync + 'static) -> Self {
        self.mends = Some(Box::new(by));
        self
    }

    /// Says how the sink is closed.
    pub fn closes(mut self, by: impl Fn() + Send + Sync + 'static) -> Self {
        self.closes = Some(Box::new(by));
        self
    }

    /// Says how a runtime drives a future to its end: `|future| runtime.block_on(future)`.
    pub fn runs_in(
        mut self,
        drive: impl Fn(Pin<Box<dyn Future<Output = ()> + Send + 'static>>) + Send + Sync + 'static,
    ) -> Self {
        self.runs_in = Some(Box::new(drive));
        self
    }

    /// Sets the subscriber of `tracing` on whichever thread writes.
    pub fn traced_by(mut self, dispatch: impl Into<Dispatch>) -> Self {
        self.dispatch = dispatch.into();
        self
    }

    /// Keeps something for as long as the sink is used: a server, a lock.
    pub fn holding(mut self, held: impl Any + Send + Sync) -> Self {
        self.held.push(Box::new(held));
        self
    }

    pub(super) fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.with(|| block_on(self.sink.write(batch)))
    }

    /// Writes what it has to take; `refused` says what is wrong where it does not.
    pub(super) fn takes(&self, batch: &[Record], refused: &str) {
        self.write(batch).unwrap_or_else(|error| panic!("{refused}: {error}"));
    }

    /// Flushes it, as [`takes`](Self::takes).
    pub(super) fn flushes(&self, refused: &str) {
        self.with(|| block_on(self.sink.flush())).unwrap_or_else(|error| panic!("{refused}: {error}"));
    }

    pub(super) fn with<T>(&self, inside: impl FnOnce() -> T) -> T {
        dispatcher::with_default(&self.dispatch, inside)
    }

    /// What it has, where that can be seen.
    pub(super) fn found(&self) -> Option<Vec<Found>> {
        Some(match self.read.as_ref()? {
            Read::Json(read) => read().into_iter().map(Found::of_json).collect(),
            Read::Ids(read) => read().into_iter().map(|id| Found { id, json: None }).collect(),
        })
    }

    /// Asserts that what is missing is not there in another format.
    pub(super) fn assert_reads_lines(&self) {
        if let Some(wrong) = self.lines.as_ref().and_then(|lines| lines.wrong()) {
            panic!("{wrong}");
        }
    }

    /// Asserts that it has exactly these records, in this order.
    pub(super) fn assert_has(&self, records: &[Record]) {
        let Some(found) = self.found() else { return };
        let ids: Vec<_> = records.iter().map(|record| record.id().expect("ours have one")).collect();
        let found_ids: Vec<_> = found.iter().map(|found| found.id).collect();
        if found_ids != ids {
            self.assert_reads_lines();
        }
        assert!(
            found_ids == ids,
            "it has not what it acknowledged, in that order: {} records were written, {} are there, the first that \
             differs is at {}",
            ids.len(),
            found.len(),
            ids.iter().zip(&found_ids).take_while(|(id, found)| id == found).count()
        );
        found.iter().zip(records).for_each(|(found, record)| found.assert_is(record));
    }

    /// Asserts that it has each of these records once, whatever else it has.
    pub(super) fn assert_has_among_others(&self, records: &[Record]) {
        let Some(found) = self.found() else { return };
        let mut times = HashMap::new();
        for found in &found {
            times.entry(found.id).or_insert_with(Vec::new).push(found);
        }
        for record in records {
            let there = times.get(&record.id().expect("ours have one")).map_or(&[][..], Vec::as_slice);
            if there.is_empty() {
                self.assert_reads_lines();
            }
            assert!(there.len() == 1, "a record that it acknowledged is there {} times", there.len());
            there[0].assert_is(record);
        }
    }

    /// The libtest captures what is printed, but not what is written to stderr by hand.
    pub(super) fn say_what_is_not_proven(&self, module: &str) {
        fn unless(is_proven: bool, what: &str) -> Option<&str> {
            (!is_proven).then_some(what)
        }

        let durability = self.sink.durability();
        let survives = durability >= Durability::OsBuffer;
        let syncs =
            format!("that it syncs: it says {durability}, and a killed process loses nothing that the system has");
        let missing = [
            match &self.read {
                None => Some("that it keeps anything: nothing reads it back"),
                Some(Read::Ids(_)) => Some("that it keeps the contents of records: its reader gives ids"),
                Some(Read::Json(_)) => None,
            },
            unless(!survives || (self.opened_again && self.read.is_some()), "its durability: nothing opens it again"),
            unless(durability < Durability::Disk, &syncs),
            unless(self.breaks.is_some(), "what it does when its medium fails: nothing breaks it"),
            unless(self.hangs.is_some(), "what it does when its medium hangs: nothing hangs it"),
            unless(
                self.breaks.is_none() && self.hangs.is_none() || self.mends.is_some(),
                "that it recovers: nothing mends it",
            ),
            unless(self.closes.is_some(), "what it does once it is closed: nothing closes it"),
            unless(self.runs_in.is_some(), "that it works inside of a runtime: there is none"),
        ];
        let mut lines = String::new();
        for missing in missing.into_iter().flatten() {
            lines += "\nsink_contract ";
            lines += module;
            lines += " does not prove ";
            lines += missing;
        }
        if !lines.is_empty() {
            // At once, so that lines of other tests do not come between.
            lines.push('\n');
            let _ = std::io::stderr().write_all(lines.as_bytes());
        }
    }
}

impl fmt::Debug for SinkUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkUnderTest").field("sink", &self.sink.describe()).finish_non_exhaustive()
    }
}

/// A record that the sink has.
pub(super) struct Found {
    pub(super) id: RecordId,
    pub(super) json: Option<String>,
}

impl Found {
    fn of_json(json: String) -> Self {
        let stored = StoredRecord::parse(json)
            .unwrap_or_else(|error| panic!("what is read back from the sink is no record: {error}"));
        let json = without_position(&stored);
        Self { id: stored.id().expect("each record that the suite has written has an id"), json: Some(json) }
    }

    fn assert_is(&self, record: &Record) {
        if let Some(json) = &self.json {
            assert!(json == record.json(), "a record was changed: {} is kept as {json}", record.json());
        }
    }
}

/// The record as it was before somebody put `stream` in front, and `seq` and `prev` behind.
fn without_position(record: &StoredRecord) -> String {
    let json = record.json();
    let start = record.stream().and_then(|_| json.find("\"schema\""));
    let end = record.seq().and_then(|_| json.rfind(",\"seq\":"));
    match (start, end) {
        (Some(start), Some(end)) => format!("{{{}}}", &json[start..end]),
        _ => json.to_owned(),
    }
}
