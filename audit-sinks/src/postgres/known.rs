//! By what a record is known that comes again.

use std::collections::HashMap;

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::entry::Entry;
use super::error::PostgresError;
use super::insert::Sql;

/// A stream, and a position in it.
type Place = (String, i64);

/// What the store has of the ids and the places of some entries.
#[derive(Default)]
pub(super) struct Known {
    by_id: HashMap<Uuid, Mark>,
    by_place: HashMap<Place, Uuid>,
}

struct Mark {
    digest: Vec<u8>,
    place: Option<Place>,
}

impl Known {
    /// Looks for those of some entries.
    pub(super) async fn of(
        client: &impl tokio_postgres::GenericClient,
        sql: &Sql,
        entries: &[&Entry<'_>],
    ) -> Result<Self, PostgresError> {
        let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        let places = || entries.iter().filter_map(|entry| entry.place.as_ref());
        let streams: Vec<_> = places().map(|(stream, _)| &**stream).collect();
        let seqs: Vec<_> = places().map(|(_, seq)| *seq).collect();
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
            [(&ids, Type::UUID_ARRAY), (&streams, Type::TEXT_ARRAY), (&seqs, Type::INT8_ARRAY)];
        let mut known = Self::default();
        for row in client.query_typed(&sql.known, &parameters).await? {
            let stream: Option<String> = row.try_get(1)?;
            let seq: Option<i64> = row.try_get(2)?;
            known.note(row.try_get(0)?, row.try_get(3)?, stream.zip(seq));
        }
        Ok(known)
    }

    /// Whether an entry is known; an error where another record has its place. One that was written without a place is
    /// the same in any.
    pub(super) fn has(&self, entry: &Entry<'_>) -> Result<bool, PostgresError> {
        let place = place(entry);
        let occupied = place.as_ref().and_then(|place| self.by_place.get(place)).is_some_and(|id| *id != entry.id);
        let Some(mark) = self.by_id.get(&entry.id) else {
            return if occupied { Err(PostgresError::Taken) } else { Ok(false) };
        };
        let moved = place.is_some() && mark.place.is_some() && mark.place != place;
        if mark.digest != entry.digest || moved || occupied { Err(PostgresError::Taken) } else { Ok(true) }
    }

    /// Those that are not known, each once.
    pub(super) fn fresh<'a>(mut self, entries: &[&'a Entry<'a>]) -> Result<Vec<&'a Entry<'a>>, PostgresError> {
        let mut fresh = Vec::with_capacity(entries.len());
        for &entry in entries {
            if !self.has(entry)? {
                self.note(entry.id, entry.digest.to_vec(), place(entry));
                fresh.push(entry);
            }
        }
        Ok(fresh)
    }

    fn note(&mut self, id: Uuid, digest: Vec<u8>, place: Option<Place>) {
        if let Some(place) = &place {
            self.by_place.insert(place.clone(), id);
        }
        self.by_id.insert(id, Mark { digest, place });
    }
}

fn place(entry: &Entry<'_>) -> Option<Place> {
    entry.place.as_ref().map(|(stream, seq)| (stream.to_string(), *seq))
}
