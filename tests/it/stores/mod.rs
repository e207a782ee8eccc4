//! The stores under the suite that `audited::testing` has for every store; stores that break its promises, to show that it
//! sees it; and random questions beside a plain model.

mod engines;
mod flawed;
mod fuzz;
pub(crate) mod generate;
mod model;
mod random;
mod reading;
mod sieve;

use std::any::Any;
use std::sync::Arc;

pub(crate) use audited::testing::made;
use audited::testing::{StoreUnderTest, store_contract};
use audited::{AuditStore, MemoryStore, Reader, Record, SinkError};

use crate::contract::block_on;

/// A store, empty, to be asked random questions.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn AuditStore>,
    /// What lives as long as the store: a directory, a schema of a server.
    #[allow(dead_code, reason = "it is there to be dropped")]
    held: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    pub(crate) fn new(store: impl AuditStore) -> Self {
        Self { store: Arc::new(store), held: Box::new(()) }
    }

    /// Keeps something for as long as the store is used.
    #[allow(dead_code, reason = "not every store needs it")]
    pub(crate) fn holding(mut self, held: impl Any + Send + Sync) -> Self {
        self.held = Box::new(held);
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

fn memory() -> Fixture {
    Fixture::new(MemoryStore::new())
}

store_contract!(memory_keeps_it, || StoreUnderTest::new(MemoryStore::new()));
