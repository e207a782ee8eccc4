//! NATS `JetStream`, with real servers.

mod addresses;
mod cluster;
mod conflicts;
mod feed;
mod outages;
mod shipping;
mod streams;
mod subjects;
mod tls;

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::AckPolicy;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::{Config, StorageType};
use async_nats::jetstream::{self, Context};
use audited::{Action, AuditContext, AuditSink as _, NatsOptions, NatsSink, Record, TenantId};
use futures_util::StreamExt as _;
use tokio::runtime::Runtime;

use crate::contract::block_on;
use crate::forward::options as journal_options;
use crate::servers::{Server, nats};
use crate::support::PATIENCE;

pub(crate) const STREAM: &str = "AUDIT";

/// What a test asks of a server beside the sink.
pub(crate) struct Client {
    runtime: Runtime,
    context: Context,
}

impl Client {
    pub(crate) fn connect(server: &Server) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async_nats::connect(url(server))).unwrap();
        let context = runtime.block_on(async { jetstream::new(client) });
        Self { runtime, context }
    }

    pub(crate) fn create(&self, config: Config) {
        self.runtime.block_on(self.context.create_stream(config)).unwrap();
    }

    fn config(&self, stream: &str) -> Config {
        self.runtime.block_on(self.context.get_stream(stream)).unwrap().cached_info().config.clone()
    }

    pub(crate) fn count(&self, stream: &str) -> u64 {
        self.runtime.block_on(self.context.get_stream(stream)).unwrap().cached_info().state.messages
    }

    fn publish(&self, subject: &str, id: Option<&str>, payload: &str) {
        let mut headers = HeaderMap::new();
        if let Some(id) = id {
            headers.insert("Nats-Msg-Id", id);
        }
        self.runtime.block_on(async {
            let sent = self.context.publish_with_headers(subject.to_owned(), headers, payload.to_owned().into());
            assert!(!sent.await.unwrap().await.unwrap().duplicate);
        });
    }

    /// Subject and payload of everything in a stream, in its order.
    fn messages(&self, stream: &str) -> Vec<(String, String)> {
        self.runtime.block_on(async {
            let stream = self.context.get_stream(stream).await.unwrap();
            let count = usize::try_from(stream.cached_info().state.messages).unwrap();
            if count == 0 {
                return Vec::new();
            }
            let config = pull::Config { ack_policy: AckPolicy::None, ..Default::default() };
            let consumer = stream.create_consumer(config).await.unwrap();
            let messages = consumer.fetch().max_messages(count).messages().await.unwrap();
            let messages: Vec<_> = messages
                .map(|message| {
                    let message = message.unwrap();
                    (message.subject.to_string(), String::from_utf8(message.payload.to_vec()).unwrap())
                })
                .collect()
                .await;
            assert_eq!(messages.len(), count);
            messages
        })
    }

    pub(crate) fn payloads(&self, stream: &str) -> Vec<String> {
        self.messages(stream).into_iter().map(|(_, payload)| payload).collect()
    }
}

fn url(server: &Server) -> String {
    format!("nats://{}", server.address())
}

/// Impatient, so that tests are fast.
fn options(server: &Server) -> NatsOptions {
    NatsOptions::new(url(server), STREAM).create_stream().answer_within(Duration::from_secs(3))
}

fn sink(server: &Server) -> NatsSink {
    options(server).connect().unwrap()
}

/// What the sink would create.
pub(crate) fn fit() -> Config {
    Config {
        name: STREAM.into(),
        subjects: vec!["audit.*.*".into()],
        storage: StorageType::File,
        num_replicas: 1,
        duplicate_window: Duration::from_secs(120),
        ..Default::default()
    }
}

fn record(n: usize) -> Record {
    Record::builder(Action::new("nats.write")).field("n", &n).build()
}

fn records(numbers: std::ops::Range<usize>) -> Vec<Record> {
    numbers.map(record).collect()
}

fn jsons(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.json().to_owned()).collect()
}

/// How often each record is there.
fn counts(payloads: Vec<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for payload in payloads {
        *counts.entry(payload).or_default() += 1;
    }
    counts
}

