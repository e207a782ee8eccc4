//! Writing: all of a batch or nothing of it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use audit_core::Record;
use tokio_postgres::{GenericClient, Statement};

use super::entry::{COLUMNS, Entry, Lists};
use super::error::PostgresError;
use super::known::Known;
use super::names::Name;
use super::pool::Lent;

/// How often a batch is tried that other writers of the same records come between.
const ATTEMPTS: usize = 8;
/// How many records a statement writes at most.
const CHUNK: usize = 256;
/// How many the first of several writes, for which the server waits; each next one writes twice as many.
const FIRST_CHUNK: usize = 32;
/// How many columns are keys; they come first.
const KEYS: usize = 5;

/// The statements of a schema.
pub(super) struct Sql {
    /// Writes entries of which none is there.
    insert: String,
    /// Writes those that are not there.
    insert_missing: String,
    /// Finds what is there of some ids and places.
    pub(super) known: String,
}

impl Sql {
    pub(super) fn new(schema: &Name) -> Self {
        let names = |columns: &[(&str, &str)]| columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        // A list is the parameter of its place in `COLUMNS`.
        let list = |(name, ty): &(&str, &str)| {
            let at = COLUMNS.iter().position(|column| column.0 == *name).unwrap_or_default() + 1;
            format!("${at}::{ty}[]")
        };
        let joined = |columns: &[(&str, &str)], each: &dyn Fn(&(&str, &str)) -> String| {
            columns.iter().map(each).collect::<Vec<_>>().join(", ")
        };
        let split = |value: &str| format!("string_to_array({value}, E'\\x01,')");
        // In the list of a SELECT, rows come one by one; in its FROM each list would be put by as a whole first.
        let element = |column: &(&str, &str)| {
            let each = format!("unnest({})", list(column));
            if column.0 == "subjects" { split(&each) } else { each }
        };
        let is_of_records = |column: &&(&str, &str)| !matches!(column.0, "stream" | "seq" | "digest");
        let records: Vec<_> = COLUMNS.iter().filter(is_of_records).copied().collect();
        let (keys, columns) = (names(&COLUMNS[..KEYS]), names(&records));
        let key_elements = joined(&COLUMNS[..KEYS], &element);
        Self {
            insert: format!(
                "WITH new AS (INSERT INTO {schema}.keys ({keys}) SELECT {key_elements})
                 INSERT INTO {schema}.records ({columns}) SELECT {elements}",
                elements = joined(&records, &element),
            ),
            insert_missing: format!(
                "WITH new AS (INSERT INTO {schema}.keys ({keys}) SELECT {key_elements}
                     ON CONFLICT DO NOTHING RETURNING id)
                 INSERT INTO {schema}.records ({columns}) SELECT {values} FROM unnest({lists}) AS each ({columns})
                     WHERE id IN (SELECT new.id FROM new)",
                values = columns.replace("subjects", &split("subjects")),
                lists = joined(&records, &list),
            ),
            known: format!(
                "SELECT id, stream, seq, digest FROM {schema}.keys WHERE id = ANY ($1::uuid[])
                 UNION SELECT id, keys.stream, keys.seq, digest FROM {schema}.keys
                 JOIN unnest($2::text[], $3::int8[]) AS place (stream, seq)
                     ON keys.stream = place.stream COLLATE \"C\" AND keys.seq = place.seq"
            ),
        }
    }
}

/// Writes records that are thought to be new. Where one is known nothing is written.
///
/// A few are one statement, one round trip. Of many the server writes the first while the next are read and sent: a
/// transaction of several statements, none of which waits for the one before.
pub(super) async fn write_new(client: &Lent, sql: &Sql, records: &[&Record]) -> Result<(), PostgresError> {
    let statement = client.prepare_typed_cached(&sql.insert, &Lists::of(&[]).types()).await?;
    let insert = |records| insert(client, &statement, records);
    if records.len() <= CHUNK {
        return insert(records).await;
    }
    let mut asked: Vec<Asked<'_>> = vec![simple(client, "BEGIN")];
    asked.extend(chunks(records).map(|records| Box::pin(insert(records)) as Asked<'_>));
    // Where one of them has failed, this rolls back.
    asked.push(simple(client, "COMMIT"));
    let mut answers = Vec::with_capacity(asked.len());
    for asked in &mut asked {
        answers.push(poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx))).await);
        // The connection is a task beside this one.
        tokio::task::yield_now().await;
    }
    for (asked, answer) in asked.into_iter().zip(answers) {
        match answer {
            Poll::Ready(answer) => answer?,
            Poll::Pending => asked.await?,
        }
    }
    Ok(())
}

/// Cuts a batch up, so that the server soon has something to do.
fn chunks<'a>(mut records: &'a [&'a Record]) -> impl Iterator<Item = &'a [&'a Record]> {
    let mut size = FIRST_CHUNK;
    std::iter::from_fn(move || {
        let (chunk, rest) = records.split_at(size.min(records.len()));
        (records, size) = (rest, (size * 2).min(CHUNK));
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// What is asked of a server, sent when it is first polled.
type Asked<'a> = Pin<Box<dyn Future<Output = Result<(), PostgresError>> + Send + 'a>>;

fn simple<'a>(client: &'a Lent, sql: &'a str) -> Asked<'a> {
    Box::pin(async move { Ok(client.batch_execute(sql).await?) })
}

async fn insert(client: &Lent, statement: &Statement, records: &[&Record]) -> Result<(), PostgresError> {
    let entries: Vec<_> = records.iter().filter_map(|record| Entry::of(record)).collect();
    let lists = Lists::of(&entries.iter().collect::<Vec<_>>());
    client.execute(statement, &lists.values()).await?;
    Ok(())
}

/// Writes those of the entries that are not known, in a transaction.
pub(super) async fn write_missing(client: &mut Lent, sql: &Sql, entries: &[&Entry<'_>]) -> Result<(), PostgresError> {
    let mut result = Err(PostgresError::Contended);
    for _ in 0..ATTEMPTS {
        let transaction = client.transaction().await?;
        let fresh = Known::of(&*transaction, sql, entries).await?.fresh(entries);
        let fresh = match fresh {
            Ok(fresh) => fresh,
            Err(error) => {
                transaction.rollback().await?;
                return Err(error);
            }
        };
        if fresh.is_empty() {
            transaction.rollback().await?;
            return Ok(());
        }
        let lists = Lists::of(&fresh);
        result = transaction.execute_typed(&sql.insert, &lists.typed()).await.map(drop).map_err(PostgresError::from);
        match &result {
            Ok(()) => return transaction.commit().await.map_err(Into::into),
            Err(error) if error.is_of_connection() => return result,
            Err(error) => {
                let again = error.is_race();
                transaction.rollback().await?;
                if !again {
                    return result;
                }
            }
        }
    }
    result.map_err(|error| if error.is_race() { PostgresError::Contended } else { error })
}

/// Writes an entry into a transaction of somebody's, which a record that is known does not abort.
pub(super) async fn write_within(
    client: &impl GenericClient,
    sql: &Sql,
    entry: &Entry<'_>,
) -> Result<(), PostgresError> {
    let entries = [entry];
    let written = client.execute_typed(&sql.insert_missing, &Lists::of(&entries).typed()).await?;
    if written == 1 {
        return Ok(());
    }
    let known = Known::of(client, sql, &entries).await?;
    if known.has(entry)? { Ok(()) } else { Err(PostgresError::Contended) }
}
