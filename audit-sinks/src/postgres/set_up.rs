//! Making what the store needs.

use std::fmt;

use audit_core::CursorKey;
use tokio_postgres::{Client, NoTls};

use super::error::PostgresError;
use super::names::Name;
use super::options::PostgresOptions;
use super::runtime;

/// What made the tables what they are, one after the other.
const MIGRATIONS: &[&str] = &[include_str!("schema/0001.sql")];
/// What the roles may.
const ROLES: &str = include_str!("schema/roles.sql");
/// How many migrations there are.
pub(super) const VERSION: i32 = {
    assert!(MIGRATIONS.len() < 1_000);
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are few")]
    let version = MIGRATIONS.len() as i32;
    version
};
/// How long a lock is waited for that keeps everybody from writing.
const LOCK_TIMEOUT: &str = "10s";

/// Sets a database up for a [`PostgresStore`](super::PostgresStore), or brings it up to date: the schema, tables that take
/// nothing but inserts, partitions, and two roles. Again is the same, also at the same time.
///
/// * The writer is for the store. It selects and inserts, and may do no more.
/// * The reader is for people and programs with SQL of their own. It sees the records of one tenant, that which the
///   session has set: `SET audited.tenant = 'acme'`. That is a wall against mistakes, a second one behind the
///   [readers](audit_core::Reader); who can send any SQL can set any tenant.
///
/// Neither can log in: they are granted to users. Run it as who is to own the tables, and not as the service's user. An
/// owner can drop what is his; that the owner and a superuser are few is for the database to see to.
///
/// [`PostgresStore`](super::PostgresStore) has an example.
#[derive(Clone)]
#[must_use = "nothing is set up until it is run"]
pub struct PostgresSetUp {
    writer: Option<Name>,
    reader: Option<Name>,
    granted: Vec<(Name, Side)>,
    period: PostgresPeriod,
    ahead: u16,
}

#[derive(Clone, Copy)]
enum Side {
    Writer,
    Reader,
}

/// What time a partition has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PostgresPeriod {
    /// A day, in UTC.
    Day,
    /// A week, from Monday on.
    Week,
    /// A month.
    #[default]
    Month,
    /// A year.
    Year,
}

impl PostgresSetUp {
    /// Starts with partitions of a month, three ahead, and roles that are named after the schema: `audited_writer` and
    /// `audited_reader`.
    pub const fn new() -> Self {
        Self { writer: None, reader: None, granted: Vec::new(), period: PostgresPeriod::Month, ahead: 3 }
    }

    /// Names the role of the store.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Options`] as [`PostgresOptions::schema`].
    pub fn writer(mut self, role: &str) -> Result<Self, PostgresError> {
        self.writer = Some(Name::parse(role)?);
        Ok(self)
    }

    /// Names the role of those who read by SQL.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Options`] as [`PostgresOptions::schema`].
    pub fn reader(mut self, role: &str) -> Result<Self, PostgresError> {
        self.reader = Some(Name::parse(role)?);
        Ok(self)
    }

    /// Grants the writer to a user that there is.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Options`] as [`PostgresOptions::schema`].
    pub fn grant_writer(mut self, user: &str) -> Result<Self, PostgresError> {
        self.granted.push((Name::parse(user)?, Side::Writer));
        Ok(self)
    }

    /// Grants the reader to a user that there is.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Options`] as [`PostgresOptions::schema`].
    pub fn grant_reader(mut self, user: &str) -> Result<Self, PostgresError> {
        self.granted.push((Name::parse(user)?, Side::Reader));
        Ok(self)
    }

    /// Sets what time a partition has, and how many are made before their time. Partitions that there are stay as they
    /// are.
    pub const fn partitions(mut self, period: PostgresPeriod, ahead: u16) -> Self {
        (self.period, self.ahead) = (period, ahead);
        self
    }

    /// Does it.
    ///
    /// # Errors
    ///
    /// [`PostgresError`]; a migration is made whole or not at all.
    pub async fn run(&self, owner: &PostgresOptions) -> Result<(), PostgresError> {
        let (set_up, owner) = (self.clone(), owner.clone());
        runtime::alone(move || async move { set_up.apply(&owner).await }).await
    }