#[cfg(feature = "testing")]
audited::testing::sink_contract!(it_keeps_the_contract, || {
    let server = std::sync::Arc::new(std::sync::Mutex::new(nats::start()));
    let client = std::sync::Mutex::new(None);
    let with = |change: fn(&mut Server)| {
        let server = server.clone();
        move || change(&mut server.lock().unwrap())
    };
    let options = options(&server.lock().unwrap());
    audited::testing::SinkUnderTest::new(options.answer_within(Duration::from_secs(2)).connect().unwrap())
        .breaks(with(Server::kill))
        .hangs(with(|server| server.pause()))
        .mends(with(|server| if server.runs() { server.resume() } else { server.restart() }))
        .runs_in(crate::contract::ours::in_tokio)
        .reads(move || {
            let server = server.lock().unwrap();
            client.lock().unwrap().get_or_insert_with(|| Client::connect(&server)).payloads(STREAM)
        })
});

#[test]
fn a_record_is_under_the_subject_of_its_tenant_and_action() {
    let server = nats::start();
    let sink = sink(&server);
    let of = |tenant: &str| {
        Record::builder(Action::new("account.open"))
            .context(AuditContext::new().tenant(TenantId::plain(tenant)))
            .build()
    };
    block_on(sink.write(&[of("acme"), of("b.c *>"), record(0)])).unwrap();
    let subjects: Vec<_> = Client::connect(&server).messages(STREAM).into_iter().map(|(subject, _)| subject).collect();
    assert_eq!(subjects, ["audit.acme.account:open", "audit.b:c%20%2A%3E.account:open", "audit.~none.nats:write"]);
}

#[test]
fn credentials_are_asked_for_and_shown_to_nobody() {
    let server = nats::start_with(&["--user", "ann", "--pass", "s3cret"]);
    let refused = options(&server).connect().unwrap_err();
    assert!(refused.to_string().starts_with("there is no connection: "), "{refused}");
    let options = self::options(&server).user_and_password("ann", "s3cret");
    let shown = format!("{options:?}");
    let sink = options.connect().unwrap();
    block_on(sink.write(&[record(0)])).unwrap();
    let all = format!("{shown} {sink:?} {} {refused:?} {refused}", sink.describe());
    assert!(!all.contains("s3cret") && !all.contains("ann"), "{all}");
    assert!(all.contains(&server.address().to_string()));
    let wrong = self::options(&server).user_and_password("ann", "s3cret2").connect().unwrap_err();
    assert!(!format!("{wrong:?} {wrong}").contains("s3cret"));
    let token = nats::start_with(&["--auth", "t0ken"]);
    assert!(self::options(&token).connect().is_err());
    block_on(self::options(&token).token("t0ken").connect().unwrap().write(&[record(0)])).unwrap();
}

#[test]
fn wrong_options_are_found_without_a_server() {
    let message = |options: NatsOptions| options.connect_later().unwrap_err().to_string();
    let of = |server: &str, stream: &str| NatsOptions::new(server, stream);
    for server in ["http://127.0.0.1", "nats://", "ws://127.0.0.1", "nats://a b", ""] {
        let message = message(of(server, STREAM));
        assert_eq!(message, "the address of a server is no URL that begins with nats:// or tls://", "{server}");
    }
    for server in
        ["nats://ann:s3cret@127.0.0.1", "tls://s3cret@127.0.0.1", "nats://:s3cret@127.0.0.1", "http://s3cret@h"]
    {
        let options = of(server, STREAM);
        assert!(!format!("{options:?}").contains("s3cret"));
        let message = message(options);
        assert!(message.starts_with("the address of a server holds a user or a password"), "{message}");
    }
    for stream in ["", "a.b", "a b", "*", "a>", "ä"] {
        let message = message(of("nats://127.0.0.1:1", stream));
        assert_eq!(message, "the name of a stream or a consumer has letters, digits, `-` and `_` only");
    }
    for prefix in ["", ".", "a.", "a..b", "*", "a b", "$JS"] {
        let message = message(of("nats://127.0.0.1:1", STREAM).prefix(prefix));
        assert!(message.starts_with("the prefix of the subjects"), "{message}");
    }
    let missing = of("nats://127.0.0.1:1", STREAM).credentials_file("/nowhere/s3cret.creds");
    assert_eq!(message(missing), "the credentials could not be read");
    assert_eq!(message(of("nats://127.0.0.1:1", STREAM).credentials("s3cret")), "the credentials could not be read");
}
