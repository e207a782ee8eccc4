//! Whether the tables hold what was written.

use std::fmt;

use audit_core::__private::carried;
use audit_core::{RecordId, StoreError, StoredRecord};
use tokio_postgres::Row;
use uuid::Uuid;

use super::entry::{COLUMNS, Entry};
use super::error::PostgresError;
use super::store::{Access, PostgresStore};

/// How much damage a [`PostgresCheck`] lists; [`PostgresCheck::damaged`] counts all of it.
pub const MAX_POSTGRES_DAMAGE_LISTED: usize = 100;

/// How many rows are looked at with one statement.
const CHUNK: usize = 2_000;

/// What [`PostgresStore::check`] has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresCheck {
    /// How many records there are.
    pub records: u64,
    /// How many keys there are of records that are not there any more. A retention leaves them, and its records say so.
    pub removed: u64,
    /// How much is damaged.
    pub damaged: u64,
    /// The first of it.
    pub damage: Vec<PostgresDamage>,
}

/// What is damaged in the tables of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PostgresDamage {
    /// The text of a record is none.
    NotARecord {
        /// The id that stands beside it.
        id: Uuid,
    },
    /// There is no key of a record: the store has not written it.
    NoKey {
        /// Which record.
        id: RecordId,
    },
    /// What is kept beside the text of a record, or as its key, is not what it says.
    Differs {
        /// The id that stands beside it.
        id: Uuid,
        /// The columns; `digest` where its text is another than was written.
        columns: Vec<&'static str>,
    },
}

impl PostgresCheck {
    /// Whether nothing is damaged.
    pub const fn is_sound(&self) -> bool {
        self.damaged == 0
    }

    fn note(&mut self, damage: PostgresDamage) {
        self.damaged += 1;
        if self.damage.len() < MAX_POSTGRES_DAMAGE_LISTED {
            self.damage.push(damage);
        }
    }
}

impl fmt::Display for PostgresDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARecord { id } => write!(f, "the text of {id} is no record"),
            Self::NoKey { id } => write!(f, "record {id} has no key: the store has not written it"),
            Self::Differs { id, columns } => write!(f, "beside record {id} stands another {}", columns.join(", ")),
        }
    }
}

impl PostgresStore {
    /// Checks of every record that its text is the one whose digest was kept, and that what stands beside it is what it
    /// says. Records are written meanwhile.
    ///
    /// It does not show that records were removed, or replaced together with their keys, by somebody who owns the tables:
    /// keep a journal for that.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they cannot be read. Damage is no error here, but what it finds.
    pub async fn check(&self) -> Result<PostgresCheck, StoreError> {
        Ok(self.ask(|access| async move { check(&access).await }).await?)
    }
}

async fn check(access: &Access) -> Result<PostgresCheck, PostgresError> {
    let (schema, mut check) = (&access.schema, PostgresCheck::default());
    let client = access.pool.get().await?;
    let sql = format!(
        "SELECT {} FROM {schema}.records r LEFT JOIN {schema}.keys k ON k.id = r.id
         WHERE (r.micros, r.id) > ($1, $2) ORDER BY r.micros, r.id LIMIT {CHUNK}",
        COLUMNS.iter().map(|(name, _)| column(name)).collect::<Vec<_>>().join(", ")
    );
    let mut after = (i64::MIN, Uuid::nil());
    loop {
        let rows = client.query(&sql, &[&after.0, &after.1]).await?;
        for row in &rows {
            after = (row.try_get(COLUMNS.len() + 1)?, row.try_get(COLUMNS.len())?);
            look(row, after.1)?.into_iter().for_each(|damage| check.note(damage));
        }
        check.records += rows.len() as u64;
        if rows.len() < CHUNK {
            break;
        }
    }
    let sql = format!(
        "SELECT k.id, EXISTS (SELECT FROM {schema}.records r WHERE (r.micros, r.id) = (k.micros, k.id))
         FROM {schema}.keys k WHERE k.id > $1 ORDER BY k.id LIMIT {CHUNK}"
    );
    let mut after = Uuid::nil();
    loop {
        let rows = client.query(&sql, &[&after]).await?;
        for row in &rows {
            after = row.try_get(0)?;
            check.removed += u64::from(!row.try_get::<_, bool>(1)?);
        }
        if rows.len() < CHUNK {
            break;
        }
    }
    client.give_back();
    Ok(check)
}

/// A column as text, of the table that it is in; behind the last stand what the rows are sorted by.
fn column(name: &str) -> String {
    match name {
        "stream" => "k.stream".to_owned(),
        "seq" => "k.seq::text".to_owned(),
        "digest" => "encode(k.digest, 'hex')".to_owned(),
        "subjects" => "array_to_string(r.subjects, E'\\x01,')".to_owned(),
        "record" => "r.record, r.id, r.micros".to_owned(),
        name => format!("r.{name}::text"),
    }
}

fn look(row: &Row, id: Uuid) -> Result<Option<PostgresDamage>, PostgresError> {
    let found: Vec<Option<String>> = (0..COLUMNS.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?;
    let record = found.last().cloned().flatten().and_then(|json| StoredRecord::parse(json).ok());
    let carried = record.as_ref().map(carried);
    let Some(entry) = carried.as_ref().and_then(Entry::of) else {
        return Ok(Some(PostgresDamage::NotARecord { id }));
    };
    // No key is without a digest.
    let digest = COLUMNS.iter().position(|(name, _)| *name == "digest").unwrap_or_default();
    if found[digest].is_none()
        && let Some(id) = record.and_then(|record| record.id())
    {
        return Ok(Some(PostgresDamage::NoKey { id }));
    }
    let pairs = COLUMNS.iter().zip(found.iter().zip(entry.texts()));
    let columns: Vec<_> = pairs.filter(|(_, (found, says))| **found != *says).map(|((name, _), _)| *name).collect();
    Ok((!columns.is_empty()).then_some(PostgresDamage::Differs { id, columns }))
}
