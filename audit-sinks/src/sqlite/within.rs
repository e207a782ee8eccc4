//! A record in the transaction of what it is about.

use audit_core::{AuditTransaction, Record, SinkError};
use rusqlite::Connection;
use thiserror::Error;

use super::SqliteStore;
use super::error::sink_error;
use super::insert::{Insert, Prepared, Unwritten};
use super::schema::{LAYOUT, layout};

/// Writes records into a transaction of the application's own: [`SqliteStore::within`].
pub struct SqliteTransaction<'a> {
    store: &'a SqliteStore,
    connection: &'a Connection,
}

impl SqliteStore {
    /// Writes into a transaction that the application has begun on a connection of its own to the same file: what it
    /// changes in its tables there and the record of it become durable together, or neither does.
    ///
    /// Begin it with `BEGIN IMMEDIATE` ([`TransactionBehavior::Immediate`](rusqlite::TransactionBehavior::Immediate)):
    /// a transaction that has read before it writes can find that another one was faster, and is good for nothing
    /// then. While it is open, all other records wait, up to [`SqliteOptions::busy`](super::SqliteOptions::busy): who
    /// awaits one of them before the transaction has ended waits for itself, and in vain.
    /// How durable its commit is, the connection says: `PRAGMA synchronous` is `FULL` unless it was changed.
    ///
    /// Writing blocks the thread, as all that goes through a [`Connection`] does, and changes what
    /// [`Connection::last_insert_rowid`] gives.
    ///
    /// ```
    /// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
    /// use audited::{Action, AuditTransaction, Record, SqliteStore};
    /// use rusqlite::{Connection, TransactionBehavior};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = std::env::temp_dir().join(format!("sqlite-within-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// let store = SqliteStore::open(directory.join("app.db"))?;
    /// let mut connection = Connection::open(store.path())?;
    /// connection.execute_batch("CREATE TABLE accounts (id INTEGER PRIMARY KEY, cents INTEGER)")?;
    ///
    /// let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    /// transaction.execute("INSERT INTO accounts VALUES (1, 500)", [])?;
    /// let record = Record::builder(Action::new("account.opened")).build();
    /// store.within(&transaction).write(&record).await?;
    /// transaction.commit()?;
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn within<'a>(&'a self, transaction: &'a Connection) -> SqliteTransaction<'a> {
        SqliteTransaction { store: self, connection: transaction }
    }
}

impl AuditTransaction for SqliteTransaction<'_> {
    /// # Errors
    ///
    /// [`SinkError::Failed`] where the connection has no transaction open, or another file than the store's, and what
    /// SQLite says.
    async fn write(&self, record: &Record) -> Result<(), SinkError> {
        self.check()?;
        let Some(prepared) = Prepared::new(record.clone()) else { return Ok(()) };
        prepared.insert(self.connection, Insert::Whole).map_err(|unwritten| match unwritten {
            Unwritten::Refused(refusal) => refusal,
            Unwritten::Failed(error) => sink_error(error),
        })
    }
}

impl SqliteTransaction<'_> {
    /// Refuses what would not commit with the caller's changes, or not into the store.
    fn check(&self) -> Result<(), SinkError> {
        let connection = self.connection;
        if connection.is_autocommit() {
            return Err(SinkError::failed(NotWithin::NoTransaction));
        }
        let is_ours = connection.path().is_some_and(|path| self.store.0.place.is(path.as_ref()));
        if !is_ours || !layout(connection).is_ok_and(|layout| layout == LAYOUT) {
            return Err(SinkError::failed(NotWithin::OtherFile));
        }
        Ok(())
    }
}

/// Why a record is not written into a transaction.
#[derive(Debug, Error)]
enum NotWithin {
    #[error("the connection has no transaction open")]
    NoTransaction,
    #[error("the transaction is in another file than the store's, or one of another layout")]
    OtherFile,
}
