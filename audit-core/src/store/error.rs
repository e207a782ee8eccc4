//! Why a store did not answer.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::InvalidCursor;
use crate::__private::debug_as_display;
use crate::query::InvalidQuery;
use crate::recorder::Unacknowledged;

/// Why a store did not answer.
///
/// Neither `Display` nor `Debug` shows the text of a foreign error, which may hold anything;
/// [`source`](StdError::source) has it.
#[derive(Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The tenant is a text that records show in place of one, or none at all.
    #[error("not a tenant: nothing, or what redaction leaves of one")]
    InvalidTenant,
    /// The query goes beyond its bounds.
    #[error(transparent)]
    InvalidQuery(#[from] InvalidQuery),
    /// The cursor was not given by this reader, for this query.
    #[error(transparent)]
    InvalidCursor(#[from] InvalidCursor),
    /// That something is read was not recorded, so nothing is.
    #[error("the reading was not recorded, so that nothing was read")]
    Unrecorded(#[source] Unacknowledged),
    /// The query was read for longer than the store lets one be.
    #[error(
        "the query took longer than {limit:?}, the limit of the store, and was ended: narrow it, by an id, an action or \
         a time, or raise the limit"
    )]
    TooLong {
        /// The limit.
        limit: Duration,
    },
    /// The operating system refused.
    #[error("the store's I/O failed: {}", .0.kind())]
    Io(#[from] io::Error),
    /// The store failed in a way of its own.
    #[error("the store failed")]
    Failed(#[source] Arc<dyn StdError + Send + Sync>),
    /// It is closed.
    #[error("the store is closed")]
    Closed,
    /// It gave a record that was not asked for, or what is none. Nothing is shown of it.
    #[error("the store gave what was not asked for")]
    Foreign,
}

impl StoreError {
    /// Wraps an error of the store's own.
    pub fn failed(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Failed(Arc::new(source))
    }
}

debug_as_display!(StoreError);
