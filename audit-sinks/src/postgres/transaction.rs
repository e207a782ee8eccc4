//! A record in the transaction of what it is about.

use std::fmt;
use std::sync::Arc;

use audit_core::{AuditTransaction, Record, SinkError};
use tokio_postgres::Transaction;

use super::entry::Entry;
use super::insert::{Sql, write_within};

/// A transaction of the caller's that records can be written into, as
/// [`PostgresStore::within`](super::PostgresStore::within) gives it.
///
/// A record that the store has already is `Ok`; that it has another one in its place is an error. Neither aborts the
/// transaction.
pub struct PostgresTransaction<'a> {
    transaction: &'a Transaction<'a>,
    sql: Arc<Sql>,
}

impl<'a> PostgresTransaction<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>, sql: Arc<Sql>) -> Self {
        Self { transaction, sql }
    }
}

impl AuditTransaction for PostgresTransaction<'_> {
    async fn write(&self, record: &Record) -> Result<(), SinkError> {
        match Entry::of(record) {
            Some(entry) => Ok(write_within(self.transaction, &self.sql, &entry).await?),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PostgresTransaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresTransaction")
    }
}
