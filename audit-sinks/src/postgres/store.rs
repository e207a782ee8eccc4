//! The store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use audit_core::{
    Arrived, AuditSink, AuditStore, CursorKey, Durability, Position, Record, Selection, SinkError, StoreError,
    StoredRecord,
};
use event_listener::Event;
use tokio::runtime::Handle;

use super::error::PostgresError;
use super::insert::Sql;
use super::names::Name;
use super::options::PostgresOptions;
use super::pool::Pool;
use super::runtime::{self, Asked};
use super::transaction::PostgresTransaction;
use super::writer::{Queue, queue};
use super::{arrived, read};

/// How long what another process has written may stay unseen by who follows.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Keeps records in a PostgreSQL server, and finds them again. Cloning it shares its connections.
///
/// [`PostgresSetUp`](super::PostgresSetUp) makes its tables, once, and the roles: the store's own inserts and selects, and
/// may do no more; the tables refuse every update, delete and truncate, also of their owner.
///
/// It has a thread and a runtime of its own, and can be asked on any executor. What several callers write at a time shares
/// a transaction, and who writes what is known or wrong does not fail the others. A future that is dropped loses nothing
/// that was handed over.
///
/// A record that was [removed](super::PostgresRetention) for its age is still known: where it comes again it is `Ok`, and
/// it does not come back.
///
/// Who follows sees at once what this store writes, and within a quarter of a second what others do. Connections are kept
/// and set up, so that a pooler between must give each to one client (its mode `session`).
///
/// Positions of readers are snapshots of this server. They outlive restarts and failovers to a synchronous standby, not a
/// restored dump: read from the beginning then.
///
/// ```no_run
/// # use audit_sinks as audited;
/// use audited::{PostgresOptions, PostgresSetUp, PostgresStore};
///
/// # async fn open() -> Result<(), audited::PostgresError> {
/// // Once, and after each upgrade of this crate, as the owner of the database:
/// let owner = PostgresOptions::new("postgres://owner@db.example.org/bank")?.tls();
/// PostgresSetUp::new().grant_writer("bank_service")?.run(&owner).await?;
///
/// let options = PostgresOptions::new("postgres://bank_service@db.example.org/bank")?.tls();
/// let store = PostgresStore::connect(options).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Arc<Shared>);

struct Shared {
    handle: Handle,
    queue: Queue,
    grown: Arc<Event>,
    access: Access,
    durability: Durability,
    description: String,
}

/// What a task needs to ask the server.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) pool: Arc<Pool>,
    pub(super) sql: Arc<Sql>,
    pub(super) schema: Name,
}

impl PostgresStore {
    /// Connects, and asks the server what an acknowledgement promises: [`Durability::Disk`] where it syncs,
    /// [`Durability::Replicated`] where it waits for synchronous standbys, too. A later connection that promises less is
    /// refused.
    ///
    /// # Errors
    ///
    /// [`PostgresError`] when the server cannot be reached, or the database is not set up for this version.
    pub async fn connect(options: PostgresOptions) -> Result<Self, PostgresError> {
        let asked = options.clone();
        let found = runtime::alone(move || async move { Pool::new(&asked)?.durability().await }).await?;
        let stated = options.durability.unwrap_or(found);
        Self::connect_later(options.durability(stated))
    }

    /// Connects when something is to be written or read. What an acknowledgement promises is what the options
    /// [state](PostgresOptions::durability), [`Durability::Disk`] where they do not; a server that promises less is refused
    /// then.
    ///
    /// # Errors
    ///
    /// [`PostgresError`] when the options cannot be followed.
    pub fn connect_later(options: PostgresOptions) -> Result<Self, PostgresError> {
        let durability = options.durability.unwrap_or(Durability::Disk);
        let options = options.durability(durability);
        let access = Access {
            pool: Arc::new(Pool::new(&options)?),
            sql: Arc::new(Sql::new(&options.schema)),
            schema: options.schema.clone(),
        };
        let grown = Arc::new(Event::new());
        let (queue, writers) = queue(access.pool.clone(), access.sql.clone(), grown.clone(), options.statement_timeout);
        let connections = options.connections.div_ceil(2);
        let handle = runtime::start(move || async move {
            let writing: Vec<_> = (0..connections).map(|_| tokio::spawn(writers.clone().run())).collect();
            for writer in writing {
                let _ = writer.await;
            }
        })?;
        let description = options.to_string();
        Ok(Self(Arc::new(Shared { handle, queue, grown, access, durability, description })))
    }

