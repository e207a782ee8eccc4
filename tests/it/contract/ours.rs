//! The sinks that are always there.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use audited::testing::{SinkUnderTest, sink_contract};
use audited::{AuditSink as _, Journal, JournalOptions, MemorySink, Record, TracingSink};

use super::{block_on, is_no_frame};
use crate::sinks::Events;
use crate::support::{Behaviour, Capture};

/// What most who use `audited` run in.
pub(crate) fn in_tokio(future: Pin<Box<dyn Future<Output = ()> + Send>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { tokio::spawn(future).await.unwrap() });
}

/// The JSON of each record.
pub(crate) fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.json().to_owned()).collect()
}

/// The records that were written into a journal, without what it says about its files.
pub(crate) fn records_of_a_journal(path: &Path) -> Vec<String> {
    let records = Journal::read(path).unwrap().map(Result::unwrap);
    records.filter(is_no_frame).map(|record| record.json().to_owned()).collect()
}

fn memory() -> SinkUnderTest {
    let memory = MemorySink::new();
    SinkUnderTest::new(memory.clone()).reads(move || texts(&memory.records())).runs_in(in_tokio)
}

fn journal(options: &JournalOptions, place: &Path) -> SinkUnderTest {
    let path = place.join("audit\n\u{2028}");
    let journal = options.open(&path).unwrap();
    SinkUnderTest::new(journal).reads(move || records_of_a_journal(&path)).is_opened_again().runs_in(in_tokio)
}

/// What it acknowledges is in its files a moment later.
fn in_memory(place: &Path) -> SinkUnderTest {
    let path = place.join("audit");
    let journal = JournalOptions::new().shared_memory("/dev/shm").open(&path).unwrap();
    let written = journal.clone();
    let read = move || {
        block_on(written.flush()).unwrap();
        records_of_a_journal(&path)
    };
    SinkUnderTest::new(journal).reads(read).is_opened_again().runs_in(in_tokio)
}

fn tracing_json() -> SinkUnderTest {
    let events = Events::default();
    let dispatch = events.dispatch();
    let read = move || events.records().into_iter().map(|mut fields| fields.remove("audit").unwrap());
    SinkUnderTest::new(TracingSink::json()).reads(read).traced_by(dispatch).runs_in(in_tokio)
}

/// A foreign sink, with everything that the suite asks for.
fn foreign(hang: Behaviour) -> SinkUnderTest {
    let capture = Capture::new();
    let set = |behaviour| {
        let capture = capture.clone();
        move || capture.set(behaviour)
    };
    SinkUnderTest::new(Arc::new(capture.clone()))
        .breaks(set(Behaviour::Fail))
        .hangs(set(hang))
        .mends(set(Behaviour::Ok))
        .closes(set(Behaviour::Fail))
        .reads(move || texts(&capture.all()))
        .runs_in(in_tokio)
}

sink_contract!(memory_keeps_it, |_| memory());
sink_contract!(the_journal_keeps_it, |place| journal(&JournalOptions::new(), place));
sink_contract!(the_journal_without_a_sync_keeps_it, |place| journal(&JournalOptions::new().os_buffer(), place));
sink_contract!(the_journal_in_memory_keeps_it, in_memory);
sink_contract!(tracing_keeps_it, || tracing_json());
sink_contract!(a_sink_of_somebody_else_keeps_it, || foreign(Behaviour::HangAsync));
sink_contract!(a_sink_that_blocks_its_thread_keeps_it, || foreign(Behaviour::HangBlocking));
