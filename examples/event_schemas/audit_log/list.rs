//! Finding events again: lists, and a stream of what arrives.

use audited::{Cursor, Ending, Follow, Kind, Query, Reader, Since, StoreError, StoredRecord};
use serde::Deserialize;
use uuid::Uuid;

use super::json::Outcome;

/// How many events a list has unless it is asked for more.
pub(crate) const DEFAULT_LIMIT: usize = 50;

/// Which events; nothing asks for all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Filter {
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    pub(crate) event_type: Option<String>,
    pub(crate) event_type_in: Option<Vec<String>>,
    /// Whose: what the account did, and what was done to it.
    pub(crate) account_id: Option<Uuid>,
    pub(crate) outcome: Option<Outcome>,
    /// Behind what a stream has given: only what has arrived since, the oldest first.
    pub(crate) since_seq: Option<String>,
}

/// Some events, and where the next list goes on with what arrives.
pub(crate) struct List {
    pub(crate) events: Vec<StoredRecord>,
    pub(crate) next: Option<Cursor>,
}

/// What arrives. Each event comes with the place behind it, which is the `since_seq` of a client that comes back.
pub(crate) struct Live(Follow);

impl Filter {
    fn query(&self) -> Query {
        let mut query = Query::new().kind(Kind::Event);
        let types = self.event_type_in.clone().unwrap_or_default();
        match (&self.event_type, &self.event_type_in) {
            (Some(one), Some(_)) => query = query.actions(types.into_iter().filter(|name| name == one)),
            (Some(one), None) => query = query.action(one),
            (None, Some(_)) => query = query.actions(types),
            (None, None) => {}
        }
        if let Some(account) = self.account_id {
            query = query.user(account.to_string());
        }
        match self.outcome {
            Some(Outcome::Success) => query.outcome(Ending::Success),
            Some(Outcome::Failure) => query.outcome(Ending::Failure),
            None => query,
        }
    }
}

/// The newest events first; behind a `since_seq` those that were missed, the oldest first.
pub(crate) async fn list(reader: &Reader, filter: &Filter) -> Result<List, StoreError> {
    let query = filter.query().limit(filter.limit.unwrap_or(DEFAULT_LIMIT));
    let Some(since) = &filter.since_seq else {
        let page = reader.page(&query.offset(filter.offset)).await?;
        return Ok(List { events: page.records, next: None });
    };
    let missed = reader.since(&query, Since::Cursor(since.parse()?)).await?;
    Ok(List { events: missed.records, next: Some(missed.next) })
}

/// Follows what arrives, from now on or behind a `since_seq`.
pub(crate) async fn live(reader: &Reader, filter: &Filter) -> Result<Live, StoreError> {
    let since = match &filter.since_seq {
        Some(since) => Since::Cursor(since.parse()?),
        None => Since::Now,
    };
    reader.follow(&filter.query(), since).await.map(Live)
}

impl Live {
    pub(crate) async fn next(&mut self) -> Result<(StoredRecord, String), StoreError> {
        let event = self.0.next().await?;
        Ok((event, self.0.cursor().to_string()))
    }
}
