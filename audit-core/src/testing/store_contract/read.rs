//! Reading all that there is.

use super::MANY;
use super::block_on;
use crate::{Cursor, Query, Reader, Since, StoredRecord};

/// All that a reader finds, page by page.
pub(super) fn found(reader: &Reader, query: &Query) -> Vec<StoredRecord> {
    let mut page = block_on(reader.page(query)).unwrap();
    let mut records = page.records;
    while let Some(next) = page.next {
        page = block_on(reader.page(&query.clone().after(next))).unwrap();
        assert!(!page.records.is_empty(), "a page after which there is another has something behind it");
        records.extend(page.records);
        assert!(records.len() <= MANY, "the pages do not end");
    }
    records
}

/// All that has arrived, in its order.
pub(super) fn arrived(reader: &Reader, query: &Query) -> Vec<StoredRecord> {
    arrived_since(reader, query, Since::Beginning).0
}

/// All that has arrived since, and where it goes on.
pub(super) fn arrived_since(reader: &Reader, query: &Query, mut since: Since) -> (Vec<StoredRecord>, Cursor) {
    let mut records = Vec::new();
    loop {
        let arrivals = block_on(reader.since(query, since)).unwrap();
        records.extend(arrivals.records);
        assert!(records.len() <= MANY, "what arrives does not end");
        if !arrivals.more {
            return (records, arrivals.next);
        }
        since = Since::Cursor(arrivals.next);
    }
}
