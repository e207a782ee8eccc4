//! What the stores cost, beside what they are made of.
//!
//! ```text
//! cargo bench --bench stores                    # all of it: some minutes, and the servers of PostgreSQL and NATS
//! cargo bench --bench stores -- sqlite newest   # some of it: sqlite, newest, postgres, callers, nats
//! ```
//!
//! In every round the store and the plain way take turns with the same records; a ratio is taken within its round.
//! `AUDITED_BENCH_ROWS` changes how many rows the newest are looked for among.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures that are printed"
)]

mod callers;
mod nats;
mod newest;
mod postgres;
mod servers;
mod sqlite;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use audited::__private::{Inline, Ticket};
use audited::{Action, Actor, ActorId, AuditContext, Decision, Record, Resource, ResourceId, TenantId, Timestamp};
use tokio::runtime::Runtime;

const ROUNDS: usize = 5;

fn main() {
    let asked: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let parts: [(&str, fn()); 5] = [
        ("sqlite", sqlite::run),
        ("newest", newest::run),
        ("postgres", postgres::run),
        ("callers", callers::run),
        ("nats", nats::run),
    ];
    for (name, run) in parts {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            run();
            println!();
        }
    }
}

/// A directory on a disk: the one for temporary files is in memory on many machines.
fn directory() -> tempfile::TempDir {
    let within = std::env::var_os("AUDITED_BENCH_DIRECTORY");
    tempfile::tempdir_in(within.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)).unwrap()
}

/// Records of about the size of an audited call, one of a thousand of the tenant `rare`.
fn records(range: std::ops::Range<usize>) -> Vec<Record> {
    range.map(record).collect()
}

fn record(n: usize) -> Record {
    let tenant = if n.is_multiple_of(1000) { "rare".to_owned() } else { format!("tenant-{}", n % 97) };
    let context = AuditContext::new()
        .actor(Actor::user(ActorId::plain(format!("user-{}", n % 5003))))
        .tenant(TenantId::plain(tenant));
    Record::builder(Action::new(["account.transfer", "account.read", "session.open", "order.place"][n % 4]))
        .occurred_at(Timestamp::from_unix_micros(1_800_000_000_000_000 + 1_000 * n as i64).unwrap())
        .context(context)
        .resource(Resource::new("account", ResourceId::plain(format!("acc-{}", n % 20011))))
        .decision(Decision::Allow)
        .fields(|fields| {
            fields.value("cents", &(n as u64));
            fields.plain("currency", "EUR");
            fields.plain("to", "acc-0750acc-0750acc-0750acc-0750");
            fields.redacted("memo");
        })
        .build()
}

/// Has so many callers write records, each of which waits for its own before it takes the next; gives the seconds.
fn write(
    runtime: &Runtime,
    sink: &(impl Inline + Clone + Send + Sync + 'static),
    records: &Arc<Vec<Record>>,
    callers: usize,
) -> f64 {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (sink, records, next) = (sink.clone(), records.clone(), next.clone());
            runtime.spawn(async move {
                while let Some(record) = records.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (ticket, receipt) = Ticket::new();
                    sink.submit(record.clone(), ticket);
                    receipt.await.unwrap();
                }
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    start.elapsed().as_secs_f64()
}

/// Pairs of seconds, ours and the plain way's.
struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    /// Has both take turns.
    fn of(mut round: impl FnMut(usize) -> (f64, f64)) -> Self {
        Self((0..ROUNDS).map(&mut round).collect())
    }

    /// Prints the rates of so many things, and the ratio of the rates.
    fn print(&self, name: &str, count: usize) {
        let rates = |of: fn(&(f64, f64)) -> f64| spread(self.0.iter().map(of).map(|seconds| count as f64 / seconds))[1];
        let [min, ratio, max] = spread(self.0.iter().map(|(ours, plain)| plain / ours));
        println!(
            "{name:<64}{:>12.0}{:>12.0}{ratio:>8.2}{min:>8.2}{max:>8.2}",
            rates(|pair| pair.0),
            rates(|pair| pair.1)
        );
    }
}

fn head(what: &str) {
    println!("{what:<64}{:>12}{:>12}{:>8}{:>8}{:>8}", "ours /s", "plain /s", "ratio", "min", "max");
}

/// Minimum, median, maximum.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [values[0], values[values.len() / 2], values[values.len() - 1]]
}
