//! Messages from the consumer, each once and in the order of the stream.
//!
//! A server gives out again what was not acknowledged in time, and new messages in the meantime. So that nothing is
//! overtaken by what follows it, new messages are held back while the server has given out some that are not here: to a
//! process that died, or over a connection that is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::pull::{Batch, Config};
use async_nats::jetstream::consumer::{Consumer, Info};
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_nats::jetstream::{AckKind, Message};
use futures_util::future::{Either, select};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::{sleep, timeout};

use super::consumer::WantedConsumer;
use super::shared::Shared;
use crate::moment::after;
use crate::nats::error::NatsError;
use crate::nats::link::Line;

/// How long a request to the consumer stands. It ends with the connection, so that it may be long.
const EXPIRES: Duration = Duration::from_secs(5);
/// How long to wait for a message at a time; as often is looked at how far the consumer is.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// As often while somebody waits for that.
const LOOK_SOON: Duration = Duration::from_millis(20);

/// How long to give back what is not done, at most.
const FAREWELL: Duration = Duration::from_millis(500);
/// The number of no connection.
const NO_CONNECTION: u64 = u64::MAX;

pub(super) struct Intake {
    line: Arc<Line>,
    wanted: WantedConsumer,
    shared: Arc<Shared>,
    consumer: Consumer<Config>,
    /// Of which the consumer was opened.
    connection: u64,
    pull: Option<Batch>,
    /// The number of the last delivery.
    last_delivery: u64,
    /// What is here and not handed on yet.
    early: BTreeMap<u64, Message>,
    /// What is handed on and not done.
    held: BTreeSet<u64>,
    /// What is done, as long as it may be given out again.
    done: BTreeSet<u64>,
    /// All up to the second is acknowledged; what of it was given out again came before this delivery.
    floor: Option<(u64, u64)>,
    /// Since when the server has given out what is not here.
    missing_since: Option<Instant>,
    looked_at: Option<Instant>,
}

impl Intake {
    /// Finds or creates the consumer, and tries for a while where that may pass: a cluster may just have no leader.
    pub(super) async fn open(
        line: Arc<Line>,
        wanted: WantedConsumer,
        shared: Arc<Shared>,
        within: Duration,
    ) -> Result<Self, NatsError> {
        let until = after(Instant::now(), within);
        let (connection, consumer) = loop {
            let connection = line.up().await?;
            match wanted.open(line.context()?, &line.wanted().stream).await {
                Ok(consumer) => break (connection, consumer),
                Err(error) if error.may_pass() && Instant::now() < until => sleep(LOOK_SOON).await,
                Err(error) => return Err(error),
            }
        };
        let mut intake = Self {
            line,
            wanted,
            shared,
            consumer,
            connection,
            pull: None,
            last_delivery: 0,
            early: BTreeMap::new(),
            held: BTreeSet::new(),
            done: BTreeSet::new(),
            floor: None,
            missing_since: None,
            looked_at: None,
        };
        intake.begin();
        Ok(intake)
    }

    /// Gives the messages that are next, and waits a while for the first of them where that is asked.
    pub(super) async fn next(&mut self, wait: bool) -> Result<Vec<Message>, NatsError> {
        let connection = self.line.up().await?;
        if connection != self.connection {
            self.pull = None;
            self.consumer = self.wanted.open(self.line.context()?, &self.line.wanted().stream).await?;
            self.connection = connection;
            self.begin();
        }
        if let Err(error) = self.receive(wait).await {
            // The consumer may be gone.
            self.connection = NO_CONNECTION;
            return Err(error);
        }
        self.look_if_due().await?;
        let is_patient = self.missing_since.is_some_and(|since| since.elapsed() < self.patience());
        if is_patient {
            return Ok(Vec::new());
        }
        if self.missing_since.take().is_some() {
            let consumer = &self.wanted.name;
            crate::forward::alarm(|| {
                tracing::warn!(target: "audited::feed", consumer, "another process has messages of this feed; the order is not kept");
            });
        }
        self.held.extend(self.early.keys());
        Ok(std::mem::take(&mut self.early).into_values().collect())
    }

    /// Acknowledges what the store has, or what is buried.
    pub(super) async fn done(&mut self, messages: Vec<Message>) -> Result<(), NatsError> {
        for message in &messages {
            let place = place(message)?;
            self.held.remove(&place);
            self.done.insert(place);
            self.shared.done();
        }
        // What is not acknowledged comes again, and is known to be done.
        let acknowledge = async {
            for message in &messages {
                message.ack().await.map_err(failed)?;
            }
            Ok(())
        };
        timeout(self.line.answer_within(), acknowledge).await.unwrap_or(Err(NatsError::Disconnected))
    }

    /// Gives back what is not done.
    pub(super) async fn give_back(&mut self, messages: Vec<Message>) -> Result<(), NatsError> {
        let early = std::mem::take(&mut self.early).into_values();
        let give_back = async {
            for message in messages.into_iter().chain(early) {
                message.ack_with(AckKind::Nak(None)).await.map_err(failed)?;
            }
            self.line.client()?.flush().await.map_err(NatsError::failed)
        };
        timeout(FAREWELL, give_back).await.unwrap_or(Err(NatsError::Disconnected))
    }

