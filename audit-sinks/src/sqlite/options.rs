//! How a store in a file works.

use std::path::Path;
use std::time::Duration;

use audit_core::Durability;

use super::SqliteStore;
use super::error::SqliteError;

/// How many bytes a store holds in memory for records on their way, unless its options say otherwise.
pub const DEFAULT_SQLITE_QUEUE_BYTES: usize = 64 << 20;

/// How long the writing of another process is waited for, unless the options say otherwise.
pub const DEFAULT_SQLITE_BUSY: Duration = Duration::from_secs(5);

/// How many long queries are read at a time, unless the options say otherwise.
pub const DEFAULT_SQLITE_READERS: usize = 2;

/// How long a query is read, unless the options say otherwise.
pub const DEFAULT_SQLITE_QUERY_TIME_LIMIT: Duration = Duration::from_secs(30);

/// How a [`SqliteStore`] works.
///
/// ```
/// # use audit_sinks as audited;
/// use audited::SqliteOptions;
///
/// # let directory = std::env::temp_dir().join(format!("sqlite-options-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// let store = SqliteOptions::new().readers(4).open(directory.join("audit.db"))?;
/// # drop(store);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `open`"]
pub struct SqliteOptions {
    pub(super) durability: Durability,
    pub(super) queue_bytes: usize,
    pub(super) busy: Duration,
    pub(super) readers: usize,
    pub(super) query_time_limit: Duration,
}

impl SqliteOptions {
    /// Starts from the defaults: [`Durability::Disk`], [`DEFAULT_SQLITE_QUEUE_BYTES`], [`DEFAULT_SQLITE_BUSY`],
    /// [`DEFAULT_SQLITE_READERS`], [`DEFAULT_SQLITE_QUERY_TIME_LIMIT`].
    pub const fn new() -> Self {
        Self {
            durability: Durability::Disk,
            queue_bytes: DEFAULT_SQLITE_QUEUE_BYTES,
            busy: DEFAULT_SQLITE_BUSY,
            readers: DEFAULT_SQLITE_READERS,
            query_time_limit: DEFAULT_SQLITE_QUERY_TIME_LIMIT,
        }
    }

    /// Acknowledges what the operating system has, without waiting for the disk (`synchronous=NORMAL`,
    /// [`Durability::OsBuffer`]): the last commits are lost when the machine fails, and kept when the process does.
    /// `fail_closed` functions refuse such a store.
    pub const fn os_buffer(mut self) -> Self {
        self.durability = Durability::OsBuffer;
        self
    }

    /// Sets how many bytes are held in memory for records on their way. Who comes beyond waits until there is room,
    /// up to its deadline.
    pub const fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Sets how long a transaction of another process, or of the application on a connection of its own, is waited for;
    /// what waits then is answered with an error, and nothing of it is written. More than 24 days are 24 days.
    pub const fn busy(mut self, busy: Duration) -> Self {
        self.busy = busy;
        self
    }

    /// Sets how many long queries are read at a time, at least one; more wait for one of them to end. A query is long
    /// where it has not ended within 20 ms, as those without an index are. One more thread is for the short ones, which
    /// wait for no long one. Each thread has a connection, and one more is for what is answered on the thread that asks.
    pub const fn readers(mut self, readers: usize) -> Self {
        self.readers = if readers == 0 { 1 } else { readers };
        self
    }

    /// Sets for how long a query is read, not counting how long it waits; what takes longer is ended, and answered with
    /// [`StoreError::TooLong`](audit_core::StoreError::TooLong). [`Duration::MAX`] is no limit. A backup and a check
    /// have none. A query that nobody waits for any more is ended at once.
    pub const fn query_time_limit(mut self, limit: Duration) -> Self {
        self.query_time_limit = limit;
        self
    }

    /// Opens the store in a file, or starts one there.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<SqliteStore, SqliteError> {
        SqliteStore::start(path.as_ref(), self)
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self::new()
    }
}
