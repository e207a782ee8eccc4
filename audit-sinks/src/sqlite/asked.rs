//! What a reader asks of a store, for tests of how it is answered.

use std::future::Future;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use audit_core::{
    Arrived, AuditSink, AuditStore, CursorKey, Durability, Position, Record, Selection, SinkError, StoreError,
    StoredRecord,
};

use crate::memory::MemoryStore;

/// Keeps what it is asked, and answers as a store in memory does.
#[derive(Clone, Default)]
pub(super) struct Asked {
    store: MemoryStore,
    last: Arc<Mutex<Option<Selection>>>,
}

impl Asked {
    /// What it was asked last.
    pub(super) fn selection(&self) -> Selection {
        self.last.lock().unwrap().clone().unwrap()
    }

    fn keep(&self, selection: &Selection) {
        *self.last.lock().unwrap() = Some(selection.clone());
    }
}

#[async_trait]
impl AuditSink for Asked {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        self.store.write(batch).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.store.flush().await
    }

    fn durability(&self) -> Durability {
        self.store.durability()
    }

    fn describe(&self) -> String {
        self.store.describe()
    }
}

#[async_trait]
impl AuditStore for Asked {
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        self.keep(selection);
        self.store.select(selection).await
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        self.keep(selection);
        self.store.count(selection).await
    }

    async fn arrived(&self, selection: &Selection, after: &Position) -> Result<Arrived, StoreError> {
        self.keep(selection);
        self.store.arrived(selection, after).await
    }

    async fn position(&self) -> Result<Position, StoreError> {
        self.store.position().await
    }

    async fn grown(&self, after: &Position) -> Result<(), StoreError> {
        self.store.grown(after).await
    }

    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        self.store.cursor_key().await
    }
}

pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
