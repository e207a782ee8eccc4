//! Going through all records of a query, however many, in bounded memory.

use audited::{Cursor, MAX_PAGE_RECORDS, Query, Reader, Since, StoreError, StoredRecord};

use crate::failure::Failure;
use crate::location::Location;
use crate::open::Source;
use crate::reading::{Session, refused};

/// Goes through all records of a query, in one reading.
///
/// Those of a store come in the order in which they happened. A journal has no index of that: its records come in its own
/// order, and behind them the intents of calls that have no end.
pub(crate) struct Walk<'a> {
    location: &'a Location,
    reader: Reader,
    query: Query,
    next: Next,
}

enum Next {
    Page(Option<Cursor>),
    Lines(Option<Cursor>),
    Done,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(source: &'a Source, session: &Session, query: Query) -> Self {
        let query = query.limit(MAX_PAGE_RECORDS);
        let next = match source.location {
            Location::Journal(_) => Next::Lines(None),
            _ => Next::Page(None),
        };
        Self { location: &source.location, reader: session.reader.clone(), query, next }
    }

    /// The next of them; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<StoredRecord>>, Failure> {
        let next = std::mem::replace(&mut self.next, Next::Done);
        // Files are read without waiting for anything: what else there is to do has its turn here.
        tokio::task::yield_now().await;
        self.go_on(next).await.map_err(|error| refused(self.location, &error))
    }

    async fn go_on(&mut self, next: Next) -> Result<Option<Vec<StoredRecord>>, StoreError> {
        match next {
            Next::Page(cursor) => {
                let mut query = self.query.clone().oldest_first();
                if let Some(cursor) = cursor {
                    query = query.after(cursor);
                }
                let page = self.reader.page(&query).await?;
                self.next = page.next.map_or(Next::Done, |cursor| Next::Page(Some(cursor)));
                Ok(Some(page.records))
            }
            Next::Lines(cursor) => {
                let arrivals = self.reader.since(&self.query, cursor.map_or(Since::Beginning, Since::Cursor)).await?;
                if arrivals.more {
                    self.next = Next::Lines(Some(arrivals.next));
                } else {
                    // They are part of the reading that was recorded.
                    self.reader = self.reader.clone().unrecorded();
                    self.query = self.query.clone().orphans();
                    self.next = Next::Page(None);
                }
                Ok(Some(arrivals.records))
            }
            Next::Done => Ok(None),
        }
    }
}
