//! The durable consumer: what the server keeps of a feed.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, Info, ReplayPolicy};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::ConsumerErrorKind;
use async_nats::jetstream::{Context, ErrorCode};

use crate::nats::error::NatsError;
use crate::nats::stream::refused;

pub(in crate::nats) struct WantedConsumer {
    pub(super) name: String,
    pub(super) filter: String,
    pub(super) ack_wait: Duration,
    /// How many messages may be given out and not acknowledged.
    pub(super) held: usize,
}

impl WantedConsumer {
    /// Finds the consumer, or creates it, and sees to it that it gives out everything.
    pub(super) async fn open(&self, context: &Context, stream: &str) -> Result<Consumer<Config>, NatsError> {
        let found = context.get_stream(stream).await.map_err(|error| match error.kind() {
            GetStreamErrorKind::JetStream(said) if said.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                NatsError::NoStream { stream: stream.to_owned() }
            }
            GetStreamErrorKind::JetStream(said) => refused(said),
            _ => NatsError::failed(error),
        })?;
        let config = Config {
            durable_name: Some(self.name.clone()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            replay_policy: ReplayPolicy::Instant,
            ack_wait: self.ack_wait,
            max_deliver: -1,
            filter_subject: self.filter.clone(),
            max_ack_pending: i64::try_from(self.held).unwrap_or(i64::MAX),
            ..Config::default()
        };
        let opened = found.get_or_create_consumer(&self.name, config).await;
        let consumer = opened.map_err(|error| match error.kind() {
            ConsumerErrorKind::JetStream(said) => refused(said),
            ConsumerErrorKind::TimedOut => NatsError::Deadline,
            ConsumerErrorKind::InvalidConsumerType => self.other("it pushes"),
            _ => NatsError::failed(error),
        })?;
        match self.wrong(consumer.cached_info()) {
            Some(what) => Err(self.other(what)),
            None => Ok(consumer),
        }
    }

    fn other(&self, what: &'static str) -> NatsError {
        NatsError::OtherConsumer { consumer: self.name.clone(), what }
    }

    fn wrong(&self, info: &Info) -> Option<&'static str> {
        let config = &info.config;
        let filters: Vec<_> = if config.filter_subject.is_empty() {
            config.filter_subjects.iter().map(String::as_str).collect()
        } else {
            vec![config.filter_subject.as_str()]
        };
        let wanted: Vec<_> = Some(self.filter.as_str()).into_iter().filter(|filter| !filter.is_empty()).collect();
        [
            (config.ack_policy != AckPolicy::Explicit, "it does not wait for the acknowledgement of each message"),
            (config.max_deliver > 0, "it gives up on messages (max_deliver)"),
            (config.deliver_policy != DeliverPolicy::All, "it does not begin with the first message"),
            (config.headers_only, "it delivers headers only"),
            (config.memory_storage, "it is in memory, so that a restart of the server forgets how far it is"),
            (!config.inactive_threshold.is_zero(), "it is deleted when it is not used (inactive_threshold)"),
            (filters != wanted, "it has another filter"),
        ]
        .into_iter()
        .find_map(|(wrong, what)| wrong.then_some(what))
    }
}
