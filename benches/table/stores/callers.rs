//! 64 callers who wait for each of their records: a durable journal, beside plain INSERTs into `PostgreSQL`, a connection
//! each and a row a transaction, into a table of the store's own shape.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use audited::{AuditSink as _, JournalOptions, PostgresOptions, PostgresSetUp, PostgresStore};
use audited_benches::table::{self, Target};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use tokio::runtime::Runtime;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};

use super::{Pairs, records, servers, write};

const CALLERS: usize = 64;
/// How many rows are inserted, and how many times as many the journal takes: both are to be at it for a while.
const COUNT: usize = 10_000;
const TIMES: usize = 20;

pub(crate) fn print(directory: &Path) {
    let server = servers::postgres();
    let runtime = Runtime::new().unwrap();
    let clients: Vec<_> = (0..CALLERS).map(|_| runtime.block_on(connect(server.url()))).collect();
    let rows = Arc::new(runtime.block_on(rows(server.url(), &clients[0])));
    let all = Arc::new(records(0..COUNT * TIMES));
    let pairs = Pairs::of(|round| {
        let journal = JournalOptions::new().open(directory.join(format!("journal-{round}"))).unwrap();
        let ours = write(&runtime, &journal, &all, CALLERS) / TIMES as f64;
        let make = format!("CREATE TABLE plain_{round} (LIKE audited.records_default INCLUDING ALL)");
        runtime.block_on(clients[0].batch_execute(&make)).unwrap();
        (ours, runtime.block_on(insert(&clients, &rows, round)))
    });
    table::section("64 callers who wait for each record: records/s");
    pairs.print("PostgreSQL: INSERT, 64 connections", "**ours: the journal**", COUNT, Some(Target::AtLeast(20.0)));
}

async fn connect(url: &str) -> Arc<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    Arc::new(client)
}

/// The rows that the store makes of records, each value as a text.
async fn rows(url: &str, client: &Client) -> Vec<Vec<Option<String>>> {
    let options = PostgresOptions::new(url).unwrap();
    PostgresSetUp::new().run(&options).await.unwrap();
    let store = PostgresStore::connect(options).await.unwrap();
    for batch in records(0..COUNT).chunks(1_000) {
        store.write(batch).await.unwrap();
    }
    let out = client.copy_out("COPY (SELECT * FROM audited.records ORDER BY xid, arrival) TO STDOUT").await.unwrap();
    let lines: Vec<Bytes> = out.try_collect().await.unwrap();
    // No value here has what COPY escapes, but for the one that is not there.
    let value = |text: &str| (text != r"\N").then(|| text.to_owned());
    let lines = lines.iter().map(|line| std::str::from_utf8(line).unwrap().trim_end_matches('\n'));
    lines.map(|line| line.split('\t').map(value).collect()).collect()
}

/// Has each connection take the next row as long as there is one; gives the seconds.
async fn insert(clients: &[Arc<Client>], rows: &Arc<Vec<Vec<Option<String>>>>, round: usize) -> f64 {
    let types = ["int8", "int8", "int8", "uuid", "uuid"].into_iter().chain(std::iter::repeat("text"));
    let marks = (1..=rows[0].len()).zip(types).map(|(at, ty)| match at {
        // The subjects, of which these records have none.
        12 => format!("${at}::text::text[]"),
        _ => format!("${at}::text::{ty}"),
    });
    let sql = format!("INSERT INTO plain_{round} VALUES ({})", marks.collect::<Vec<_>>().join(", "));
    let types = vec![Type::TEXT; rows[0].len()];
    let mut statements = Vec::new();
    for client in clients {
        statements.push(client.prepare_typed(&sql, &types).await.unwrap());
    }
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = clients
        .iter()
        .zip(statements)
        .map(|(client, statement)| {
            let (client, rows, next) = (client.clone(), rows.clone(), next.clone());
            tokio::spawn(async move {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let values: Vec<_> = row.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                    client.execute(&statement, &values).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    start.elapsed().as_secs_f64()
}
