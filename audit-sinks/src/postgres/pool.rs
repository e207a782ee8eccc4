//! Connections, each of them asked what it promises.

use std::time::Duration;

use audit_core::Durability;
use deadpool::Runtime;
use deadpool::managed::{Metrics, Object, PoolConfig, PoolError, RecycleResult};
use deadpool_postgres::{ClientWrapper, Manager, ManagerConfig, RecyclingMethod};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage, SimpleQueryRow};

use super::error::PostgresError;
use super::names::Name;
use super::options::PostgresOptions;
use super::set_up::VERSION;

/// Connections of a store.
pub(super) struct Pool {
    pool: deadpool::managed::Pool<Checked>,
    timeout: Duration,
}

/// A connection that somebody uses. Unless it is given back it is closed: nobody gets one in the midst of something.
pub(super) struct Lent(Option<Object<Checked>>);

/// Connects, and refuses connections that do not hold what the store says.
pub(super) struct Checked {
    inner: Manager,
    schema: Name,
    statement_timeout: Duration,
    stated: Option<Durability>,
}

impl Pool {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, PostgresError> {
        let config = options.client_config();
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let inner = match options.tls.connector()? {
            None => Manager::from_config(config, NoTls, manager),
            Some(tls) => Manager::from_config(config, tls, manager),
        };
        let checked = Checked {
            inner,
            schema: options.schema.clone(),
            statement_timeout: options.statement_timeout,
            stated: options.durability,
        };
        let mut limits = PoolConfig::new(options.connections);
        // Several hosts are tried one after the other; each may use the connection's own time.
        let hosts = u32::try_from(options.config.get_hosts().len().max(1)).unwrap_or(u32::MAX);
        limits.timeouts.create = Some(options.connect_timeout.saturating_mul(hosts.saturating_add(1)));
        limits.timeouts.wait = Some(options.statement_timeout);
        let pool = deadpool::managed::Pool::builder(checked).config(limits).runtime(Runtime::Tokio1).build();
        let pool = pool.map_err(|error| PostgresError::Options("no pool can be made", Some(error.into())))?;
        Ok(Self { pool, timeout: options.statement_timeout })
    }

    pub(super) async fn get(&self) -> Result<Lent, PostgresError> {
        match self.pool.get().await {
            Ok(client) => Ok(Lent(Some(client))),
            Err(PoolError::Backend(error)) => Err(error),
            Err(PoolError::Timeout(_)) => Err(PostgresError::Timeout(self.timeout)),
            Err(error) => Err(PostgresError::Connection(error.to_string().into())),
        }
    }

    /// Asks a connection what it promises.
    pub(super) async fn durability(&self) -> Result<Durability, PostgresError> {
        let client = self.get().await?;
        let found = ask(&client, &self.pool.manager().schema, self.timeout).await?;
        client.give_back();
        Ok(found)
    }
}

impl Lent {
    /// Whoever comes next may have it.
    pub(super) fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

impl std::ops::Deref for Lent {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.0.as_ref().unwrap_or_else(|| unreachable!("it is there until it is given back"))
    }
}

impl std::ops::DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut ClientWrapper {
        self.0.as_mut().unwrap_or_else(|| unreachable!("it is there until it is given back"))
    }
}

impl deadpool::managed::Manager for Checked {
    type Type = ClientWrapper;
    type Error = PostgresError;

    async fn create(&self) -> Result<ClientWrapper, PostgresError> {
        let client = self.inner.create().await?;
        let found = ask(&client, &self.schema, self.statement_timeout).await?;
        match self.stated {
            Some(stated) if found < stated => Err(PostgresError::Weaker { stated, found }),
            _ => Ok(client),
        }
    }

    async fn recycle(&self, client: &mut ClientWrapper, metrics: &Metrics) -> RecycleResult<PostgresError> {
        let recycled = self.inner.recycle(client, metrics).await;
        recycled.map_err(|_| deadpool::managed::RecycleError::message("the connection is closed"))
    }

    fn detach(&self, client: &mut ClientWrapper) {
        self.inner.detach(client);
    }
}

/// Sets a session up, in one round trip, and says what an acknowledgement in it promises.
async fn ask(client: &Client, schema: &Name, statement_timeout: Duration) -> Result<Durability, PostgresError> {
    let millis = statement_timeout.as_millis().clamp(1, 2_000_000_000);
    let sql = format!(
        "SET statement_timeout = {millis}; SET client_min_messages = warning; SET bytea_output = hex;
         SELECT set_config('synchronous_commit', 'on', false)
             WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
         SELECT current_setting('server_encoding'), current_setting('fsync'), current_setting('synchronous_commit'),
             current_setting('synchronous_standby_names'), (SELECT max(version) FROM {schema}.migrations)"
    );
    let answers = client.simple_query(&sql).await?;
    let rows = answers.iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = rows.last().ok_or_else(|| PostgresError::Connection("the server gave no answer".into()))?;
    let text = |at: usize| row.get(at).unwrap_or_default();
    let found = version(row)?;
    if found != VERSION {
        return Err(PostgresError::Version { found, wanted: VERSION });
    }
    if text(0) != "UTF8" {
        return Err(PostgresError::Encoding);
    }
    Ok(match (text(1), text(2), text(3)) {
        ("on", "on" | "remote_apply", "") => Durability::Disk,
        ("on", "on" | "remote_apply", _) => Durability::Replicated,
        _ => Durability::OsBuffer,
    })
}

fn version(row: &SimpleQueryRow) -> Result<i32, PostgresError> {
    row.get(4).and_then(|version| version.parse().ok()).ok_or(PostgresError::NotSetUp(None))
}
