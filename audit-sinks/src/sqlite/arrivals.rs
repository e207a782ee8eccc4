//! What arrives, in the order of its commits.
//!
//! A position is the number of a row. SQLite has one writer at a time, whichever process it is in, and each row gets the
//! number behind the greatest: so whoever sees a row sees all rows with smaller numbers that there will ever be.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::{Arrived, InvalidCursor, Position, Selection, StoreError};
use event_listener::Event;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::readers::{Reading, failed, parse};
use super::select::Where;

/// How many rows one answer looks at, whatever it finds.
const WINDOW: i64 = 20_000;

/// How often it is asked whether another process has written something, while somebody waits for it.
const POLL: Duration = Duration::from_millis(50);

/// A position as the row before it.
pub(super) fn position(row: i64) -> Position {
    Position::from_bytes(row.to_be_bytes())
}

/// The row before a position; 0 for the start.
pub(super) fn row(position: &Position) -> Result<i64, StoreError> {
    let bytes = position.as_bytes();
    if bytes.is_empty() {
        return Ok(0);
    }
    let row = i64::from_be_bytes(bytes.try_into().map_err(|_| InvalidCursor)?);
    if row < 0 { Err(InvalidCursor.into()) } else { Ok(row) }
}

/// The newest row; 0 where there is none.
pub(super) fn newest(connection: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(position), 0) FROM main.audit_records";
    failed(connection.prepare_cached(sql).and_then(|mut newest| newest.query_row([], |row| row.get(0))))
}

/// Finds what has arrived after a position.
pub(super) fn arrived(reading: &mut Reading, selection: &Selection, after: i64) -> Result<Arrived, StoreError> {
    // One snapshot for all of it.
    failed(reading.connection.execute_batch("BEGIN"))?;
    let arrived = in_snapshot(reading, selection, after);
    let ended = failed(reading.connection.execute_batch("ROLLBACK"));
    arrived.and_then(|arrived| ended.map(|()| arrived))
}

fn in_snapshot(reading: &Reading, selection: &Selection, after: i64) -> Result<Arrived, StoreError> {
    let newest = newest(&reading.connection)?;
    if after > newest {
        return Err(InvalidCursor.into());
    }
    // Where a retention has removed rows, nothing is to be looked at.
    let sql = "SELECT position FROM main.audit_records WHERE position > ?1 ORDER BY position LIMIT 1 OFFSET ?2";
    let mut last = failed(reading.connection.prepare_cached(sql))?;
    let last = failed(last.query_row([after, WINDOW - 1], |row| row.get(0)).optional())?;
    let end = last.unwrap_or(newest);
    let mut found = Where::of(selection);
    let (from, to) = (found.param(after), found.param(end));
    found.push(format!("r.position > {from} AND r.position <= {to}"));
    let condition = found.condition(reading, selection);
    let most = selection.limit();
    let limit = found.param(i64::try_from(most).unwrap_or(i64::MAX));
    let sql = format!(
        "SELECT r.position, r.json FROM main.audit_records AS r NOT INDEXED WHERE {condition}
        ORDER BY r.position LIMIT {limit}"
    );
    let mut statement = failed(reading.connection.prepare_cached(&sql))?;
    let mut rows = failed(statement.query(params_from_iter(found.params())))?;
    let (mut records, mut looked) = (Vec::new(), end);
    while let Some(row) = failed(rows.next())? {
        let at: i64 = failed(row.get(0))?;
        records.push((parse(failed(row.get(1))?)?, position(at)));
        if records.len() == most {
            looked = at;
        }
    }
    if most == 0 {
        looked = after;
    }
    Ok(Arrived::new(records, position(looked), looked < newest))
}

/// Looks out for what other connections write, while somebody waits.
pub(super) struct Watch {
    state: Mutex<State>,
    changed: Condvar,
    grown: Arc<Event>,
}

#[derive(Default)]
struct State {
    waiting: usize,
    closing: bool,
}

/// Somebody waits.
pub(super) struct Waiting<'a>(&'a Watch);

impl Watch {
    pub(super) fn new(grown: Arc<Event>) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), grown }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait(&self) -> Waiting<'_> {
        self.lock().waiting += 1;
        self.changed.notify_all();
        Waiting(self)
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
        self.grown.notify(usize::MAX);
    }

    /// The thread.
    pub(super) fn run(&self, connection: &Connection) {
        let mut seen = None;
        let mut state = self.lock();
        while !state.closing {
            if state.waiting == 0 {
                // What is written from here on is found by whoever comes next, or by the first look after that.
                seen = None;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            drop(state);
            let version = connection.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).ok();
            if seen != version || version.is_none() {
                seen = version;
                self.grown.notify(usize::MAX);
            }
            state = self.lock();
            if !state.closing {
                state = self.changed.wait_timeout(state, POLL).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}
