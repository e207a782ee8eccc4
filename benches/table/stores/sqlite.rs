//! Durable inserts into an SQLite file, beside a plain loop over `rusqlite` into the same table with the same indexes, and
//! without its triggers.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use audited::SqliteStore;
use audited_benches::table::{self, Target};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tokio::runtime::Runtime;

use super::{Pairs, ROUNDS, records, write};

pub(crate) fn print(directory: &Path) {
    let runtime = Runtime::new().unwrap();
    table::section("SQLite, WAL, synchronous FULL, the same indexes: records/s");
    // Alone, and with as many as share a commit of the store's, and with more than that.
    for (callers, count, batches) in [(1, 1_500, &[1][..]), (64, 20_000, &[64, 1_000])] {
        let records = Arc::new(records(0..count));
        let rows = Rows::of(&directory.join(format!("rows-{callers}")), &runtime, &records);
        let mut pairs: Vec<Vec<(f64, f64)>> = vec![Vec::new(); batches.len()];
        for round in 0..ROUNDS {
            let path = |what: &str| directory.join(format!("{what}-{callers}-{round}"));
            let store = SqliteStore::open(path("ours")).unwrap();
            let ours = write(&runtime, &store, &records, callers);
            drop(store);
            for (pairs, each) in pairs.iter_mut().zip(batches) {
                pairs.push((ours, rows.insert(&path(&format!("plain-{each}")), *each)));
            }
        }
        for (pairs, each) in pairs.into_iter().zip(batches) {
            let target = (*each == 1_000).then_some(Target::AtLeast(0.9));
            let ours = if callers == 1 { "**ours: 1 caller**" } else { "**ours: 64 callers**" };
            Pairs(pairs).print(
                &format!("a plain loop, {} a transaction", table::figure(*each as f64)),
                ours,
                count,
                target,
            );
        }
    }
}

/// The rows that the store makes of records.
struct Rows {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    fn of(path: &Path, runtime: &Runtime, all: &Arc<Vec<audited::Record>>) -> Self {
        let store = SqliteStore::open(path).unwrap();
        write(runtime, &store, all, 64);
        drop(store);
        let connection = Connection::open(path).unwrap();
        let mut statement = connection.prepare("SELECT * FROM audit_records ORDER BY position").unwrap();
        let columns: Vec<_> = statement.column_names().map(str::to_owned).collect();
        let rows = statement
            .query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect())
            .unwrap()
            .map(Result::unwrap)
            .collect();
        Self { columns, rows }
    }

    /// Inserts them into a table of the store's that has lost its triggers.
    fn insert(&self, path: &Path, each: usize) -> f64 {
        drop(SqliteStore::open(path).unwrap());
        let mut connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        let triggers: Vec<String> = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for trigger in triggers {
            connection.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        let marks = vec!["?"; self.columns.len()].join(", ");
        let sql = format!("INSERT INTO audit_records ({}) VALUES ({marks})", self.columns.join(", "));
        let start = Instant::now();
        for rows in self.rows.chunks(each) {
            let transaction = connection.transaction().unwrap();
            {
                let mut insert = transaction.prepare_cached(&sql).unwrap();
                for row in rows {
                    insert.execute(params_from_iter(row)).unwrap();
                }
            }
            transaction.commit().unwrap();
        }
        start.elapsed().as_secs_f64()
    }
}