    /// Makes the partitions of the present and the coming periods that are missing, and gives their names. Records of
    /// other times are in the default partition, which is found as fast and cannot be removed for its age. To be called
    /// now and then, such as daily; where it is not, the default partition has what comes.
    ///
    /// A default partition that has records of these periods becomes the partition of all of its records' times, and an
    /// empty one the default: nothing is moved, and everybody waits while it is read once. It stays as it is where
    /// another partition has a part of those times, where they go beyond the coming periods, where it has more than
    /// 1 GiB, or where somebody uses the table for longer than a second.
    ///
    /// # Errors
    ///
    /// [`PostgresError`]; nothing is made then.
    pub async fn maintain(&self) -> Result<Vec<String>, PostgresError> {
        self.ask(|access| async move {
            let client = access.pool.get().await?;
            let sql = format!("SELECT made FROM {}.maintain() AS made", access.schema);
            let rows = client.query_typed(&sql, &[]).await?;
            client.give_back();
            rows.iter().map(|row| row.try_get(0).map_err(Into::into)).collect()
        })
        .await
    }

    /// Writes into a transaction of the caller's: the record is there if it commits. A connection of the same database,
    /// whose role is granted the store's writer.
    ///
    /// ```no_run
    /// # mod audited { pub use audit_core::*; pub use audit_sinks::*; }
    /// use audited::{AuditTransaction as _, PostgresStore, Record};
    ///
    /// # async fn pay(store: &PostgresStore, client: &mut tokio_postgres::Client, record: &Record) -> Result<(), Box<dyn std::error::Error>> {
    /// let transaction = client.transaction().await?;
    /// transaction.execute("UPDATE account SET cents = cents - 5", &[]).await?;
    /// store.within(&transaction).write(record).await?;
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn within<'a>(&self, transaction: &'a tokio_postgres::Transaction<'a>) -> PostgresTransaction<'a> {
        PostgresTransaction::new(transaction, self.0.access.sql.clone())
    }

    /// Runs something on the store's own thread, until nobody waits for it.
    pub(super) async fn ask<T, F>(&self, what: impl FnOnce(Access) -> F) -> Result<T, PostgresError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, PostgresError>> + Send + 'static,
    {
        Asked::of(&self.0.handle, what(self.0.access.clone())).await
    }
}

#[async_trait]
impl AuditSink for PostgresStore {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        if batch.is_empty() { Ok(()) } else { self.0.queue.write(batch.to_vec()).await }
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.0.queue.flush().await
    }

    fn durability(&self) -> Durability {
        self.0.durability
    }

    fn describe(&self) -> String {
        self.0.description.clone()
    }
}

#[async_trait]
impl AuditStore for PostgresStore {
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        let selection = selection.clone();
        Ok(self.ask(|access| async move { read::select(&access, &selection).await }).await?)
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        let selection = selection.clone();
        Ok(self.ask(|access| async move { read::count(&access, &selection).await }).await?)
    }

    async fn arrived(&self, selection: &Selection, after: &Position) -> Result<Arrived, StoreError> {
        let (selection, place) = (selection.clone(), arrived::place(after)?);
        self.ask(|access| async move { arrived::arrived(&access, &selection, place).await }).await?
    }

    async fn position(&self) -> Result<Position, StoreError> {
        Ok(self.ask(|access| async move { arrived::position(&access).await }).await?)
    }

    async fn grown(&self, after: &Position) -> Result<(), StoreError> {
        let place = arrived::place(after)?;
        let grown = self.0.grown.clone();
        let waiting = self.ask(|access| async move {
            loop {
                let listening = grown.listen();
                match arrived::has_grown(&access, &place).await? {
                    Ok(false) => {}
                    Ok(true) => return Ok(Ok(())),
                    Err(error) => return Ok(Err(error)),
                }
                let _ = tokio::time::timeout(LOOK_AGAIN, listening).await;
            }
        });
        waiting.await?
    }

    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        let key = self.ask(|access| async move {
            let client = access.pool.get().await?;
            let sql = format!("SELECT cursor_key FROM {}.secrets", access.schema);
            let key = client.query_typed(&sql, &[]).await?;
            client.give_back();
            let key = key.first().map(|row| row.try_get::<_, Vec<u8>>(0)).transpose()?;
            key.and_then(|key| key.try_into().ok()).ok_or(PostgresError::NotSetUp(None))
        });
        Ok(CursorKey::from_bytes(key.await?))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStore").field(&self.0.description).finish()
    }
}
