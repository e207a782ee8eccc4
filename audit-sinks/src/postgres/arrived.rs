//! What has arrived: what the server sees now, and did not see then.
//!
//! Each row has the transaction that wrote it. A snapshot says which of them had ended, so that what one sees beyond another
//! is exact, whichever transaction began first: one that is held open for hours is seen when it commits, and nobody waits
//! for it until then. A reading goes through what the present snapshot sees beyond the last one by transaction and by
//! place there; only when it has come to the end is the present one the last.

use audit_core::{Arrived, InvalidCursor, Position, Selection, StoreError};
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use super::error::PostgresError;
use super::filter::Filter;
use super::position::{Place, Row, Snapshot};
use super::read::stored;
use super::store::Access;

/// How many rows are looked at in one go, at most.
const MANY: usize = 1_000;
/// How many are, before an answer says that there may be more.
const LOOKED_AT: usize = 20_000;

/// Reads a position.
pub(super) fn place(position: &Position) -> Result<Place, StoreError> {
    Place::of(position).map_err(Into::into)
}

pub(super) async fn position(access: &Access) -> Result<Position, PostgresError> {
    let client = access.pool.get().await?;
    let seen = now(&**client).await?;
    client.give_back();
    Ok(Place { seen, within: None }.position())
}

/// Whether there is anything beyond a place.
pub(super) async fn has_grown(access: &Access, place: &Place) -> Result<Result<bool, StoreError>, PostgresError> {
    let client = access.pool.get().await?;
    let now = now(&**client).await?;
    if !place.is_of(&now) {
        client.give_back();
        return Ok(Err(InvalidCursor.into()));
    }
    let (until, last) = place.within.clone().unwrap_or((now, Row::default()));
    let mut rows = Filter::all();
    let sql = beyond(access, &mut rows, &place.seen, (&until, last), "true", 1);
    let found = client.query_typed(&sql, &rows.parameters()).await?;
    client.give_back();
    // Where the end of what one snapshot sees is reached, another may see more.
    Ok(Ok(!found.is_empty() || place.within.is_some()))
}

pub(super) async fn arrived(
    access: &Access,
    selection: &Selection,
    mut place: Place,
) -> Result<Result<Arrived, StoreError>, PostgresError> {
    let client = access.pool.get().await?;
    let now = now(&**client).await?;
    if !place.is_of(&now) {
        client.give_back();
        return Ok(Err(InvalidCursor.into()));
    }
    let (mut found, mut looked_at, mut count) = (Vec::new(), 0, selection.limit().clamp(1, MANY));
    let more = loop {
        if found.len() >= selection.limit() || looked_at >= LOOKED_AT {
            break true;
        }
        let (until, last) = place.within.clone().unwrap_or((now.clone(), Row::default()));
        let mut filter = Filter::of(&access.schema, selection);
        let wanted = filter.sql().to_owned();
        let sql = beyond(access, &mut filter, &place.seen, (&until, last), &wanted, count);
        let rows = client.query_typed(&sql, &filter.parameters()).await?;
        for row in &rows {
            let last = Row { xid: row.try_get(0)?, arrival: row.try_get(1)? };
            let json: Option<String> = row.try_get(2)?;
            let record = json.map(stored).transpose()?.filter(|record| selection.matches(record));
            place.within = Some((until.clone(), last));
            if let Some(record) = record {
                found.push((record, place.position()));
            }
            // What is behind is looked at again.
            if found.len() >= selection.limit() {
                break;
            }
        }
        if found.len() >= selection.limit() {
            continue;
        }
        looked_at += rows.len();
        if rows.len() < count {
            let is_now = until == now;
            place = Place { seen: until, within: None };
            if is_now {
                break false;
            }
        }
        count = (count * 2).min(MANY);
    };
    client.give_back();
    Ok(Ok(Arrived::new(found, place.position(), more)))
}

async fn now(client: &impl GenericClient) -> Result<Snapshot, PostgresError> {
    let row = client.query_typed_one("SELECT pg_current_snapshot()::text", &[]).await?;
    let text: String = row.try_get(0)?;
    Snapshot::parse(&text).ok_or_else(|| PostgresError::Unreadable("a snapshot".into()))
}

/// The rows that one snapshot sees and another did not, behind a row, in their order; of those that are wanted the record.
/// Those that were under way then are all before those that began later.
fn beyond(
    access: &Access,
    filter: &mut Filter,
    seen: &Snapshot,
    (until, last): (&Snapshot, Row),
    wanted: &str,
    count: usize,
) -> String {
    let schema = &access.schema;
    let (xid, arrival) = (filter.bind(last.xid, Type::INT8), filter.bind(last.arrival, Type::INT8));
    let under_way = filter.bind(until.under_way.clone(), Type::INT8_ARRAY);
    let end = filter.bind(until.end, Type::INT8);
    let from = filter.bind(seen.end.max(last.xid), Type::INT8);
    let part = |which: &str| {
        format!(
            "(SELECT r.xid, r.arrival, CASE WHEN {wanted} THEN r.record END AS record FROM {schema}.records r
              WHERE {which} AND (r.xid, r.arrival) > ({xid}, {arrival}) AND r.xid < {end} AND r.xid <> ALL ({under_way})
              ORDER BY r.xid, r.arrival LIMIT {count})"
        )
    };
    let later = part(&format!("r.xid >= {from}"));
    if seen.under_way.is_empty() {
        return later;
    }
    let earlier = filter.bind(seen.under_way.clone(), Type::INT8_ARRAY);
    let earlier = part(&format!("r.xid = ANY ({earlier})"));
    format!("SELECT * FROM ({earlier} UNION ALL {later}) both_of_them ORDER BY xid, arrival LIMIT {count}")
}
