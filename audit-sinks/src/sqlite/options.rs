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

/// How many connections read at a time, unless the options say otherwise.
pub const DEFAULT_SQLITE_READERS: usize = 2;

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
}

impl SqliteOptions {
    /// Starts from the defaults: [`Durability::Disk`], [`DEFAULT_SQLITE_QUEUE_BYTES`], [`DEFAULT_SQLITE_BUSY`],
    /// [`DEFAULT_SQLITE_READERS`].
    pub const fn new() -> Self {
        Self {
            durability: Durability::Disk,
            queue_bytes: DEFAULT_SQLITE_QUEUE_BYTES,
            busy: DEFAULT_SQLITE_BUSY,
            readers: DEFAULT_SQLITE_READERS,
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

    /// Sets how many queries are answered at a time, at least one. Each has a thread and a connection. One more connection
    /// is for short ones, which are answered on the thread that asks.
    pub const fn readers(mut self, readers: usize) -> Self {
        self.readers = if readers == 0 { 1 } else { readers };
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
