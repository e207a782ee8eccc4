//! Removing what is old: an operation of its own, recorded with what it removes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use audit_core::{Action, Kind, Record, StoreError, StoredRecord, Timestamp};
use rusqlite::{Connection, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

use super::SqliteStore;
use super::hold::{holds, insert};
use crate::hold::LegalHold;

/// The action of the record that says what was removed.
const RETAINED: &str = "audit.retained";

/// How many records one transaction looks at: others are written between two of them.
const CHUNK: usize = 2_000;

/// What [`SqliteStore::retain`] has removed, and what it had to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteRetained {
    /// How many records were removed.
    pub removed: u64,
    /// How many were old enough and stay: a [`LegalHold`] covers them or what belongs to them.
    pub held: u64,
    /// How many records say so.
    pub recorded: u64,
}

/// A place in the order of times.
#[derive(Clone, Copy)]
struct Place {
    at: i64,
    id: [u8; 16],
}

/// What one transaction has done.
#[derive(Default)]
struct Chunk {
    removed: u64,
    held: u64,
    /// Where the next one begins.
    next: Option<Place>,
}

/// A record that is old enough.
struct Old {
    position: i64,
    place: Place,
    digest: Vec<u8>,
    json: String,
}

impl SqliteStore {
    /// Removes what happened before a moment, some thousand records at a time, each lot in one transaction with an
    /// `audit.retained` that says what went: how many, between which positions and times, and one digest of all of them
    /// (SHA-256 over the id and the [`digest`](audit_core::Row::digest) of each, in the order of times).
    ///
    /// What a [`LegalHold`] covers stays, by when it was recorded; so do the records of retentions, and the final record
    /// of a call whose intent stays. The file does not become smaller: the room is used again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails; what lots before have removed is recorded.
    pub async fn retain(&self, before: impl Into<Timestamp> + Send) -> Result<SqliteRetained, StoreError> {
        let before = before.into();
        let (mut retained, mut from) = (SqliteRetained::default(), Some(Place { at: i64::MIN, id: [0; 16] }));
        while let Some(place) = from {
            let chunk = self.on_writer(move |connection| remove(connection, before, place)).await?;
            retained.removed += chunk.removed;
            retained.held += chunk.held;
            retained.recorded += u64::from(chunk.removed > 0);
            from = chunk.next;
        }
        Ok(retained)
    }
}

/// Removes one lot.
fn remove(connection: &mut Connection, before: Timestamp, from: Place) -> rusqlite::Result<Chunk> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let all = old(&transaction, before, from)?;
    let next = (all.len() == CHUNK).then(|| all.last().map(|old| old.place)).flatten();
    let looked = all.len();
    let going = unheld(&transaction, all, &holds(&transaction)?)?;
    let mut chunk = Chunk { removed: going.len() as u64, held: (looked - going.len()) as u64, next };
    if let (Some(first), Some(last)) = (going.first(), going.last()) {
        // It is the newest record from here on, which is never removed.
        insert(&transaction, tombstone(before, &going, first, last))?;
        {
            let mut lift = transaction.prepare_cached("INSERT INTO main.audit_retaining VALUES (?1)")?;
            for old in &going {
                lift.execute([old.position])?;
            }
        }
        let going = "position IN (SELECT position FROM main.audit_retaining)";
        transaction.execute(&format!("DELETE FROM main.audit_subjects WHERE {going}"), [])?;
        chunk.removed = transaction.execute(&format!("DELETE FROM main.audit_records WHERE {going}"), [])? as u64;
        transaction.execute("DELETE FROM main.audit_retaining", [])?;
    }
    transaction.commit()?;
    Ok(chunk)
}

/// What is old enough, in the order of times.
fn old(connection: &Connection, before: Timestamp, from: Place) -> rusqlite::Result<Vec<Old>> {
    let sql = "
        SELECT position, at, id, digest, json FROM main.audit_records
        WHERE at < ?1 AND (at, id) > (?2, ?3) AND action <> ?4 ORDER BY at, id LIMIT ?5";
    let most = i64::try_from(CHUNK).unwrap_or(i64::MAX);
    let mut rows = connection.prepare_cached(sql)?;
    let rows = rows.query_map(params![before.as_unix_micros(), from.at, from.id, RETAINED, most], |row| {
        let place = Place { at: row.get(1)?, id: row.get(2)? };
        Ok(Old { position: row.get(0)?, place, digest: row.get(3)?, json: row.get(4)? })
    })?;
    rows.collect()
}

/// Those that nothing keeps.
fn unheld(connection: &Connection, mut all: Vec<Old>, holds: &[LegalHold]) -> rusqlite::Result<Vec<Old>> {
    all.retain(|old| {
        let recorded = StoredRecord::parse(old.json.as_str()).ok().and_then(|record| record.recorded_at());
        !holds.iter().any(|hold| hold.covers(recorded, recorded))
    });
    // An intent without its final record would read as a call that nobody knows the end of.
    let going: BTreeSet<_> = all.iter().map(|old| old.position).collect();
    let mut intent = connection.prepare_cached("SELECT position FROM main.audit_records WHERE call = ?1")?;
    let mut kept = Vec::new();
    for old in all {
        let mut intents = intent.query([old.place.id])?;
        let mut stays = false;
        while let Some(row) = intents.next()? {
            stays |= !going.contains(&row.get(0)?);
        }
        if !stays {
            kept.push(old);
        }
    }
    Ok(kept)
}

fn tombstone(before: Timestamp, going: &[Old], first: &Old, last: &Old) -> Record {
    let mut digest = Sha256::new();
    for old in going {
        digest.update(old.place.id);
        digest.update(&old.digest);
    }
    let digest = digest.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let positions = going.iter().map(|old| old.position);
    let moment = |old: &Old| Timestamp::from_unix_micros(old.place.at).map(|at| at.to_string()).unwrap_or_default();
    let about = Record::builder(Action::new(RETAINED)).kind(Kind::System).fields(|fields| {
        fields.plain("before", &before.to_string());
        fields.value("records", &(going.len() as u64));
        fields.value("first_position", &positions.clone().min().unwrap_or_default());
        fields.value("last_position", &positions.clone().max().unwrap_or_default());
        fields.plain("first_at", &moment(first));
        fields.plain("last_at", &moment(last));
        fields.plain("digest", &digest);
    });
    about.build()
}
