//! What can be wrong between here and a stream.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use audit_core::__private::debug_as_display;
use audit_core::{Durability, SinkError};
use thiserror::Error;

use crate::shown::Said;

type Source = Arc<dyn StdError + Send + Sync>;

/// NATS did not take records, or will not.
///
/// Neither `Display` nor `Debug` shows the text of a foreign error, an address or a credential;
/// [`source`](StdError::source) has the error.
#[derive(Clone, Error)]
#[non_exhaustive]
pub enum NatsError {
    /// An address is none.
    #[error("the address of a server is no URL that begins with nats:// or tls://")]
    Server(#[source] Source),
    /// An address holds a user or a password, and would show them wherever it is shown.
    #[error(
        "the address of a server holds a user or a password: give them by `NatsOptions::user_and_password` or `token`"
    )]
    SecretInAddress,
    /// The name of a stream or of a consumer has other characters than letters, digits, `-` and `_`.
    #[error("the name of a stream or a consumer has letters, digits, `-` and `_` only")]
    Name,
    /// The prefix has other characters than letters, digits, `-` and `_`, with dots between.
    #[error("the prefix of the subjects has letters, digits, `-` and `_` only, with dots between")]
    Prefix,
    /// The credentials could not be read.
    #[error("the credentials could not be read")]
    Credentials(#[source] Arc<io::Error>),
    /// A certificate or its key could not be read.
    #[error("a certificate or its key could not be read: {}", Said(.0))]
    Tls(#[source] Arc<io::Error>),
    /// The thread could not be started.
    #[error("the thread of the connection could not be started: {}", Said(.0))]
    Thread(#[source] Arc<io::Error>),
    /// No server could be reached, or none let us in.
    #[error("there is no connection: {kind}")]
    Connect {
        /// What kind of failure it was, in the client's words, without anything of ours.
        kind: String,
        /// What the client said.
        source: Source,
    },
    /// The connection is lost, and not back yet.
    #[error("the connection is lost")]
    Disconnected,
    /// The server did not answer in time.
    #[error("the server did not answer in time")]
    Deadline,
    /// The account has no `JetStream`, or nobody who answers for it now.
    #[error("nobody answers for JetStream: is it enabled, for this account, and has the stream a leader?")]
    NoJetStream,
    /// There is no such stream.
    #[error("there is no stream {stream}: create it, or let the sink do so (`NatsOptions::create_stream`)")]
    NoStream {
        /// Its name.
        stream: String,
    },
    /// The stream would lose records, or not take them.
    #[error("stream {stream} is not fit for audit records: {}", Listed(faults))]
    Unfit {
        /// Its name.
        stream: String,
        /// Everything that is wrong with it.
        faults: Vec<NatsStreamFault>,
    },
    /// A consumer of that name is there, and would not deliver everything.
    #[error("consumer {consumer} is not the feed's: {what}. Give the feed another name, or delete it")]
    OtherConsumer {
        /// Its name.
        consumer: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The stream promises less than it did when the sink was connected.
    #[error("stream {stream} promised {stated}, and promises {found} now: connect anew to go on with that")]
    Weaker {
        /// Its name.
        stream: String,
        /// What the sink has promised to its caller.
        stated: Durability,
        /// What it could promise now.
        found: Durability,
    },
    /// The server refused.
    #[error("the server refused: JetStream error {code}")]
    Refused {
        /// The number of the error, as NATS documents them.
        code: u64,
        /// What the server said.
        source: Source,
    },
    /// The stream or the account has as much as its limits allow.
    #[error("the stream or the account is full")]
    Full(#[source] Source),
    /// The client or the server failed otherwise.
    #[error("the request failed")]
    Failed(#[source] Source),
    /// Another stream has taken the record.
    #[error("another stream acknowledged the record: two streams take its subject")]
    OtherStream,
    /// The server says that it has the record already, and does not show it.
    #[error("the server has dropped a record as a repeat of one that is not in the stream (any more)")]
    Gone,
    /// The stream has another record with the identity of one of ours.
    #[error("message {sequence} of the stream has the same identity and another content")]
    Conflict {
        /// Its place in the stream.
        sequence: u64,
    },
    /// A record is larger than the server or the stream takes.
    #[error(
        "a record of {bytes} bytes is larger than a message may be (max_payload of the server, max_msg_size of the stream)"
    )]
    TooLarge {
        /// Its size, without the headers.
        bytes: usize,
    },
}

impl NatsError {
    pub(super) fn failed(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Failed(Arc::new(source))
    }

    /// Whether the same may work in a moment.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Disconnected
                | Self::Deadline
                | Self::NoJetStream
                | Self::Failed(_)
                | Self::Refused { .. }
                | Self::Full(_)
        )
    }
}

debug_as_display!(NatsError);

impl From<NatsError> for SinkError {
    fn from(error: NatsError) -> Self {
        match error {
            NatsError::Deadline => Self::Deadline,
            NatsError::Conflict { .. } => Self::conflict(error),
            NatsError::TooLarge { .. } => Self::rejected(error),
            NatsError::Full(_) => Self::Full,
            error => Self::failed(error),
        }
    }
}

/// Why a stream is not fit for audit records.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NatsStreamFault {
    /// It removes what consumers have seen.
    #[error("its retention is `{retention}`, so that what is consumed is gone; it must be `limits`")]
    Retention {
        /// As the server calls it.
        retention: &'static str,
    },
    /// It removes old messages to make room.
    #[error(
        "`{limit}` with `discard: old` removes the oldest records; take the limit away, or set `discard: new`, or allow \
         it (`NatsOptions::allow_forgetting`)"
    )]
    DiscardsOld {
        /// Which limit.
        limit: &'static str,
    },
    /// It removes messages by their age.
    #[error(
        "`max_age` removes records after {} s; take it away, or allow it (`NatsOptions::allow_forgetting`)",
        age.as_secs()
    )]
    MaxAge {
        /// After which time.
        age: Duration,
    },
    /// A publisher may purge it with a header.
    #[error("`allow_rollup_hdrs` lets whoever may publish remove records; take it away")]
    Rollup,
    /// It keeps messages in memory.
    #[error(
        "it is in memory, and lost with the server; take `storage: file`, or allow it (`NatsOptions::allow_memory`)"
    )]
    Memory,
    /// It acknowledges before it writes.
    #[error(
        "`persist_mode: async` acknowledges before anything is written; take it away, or allow it \
         (`NatsOptions::allow_memory`)"
    )]
    Async,
    /// It acknowledges nothing.
    #[error("`no_ack` is set: nobody learns whether a record is stored")]
    NoAck,
    /// It takes nothing any more.
    #[error("it is sealed")]
    Sealed,
    /// It is the copy of another stream.
    #[error("it is a mirror, which takes no records itself")]
    Mirror,
    /// It stores messages under other subjects.
    #[error("`subject_transform` stores records under other subjects than those that they have")]
    Transform,
    /// It does not take all that the sink writes.
    #[error("its subjects do not cover `{wanted}`")]
    Subjects {
        /// The subjects of the sink.
        wanted: String,
    },
    /// It forgets too soon which messages it has.
    #[error(
        "its duplicate window of {} s is shorter than {} s: a record that is sent again would be there twice",
        found.as_secs(),
        wanted.as_secs()
    )]
    DuplicateWindow {
        /// What it has.
        found: Duration,
        /// What the options ask for.
        wanted: Duration,
    },
    /// It has fewer copies than asked for.
    #[error("it has {found} replicas, and {wanted} are asked for")]
    Replicas {
        /// What it has.
        found: usize,
        /// What the options ask for.
        wanted: usize,
    },
    /// The server is too old for what the operator says of it.
    #[error(
        "the server is older than 2.10 and knows no `sync_interval`, so that it does not sync what it acknowledges"
    )]
    CannotSync,
}

debug_as_display!(NatsStreamFault);

struct Listed<'a>(&'a [NatsStreamFault]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}