    /// How far the consumer is, and how far it has to be for whoever waits.
    pub(super) async fn look(&mut self) -> Result<(), NatsError> {
        self.looked_at = Some(Instant::now());
        let asked = self.shared.asked();
        let target = if asked.is_some() { Some(self.last().await?) } else { None };
        let info = self.consumer.get_info().await.map_err(NatsError::failed)?;
        let floor = info.ack_floor.stream_sequence;
        self.floor.get_or_insert((info.delivered.consumer_sequence, floor));
        self.forget();
        if self.missing_since.is_some() && self.is_complete(&info) {
            self.missing_since = None;
        }
        self.shared.looked(asked.zip(target), floor, info.num_pending + info.num_ack_pending as u64);
        Ok(())
    }

    /// The place of the last message that is for the feed. The consumer itself may not know it yet.
    async fn last(&self) -> Result<u64, NatsError> {
        let filter = if self.wanted.filter.is_empty() { ">" } else { &self.wanted.filter };
        let stream = &self.line.wanted().stream;
        let stream = self.line.context()?.get_stream_no_info(stream).await.map_err(NatsError::failed)?;
        match stream.get_last_raw_message_by_subject(filter).await {
            Ok(message) => Ok(message.sequence),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(0),
            Err(error) => Err(NatsError::failed(error)),
        }
    }

    /// Forgets what is done and cannot come again.
    fn forget(&mut self) {
        if let Some((_, floor)) = self.floor.take_if(|(delivery, _)| *delivery <= self.last_delivery) {
            self.done = self.done.split_off(&(floor + 1));
        }
    }

    fn begin(&mut self) {
        let info = self.consumer.cached_info();
        self.last_delivery = info.delivered.consumer_sequence;
        self.missing_since = (!self.is_complete(info)).then(Instant::now);
    }

    /// Whether all that is given out and not acknowledged is here.
    fn is_complete(&self, info: &Info) -> bool {
        info.num_ack_pending <= self.held.len() + self.early.len()
    }

    /// After this time the server must have given out again what nobody has acknowledged.
    fn patience(&self) -> Duration {
        self.consumer.cached_info().config.ack_wait * 2 + LOOK_AGAIN
    }

    async fn receive(&mut self, wait: bool) -> Result<(), NatsError> {
        let room = self.wanted.held.saturating_sub(self.held.len() + self.early.len());
        let mut pull = match self.pull.take() {
            Some(pull) => pull,
            None if room == 0 => return Ok(()),
            None => {
                let request = self.consumer.batch().max_messages(room).expires(EXPIRES).messages();
                timeout(self.line.answer_within(), request)
                    .await
                    .map_err(|_| NatsError::Deadline)?
                    .map_err(NatsError::failed)?
            }
        };
        let wait = match (wait, self.shared.is_awaited() || self.missing_since.is_some()) {
            (false, _) => Duration::ZERO,
            (true, true) => LOOK_SOON,
            (true, false) => LOOK_AGAIN,
        };
        let first = {
            let called = std::pin::pin!(self.shared.called());
            let lost = std::pin::pin!(self.line.lost(self.connection));
            match timeout(wait, select(pull.next(), select(called, lost))).await {
                Ok(Either::Left((first, _))) => first,
                Ok(Either::Right(_)) | Err(_) => {
                    self.pull = Some(pull);
                    return Ok(());
                }
            }
        };
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Some(Ok(message)) => self.take(message).await?,
                // The request has come to its end.
                None => return Ok(()),
                Some(Err(error)) => return Err(failed(error)),
            }
            next = pull.next().now_or_never();
        }
        self.pull = Some(pull);
        Ok(())
    }

    async fn take(&mut self, message: Message) -> Result<(), NatsError> {
        let info = message.info().map_err(failed)?;
        let (place, delivery) = (info.stream_sequence, info.consumer_sequence);
        if delivery != self.last_delivery + 1 && self.missing_since.is_none() {
            self.missing_since = Some(Instant::now());
            self.looked_at = None;
        }
        self.last_delivery = delivery;
        let is_done = self.done.contains(&place);
        self.forget();
        if is_done {
            // The acknowledgement was lost.
            self.shared.repeated();
            return message.ack().await.map_err(failed);
        }
        if self.held.contains(&place) {
            self.shared.repeated();
        } else {
            self.early.insert(place, message);
        }
        Ok(())
    }

    async fn look_if_due(&mut self) -> Result<(), NatsError> {
        let every = if self.shared.is_awaited() || self.missing_since.is_some() { LOOK_SOON } else { LOOK_AGAIN };
        if self.looked_at.is_none_or(|looked_at| looked_at.elapsed() >= every) { self.look().await } else { Ok(()) }
    }
}

/// The place of a message in its stream.
pub(super) fn place(message: &Message) -> Result<u64, NatsError> {
    Ok(message.info().map_err(failed)?.stream_sequence)
}

fn failed(error: async_nats::Error) -> NatsError {
    NatsError::Failed(Arc::from(error))
}