    async fn apply(&self, owner: &PostgresOptions) -> Result<(), PostgresError> {
        let mut client = connect(owner).await?;
        let schema = &owner.schema;
        // Whoever else sets this up waits, until the connection closes.
        let begin = format!(
            "SELECT pg_advisory_lock(hashtext('audited.set_up')); SET lock_timeout = '{LOCK_TIMEOUT}';
             SET client_min_messages = warning;
             CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE TABLE IF NOT EXISTS {schema}.migrations (
                 version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        );
        client.batch_execute(&begin).await?;
        let sql = "SELECT current_setting('server_encoding'), (SELECT max(version) FROM {schema}.migrations)";
        let row = client.query_one(&self.fill(sql, schema), &[]).await?;
        let (encoding, found): (String, Option<i32>) = (row.try_get(0)?, row.try_get(1)?);
        let found = found.unwrap_or(0);
        if encoding != "UTF8" {
            return Err(PostgresError::Encoding);
        }
        if found > VERSION {
            return Err(PostgresError::Version { found, wanted: VERSION });
        }
        for (version, migration) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
            let transaction = client.transaction().await?;
            transaction.batch_execute(&self.fill(migration, schema)).await?;
            let sql = format!("INSERT INTO {schema}.migrations (version) VALUES ($1)");
            transaction.execute(&sql, &[&version]).await?;
            transaction.commit().await?;
        }
        client.batch_execute(&self.fill(ROLES, schema)).await?;
        self.settle(&client, schema).await
    }

    /// Sets what is there once, and makes the first partitions.
    async fn settle(&self, client: &Client, schema: &Name) -> Result<(), PostgresError> {
        let key = CursorKey::random().map_err(PostgresError::Thread)?;
        let sql = format!("INSERT INTO {schema}.secrets (cursor_key) VALUES ($1) ON CONFLICT DO NOTHING");
        client.execute(&sql, &[&key.as_bytes().as_slice()]).await?;
        let sql = format!(
            "INSERT INTO {schema}.settings (period, ahead) VALUES ($1, $2)
             ON CONFLICT (only_one) DO UPDATE SET period = excluded.period, ahead = excluded.ahead"
        );
        client.execute(&sql, &[&self.period.as_str(), &i32::from(self.ahead)]).await?;
        client.query(&format!("SELECT {schema}.maintain()"), &[]).await?;
        for (user, side) in &self.granted {
            let role = match side {
                Side::Writer => self.writer_of(schema),
                Side::Reader => self.reader_of(schema),
            };
            client.batch_execute(&format!("GRANT {role} TO {user}")).await?;
        }
        Ok(())
    }

    fn writer_of(&self, schema: &Name) -> Name {
        self.writer.clone().unwrap_or_else(|| schema.with("_writer"))
    }

    fn reader_of(&self, schema: &Name) -> Name {
        self.reader.clone().unwrap_or_else(|| schema.with("_reader"))
    }

    /// Fills names in.
    fn fill(&self, sql: &str, schema: &Name) -> String {
        let (writer, reader) = (self.writer_of(schema), self.reader_of(schema));
        let sql = sql.replace("{schema}", &schema.to_string()).replace("{schema_name}", schema.as_str());
        let sql = sql.replace("{writer}", &writer.to_string()).replace("{writer_name}", writer.as_str());
        sql.replace("{reader}", &reader.to_string()).replace("{reader_name}", reader.as_str())
    }
}

impl Default for PostgresSetUp {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PostgresSetUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSetUp")
            .field("period", &self.period)
            .field("ahead", &self.ahead)
            .finish_non_exhaustive()
    }
}

impl PostgresPeriod {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// The body of the function that refuses changes, as the last migration that makes it has it.
pub(super) fn refusing_body() -> &'static str {
    let head = "refuse() RETURNS trigger LANGUAGE plpgsql AS $$";
    let bodies = MIGRATIONS.iter().rev().filter_map(|migration| migration.split_once(head)?.1.split("$$").next());
    bodies.into_iter().next().unwrap_or_default()
}

/// Connects by itself, on the runtime that asks.
pub(super) async fn connect(options: &PostgresOptions) -> Result<Client, PostgresError> {
    let config = options.client_config();
    let connecting = async {
        match options.tls.connector()? {
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
            Some(tls) => {
                let (client, connection) = config.connect(tls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    };
    let timed = tokio::time::timeout(options.connect_timeout.saturating_mul(2), connecting).await;
    timed.unwrap_or(Err(PostgresError::Timeout(options.connect_timeout)))
}
