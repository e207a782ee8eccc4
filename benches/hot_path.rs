//! What one record costs, as ratios to serializing an equal plain struct with `serde_json`.
//!
//! ```text
//! cargo bench --bench hot_path
//! ```
//!
//! The plain struct is read back from a record and must serialize to the same bytes. It has an easy life: its ids
//! and times are strings already, and nothing of it is classified, hashed or acknowledged. The context is a
//! request's, scoped once; everything else is made anew for each record, and each is waited for.

use std::fs::File;
use std::hint::black_box;
use std::io::BufWriter;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use audited::__private::{Inline, Ticket};
use audited::{
    Action, Actor, ActorId, AuditContext, AuditSink, CorrelationId, Decision, Durability, KeyRing, MemorySink, Record,
    Recorder, Resource, ResourceId, Sensitive, SinkError, Source, TenantId, TracingSink, audited, record_action,
    with_context_sync, with_recorder_sync,
};
use serde::{Deserialize, Serialize};
use tracing::Dispatch;
use tracing::dispatcher::with_default;

use audited_benches::{Row, compare};

fn main() {
    let plain = Plain::equal_to_a_record();
    println!("one record is {} bytes of JSON", serde_json::to_string(&plain).unwrap().len());

    let json_lines = json_subscriber();
    // `tracing` remembers of an event that nobody listened: the recorder is built where somebody does.
    let to_tracing = with_default(&json_lines, || recorder(TracingSink::new()));
    let rows = [
        Row::new("serde_json::to_string of an equal struct", move |times| {
            for _ in 0..times {
                black_box(serde_json::to_string(black_box(&plain)).unwrap());
            }
        }),
        recording("null sink", recorder(Null { inline: true })),
        calling("null sink, by #[audited] with an empty body", recorder(Null { inline: true })),
        bare("nothing captured, null sink", recorder(Null { inline: true }), || {
            record_action(Action::new("account.transfer")).decision(Decision::Allow).wait().unwrap();
        }),
        bare("nothing captured, null sink, by #[audited]", recorder(Null { inline: true }), call_bare),
        recording("null sink of one's own, behind its thread", recorder(Null { inline: false })),
        // It refuses what is past its bound, so that each round gets one of its own.
        Row::new("memory", |times| {
            let start_record = 1;
            inside(&recorder(MemorySink::with_capacity(times as usize + start_record)), times, record_transfer);
        }),
        recording("tracing, as JSON into a file", to_tracing).around(move |run| {
            with_default(&json_lines, run);
        }),
    ];
    // Some build a recorder in each turn, which may not count.
    compare(&rows, Duration::from_millis(10));
}

/// The record under measurement, as a program would make it.
fn record_transfer() {
    record_action(Action::new("account.transfer"))
        .decision(Decision::Allow)
        .resource(Resource::new("account", ResourceId::plain("acc-2020")))
        .fields(|fields| {
            fields.value("cents", &125_000_u64);
            fields.value("urgent", &false);
            fields.plain("currency", "EUR");
            fields.plain("to", "acc-0750");
            fields.redacted("memo");
            fields.hashed("device", "9f1c2d34-pixel-8");
        })
        .wait()
        .unwrap();
}

/// A function that leaves the like of it: `latency_us` besides, and the fields one level deeper.
#[audited(action = "account.transfer", resource("account", plain(account)), fields(order))]
fn call_transfer(account: &str, order: &Order) {
    black_box((account, order));
}

#[audited(action = "account.transfer", unlocked)]
fn call_bare() {}

#[derive(Serialize, Sensitive)]
struct Order {
    cents: u64,
    urgent: bool,
    #[sensitive(plain)]
    currency: String,
    #[sensitive(plain)]
    to: String,
    #[sensitive]
    memo: String,
    #[sensitive(hash)]
    device: String,
}

