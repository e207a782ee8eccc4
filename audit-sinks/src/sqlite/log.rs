//! The write-ahead log: how much it has grown, and when that is copied into the database.
//!
//! It is begun anew once all of it is copied and nobody reads what is in it. A long reading keeps it from that, and
//! readings that overlap do for as long as they come: then it grows, though all of it may be copied.

use rusqlite::Connection;

/// From how many pages a checkpoint copies them into the database: 16 MiB of the usual ones. More would save little, and
/// whoever comes meanwhile waits longer.
const WORTH: u64 = 4_096;

/// How many times as many there are at most while a reading keeps checkpoints from copying all.
const PATIENCE: u64 = 8;

/// How much is in the log, as far as is known without a checkpoint.
pub(super) struct Log {
    /// How many pages it had at the last checkpoint, and has still, unless it was begun anew.
    pages: u64,
    /// Whether the next commit may begin it anew.
    is_whole: bool,
    /// How many commits there were since.
    commits: u64,
    /// After so many there are as many pages as a checkpoint is worth, going by the last ones.
    due: u64,
    /// From how many pages there is a checkpoint where nothing is in the way.
    worth: u64,
    /// From how many there is the next one.
    distance: u64,
}

/// What a checkpoint has done.
#[derive(Clone, Copy)]
pub(super) struct Checkpoint {
    /// How many pages the log has.
    pages: u64,
    /// How many of them are in the database, too.
    copied: u64,
}

impl Log {
    pub(super) const fn new() -> Self {
        Self::worth(WORTH)
    }

    const fn worth(worth: u64) -> Self {
        Self { pages: 0, is_whole: false, commits: 0, due: 16, worth, distance: worth }
    }

    /// Notes a commit.
    pub(super) const fn committed(&mut self) {
        self.commits += 1;
    }

    /// Copies it into the database where that is due, and says whether it was. It is asked after each commit.
    pub(super) fn copy_when_due(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        if self.commits > 0 && std::mem::take(&mut self.is_whole) {
            let pages = std::mem::take(&mut self.pages);
            if checkpoint(connection, "NOOP")?.pages >= pages {
                // It goes on.
                self.pages = pages;
            }
        }
        if self.commits < self.due {
            return Ok(false);
        }
        let copied = checkpoint(connection, "PASSIVE");
        match copied {
            Ok(checkpoint) => self.learn(checkpoint),
            // The log is whole, and the next checkpoint begins anew.
            Err(_) => self.commits = 0,
        }
        copied.map(|_| true)
    }

    /// Learns how much a commit adds, and how long to wait.
    fn learn(&mut self, Checkpoint { pages, copied }: Checkpoint) {
        let grown = pages.checked_sub(self.pages).unwrap_or(pages);
        let each = (grown / self.commits.max(1)).max(1);
        let is_whole = copied >= pages;
        // What a reading is in the way of is not tried again soon.
        self.distance = if is_whole { self.worth } else { (2 * self.distance).min(PATIENCE * self.worth) };
        self.due = (self.distance / each).max(1);
        (self.pages, self.is_whole, self.commits) = (pages, is_whole, 0);
    }
}

/// Copies what is in the log into the database, as far as readers let it; nothing with `NOOP`, which is `PASSIVE` to
/// earlier versions of SQLite.
pub(super) fn checkpoint(connection: &Connection, how: &str) -> rusqlite::Result<Checkpoint> {
    connection.query_row(&format!("PRAGMA main.wal_checkpoint({how})"), [], |row| {
        let (pages, copied): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(Checkpoint { pages: u64::try_from(pages).unwrap_or(0), copied: u64::try_from(copied).unwrap_or(0) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pages are worth a checkpoint here.
    const SOON: u64 = 50;

    /// A connection that writes, and two that read.
    struct Written {
        writing: Connection,
        reading: [Connection; 2],
        log: Log,
        _directory: tempfile::TempDir,
    }

    impl Written {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let open = || Connection::open(directory.path().join("any.db")).unwrap();
            let writing = open();
            let sql = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0;
                CREATE TABLE t (x);";
            writing.execute_batch(sql).unwrap();
            Self { writing, reading: [open(), open()], log: Log::worth(SOON), _directory: directory }
        }

        /// Writes once, does something else, and says whether a checkpoint followed.
        fn write(&mut self, meanwhile: impl FnOnce(&[Connection; 2])) -> bool {
            self.writing.execute("INSERT INTO t VALUES (zeroblob(3000))", []).unwrap();
            self.log.committed();
            meanwhile(&self.reading);
            self.log.copy_when_due(&self.writing).unwrap()
        }

        /// After how many writes each checkpoint came.
        fn distances(&mut self, checkpoints: usize) -> Vec<u64> {
            (0..checkpoints).map(|_| (1..=1_000).find(|_| self.write(|_| {})).unwrap()).collect()
        }
    }

    fn begin(reading: &Connection) {
        reading.execute_batch("BEGIN; SELECT count(*) FROM t").unwrap();
    }

    fn end(reading: &Connection) {
        reading.execute_batch("COMMIT").unwrap();
    }

    #[test]
    fn a_checkpoint_comes_after_as_much_as_it_is_worth() {
        let mut written = Written::new();
        for distance in written.distances(6) {
            assert!((SOON / 4..=SOON).contains(&distance), "{distance}");
        }
        assert!(written.log.pages <= SOON, "it was begun anew: {}", written.log.pages);
    }

    #[test]
    fn a_long_reading_puts_checkpoints_off_until_it_ends() {
        let mut written = Written::new();
        let usual = written.distances(3)[2];
        begin(&written.reading[0]);
        let distances = written.distances(8);
        assert!(distances[5..].iter().all(|distance| *distance >= PATIENCE * usual / 2), "{distances:?}");
        assert!(distances.iter().all(|distance| *distance <= PATIENCE * SOON), "{distances:?}");
        end(&written.reading[0]);
        written.distances(1);
        let distances = written.distances(3);
        assert!(distances.iter().all(|distance| *distance <= SOON), "{distances:?}");
    }

    #[test]
    fn readings_that_overlap_do_not_bring_checkpoints_closer_together() {
        let mut written = Written::new();
        let usual = written.distances(3)[2];
        let mut distances = vec![0];
        begin(&written.reading[1]);
        for n in 0..1_000 {
            *distances.last_mut().unwrap() += 1;
            // Whichever is read, it is in the log.
            let is_checkpoint = written.write(|reading| {
                begin(&reading[n % 2]);
                end(&reading[(n + 1) % 2]);
            });
            if is_checkpoint {
                distances.push(0);
            }
        }
        distances.pop();
        assert!(written.log.pages > 10 * SOON, "it was never begun anew: {}", written.log.pages);
        assert!(distances.iter().all(|distance| *distance + 2 >= usual), "{distances:?} instead of {usual}");
        assert!(distances[1..].iter().all(|distance| *distance <= SOON), "{distances:?}");
    }
}
