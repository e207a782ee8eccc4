//! Where records are found again.

mod cursor;
mod error;
mod follow;
mod glance;
mod position;
mod reader;
mod reading;
mod scope;
mod selection;
mod sieve;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::cursor::{Cursor, CursorKey, InvalidCursor};
pub use self::error::StoreError;
pub use self::follow::Follow;
pub use self::glance::{head_id, head_moment, sort_text};
pub use self::position::{Arrived, Position};
pub use self::reader::{Arrivals, Page, Reader, Since};
use self::scope::Scope;
pub use self::selection::Selection;
pub use self::sieve::Sieve;
use crate::decision::Code;
use crate::record::StoredRecord;
use crate::sensitive::KeyRing;
use crate::sink::AuditSink;

/// A sink whose records can be found again.
///
/// Nothing here changes or removes a record. Applications read through a [`Reader`], which a store gives for one tenant
/// or, by name, for all of them:
///
/// ```
/// # use audit_core as audited;
/// use audited::{AuditStore, Query, StoreError};
///
/// async fn denials(store: &(impl AuditStore + Clone)) -> Result<usize, StoreError> {
///     let page = store.tenant("acme").page(&Query::new().denied().limit(20)).await?;
///     Ok(page.records.len())
/// }
/// ```
///
/// The required methods are for those who write a store. A store has a record once: it knows records by
/// [`id`](crate::Row::id) and, where they have one, by [`position`](crate::Row::position). One that it has already, with the
/// same [`digest`](crate::Row::digest), is `Ok`; another one in its place is [`SinkError::Conflict`],
/// and so is the same one in another place: one of the two streams is not what it was. Without a place it is the same in
/// any. A batch is written whole or not at all.
///
/// [`SinkError::Conflict`]: crate::SinkError::Conflict
#[async_trait]
pub trait AuditStore: AuditSink {
    /// Finds the records of a selection, in its [`order`](Selection::order), those [`after`](Selection::after) a place
    /// alone, without the first [`offset`](Selection::offset), [`limit`](Selection::limit) of them at most.
    ///
    /// # Errors
    ///
    /// When the store cannot answer. Hostile texts are no reason: they are found nowhere.
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError>;

    /// Counts the records of a selection. Order, place, offset and limit are no matter.
    ///
    /// # Errors
    ///
    /// As [`select`](Self::select).
    async fn count(&self, selection: &Selection) -> Result<u64, StoreError>;

    /// Finds what has arrived after a position, of a selection: in an order of the store's own, in which nothing is
    /// given twice and nothing is passed over, also where what was written first is committed last.
    ///
    /// It gives [`limit`](Selection::limit) records at most, and may give fewer and say that there are
    /// [`more`](Arrived::more).
    ///
    /// # Errors
    ///
    /// As [`select`](Self::select), and [`StoreError::InvalidCursor`] for a position that is none of this store.
    async fn arrived(&self, selection: &Selection, after: &Position) -> Result<Arrived, StoreError>;

    /// The position behind all that has arrived.
    ///
    /// # Errors
    ///
    /// As [`select`](Self::select).
    async fn position(&self) -> Result<Position, StoreError>;

    /// Waits until something may have arrived after a position. It may be wrong; it must not wait for ever where
    /// something has.
    ///
    /// # Errors
    ///
    /// As [`arrived`](Self::arrived).
    async fn grown(&self, after: &Position) -> Result<(), StoreError>;

    /// The key that cursors are sealed with: kept with the records, so that cursors outlive the process.
    ///
    /// # Errors
    ///
    /// As [`select`](Self::select).
    async fn cursor_key(&self) -> Result<CursorKey, StoreError>;

    /// A reader that sees the records of one tenant, and no others.
    ///
    /// The tenant comes from authentication. A text that records show in place of a tenant, such as a hash, is
    /// refused when something is read; tenants that are kept as a hash are read by [`tenant_hashed`](Self::tenant_hashed).
    fn tenant(&self, tenant: impl Into<String>) -> Reader
    where
        Self: Sized + Clone,
    {
        Reader::new(Arc::new(self.clone()), Scope::plain(tenant.into()))
    }

    /// A reader that sees the records of one tenant, which they keep as a keyed hash.
    fn tenant_hashed(&self, keys: &KeyRing, tenant: &str) -> Reader
    where
        Self: Sized + Clone,
    {
        Reader::new(Arc::new(self.clone()), Scope::hashed(keys, tenant))
    }

    /// A reader that sees all records, those of every tenant and those of none. The reason stands in the record of each
    /// reading.
    fn global(&self, reason: impl Into<Code>) -> Reader
    where
        Self: Sized + Clone,
    {
        Reader::new(Arc::new(self.clone()), Scope::Global { reason: reason.into() })
    }
}

#[async_trait]
impl<S: AuditStore + ?Sized> AuditStore for Arc<S> {
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        (**self).select(selection).await
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        (**self).count(selection).await
    }

    async fn arrived(&self, selection: &Selection, after: &Position) -> Result<Arrived, StoreError> {
        (**self).arrived(selection, after).await
    }

    async fn position(&self) -> Result<Position, StoreError> {
        (**self).position().await
    }

    async fn grown(&self, after: &Position) -> Result<(), StoreError> {
        (**self).grown(after).await
    }

    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        (**self).cursor_key().await
    }
}
