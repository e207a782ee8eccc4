//! What is done on the writing connection, between two transactions of callers.

use std::sync::{Arc, Mutex, PoisonError};

use audit_core::{SinkError, StoreError};
use rusqlite::Connection;

use super::SqliteStore;
use super::error::{is_failed_sync, store_error};
use super::writer::{Lot, TaskEnd};

impl SqliteStore {
    /// Has something done there, and gives what it gave. It is done also where nobody waits for it any more.
    pub(super) async fn on_writer<T, F>(&self, task: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let given = Arc::new(Mutex::new(None));
        let giving = given.clone();
        let task = Box::new(move |connection: &mut Connection| {
            let done = task(connection);
            let end = match &done {
                Err(error) if is_failed_sync(error) => TaskEnd::SyncFailed,
                _ => TaskEnd::Done,
            };
            *giving.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            end
        });
        match self.hand_over(Lot::Task(Mutex::new(Some(task)))).await {
            Ok(()) => {}
            Err(SinkError::Closed) => return Err(StoreError::Closed),
            Err(error) => return Err(StoreError::failed(error)),
        }
        let done = given.lock().unwrap_or_else(PoisonError::into_inner).take();
        done.ok_or(StoreError::Closed)?.map_err(store_error)
    }
}
