//! Which streams are taken, and what they promise.

use async_nats::jetstream::stream::{DiscardPolicy, RetentionPolicy, Source};
use audited::{Durability, NatsError, NatsStreamFault, SinkError};

use super::*;

/// What is said of a stream that is set up like this.
fn refusal(server: &Server, config: Config, options: impl FnOnce(NatsOptions) -> NatsOptions) -> String {
    let client = Client::connect(server);
    client.create(config);
    let refused = options(NatsOptions::new(url(server), STREAM)).connect();
    client.runtime.block_on(client.context.delete_stream(STREAM)).unwrap();
    refused.expect_err("it is refused").to_string()
}

#[test]
fn a_stream_that_would_lose_records_is_refused() {
    let server = nats::start();
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = fit();
        change(&mut config);
        config
    };
    let forgets = "take the limit away, or set `discard: new`, or allow it (`NatsOptions::allow_forgetting`)";
    let cases: [(Config, String); 12] = [
        (with(&|c| c.retention = RetentionPolicy::WorkQueue), "its retention is `workqueue`, so that what is consumed is gone; it must be `limits`".into()),
        (with(&|c| c.retention = RetentionPolicy::Interest), "its retention is `interest`, so that what is consumed is gone; it must be `limits`".into()),
        (with(&|c| c.max_messages = 1000), format!("`max_msgs` with `discard: old` removes the oldest records; {forgets}")),
        (with(&|c| c.max_bytes = 1 << 20), format!("`max_bytes` with `discard: old` removes the oldest records; {forgets}")),
        (
            with(&|c| {
                c.max_messages_per_subject = 5;
                c.discard = DiscardPolicy::New;
            }),
            format!("`max_msgs_per_subject` with `discard: old` removes the oldest records; {forgets}"),
        ),
        (with(&|c| c.max_age = Duration::from_secs(3600)), "`max_age` removes records after 3600 s; take it away, or allow it (`NatsOptions::allow_forgetting`)".into()),
        (with(&|c| c.allow_rollup = true), "`allow_rollup_hdrs` lets whoever may publish remove records; take it away".into()),
        (with(&|c| c.storage = StorageType::Memory), "it is in memory, and lost with the server; take `storage: file`, or allow it (`NatsOptions::allow_memory`)".into()),
        (with(&|c| c.no_ack = true), "`no_ack` is set: nobody learns whether a record is stored".into()),
        (with(&|c| c.subjects = vec!["audit.acme.*".into(), "audit.*".into()]), "its subjects do not cover `audit.*.*`".into()),
        (
            with(&|c| c.duplicate_window = Duration::from_secs(30)),
            "its duplicate window of 30 s is shorter than 120 s: a record that is sent again would be there twice".into(),
        ),
        (
            with(&|c| {
                c.subjects = Vec::new();
                c.mirror = Some(Source { name: "OTHER".into(), ..Default::default() });
                c.duplicate_window = Duration::ZERO;
            }),
            "it is a mirror, which takes no records itself; its duplicate window of 0 s is shorter than 120 s: a record that is sent again would be there twice".into(),
        ),
    ];
    Client::connect(&server).create(Config { name: "OTHER".into(), subjects: vec!["other".into()], ..fit() });
    for (config, said) in cases {
        let refusal = refusal(&server, config, |options| options);
        assert_eq!(refusal, format!("stream AUDIT is not fit for audit records: {said}"));
    }
    let replicas = refusal(&server, fit(), |options| options.replicas(3));
    assert_eq!(replicas, "stream AUDIT is not fit for audit records: it has 1 replicas, and 3 are asked for");
}

#[test]
fn everything_that_is_wrong_with_a_stream_is_said() {
    let server = nats::start();
    Client::connect(&server).create(Config {
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::Memory,
        no_ack: true,
        ..fit()
    });
    let error = NatsOptions::new(url(&server), STREAM).connect().unwrap_err();
    let NatsError::Unfit { faults, .. } = error else { panic!("{error}") };
    let retention = NatsStreamFault::Retention { retention: "workqueue" };
    assert_eq!(faults, [retention, NatsStreamFault::Memory, NatsStreamFault::NoAck]);
}

#[test]
fn what_is_allowed_by_name_is_taken() {
    let server = nats::start();
    let client = Client::connect(&server);
    client.create(Config {
        storage: StorageType::Memory,
        max_age: Duration::from_secs(3600),
        max_messages: 9,
        ..fit()
    });
    let options = NatsOptions::new(url(&server), STREAM).allow_memory().allow_forgetting();
    let sink = options.connect().unwrap();
    assert_eq!(sink.durability(), Durability::Memory);
    block_on(sink.write(&records(0..20))).unwrap();
    assert_eq!(client.count(STREAM), 9);
}

