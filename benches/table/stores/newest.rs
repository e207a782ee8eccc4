//! The newest 100 records of one tenant, which has one of a thousand, beside the bare SQL.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use audited::{AuditSink as _, AuditStore as _, Query, SqliteOptions, StoredRecord};
use audited_benches::table::{self, Target};
use rusqlite::Connection;
use tokio::runtime::Runtime;

use super::{Pairs, records};

const ROWS: usize = 1_000_000;
const BATCH: usize = 10_000;
/// How many times a turn asks.
const TIMES: usize = 300;

pub(crate) fn print(directory: &Path) {
    let rows = std::env::var("AUDITED_BENCH_ROWS").map_or(ROWS, |rows| rows.parse().expect("a number of rows"));
    let path = directory.join("newest");
    let runtime = Runtime::new().unwrap();
    // Only what is read is measured.
    let store = SqliteOptions::new().os_buffer().open(&path).unwrap();
    runtime.block_on(async {
        for first in (0..rows).step_by(BATCH) {
            store.write(&records(first..(first + BATCH).min(rows))).await.unwrap();
        }
    });
    let reader = store.tenant("rare").unrecorded();
    let connection = Connection::open(&path).unwrap();
    let sql = "SELECT json FROM audit_records WHERE tenant = ?1 ORDER BY at DESC, id DESC LIMIT 100";
    let query = Query::new().limit(100);
    let mut parsed = Vec::new();
    let pairs = Pairs::of(|_| {
        let start = Instant::now();
        runtime.block_on(async {
            for _ in 0..TIMES {
                assert_eq!(reader.page(&query).await.unwrap().records.len(), 100.min(rows / 1000));
            }
        });
        let (ours, start) = (start.elapsed().as_secs_f64(), Instant::now());
        let mut statement = connection.prepare(sql).unwrap();
        for _ in 0..TIMES {
            let found = statement.query_map(["rare"], |row| row.get::<_, String>(0)).unwrap();
            black_box(found.map(Result::unwrap).collect::<Vec<_>>());
        }
        let (plain, start) = (start.elapsed().as_secs_f64(), Instant::now());
        for _ in 0..TIMES {
            let found = statement.query_map(["rare"], |row| row.get::<_, String>(0)).unwrap();
            black_box(found.map(|text| StoredRecord::parse(text.unwrap()).unwrap()).collect::<Vec<_>>());
        }
        parsed.push((ours, start.elapsed().as_secs_f64()));
        (ours, plain)
    });
    table::section(&format!(
        "SQLite, the newest 100 of one tenant among {} records: pages/s",
        table::figure(rows as f64)
    ));
    pairs.print("bare SQL, texts", "**ours: a page**", TIMES, Some(Target::AtLeast(1.0)));
    Pairs(parsed).print("bare SQL, each text read as a record", "**ours: a page**", TIMES, None);
}
