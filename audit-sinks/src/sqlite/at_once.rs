//! Reading on the thread of whoever asks: to wake another one and be woken by it takes longer than a page does.
//!
//! What is not there within a moment is read by a thread of ours instead, and so is all that fails. The clock is looked at
//! between a few records: whoever asks is blocked for longer only where the disk takes longer to give those.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use audit_core::StoreError;

use super::error::SqliteError;
use super::file::Place;
use super::readers::Reading;

/// How long it may take.
const MOMENT: Duration = Duration::from_micros(500);

/// After how many steps of SQLite the clock is looked at: about ten records.
const STEPS: i32 = 100;

/// A connection for whoever comes while nobody uses it.
pub(super) struct AtOnce {
    free: Mutex<Free>,
    /// When what is read is interrupted.
    until: Arc<Mutex<Option<Instant>>>,
}

enum Free {
    Here(Box<Reading>),
    InUse,
    Closed,
}

impl AtOnce {
    pub(super) fn open(place: &Place) -> Result<Self, SqliteError> {
        let failed = |error| SqliteError::sqlite(&place.path, error);
        // A lock is waited for elsewhere.
        let mut reading = Reading::new(place.reading(Duration::ZERO)?).map_err(failed)?;
        let until = Arc::new(Mutex::new(None));
        let ends = until.clone();
        let is_over = move || lock(&ends).is_some_and(|until| Instant::now() >= until);
        reading.connection.progress_handler(STEPS, Some(is_over)).map_err(failed)?;
        Ok(Self { free: Mutex::new(Free::Here(Box::new(reading))), until })
    }

    /// `None` where it is not read: another one is being read, it takes longer, or it fails.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&mut Reading) -> Result<T, StoreError>,
    ) -> Option<Result<T, StoreError>> {
        let mut reading = self.take()?;
        *lock(&self.until) = Instant::now().checked_add(MOMENT);
        let found = catch_unwind(AssertUnwindSafe(|| read(&mut reading)));
        *lock(&self.until) = None;
        let is_clean = reading.ends();
        self.give_back(reading, is_clean);
        match found {
            Err(_) | Ok(Err(StoreError::Failed(_) | StoreError::Io(_))) => None,
            Ok(found) => Some(found),
        }
    }

    fn take(&self) -> Option<Box<Reading>> {
        let mut free = lock(&self.free);
        match std::mem::replace(&mut *free, Free::InUse) {
            Free::Here(reading) => Some(reading),
            Free::InUse => None,
            Free::Closed => {
                *free = Free::Closed;
                None
            }
        }
    }

    fn give_back(&self, reading: Box<Reading>, is_clean: bool) {
        let mut free = lock(&self.free);
        // It is closed without the lock where it is not kept.
        let dropped = if matches!(*free, Free::InUse) && is_clean {
            *free = Free::Here(reading);
            None
        } else {
            Some(reading)
        };
        drop(free);
        drop(dropped);
    }

    /// Closes the connection, or has whoever uses it close it.
    pub(super) fn close(&self) {
        let closed = std::mem::replace(&mut *lock(&self.free), Free::Closed);
        drop(closed);
    }

    /// Leaves the connection as it is, in a child of `fork`: it is the parent's.
    pub(super) fn leave(&self) {
        std::mem::forget(std::mem::replace(&mut *lock(&self.free), Free::Closed));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::readers::failed;
    use super::*;

    const ENDLESS: &str = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";

    fn at_once() -> (tempfile::TempDir, AtOnce) {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::find_or_create(&directory.path().join("audit.db")).unwrap();
        (directory, AtOnce::open(&place).unwrap())
    }

    fn number(reading: &Reading, sql: &str) -> Result<i64, StoreError> {
        failed(reading.connection.query_row(sql, [], |row| row.get(0)))
    }

    #[test]
    fn what_takes_longer_is_given_up_and_leaves_nothing_behind() {
        let (_directory, at_once) = at_once();
        let endless = at_once.read(|reading| {
            failed(reading.connection.execute_batch("BEGIN; SELECT * FROM sqlite_schema"))?;
            number(reading, ENDLESS)
        });
        assert!(endless.is_none());
        let next = at_once.read(|reading| {
            assert!(reading.connection.is_autocommit());
            // Longer than whoever came before had left.
            std::thread::sleep(MOMENT / 2);
            number(reading, "SELECT 7")
        });
        assert_eq!(next.unwrap().unwrap(), 7);
    }

    #[test]
    fn what_fails_or_panics_is_left_to_others_and_the_next_one_is_read() {
        let (_directory, at_once) = at_once();
        assert!(at_once.read(|reading| number(reading, "SELECT 1 FROM nowhere")).is_none());
        assert!(at_once.read(|_| -> Result<(), StoreError> { panic!("in a reading") }).is_none());
        assert_eq!(at_once.read(|reading| number(reading, "SELECT 7")).unwrap().unwrap(), 7);
    }

    #[test]
    fn nobody_waits_for_whoever_reads_and_nobody_reads_once_it_is_closed() {
        let (_directory, at_once) = at_once();
        let read = at_once.read(|reading| {
            assert!(at_once.read(|reading| number(reading, "SELECT 8")).is_none());
            at_once.close();
            number(reading, "SELECT 7")
        });
        assert_eq!(read.unwrap().unwrap(), 7);
        assert!(at_once.read(|reading| number(reading, "SELECT 7")).is_none());
        assert!(matches!(*lock(&at_once.free), Free::Closed));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_connection_of_the_parent_is_left_open() {
        for (end, is_open) in [(AtOnce::close as fn(&AtOnce), false), (AtOnce::leave, true)] {
            let (directory, at_once) = at_once();
            end(&at_once);
            assert!(at_once.read(|reading| number(reading, "SELECT 7")).is_none());
            drop(at_once);
            let open =
                std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|open| open.ok()?.path().read_link().ok());
            assert_eq!(open.into_iter().any(|path| path.starts_with(directory.path())), is_open);
        }
    }
}
