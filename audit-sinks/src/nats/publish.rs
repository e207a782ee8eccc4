//! From records to messages, in the order in which they came, and from acknowledgements to answers.

use std::error::Error as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, RawMessageError};
use async_nats::jetstream::{Context, Error as ServerError, ErrorCode};
use audit_core::Record;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::iter;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout_at;

use super::error::NatsError;
use super::link::Line;
use super::stream::refused;
use super::subject::{hex, subject, token};
use crate::moment::after;

/// How many acknowledgements are looked at together; a repeat is a question to the server.
const AT_ONCE: usize = 64;

/// Records that have room in the window.
pub(super) struct Job {
    pub(super) records: Vec<Record>,
    /// Given back when all of them are answered for.
    pub(super) room: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    pub(super) reply: oneshot::Sender<Result<(), NatsError>>,
}

/// Sends what comes, and leaves the waiting to others.
pub(super) async fn publish(line: Arc<Line>, mut jobs: UnboundedReceiver<Job>) {
    while let Some(job) = jobs.recv().await {
        // Nobody waits for it any more, and nothing of it is on its way.
        if job.reply.is_closed() {
            continue;
        }
        let sent = send(&line, &job.records).await;
        if let Err(error) = &sent {
            // Those behind it would each wait as long for the same.
            while let Ok(behind) = jobs.try_recv() {
                let _ = behind.reply.send(Err(error.clone()));
            }
        }
        let line = line.clone();
        drop(tokio::spawn(async move {
            let Job { records, room, reply } = job;
            let result = match sent {
                Ok(sent) => settle(&line, records, sent).await,
                Err(error) => Err(error),
            };
            // Whoever waits for room may go on before the answer is heard.
            drop(room);
            let _ = reply.send(result);
        }));
    }
}

/// Messages on their way over a connection.
struct Sent {
    connection: u64,
    acks: Vec<PublishAckFuture>,
    failed: Option<NatsError>,
}

async fn send(line: &Line, records: &[Record]) -> Result<Sent, NatsError> {
    let connection = line.check().await?;
    let (context, wanted) = (line.context()?, line.wanted());
    let mut sent = Sent { connection, acks: Vec::with_capacity(records.len()), failed: None };
    for record in records {
        let subject = subject(&wanted.prefix, record.tenant().as_deref(), &record.action());
        let message = PublishMessage::build()
            .message_id(identity(record))
            .expected_stream(&wanted.stream)
            .payload(record.json().as_bytes().to_vec().into());
        match context.send_publish(subject, message).await {
            Ok(ack) => sent.acks.push(ack),
            Err(error) => {
                // What follows would overtake it.
                sent.failed = Some(not_published(error, record));
                break;
            }
        }
    }
    Ok(sent)
}

/// Waits for the acknowledgements, all of them, and believes none from a stream that is not fit.
async fn settle(line: &Line, records: Vec<Record>, sent: Sent) -> Result<(), NatsError> {
    let Sent { connection, acks, failed } = sent;
    let until = after(Instant::now(), line.answer_within()).into();
    let mut result = failed.map_or(Ok(()), Err);
    let answers = acks.into_iter().zip(records).map(|(ack, record)| async move {
        let acknowledged = async { ack.await.map_err(|error| not_published(error, &record)) };
        let lost = pin!(line.lost(connection));
        let ack = match timeout_at(until, select(pin!(acknowledged), lost)).await {
            Ok(Either::Left((ack, _))) => ack?,
            Ok(Either::Right(_)) => return Err(NatsError::Disconnected),
            Err(_) => return Err(NatsError::Deadline),
        };
        check(line, &ack, &record).await
    });
    let mut answers = iter(answers).buffered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        // What is said of a record goes before what may pass by itself.
        result = match (result, answer) {
            (Err(first), Err(error)) if first.may_pass() && !error.may_pass() => Err(error),
            (Ok(()), answer) => answer,
            (result, _) => result,
        };
    }
    result?;
    line.check().await.map(|_| ())
}

/// Believes an acknowledgement when it is of our stream, and a repeat when the stream has the same.
async fn check(line: &Line, ack: &PublishAck, record: &Record) -> Result<(), NatsError> {
    if ack.stream != line.wanted().stream {
        return Err(NatsError::OtherStream);
    }
    if !ack.duplicate {
        return Ok(());
    }
    // A cluster may know the identity of a message that it has not stored yet, and may never store.
    if ack.sequence == 0 {
        return Err(NatsError::Gone);
    }
    let payload = stored(line.context()?, &ack.stream, ack.sequence).await?;
    if payload == *record.json().as_bytes() { Ok(()) } else { Err(NatsError::Conflict { sequence: ack.sequence }) }
}

/// What the stream has at a place.
async fn stored(
    context: &Context,
    stream: &str,
    sequence: u64,
) -> Result<impl AsRef<[u8]> + PartialEq<[u8]>, NatsError> {
    let stream = context.get_stream_no_info(stream).await.map_err(NatsError::failed)?;
    match stream.get_raw_message(sequence).await {
        Ok(message) => Ok(message.payload),
        Err(error) => Err(not_read(error)),
    }
}

fn not_read(error: RawMessageError) -> NatsError {
    match error.kind() {
        LastRawMessageErrorKind::NoMessageFound => NatsError::Gone,
        LastRawMessageErrorKind::JetStream(said) => refused(said),
        _ => NatsError::failed(error),
    }
}

fn not_published(error: PublishError, record: &Record) -> NatsError {
    let said = error.source().and_then(|source| source.downcast_ref::<ServerError>());
    match (error.kind(), said) {
        (PublishErrorKind::MaxPayloadExceeded, _) => NatsError::TooLarge { bytes: record.json().len() },
        (_, Some(said)) if said.error_code() == ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM => {
            NatsError::TooLarge { bytes: record.json().len() }
        }
        (_, Some(said)) => refused(said.clone()),
        (PublishErrorKind::TimedOut, _) => NatsError::Deadline,
        (PublishErrorKind::StreamNotFound, _) => NatsError::NoJetStream,
        _ => NatsError::failed(error),
    }
}

/// By which the stream knows a record: its place in its journal, its own id, or, without either, its content.
pub(super) fn identity(record: &Record) -> String {
    match (record.stream(), record.seq(), record.id()) {
        (Some(stream), Some(seq), _) => format!("{}.{seq}", token(&stream)),
        (_, _, Some(id)) => id.to_string(),
        _ => format!("sha256-{}", hex(&Sha256::digest(record.json()))),
    }
}