impl Order {
    fn example() -> Self {
        Self {
            cents: 125_000,
            urgent: false,
            currency: "EUR".into(),
            to: "acc-0750".into(),
            memo: "rent".into(),
            device: "9f1c2d34-pixel-8".into(),
        }
    }
}

/// Does it so many times, inside of a request's context.
fn inside(recorder: &Recorder, times: u32, once: impl Fn()) {
    with_recorder_sync(recorder.clone(), || with_context_sync(request(), || (0..times).for_each(|_| once())));
}

fn request() -> AuditContext {
    AuditContext::new()
        .actor(Actor::user(ActorId::plain("u-17")))
        .tenant(TenantId::plain("acme"))
        .source(Source::new().ip(Ipv4Addr::new(203, 0, 113, 7).into()).user_agent("acme-app/4.2"))
        .correlation_id(CorrelationId::parse("req-01hv8k").unwrap())
}

fn recorder(sink: impl AuditSink) -> Recorder {
    Recorder::builder().sink(sink).keys(KeyRing::new("k1", [7; 32]).unwrap()).build().unwrap()
}

fn recording(name: &'static str, recorder: Recorder) -> Row {
    Row::new(name, move |times| inside(&recorder, times, record_transfer))
}

fn calling(name: &'static str, recorder: Recorder) -> Row {
    let order = Order::example();
    Row::new(name, move |times| inside(&recorder, times, || call_transfer("acc-2020", black_box(&order))))
}

fn bare(name: &'static str, recorder: Recorder, once: impl Fn() + 'static) -> Row {
    Row::new(name, move |times| inside(&recorder, times, &once))
}

/// Takes records and forgets them: what is left is the cost of making them.
struct Null {
    /// Whether it takes them on the caller's thread, as the framework's own sinks do.
    inline: bool,
}

#[async_trait]
impl AuditSink for Null {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        black_box(batch);
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::None
    }

    fn describe(&self) -> String {
        "null".into()
    }

    fn inline(&self) -> Option<&dyn Inline> {
        self.inline.then_some(self)
    }
}

impl Inline for Null {
    fn submit(&self, record: Record, ticket: Ticket) {
        black_box(record);
        ticket.settle(Ok(()));
    }
}

fn json_subscriber() -> Dispatch {
    let file: File = tempfile::tempfile().unwrap();
    let lines = Mutex::new(BufWriter::new(file));
    Dispatch::new(tracing_subscriber::fmt().json().with_writer(lines).finish())
}

/// A struct that serializes to what a record holds.
#[derive(Serialize, Deserialize)]
struct Plain {
    schema: u32,
    id: String,
    kind: String,
    stage: String,
    action: String,
    occurred_at: String,
    recorded_at: String,
    decision: String,
    outcome: String,
    actor: Named,
    resource: Named,
    tenant: String,
    source: Client,
    correlation_id: String,
    detail: Transfer,
    redacted: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Named {
    kind: String,
    id: String,
}

#[derive(Serialize, Deserialize)]
struct Client {
    ip: String,
    user_agent: String,
}

#[derive(Serialize, Deserialize)]
struct Transfer {
    cents: u64,
    urgent: bool,
    currency: String,
    to: String,
    memo: String,
    device: String,
}

impl Plain {
    fn equal_to_a_record() -> Self {
        let kept = Arc::new(Kept::default());
        inside(&recorder(kept.clone()), 1, record_transfer);
        let json = kept.last();
        let plain: Self = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&plain).unwrap(), json);
        plain
    }
}

/// Keeps the last record.
#[derive(Default)]
struct Kept(Mutex<Option<Record>>);

impl Kept {
    fn last(&self) -> String {
        self.0.lock().unwrap().as_ref().unwrap().json().to_owned()
    }
}

#[async_trait]
impl AuditSink for Kept {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        *self.0.lock().unwrap() = batch.last().cloned();
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn describe(&self) -> String {
        "kept".into()
    }
}