#[test]
fn a_stream_in_files_is_what_the_operating_system_has() {
    let server = nats::start();
    let sink = sink(&server);
    assert_eq!(sink.durability(), Durability::OsBuffer);
    assert_eq!(sink.describe(), format!("nats({}/AUDIT)", server.address()));
    // What was created stays as it was created.
    let config = Client::connect(&server).config(STREAM);
    assert_eq!((config.storage, config.retention), (StorageType::File, RetentionPolicy::Limits));
    assert!(config.deny_delete && config.deny_purge && config.discard == DiscardPolicy::New);
    assert_eq!(config.duplicate_window, Duration::from_secs(120));
    assert_eq!(NatsOptions::new(url(&server), STREAM).connect().unwrap().durability(), Durability::OsBuffer);
}

#[test]
fn a_promise_to_sync_is_refused_of_a_server_that_cannot_and_believed_of_one_that_can() {
    let server = nats::start();
    Client::connect(&server).create(fit());
    let promised = NatsOptions::new(url(&server), STREAM).servers_sync_always().connect();
    if server.log().contains("Version:  2.9.") {
        let said =
            "the server is older than 2.10 and knows no `sync_interval`, so that it does not sync what it acknowledges";
        let error = promised.unwrap_err().to_string();
        assert_eq!(error, format!("stream AUDIT is not fit for audit records: {said}"));
    } else {
        assert_eq!(promised.unwrap().durability(), Durability::Disk);
    }
}

#[test]
fn what_is_not_there_is_said() {
    let server = nats::start();
    let error = NatsOptions::new(url(&server), STREAM).connect().unwrap_err().to_string();
    assert_eq!(error, "there is no stream AUDIT: create it, or let the sink do so (`NatsOptions::create_stream`)");
    let silent = NatsOptions::new("nats://127.0.0.1:1", STREAM).connect_within(Duration::from_millis(300));
    let error = silent.connect().unwrap_err();
    assert!(matches!(error, NatsError::Connect { .. } | NatsError::Deadline), "{error}");
}

#[test]
fn a_stream_that_becomes_unfit_is_written_no_more() {
    let mut server = nats::start();
    let sink = sink(&server);
    block_on(sink.write(&[record(0)])).unwrap();
    let client = Client::connect(&server);
    let config = Config { max_messages: 5, discard: DiscardPolicy::Old, ..client.config(STREAM) };
    client.runtime.block_on(client.context.update_stream(config)).unwrap();
    server.stop();
    server.restart();
    let said = refusal_after_a_restart(&sink);
    assert!(said.contains("`max_msgs` with `discard: old`"), "{said}");
}

#[test]
fn a_stream_that_becomes_weaker_is_written_no_more() {
    let server = nats::start();
    let client = Client::connect(&server);
    client.create(fit());
    let options = NatsOptions::new(url(&server), STREAM).allow_memory().check_every(Duration::ZERO);
    let sink = options.clone().connect().unwrap();
    assert_eq!(sink.durability(), Durability::OsBuffer);
    block_on(sink.write(&[record(0)])).unwrap();
    client.runtime.block_on(client.context.delete_stream(STREAM)).unwrap();
    client.create(Config { storage: StorageType::Memory, ..fit() });
    let SinkError::Failed(error) = block_on(sink.write(&[record(1)])).unwrap_err() else { panic!("it failed") };
    let expected = "stream AUDIT promised os_buffer, and promises memory now: connect anew to go on with that";
    assert_eq!((error.to_string().as_str(), sink.durability()), (expected, Durability::OsBuffer));
    assert_eq!(client.count(STREAM), 0);
    let anew = options.connect().unwrap();
    assert_eq!(anew.durability(), Durability::Memory);
    block_on(anew.write(&[record(1)])).unwrap();
}

/// What is said of a write once the connection is back.
fn refusal_after_a_restart(sink: &NatsSink) -> String {
    loop {
        match block_on(sink.write(&[record(1)])).unwrap_err() {
            // The old connection may not be noticed to be one.
            SinkError::Failed(error) if error.to_string().ends_with("is lost") => {}
            SinkError::Deadline => {}
            SinkError::Failed(error) => return error.to_string(),
            error => panic!("{error}"),
        }
    }
}
