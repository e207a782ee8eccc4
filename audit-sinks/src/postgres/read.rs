//! Finding and counting, each in one snapshot.

use audit_core::{Order, Row, Selection, SortKey, StoredRecord};
use futures_core::Stream;
use std::future::poll_fn;
use std::pin::pin;
use tokio_postgres::IsolationLevel;
use tokio_postgres::types::Type;

use super::error::PostgresError;
use super::filter::Filter;
use super::store::Access;

/// How many records are looked at in one go where SQL cannot say all that is asked: at first, and at most.
const FEW: usize = 128;
const MANY: usize = 2_048;

pub(super) async fn select(access: &Access, selection: &Selection) -> Result<Vec<StoredRecord>, PostgresError> {
    if selection.limit() == 0 {
        return Ok(Vec::new());
    }
    let mut client = access.pool.get().await?;
    let found = if Filter::of(&access.schema, selection).is_whole {
        let (filter, sql) = page(access, selection, selection.after(), selection.offset(), selection.limit());
        let rows = client.query_typed(&sql, &filter.parameters()).await?;
        rows.iter().map(|row| stored(row.try_get(0)?)).collect::<Result<_, _>>()?
    } else {
        let transaction = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let transaction = transaction.start().await?;
        let (mut found, mut skip, mut after, mut count) = (Vec::new(), selection.offset(), selection.after(), FEW);
        loop {
            let (filter, sql) = page(access, selection, after, 0, count);
            let rows = transaction.query_typed(&sql, &filter.parameters()).await?;
            for row in &rows {
                let record = stored(row.try_get(0)?)?;
                after = SortKey::of(&record);
                if !selection.matches(&record) {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                } else if found.len() < selection.limit() {
                    found.push(record);
                }
            }
            if rows.len() < count || found.len() == selection.limit() {
                break;
            }
            count = (count * 2).min(MANY);
        }
        transaction.rollback().await?;
        found
    };
    client.give_back();
    Ok(found)
}

pub(super) async fn count(access: &Access, selection: &Selection) -> Result<u64, PostgresError> {
    let client = access.pool.get().await?;
    let (filter, schema) = (Filter::of(&access.schema, selection), &access.schema);
    let count = if filter.is_whole {
        let sql = format!("SELECT count(*) FROM {schema}.records r WHERE {}", filter.sql());
        let row = client.query_typed_one(&sql, &filter.parameters()).await?;
        row.try_get::<_, i64>(0)?.cast_unsigned()
    } else {
        let sql = format!("SELECT r.record FROM {schema}.records r WHERE {}", filter.sql());
        let mut rows = pin!(client.query_typed_raw(&sql, filter.parameters()).await?);
        let mut count = 0;
        while let Some(row) = poll_fn(|cx| rows.as_mut().poll_next(cx)).await {
            let record = stored(row?.try_get(0)?)?;
            count += u64::from(selection.matches(&record));
        }
        count
    };
    client.give_back();
    Ok(count)
}

/// What a row holds.
pub(super) fn stored(json: String) -> Result<StoredRecord, PostgresError> {
    let record = StoredRecord::parse(json).map_err(|error| PostgresError::Unreadable(Box::new(error)))?;
    if Row::of(&record).is_none() {
        return Err(PostgresError::Unreadable("a record without an id".into()));
    }
    Ok(record)
}

fn page(
    access: &Access,
    selection: &Selection,
    after: Option<SortKey>,
    offset: usize,
    limit: usize,
) -> (Filter, String) {
    let mut filter = Filter::of(&access.schema, selection);
    let (order, behind) = match selection.order() {
        Order::NewestFirst => ("DESC", "<"),
        Order::OldestFirst => ("ASC", ">"),
    };
    if let Some(after) = after {
        let micros = filter.bind(after.micros, Type::INT8);
        let id = filter.bind(after.id.as_uuid(), Type::UUID);
        filter.and(&format!("(r.micros, r.id) {behind} ({micros}, {id})"));
    }
    let sql = format!(
        "SELECT r.record FROM {}.records r WHERE {} ORDER BY r.micros {order}, r.id {order} LIMIT {limit} OFFSET {offset}",
        access.schema,
        filter.sql()
    );
    (filter, sql)
}
