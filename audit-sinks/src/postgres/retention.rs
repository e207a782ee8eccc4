//! Removing what is old: an operation of its own, recorded with what it does.

use std::time::{Duration, SystemTime};

use audit_core::{Action, Kind, Record, Timestamp};
use tokio_postgres::{Client, Transaction};

use super::entry::Entry;
use super::error::PostgresError;
use super::insert::{Sql, write_within};
use super::names::Name;
use super::options::PostgresOptions;
use super::runtime;
use super::set_up::connect;

/// Removes partitions of a [`PostgresStore`](super::PostgresStore) whose records are all older.
///
/// Whole partitions go, and the record that says so, `audit.retained`, comes in the same transaction: which partition,
/// from when to when, how many records, and by which rule. What the default partition has stays.
///
/// Only the owner of the tables can do it; the store's own role cannot.
///
/// ```no_run
/// # use audit_sinks as audited;
/// use std::time::Duration;
/// use audited::{PostgresOptions, PostgresRetention};
///
/// # async fn clean(owner: &PostgresOptions) -> Result<(), audited::PostgresError> {
/// let seven_years = Duration::from_secs(7 * 366 * 24 * 3600);
/// let retained = PostgresRetention::older_than(seven_years).run(owner).await?;
/// println!("{} records are gone", retained.records);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a retention does nothing until it is run"]
pub struct PostgresRetention {
    rule: Rule,
    detach: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    OlderThan(Duration),
    Before(Timestamp),
}

/// What a [`PostgresRetention`] has removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresRetained {
    /// The partitions, the oldest first.
    pub partitions: Vec<String>,
    /// How many records they had.
    pub records: u64,
}

struct Partition {
    name: String,
    low: Timestamp,
    high: Timestamp,
}

impl PostgresRetention {
    /// Removes what happened so long ago.
    pub const fn older_than(age: Duration) -> Self {
        Self { rule: Rule::OlderThan(age), detach: false }
    }

    /// Removes what happened before a moment.
    pub const fn before(moment: Timestamp) -> Self {
        Self { rule: Rule::Before(moment), detach: false }
    }

    /// Leaves the partitions in the schema as tables of their own, to be archived.
    pub const fn detach(mut self) -> Self {
        self.detach = true;
        self
    }

    /// Does it, all of it or nothing.
    ///
    /// # Errors
    ///
    /// [`PostgresError`]; everything is still there then.
    pub async fn run(self, owner: &PostgresOptions) -> Result<PostgresRetained, PostgresError> {
        let owner = owner.clone();
        runtime::alone(move || async move { self.apply(connect(&owner).await?, &owner.schema).await }).await
    }

    async fn apply(self, mut client: Client, schema: &Name) -> Result<PostgresRetained, PostgresError> {
        let before = match self.rule {
            Rule::Before(moment) => moment,
            Rule::OlderThan(age) => match SystemTime::now().checked_sub(age) {
                Some(moment) => moment.into(),
                None => return Ok(PostgresRetained::default()),
            },
        };
        let (sql, mut retained) = (Sql::new(schema), PostgresRetained::default());
        let transaction = client.transaction().await?;
        transaction
            .batch_execute("SET LOCAL lock_timeout = '10s'; SELECT pg_advisory_xact_lock(hashtext('audited.retain'))")
            .await?;
        let mut old = Vec::new();
        for partition in partitions(&transaction, schema).await?.into_iter().filter(|of| of.high <= before) {
            // Counted while others write; what comes meanwhile is added when nobody can any more.
            let begun = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
            let begun: i64 = transaction.query_one(begun, &[]).await?.try_get(0)?;
            let records = count(&transaction, schema, &partition, "<", begun).await?;
            old.push((partition, records, begun));
        }
        if old.is_empty() {
            return Ok(retained);
        }
        transaction.batch_execute(&format!("LOCK TABLE ONLY {schema}.records IN ACCESS EXCLUSIVE MODE")).await?;
        for (partition, records, begun) in old {
            let records = records + count(&transaction, schema, &partition, ">=", begun).await?;
            if let Some(entry) = Entry::of(&self.record(&partition, records)) {
                write_within(&transaction, &sql, &entry).await?;
            }
            let remove = if self.detach {
                format!("ALTER TABLE {schema}.records DETACH PARTITION {schema}.\"{}\"", partition.name)
            } else {
                format!("DROP TABLE {schema}.\"{}\"", partition.name)
            };
            transaction.batch_execute(&remove).await?;
            retained.records += records;
            retained.partitions.push(partition.name);
        }
        transaction.commit().await?;
        Ok(retained)
    }

    fn record(self, partition: &Partition, count: u64) -> Record {
        let about = Record::builder(Action::new("audit.retained")).kind(Kind::System).fields(|fields| {
            fields.plain("partition", &partition.name);
            fields.plain("from", &partition.low);
            fields.plain("until", &partition.high);
            fields.value("records", &count);
            fields.plain("became", if self.detach { "detached" } else { "dropped" });
            match self.rule {
                Rule::OlderThan(age) => fields.value("older_than_seconds", &age.as_secs()),
                Rule::Before(moment) => fields.plain("before", &moment),
            }
        });
        about.build()
    }
}

/// How many records of a partition transactions have written that began before one, or since.
async fn count(
    transaction: &Transaction<'_>,
    schema: &Name,
    partition: &Partition,
    side: &str,
    begun: i64,
) -> Result<u64, PostgresError> {
    let sql = format!("SELECT count(*) FROM {schema}.\"{}\" WHERE xid {side} $1", partition.name);
    Ok(transaction.query_one(&sql, &[&begun]).await?.try_get::<_, i64>(0)?.cast_unsigned())
}

/// The partitions with bounds that moments have, the oldest first.
async fn partitions(transaction: &Transaction<'_>, schema: &Name) -> Result<Vec<Partition>, PostgresError> {
    let sql = "SELECT part.relname::text, bounds[1]::bigint, bounds[2]::bigint
        FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid,
            regexp_match(pg_get_expr(part.relpartbound, part.oid),
                '^FOR VALUES FROM \\(''(-?\\d+)''\\) TO \\(''(-?\\d+)''\\)$') AS bounds
        WHERE inhparent = $1::text::regclass AND bounds IS NOT NULL AND part.relnamespace = $2::text::regnamespace
        ORDER BY 2";
    let rows = transaction.query(sql, &[&format!("{schema}.records"), &schema.to_string()]).await?;
    let read = |row: &tokio_postgres::Row| -> Result<Option<Partition>, PostgresError> {
        let (low, high) = (Timestamp::from_unix_micros(row.try_get(1)?), Timestamp::from_unix_micros(row.try_get(2)?));
        let name: String = row.try_get(0)?;
        let named = Name::parse(&name).is_ok();
        Ok(low.ok().zip(high.ok()).filter(|_| named).map(|(low, high)| Partition { name, low, high }))
    };
    rows.iter().filter_map(|row| read(row).transpose()).collect()
}
