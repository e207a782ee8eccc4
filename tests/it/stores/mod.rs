//! What every store promises, as one suite; stores that break it, to show that the suite sees it; and random questions
//! beside a plain model.

mod cases;
mod engines;
mod flawed;
mod fuzz;
mod generate;
pub(crate) mod made;
mod model;
mod random;
mod reading;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use audited::{AuditStore, Cursor, MemoryStore, Query, Reader, Record, Since, SinkError, StoredRecord};

use crate::contract::{self, block_on, sink_contract};

/// A store, empty.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn AuditStore>,
    reopen: Option<Box<dyn Fn() -> Arc<dyn AuditStore> + Send + Sync>>,
    /// What lives as long as the store: a directory, a schema of a server.
    held: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    pub(crate) fn new(store: impl AuditStore) -> Self {
        Self { store: Arc::new(store), reopen: None, held: Box::new(()) }
    }

    /// Keeps something for as long as the store is used.
    #[allow(dead_code, reason = "not every store needs it")]
    pub(crate) fn holding(mut self, held: impl Any + Send + Sync) -> Self {
        self.held = Box::new(held);
        self
    }

    /// Says how the same store is opened a second time, as another process would.
    #[allow(dead_code, reason = "a store in memory is not")]
    pub(crate) fn reopened_by(mut self, reopen: impl Fn() -> Arc<dyn AuditStore> + Send + Sync + 'static) -> Self {
        self.reopen = Some(Box::new(reopen));
        self
    }

    fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        block_on(self.store.write(batch))
    }

    /// Reads everything, and leaves no record of it.
    fn global(&self) -> Reader {
        self.store.global("suite").unrecorded()
    }

    /// Reads what one tenant has, and leaves no record of it.
    fn tenant(&self, tenant: &str) -> Reader {
        self.store.tenant(tenant).unrecorded()
    }
}

/// The names of the cases that a store fails; `make` gives a fresh one each time.
pub(crate) fn violations(make: impl Fn() -> Fixture) -> Vec<&'static str> {
    let fails = |case: cases::Case| catch_unwind(AssertUnwindSafe(|| case(&make()))).is_err();
    cases::ALL.iter().copied().flatten().filter(|(_, case)| fails(*case)).map(|(name, _)| *name).collect()
}

/// Asserts that a store keeps the contract, that of sinks included.
pub(crate) fn store_contract(make: impl Fn() -> Fixture) {
    let violations = violations(&make);
    assert!(violations.is_empty(), "{violations:#?}");
    sink_contract(|| {
        let Fixture { store, held, .. } = make();
        let reader = store.global("suite").unrecorded();
        let read = move || {
            let _ = &held;
            arrived(&reader, &Query::new()).iter().map(|record| record.json().to_owned()).collect()
        };
        contract::Fixture::new(store, read)
    });
}

/// More records than a case writes.
const MANY: usize = 5_000;

/// All that a reader finds, page by page.
fn found(reader: &Reader, query: &Query) -> Vec<StoredRecord> {
    let mut page = block_on(reader.page(query)).unwrap();
    let mut records = page.records;
    while let Some(next) = page.next {
        page = block_on(reader.page(&query.clone().after(next))).unwrap();
        assert!(!page.records.is_empty(), "a page after which there is another has something behind it");
        records.extend(page.records);
        assert!(records.len() <= MANY, "the pages do not end");
    }
    records
}

/// All that has arrived, in its order.
fn arrived(reader: &Reader, query: &Query) -> Vec<StoredRecord> {
    arrived_since(reader, query, Since::Beginning).0
}

/// All that has arrived since, and where it goes on.
fn arrived_since(reader: &Reader, query: &Query, mut since: Since) -> (Vec<StoredRecord>, Cursor) {
    let mut records = Vec::new();
    loop {
        let arrivals = block_on(reader.since(query, since)).unwrap();
        records.extend(arrivals.records);
        assert!(records.len() <= MANY, "what arrives does not end");
        if !arrivals.more {
            return (records, arrivals.next);
        }
        since = Since::Cursor(arrivals.next);
    }
}

fn memory() -> Fixture {
    Fixture::new(MemoryStore::new())
}

#[test]
fn memory_keeps_it() {
    store_contract(memory);
}
