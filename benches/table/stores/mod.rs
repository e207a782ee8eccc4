//! What the stores cost, beside what they are made of: in every round the store and the plain way take turns with the same
//! records. The servers are the benchmark's own. `AUDITED_BENCH_ROWS` changes how many rows the newest are looked for among.

pub(super) mod callers;
pub(super) mod nats;
pub(super) mod newest;
pub(super) mod postgres;
mod servers;
pub(super) mod sqlite;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use audited::__private::{Inline, Ticket};
use audited::{Action, Actor, ActorId, AuditContext, Decision, Record, Resource, ResourceId, TenantId, Timestamp};
use audited_benches::table::{self, Rounds, Target};
use tokio::runtime::Runtime;

const ROUNDS: usize = 5;

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

    /// Prints the rates of so many things, the plain way's and ours, and where the ratio of the two should be.
    fn print(&self, plain: &str, ours: &str, count: usize, target: Option<Target>) {
        let rates = |of: fn(&(f64, f64)) -> f64| self.0.iter().map(|pair| count as f64 / of(pair)).collect::<Rounds>();
        let (ours_rate, plain_rate) = (rates(|pair| pair.0), rates(|pair| pair.1));
        table::way(plain, &plain_rate);
        match target {
            Some(target) => table::should(ours, &ours_rate, &plain_rate, target),
            None => table::beside(ours, &ours_rate, &plain_rate),
        }
    }
}
