//! What the sinks add that take a record on the caller's thread or on one of their own, and what a call costs of which
//! nothing is captured.

use std::path::Path;

use async_trait::async_trait;
use audited::{AuditSink, Durability, JournalOptions, MemorySink, Record, SinkError, TracingSink};
use audited_benches::table::{self, Target};
use audited_benches::transfer::{Null, Order, inside, ping, recorder, transfer};
use tracing::dispatcher::with_default;

use super::hot::measure;
use super::peers;
use super::ways::{Way, ours};

pub(super) fn print(directory: &Path) {
    let serde_json = peers::serde_json(directory);
    let journal = |name: &str, options: JournalOptions| recorder(options.open(directory.join(name)).unwrap());
    let by_threads = journal("journal", JournalOptions::new().os_buffer());
    let in_memory = journal("in-memory", JournalOptions::new().shared_memory("/dev/shm"));
    let ways = [
        ours("ours: a sink that forgets", recorder(Null)),
        nothing_captured(),
        memory(),
        ours("ours: a sink behind a thread of its own", recorder(Slow)),
        to_tracing(directory),
        ours("ours: the journal, in the system's buffers by way of its threads", by_threads),
        ours("**ours: the journal, safe from the death of the process**", in_memory),
    ];
    let taken = measure(&std::iter::once(&serde_json).chain(&ways).collect::<Vec<_>>());
    let (serde_json, taken) = taken.split_first().expect("ways");
    table::section("A record by its sink: ns, and the ratio to serde_json into a locked BufWriter");
    for (way, taken) in ways.iter().zip(taken) {
        table::beside(way.name, taken, serde_json);
    }
    let journal = taken.last().expect("ways").over(serde_json);
    table::ratio("the journal ÷ serde_json into a BufWriter", &journal, Target::AtMost(0.25));
}

fn nothing_captured() -> Way {
    let recorder = recorder(Null);
    Way::new("ours: nothing captured, a sink that forgets", ping).within(move |run| inside(&recorder, run))
}

/// It refuses what is past its bound, so that each turn gets one of its own.
fn memory() -> Way {
    let order = Order::example();
    Way::new("ours: memory", move || transfer("acc-2020", &order))
        .within(|run| inside(&recorder(MemorySink::with_capacity(1 << 20)), run))
}

fn to_tracing(directory: &Path) -> Way {
    let json = peers::json_lines(directory, "sink");
    // `tracing` remembers of an event that nobody listened: the recorder is built where somebody does.
    let recorder = with_default(&json, || recorder(TracingSink::new()));
    ours("ours: tracing, as JSON into a locked BufWriter", recorder).within(move |run| with_default(&json, run))
}

/// Takes records as a sink of one's own does: not on the caller's thread.
struct Slow;

#[async_trait]
impl AuditSink for Slow {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        std::hint::black_box(batch);
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::None
    }

    fn describe(&self) -> String {
        "slow".into()
    }
}
