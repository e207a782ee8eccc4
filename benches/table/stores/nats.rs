//! Records into a stream of NATS, beside a plain publisher that has as many messages on their way.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use async_nats::jetstream;
use async_nats::jetstream::message::PublishMessage;
use audited::{AuditSink as _, NatsOptions};
use audited_benches::table;
use tokio::runtime::Runtime;

use super::{Pairs, records, servers};

const COUNT: usize = 20_000;
const WINDOW: usize = 256;

pub(crate) fn print(_: &Path) {
    let server = servers::nats();
    let runtime = Runtime::new().unwrap();
    let sink = NatsOptions::new(server.url(), "OURS").prefix("ours").create_stream().window(WINDOW, 64 << 20);
    let sink = sink.connect().unwrap();
    let context = runtime.block_on(async {
        let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
        let stream =
            jetstream::stream::Config { name: "PLAIN".into(), subjects: vec!["plain.>".into()], ..Default::default() };
        context.create_stream(stream).await.unwrap();
        context
    });
    let pairs = Pairs::of(|round| {
        let records = records(round * COUNT..(round + 1) * COUNT);
        let start = Instant::now();
        runtime.block_on(async {
            for batch in records.chunks(1_000) {
                sink.write(batch).await.unwrap();
            }
        });
        let (ours, start) = (start.elapsed().as_secs_f64(), Instant::now());
        runtime.block_on(async {
            let mut acks = VecDeque::new();
            for record in &records {
                let message = PublishMessage::build()
                    .message_id(record.id().unwrap().to_string())
                    .payload(record.json().as_bytes().to_vec().into());
                let subject = format!("plain.{}", record.action());
                if acks.len() == WINDOW {
                    let ack: jetstream::context::PublishAckFuture = acks.pop_front().unwrap();
                    ack.await.unwrap();
                }
                acks.push_back(context.send_publish(subject, message).await.unwrap());
            }
            for ack in acks {
                ack.await.unwrap();
            }
        });
        (ours, start.elapsed().as_secs_f64())
    });
    table::section("NATS JetStream, 256 messages on their way: records/s");
    pairs.print("a plain publisher", "**ours: batches of 1,000**", COUNT, None);
}
