//! The same record by `serde_json` and by `tracing`.

use std::fs::File;
use std::io::{BufWriter, Seek as _, Write};
use std::path::Path;
use std::sync::Mutex;

use audited_benches::transfer::Order;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing_appender::non_blocking::NonBlockingBuilder;
use uuid::Uuid;

use super::ways::Way;

pub(super) fn serde_json(directory: &Path) -> Way {
    let (file, order) = (Mutex::new(BufWriter::new(lines(directory, "serde"))), Order::example());
    Way::new("serde_json into a locked BufWriter", move || {
        let mut file = file.lock().unwrap();
        serde_json::to_writer(&mut *file, &Plain::of(&order)).unwrap();
        file.write_all(b"\n").unwrap();
    })
}

pub(super) fn tracing_buffered(directory: &Path) -> Way {
    traced("tracing JSON into a locked BufWriter", json_lines(directory, "tracing"))
}

pub(super) fn tracing_queue(directory: &Path) -> Way {
    let queue = NonBlockingBuilder::default().lossy(false);
    let (queue, guard) = queue.finish(lines(directory, "queue"));
    let json = Dispatch::new(tracing_subscriber::fmt().json().with_writer(queue).finish());
    // The thread that writes ends with the guard.
    traced("tracing JSON through a queue that does not block", json).within(move |run| {
        let _running = &guard;
        run();
    })
}

/// What writes events of `tracing` as JSON into a locked `BufWriter`.
pub(super) fn json_lines(directory: &Path, name: &str) -> Dispatch {
    let lines = Mutex::new(BufWriter::new(lines(directory, name)));
    Dispatch::new(tracing_subscriber::fmt().json().with_writer(lines).finish())
}

fn traced(name: &'static str, json: Dispatch) -> Way {
    let order = Order::example();
    let once = move || {
        let id = Uuid::now_v7();
        tracing::info!(
            target: "audit", schema = 1, %id, kind = "call", stage = "completed", action = "account.transfer",
            decision = "allow", outcome = "success", latency_us = 3, actor.kind = "user", actor.id = "u-17",
            resource.kind = "account", resource.id = "acc-2020", tenant = "acme", source.ip = "203.0.113.7",
            source.user_agent = "acme-app/4.2", correlation_id = "req-01hv8k", cents = order.cents,
            urgent = order.urgent, currency = order.currency, to = order.to, memo = "<redacted>",
            device = "<redacted>"
        );
    };
    Way::new(name, once).within(move |run| with_default(&json, run))
}

/// A file that begins again after a while, so that the disk is not what is measured.
pub(super) struct Lines {
    file: File,
    written: u64,
}

/// One in that directory.
pub(super) fn lines(directory: &Path, name: &str) -> Lines {
    Lines { file: File::create(directory.join(name)).unwrap(), written: 0 }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.written > 32 << 20 {
            self.file.rewind()?;
            self.written = 0;
        }
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// A struct that serializes to what a record holds.
#[derive(Serialize)]
struct Plain<'a> {
    schema: u32,
    id: Shown<Uuid>,
    kind: &'a str,
    stage: &'a str,
    action: &'a str,
    occurred_at: Shown<Timestamp>,
    recorded_at: Shown<Timestamp>,
    decision: &'a str,
    outcome: &'a str,
    latency_us: u64,
    actor: Named<'a>,
    resource: Named<'a>,
    tenant: &'a str,
    source: Client<'a>,
    correlation_id: &'a str,
    detail: Detail<'a>,
    redacted: [&'a str; 2],
}

#[derive(Serialize)]
struct Named<'a> {
    kind: &'a str,
    id: &'a str,
}

#[derive(Serialize)]
struct Client<'a> {
    ip: &'a str,
    user_agent: &'a str,
}

#[derive(Serialize)]
struct Detail<'a> {
    order: Redacted<'a>,
}

#[derive(Serialize)]
struct Redacted<'a> {
    cents: u64,
    urgent: bool,
    currency: &'a str,
    to: &'a str,
    memo: &'a str,
    device: &'a str,
}

/// A value as it is displayed.
struct Shown<T>(T);

impl<T: std::fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'a> Plain<'a> {
    fn of(order: &'a Order) -> Self {
        Self {
            schema: 1,
            id: Shown(Uuid::now_v7()),
            kind: "call",
            stage: "completed",
            action: "account.transfer",
            occurred_at: Shown(Timestamp::now()),
            recorded_at: Shown(Timestamp::now()),
            decision: "allow",
            outcome: "success",
            latency_us: 3,
            actor: Named { kind: "user", id: "u-17" },
            resource: Named { kind: "account", id: "acc-2020" },
            tenant: "acme",
            source: Client { ip: "203.0.113.7", user_agent: "acme-app/4.2" },
            correlation_id: "req-01hv8k",
            detail: Detail {
                order: Redacted {
                    cents: order.cents,
                    urgent: order.urgent,
                    currency: &order.currency,
                    to: &order.to,
                    memo: "<redacted>",
                    device: "<redacted>",
                },
            },
            redacted: ["detail.order.memo", "detail.order.device"],
        }
    }
}
