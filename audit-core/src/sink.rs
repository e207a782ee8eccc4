//! Where records go.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;

use crate::__private::Inline;
use crate::__private::debug_as_display;
use crate::record::Record;

/// What a sink's `Ok` promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: nobody may be listening.
    None,
    /// It is in the memory of this process.
    Memory,
    /// The operating system has it: it survives the process, not the machine.
    OsBuffer,
    /// It is synced to a disk.
    Disk,
    /// It is synced to the disks of more than one machine.
    Replicated,
}

impl Durability {
    /// What that means for a record that is acknowledged, in words.
    pub const fn guarantee(self) -> &'static str {
        match self {
            Self::None => "an acknowledged record may be nowhere: nobody may have listened",
            Self::Memory => "an acknowledged record is in memory, and lost with the process",
            Self::OsBuffer => "an acknowledged record outlives the process, and may be lost when the machine fails",
            Self::Disk => "an acknowledged record is synced to a disk",
            Self::Replicated => "an acknowledged record is synced to the disks of more than one machine",
        }
    }

    /// The name in records and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Memory => "memory",
            Self::OsBuffer => "os_buffer",
            Self::Disk => "disk",
            Self::Replicated => "replicated",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Writes records somewhere.
///
/// The recorder polls a sink on a thread of its own, one batch at a time, inside a panic guard and with a deadline:
/// a sink that hangs, fails or panics costs records (each of them counted), never the service. There is no async
/// runtime on that thread; a client that needs one brings it along.
///
/// ```
/// # use audit_core as audited;
/// use async_trait::async_trait;
/// use audited::{AuditSink, Durability, Record, SinkError};
///
/// struct Stdout;
///
/// #[async_trait]
/// impl AuditSink for Stdout {
///     async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
///         for record in batch {
///             println!("{}", record.json());
///         }
///         Ok(())
///     }
///
///     fn durability(&self) -> Durability {
///         Durability::None
///     }
///
///     fn describe(&self) -> String {
///         "stdout".into()
///     }
/// }
/// ```
#[async_trait]
pub trait AuditSink: Send + Sync + 'static {
    /// Writes a batch in its order. `Ok` promises for the whole batch what [`AuditSink::durability`] says.
    ///
    /// The future can be dropped at any await point, when its deadline has passed.
    ///
    /// # Errors
    ///
    /// When any record of the batch does not have that promise. Some may have been written nevertheless; whoever
    /// writes again writes the same ids.
    ///
    /// A store tells records apart by [`stream`](crate::Fields::stream) and [`seq`](crate::Fields::seq) where they have
    /// them: the same record again is `Ok`, another one in its place is [`SinkError::Conflict`]. Only a record that will
    /// never be taken is [`SinkError::Rejected`]. Whatever else is said, the whole batch comes again.
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError>;

    /// Waits until everything written before has the sink's durability.
    ///
    /// # Errors
    ///
    /// When something has not.
    async fn flush(&self) -> Result<(), SinkError> {
        Ok(())
    }

    /// What `Ok` promises.
    fn durability(&self) -> Durability;

    /// What this sink is, for logs and the start record: `journal(./audit.jsonl)`. No secrets.
    fn describe(&self) -> String;

    /// The way by which the framework's own sinks take records without a thread between.
    #[doc(hidden)]
    fn inline(&self) -> Option<&dyn Inline> {
        None
    }
}

#[async_trait]
impl<S: AuditSink + ?Sized> AuditSink for Arc<S> {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        (**self).write(batch).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        (**self).flush().await
    }

    fn durability(&self) -> Durability {
        (**self).durability()
    }

    fn describe(&self) -> String {
        (**self).describe()
    }

    fn inline(&self) -> Option<&dyn Inline> {
        (**self).inline()
    }
}

/// Why a sink did not take records.
///
/// Neither `Display` nor `Debug` shows the text of a foreign error, which may hold anything;
/// [`source`](StdError::source) has it.
#[derive(Clone, Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The operating system refused.
    #[error("the sink's I/O failed: {}", .0.kind())]
    Io(#[source] Arc<io::Error>),
    /// The sink failed in a way of its own.
    #[error("the sink failed")]
    Failed(#[source] Arc<dyn StdError + Send + Sync>),
    /// It holds as much as it may.
    #[error("the sink is full")]
    Full,
    /// It did not answer in time.
    #[error("the sink did not answer in time")]
    Deadline,
    /// It panicked.
    #[error("the sink panicked")]
    Panicked,
    /// A sync failed earlier: what was written since cannot be trusted, and nothing more is acknowledged.
    #[error("a sync failed earlier, so that the sink is poisoned")]
    Poisoned,
    /// It was closed, or dropped the records without an answer.
    #[error("the sink is closed")]
    Closed,
    /// The batch holds a record that it will never take, however often it is asked. Whatever may pass by itself is
    /// another error: on this one a record is taken out of the stream.
    #[error("the sink will never take a record of the batch")]
    Rejected(#[source] Arc<dyn StdError + Send + Sync>),
    /// It has a record of the same stream and seq already, with another content. The same content again is no error.
    #[error("the sink has another record in the place of one of the batch")]
    Conflict(#[source] Arc<dyn StdError + Send + Sync>),
}

impl SinkError {
    /// Wraps an error of the sink's own.
    pub fn failed(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Failed(Arc::new(source))
    }

    /// Says that a record of the batch will never be taken, and why.
    pub fn rejected(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Rejected(Arc::new(source))
    }

    /// Says that another record has the place of one of the batch.
    pub fn conflict(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Conflict(Arc::new(source))
    }

    /// What the operating system said, where it refused: of `StorageFull` that is `no storage space`.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// All that [`Self::reason`] gives.
    #[cfg_attr(not(feature = "metrics"), allow(dead_code))]
    pub(crate) const REASONS: [&'static str; 9] =
        ["io", "failed", "full", "deadline", "panicked", "poisoned", "closed", "rejected", "conflict"];

    /// The name in counters, logs and gap records.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::Failed(_) => "failed",
            Self::Full => "full",
            Self::Deadline => "deadline",
            Self::Panicked => "panicked",
            Self::Poisoned => "poisoned",
            Self::Closed => "closed",
            Self::Rejected(_) => "rejected",
            Self::Conflict(_) => "conflict",
        }
    }
}

impl From<io::Error> for SinkError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

debug_as_display!(SinkError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_listed() {
        let other = || io::Error::other("x");
        let all = [
            SinkError::from(other()),
            SinkError::failed(other()),
            SinkError::Full,
            SinkError::Deadline,
            SinkError::Panicked,
            SinkError::Poisoned,
            SinkError::Closed,
            SinkError::rejected(other()),
            SinkError::conflict(other()),
        ];
        assert_eq!(all.map(|error| error.reason()), SinkError::REASONS);
    }
}
