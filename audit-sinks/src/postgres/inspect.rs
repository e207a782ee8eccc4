//! How a database is set up for a store, and what the server promises.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use audit_core::Timestamp;
use tokio_postgres::{Client, Row};

use super::error::PostgresError;
use super::names::Name;
use super::options::PostgresOptions;
use super::runtime;
use super::set_up::{self, VERSION};
use super::store::PostgresStore;

/// The settings on which it depends what an acknowledgement of the server means.
const SETTINGS: &[&str] = &[
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "synchronous_standby_names",
    "default_transaction_read_only",
    "data_checksums",
    "zero_damaged_pages",
    "server_encoding",
];

const WHO: &str = include_str!("inspect/who.sql");
const PRIVILEGES: &str = include_str!("inspect/privileges.sql");
const GRANTS: &str = include_str!("inspect/grants.sql");
const TABLES: &str = include_str!("inspect/tables.sql");
const PARTITIONS: &str = include_str!("inspect/partitions.sql");

/// How a database is set up for a store, and what its server promises: what [`PostgresStore::inspect`] has found, as the
/// role that has asked can see it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresInspection {
    /// The settings on which it depends what is kept, by their names, as they are in a session of this role.
    pub settings: BTreeMap<String, String>,
    /// The version that the database is set up as.
    pub version: i32,
    /// The version that this crate wants.
    pub current_version: i32,
    /// The role that has asked.
    pub role: String,
    /// What the role is, and must not be for a store: `superuser`, `createrole`, `createdb`, `replication`, `bypassrls`.
    pub powers: Vec<String>,
    /// The tables of the store that the role owns, or may act as the owner of.
    pub owned: Vec<String>,
    /// What the role may do and needs not: `DELETE on keys`.
    pub excess: Vec<String>,
    /// What a store needs and the role may not: `INSERT on records`.
    pub lacking: Vec<String>,
    /// Who else may change or remove records: `alice: DELETE on keys`. Owners and superusers are not told.
    pub grants: Vec<String>,
    /// The tables whose triggers do not refuse changes, and why: `records_20261101: no trigger refuse`.
    pub unguarded: Vec<String>,
    /// The tables without row level security.
    pub unscoped: Vec<String>,
    /// How many partitions there are, but for the default one.
    pub partitions: u64,
    /// The end of the last partition.
    pub partitioned_until: Option<Timestamp>,
    /// Whether records lie in the default partition, for whose time there was no other.
    pub in_default: bool,
    /// The version of TLS that the connection has; `None` where it has none.
    pub tls: Option<String>,
    /// Whether the server is on this machine.
    pub is_local: bool,
    /// Whether it is a standby, which takes no records.
    pub is_standby: bool,
    /// How many standbys are connected, synchronous or not.
    pub standbys: u64,
    /// By how much the server's clock is ahead of the one here; below zero it is behind. Known as well as half of
    /// [`Self::round_trip`].
    pub clock_ahead_micros: i64,
    /// How long the server takes to answer.
    pub round_trip: Duration,
}

impl PostgresStore {
    /// Looks at how a database is set up, without changing it.
    ///
    /// # Errors
    ///
    /// [`PostgresError`] when the server cannot be reached, or nothing is set up there.
    pub async fn inspect(options: PostgresOptions) -> Result<PostgresInspection, PostgresError> {
        runtime::alone(move || async move {
            let client = set_up::connect(&options).await?;
            let timeout = options.statement_timeout;
            let answer = tokio::time::timeout(timeout, inspect(&client, &options.schema)).await;
            answer.unwrap_or(Err(PostgresError::Timeout(timeout)))
        })
        .await
    }
}

async fn inspect(client: &Client, schema: &Name) -> Result<PostgresInspection, PostgresError> {
    let version: Option<i32> =
        client.query_one(&format!("SELECT max(version) FROM {schema}.migrations"), &[]).await?.try_get(0)?;
    let version = version.ok_or(PostgresError::NotSetUp(None))?;
    let names: Vec<String> = SETTINGS.iter().map(|name| (*name).to_owned()).collect();
    let sql = "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY($1)";
    let settings = client.query(sql, &[&names]).await?;
    let settings = settings.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let settings = settings.collect::<Result<BTreeMap<_, _>, tokio_postgres::Error>>()?;
    let who = client.query_one(WHO, &[]).await?;
    let text = schema.as_str();
    let list = async |sql: &str| texts(&client.query(sql, &[&text]).await?);
    let privileges = client.query(PRIVILEGES, &[&text]).await?;
    let of = |verdict: &str| {
        let rows: Vec<_> = privileges.iter().filter(|row| row.get::<_, &str>(0) == verdict).collect();
        rows.into_iter().map(|row| row.get::<_, String>(1)).collect::<Vec<_>>()
    };
    let (excess, lacking, owned) = (of("excess"), of("lacking"), of("owned"));
    let grants = list(GRANTS).await?;
    let body = set_up::refusing_body();
    let tables = client.query(TABLES, &[&text, &body]).await?;
    let (unguarded, unscoped) = (column(&tables, 1)?, column(&tables, 2)?);
    let partitions = client.query_one(PARTITIONS, &[&text]).await?;
    let until: Option<i64> = partitions.try_get(1)?;
    let (clock_ahead_micros, round_trip) = clock(client).await?;
    Ok(PostgresInspection {
        settings,
        version,
        current_version: VERSION,
        role: who.try_get(0)?,
        powers: who.try_get(1)?,
        owned,
        excess,
        lacking,
        grants,
        unguarded,
        unscoped,
        partitions: u64::try_from(partitions.try_get::<_, i64>(0)?).unwrap_or_default(),
        partitioned_until: until.and_then(|micros| Timestamp::from_unix_micros(micros).ok()),
        in_default: partitions.try_get(2)?,
        tls: who.try_get(2)?,
        is_local: who.try_get(3)?,
        is_standby: who.try_get(4)?,
        standbys: u64::try_from(who.try_get::<_, i64>(5)?).unwrap_or_default(),
        clock_ahead_micros,
        round_trip,
    })
}

/// Asks a few times for the time there; the shortest answer is the one to be believed.
async fn clock(client: &Client) -> Result<(i64, Duration), PostgresError> {
    let statement = client.prepare("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8").await?;
    let mut best: Option<(i64, Duration)> = None;
    for _ in 0..3 {
        let (asked, begun) = (Timestamp::now().as_unix_micros(), Instant::now());
        let there: i64 = client.query_one(&statement, &[]).await?.try_get(0)?;
        let took = begun.elapsed();
        let here = asked + i64::try_from(took.as_micros() / 2).unwrap_or_default();
        if best.is_none_or(|(_, shortest)| took < shortest) {
            best = Some((there - here, took));
        }
    }
    Ok(best.unwrap_or_default())
}

fn texts(rows: &[Row]) -> Result<Vec<String>, PostgresError> {
    column(rows, 0)
}

/// The texts of a column, but for those that are not there.
fn column(rows: &[Row], at: usize) -> Result<Vec<String>, PostgresError> {
    let texts: Vec<Option<String>> = rows.iter().map(|row| row.try_get(at)).collect::<Result<_, _>>()?;
    Ok(texts.into_iter().flatten().collect())
}
