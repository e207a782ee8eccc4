//! What can be wrong with a feed.

use thiserror::Error;

use crate::forward::ForwarderError;
use crate::nats::NatsError;
use audit_core::__private::debug_as_display;

/// A feed cannot be started, or its dead letters cannot be read.
#[derive(Error)]
#[non_exhaustive]
pub enum NatsFeedError {
    /// There is no connection, no stream, or no consumer that will do.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The dead letters could not be read.
    #[error("the dead letters could not be read")]
    DeadLetters(#[from] ForwarderError),
}

debug_as_display!(NatsFeedError => ForwarderError);
