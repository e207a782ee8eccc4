//! A store under test.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::super::contract::SinkUnderTest;
use super::block_on;
use super::read::arrived;
use crate::query::Query;
use crate::record::Record;
use crate::sink::SinkError;
use crate::store::{AuditStore, Reader};

type Reopen = dyn Fn() -> Arc<dyn AuditStore> + Send + Sync;

/// A store that [`store_contract!`](crate::testing::store_contract) puts to the test, empty.
#[must_use = "it is what the cases run on"]
pub struct StoreUnderTest {
    pub(super) store: Arc<dyn AuditStore>,
    pub(super) reopen: Option<Box<Reopen>>,
    opened_again: bool,
    held: Box<dyn Any + Send + Sync>,
}

impl StoreUnderTest {
    /// Takes a store.
    pub fn new(store: impl AuditStore) -> Self {
        Self { store: Arc::new(store), reopen: None, opened_again: false, held: Box::new(()) }
    }

    /// Says how the same store is opened a second time, as another process would. Otherwise it is not proven that cursors
    /// outlive a process.
    pub fn reopened_by<S: AuditStore>(mut self, reopen: impl Fn() -> S + Send + Sync + 'static) -> Self {
        self.reopen = Some(Box::new(move || Arc::new(reopen())));
        self
    }

    /// Says that a store which is made again in the same directory has what the one before had, so that a process may be
    /// killed in between: as [`SinkUnderTest::is_opened_again`].
    pub fn is_opened_again(mut self) -> Self {
        self.opened_again = true;
        self
    }

    /// Keeps something for as long as the store is used: a server, a directory.
    pub fn holding(mut self, held: impl Any + Send + Sync) -> Self {
        self.held = Box::new((self.held, held));
        self
    }

    /// The same as a sink, which is read back through the store.
    pub fn as_a_sink(self) -> SinkUnderTest {
        let reader = self.global();
        let read = move || arrived(&reader, &Query::new()).into_iter().map(|record| record.json().to_owned());
        let under = SinkUnderTest::new(self.store).reads(read).holding(self.held);
        if self.opened_again { under.is_opened_again() } else { under }
    }

    pub(super) fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        block_on(self.store.write(batch))
    }

    /// Reads everything, and leaves no record of it.
    pub(super) fn global(&self) -> Reader {
        self.store.global("suite").unrecorded()
    }

    /// Reads what one tenant has, and leaves no record of it.
    pub(super) fn tenant(&self, tenant: &str) -> Reader {
        self.store.tenant(tenant).unrecorded()
    }
}

impl fmt::Debug for StoreUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreUnderTest").field("store", &self.store.describe()).finish_non_exhaustive()
    }
}
