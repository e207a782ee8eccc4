//! What arrives, as a stream.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::reader::Stream;
use super::{Arrived, Cursor, Position, StoreError};
use crate::record::StoredRecord;

/// What arrives, as [`Reader::follow`](crate::Reader::follow) gives it: a stream that does not end.
///
/// An error is given once, and the next record is asked for from the same place: whoever goes on misses nothing.
#[must_use = "a stream gives nothing until it is polled"]
pub struct Follow {
    stream: Arc<Stream>,
    found: VecDeque<(StoredRecord, Position)>,
    /// Behind the last record that was given.
    at: Position,
    /// Behind what was looked at.
    looked: Position,
    looking: Option<Looking>,
}

type Looking = Pin<Box<dyn Future<Output = Result<Arrived, StoreError>> + Send>>;

impl Follow {
    pub(super) fn new(stream: Stream) -> Self {
        let at = stream.at.clone();
        Self { stream: Arc::new(stream), found: VecDeque::new(), looked: at.clone(), at, looking: None }
    }

    /// Waits for the next record. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot answer; asking again tries again.
    pub async fn next(&mut self) -> Result<StoredRecord, StoreError> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Behind the last record that was given: a [`Since::Cursor`](crate::Since::Cursor) goes on from there.
    pub fn cursor(&self) -> Cursor {
        self.stream.cursor(&self.at)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<StoredRecord, StoreError>> {
        loop {
            if let Some((record, behind)) = self.found.pop_front() {
                self.at = behind;
                return Poll::Ready(Ok(record));
            }
            self.at = self.looked.clone();
            let looking = self.looking.get_or_insert_with(|| Box::pin(look(self.stream.clone(), self.looked.clone())));
            let arrived = ready!(looking.as_mut().poll(cx));
            self.looking = None;
            let arrived = arrived?;
            self.found = arrived.records.into();
            self.looked = arrived.next;
            if self.found.is_empty() && arrived.more {
                // There may be a lot of what was not asked for: others have their turn between.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

/// Waits until there is something to look at, and looks.
async fn look(stream: Arc<Stream>, after: Position) -> Result<Arrived, StoreError> {
    let arrived = stream.arrived(&after).await?;
    if arrived.records.is_empty() && !arrived.more {
        stream.store.grown(&arrived.next).await?;
    }
    Ok(arrived)
}

impl futures_core::Stream for Follow {
    type Item = Result<StoredRecord, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(cx).map(Some)
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follow")
    }
}
