//! A journal carried into `PostgreSQL`, beside a plain COPY of the same rows into a table of the same shape.

use std::time::{Duration, Instant};

use audited::{AuditSink as _, Forwarder, JournalOptions, PostgresOptions, PostgresSetUp, PostgresStore};
use futures_util::SinkExt as _;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use super::{Pairs, directory, head, records, servers};

const COUNT: usize = 50_000;

pub(super) fn run() {
    let server = servers::postgres();
    let runtime = Runtime::new().unwrap();
    let directory = directory();
    let client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(server.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    });
    head("PostgreSQL, a journal through the forwarder, beside COPY of its rows into the same table");
    let pairs = Pairs::of(|round| {
        let journal =
            JournalOptions::new().os_buffer().open(directory.path().join(format!("journal-{round}"))).unwrap();
        runtime.block_on(async {
            for batch in records(0..COUNT).chunks(1_000) {
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
        let forwarder = Forwarder::builder(&journal, store).name("bench").start().unwrap();
        forwarder.flush(Duration::from_mins(5)).unwrap();
        let ours = start.elapsed().as_secs_f64();
        drop(forwarder);
        (ours, runtime.block_on(copy(&client, &schema)))
    });
    pairs.print("50,000 records", COUNT);
}

/// Copies the rows that the store has made into a table of the same shape, with the same indexes.
async fn copy(client: &Client, schema: &str) -> f64 {
    let plain = format!("plain_{schema}");
    let make =
        format!("CREATE SCHEMA {plain}; CREATE TABLE {plain}.records (LIKE {schema}.records_default INCLUDING ALL)");
    client.batch_execute(&make).await.unwrap();
    let out = client.copy_out(&format!("COPY (SELECT * FROM {schema}.records ORDER BY xid, arrival) TO STDOUT")).await;
    let rows: Vec<bytes::Bytes> = {
        use futures_util::TryStreamExt as _;
        out.unwrap().try_collect().await.unwrap()
    };
    let start = Instant::now();
    for rows in rows.chunks(1_000) {
        let into = client.copy_in(&format!("COPY {plain}.records FROM STDIN")).await.unwrap();
        let mut into = std::pin::pin!(into);
        for row in rows {
            into.feed(row.clone()).await.unwrap();
        }
        into.as_mut().finish().await.unwrap();
    }
    start.elapsed().as_secs_f64()
}
