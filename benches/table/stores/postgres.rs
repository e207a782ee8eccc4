//! A journal carried into `PostgreSQL`, beside a plain COPY of the rows that the store makes of it, as many a transaction,
//! into tables of the same shape: of the records alone, and of the records and the keys by which they are known.

use std::path::Path;
use std::time::{Duration, Instant};

use audited::{AuditSink as _, Forwarder, JournalOptions, PostgresOptions, PostgresSetUp, PostgresStore};
use audited_benches::table::{self, Target};
use bytes::Bytes;
use futures_util::{SinkExt as _, TryStreamExt as _};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use super::{Pairs, ROUNDS, records, servers};

const COUNT: usize = 50_000;
const BATCH: usize = 1_000;

pub(crate) fn print(directory: &Path) {
    let server = servers::postgres();
    let runtime = Runtime::new().unwrap();
    let mut client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(server.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    });
    let mut alone = Vec::new();
    let mut both = Vec::new();
    for round in 0..ROUNDS {
        let path = directory.join(format!("journal-{round}"));
        // It has synced what it holds; to sync it is no part of carrying it.
        let journal = JournalOptions::new().open(path).unwrap();
        runtime.block_on(async {
            for batch in records(0..COUNT).chunks(BATCH) {
                journal.write(batch).await.unwrap();
            }
        });
        let schema = format!("ours_{round}");
        let options = PostgresOptions::new(server.url()).unwrap().schema(&schema).unwrap();
        let store = runtime.block_on(async {
            PostgresSetUp::new().run(&options).await.unwrap();
            PostgresStore::connect(options).await.unwrap()
        });
        let start = Instant::now();
        let forwarder = Forwarder::builder(&journal, store).name("bench").batch_records(BATCH).start().unwrap();
        forwarder.flush(Duration::from_mins(5)).unwrap();
        let ours = start.elapsed().as_secs_f64();
        drop(forwarder);
        let tables = [("records", "xid, arrival"), ("keys", "id")];
        alone.push((ours, runtime.block_on(copy(&mut client, &schema, "alone", &tables[..1]))));
        both.push((ours, runtime.block_on(copy(&mut client, &schema, "both", &tables))));
    }
    table::section("PostgreSQL, 1,000 a transaction: records/s");
    let ours = "**ours: a journal, through the forwarder**";
    Pairs(alone).print("COPY of the records", ours, COUNT, Some(Target::AtLeast(0.85)));
    Pairs(both).print("COPY of the records and of the keys by which they are known", ours, COUNT, None);
}

/// Copies what the store has in its tables into others of the same shape, with the same indexes.
async fn copy(client: &mut Client, schema: &str, name: &str, tables: &[(&str, &str)]) -> f64 {
    let plain = format!("{name}_{schema}");
    client.batch_execute(&format!("CREATE SCHEMA {plain}")).await.unwrap();
    let mut rows: Vec<(&str, Vec<Bytes>)> = Vec::new();
    for (table, order) in tables {
        // Of a table in partitions, one of them has the indexes as the others do.
        let model = if *table == "records" { "records_default" } else { table };
        let make = format!("CREATE TABLE {plain}.{table} (LIKE {schema}.{model} INCLUDING ALL)");
        client.batch_execute(&make).await.unwrap();
        let out = client.copy_out(&format!("COPY (SELECT * FROM {schema}.{table} ORDER BY {order}) TO STDOUT")).await;
        rows.push((table, out.unwrap().try_collect().await.unwrap()));
    }
    let start = Instant::now();
    for from in (0..COUNT).step_by(BATCH) {
        let transaction = client.transaction().await.unwrap();
        for (table, rows) in &rows {
            let into = transaction.copy_in(&format!("COPY {plain}.{table} FROM STDIN")).await.unwrap();
            let mut into = std::pin::pin!(into);
            for row in rows.iter().skip(from).take(BATCH) {
                into.feed(row.clone()).await.unwrap();
            }
            into.as_mut().finish().await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
    start.elapsed().as_secs_f64()
}
