//! What arrives, in the order of its commits.
//!
//! A position is the number of a row. SQLite has one writer at a time, whichever process it is in, and each row gets the
//! number behind the greatest: so whoever sees a row sees all rows with smaller numbers that there will ever be.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::{Arrived, InvalidCursor, Position, Selection, StoreError};
use event_listener::Event;
use rusqlite::{Connection, params_from_iter};

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
    let mut found = Where::of(selection);
    let condition = found.condition(reading, selection);
    let (from, window) = (found.param(after), found.param(WINDOW));
    // Each row is given, so that those looked at are counted, whatever holes a retention has left between them.
    let sql = format!(
        "SELECT r.position, CASE WHEN {condition} THEN r.json END FROM main.audit_records AS r NOT INDEXED
        WHERE r.position > {from} ORDER BY r.position LIMIT {window}"
    );
    let mut statement = failed(reading.connection.prepare_cached(&sql))?;
    let mut rows = failed(statement.query(params_from_iter(found.params())))?;
    let (mut records, mut looked) = (Vec::new(), after);
    while records.len() < selection.limit()
        && let Some(row) = failed(rows.next())?
    {
        looked = failed(row.get(0))?;
        if let Some(json) = failed(row.get(1))? {
            records.push((parse(json)?, position(looked)));
        }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use audit_core::{AuditStore as _, Query, Since};

    use super::super::SqliteStore;
    use super::super::asked::{Asked, block_on};
    use super::super::file::Place;
    use super::*;

    /// Rows at every tenth position, each of an action of its own.
    fn rows(count: i64) -> (tempfile::TempDir, Reading) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.db");
        drop(SqliteStore::open(&path).unwrap());
        let place = Place::of(&path).unwrap();
        let sql = r#"
            WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT ?1)
            INSERT INTO audit_records (position, id, at, digest, action, json)
            SELECT 10 * n, CAST(n AS BLOB), n, x'', 'door.' || n,
                printf('{"schema":1,"id":"00000000-0000-7000-8000-%012d","action":"door.%d"}', n, n) FROM c"#;
        place.writing(Duration::ZERO).unwrap().execute(sql, [count]).unwrap();
        (directory, Reading::new(place.reading(Duration::ZERO).unwrap()).unwrap())
    }

    fn selection(query: &Query) -> Selection {
        let asked = Asked::default();
        block_on(asked.global("test").unrecorded().since(query, Since::Beginning)).unwrap();
        asked.selection()
    }

    fn told(reading: &mut Reading, query: &Query, after: i64) -> (Vec<i64>, i64, bool) {
        let arrived = arrived(reading, &selection(query), after).unwrap();
        let rows = arrived.records.iter().map(|(_, position)| row(position).unwrap()).collect();
        (rows, row(&arrived.next).unwrap(), arrived.more)
    }

    #[test]
    fn an_answer_looks_at_a_number_of_rows_whatever_it_finds_and_wherever_they_are() {
        let (_directory, mut reading) = rows(2 * WINDOW + 5);
        let (window, last) = (10 * WINDOW, 10 * (2 * WINDOW + 5));
        let nothing = Query::new().action("door.shut");
        assert_eq!(told(&mut reading, &nothing, 0), (vec![], window, true));
        assert_eq!(told(&mut reading, &nothing, window), (vec![], 2 * window, true));
        assert_eq!(told(&mut reading, &nothing, 2 * window), (vec![], last, false));
        assert_eq!(told(&mut reading, &nothing, last), (vec![], last, false));

        let some = Query::new().actions(["door.2", "door.3", "door.20000", "door.20001"]);
        assert_eq!(told(&mut reading, &some, 0), (vec![20, 30, window], window, true));
        assert_eq!(told(&mut reading, &some.clone().limit(2), 0), (vec![20, 30], 30, true));
        assert_eq!(told(&mut reading, &some, 20), (vec![30, window, window + 10], window + 20, true));
        let newest = Query::new().limit(5);
        assert_eq!(told(&mut reading, &newest, last - 20), (vec![last - 10, last], last, false));
        assert_eq!(told(&mut reading, &newest.limit(2), last - 20), (vec![last - 10, last], last, false));
        assert!(arrived(&mut reading, &selection(&some), last + 1).is_err());
    }

    #[test]
    fn an_answer_looks_no_further_than_it_finds() {
        let (_directory, mut reading) = rows(5_000);
        let query = selection(&Query::new().limit(10));
        arrived(&mut reading, &query, 0).unwrap();
        let steps = Arc::<AtomicUsize>::default();
        let counted = steps.clone();
        let counts = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            false
        };
        reading.connection.progress_handler(1, Some(counts)).unwrap();
        assert_eq!(arrived(&mut reading, &query, 0).unwrap().records.len(), 10);
        let steps = steps.load(Ordering::Relaxed);
        assert!((10..500).contains(&steps), "{steps}");
    }
}
