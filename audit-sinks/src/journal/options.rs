//! How a journal works.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use audit_core::Durability;
use uuid::Uuid;

use super::disk::Directory;
use super::error::{JournalError, JournalStep};
use super::handle::Handle;
use super::keeper::{OnCheckpoint, Spare, Swaps};
use super::recover::recover;
use super::segment::Index;
use super::{Journal, JournalHead};

/// How many bytes a journal holds in memory for records on their way, unless its options say otherwise.
pub const DEFAULT_QUEUE_BYTES: usize = 64 << 20;

/// How large a file becomes, unless the options say otherwise.
pub const DEFAULT_SEGMENT_BYTES: u64 = 64 << 20;

/// The least that a file can be told to become.
pub const MIN_SEGMENT_BYTES: u64 = 64 << 10;

/// How much room is kept on the disk for when it is full, unless the options say otherwise.
pub const DEFAULT_RESERVE_BYTES: u64 = 1 << 20;

/// How much shared memory a journal takes where it is given some, unless the options say otherwise: about 10,000
/// records.
pub const DEFAULT_SHARED_MEMORY_BYTES: u64 = 8 << 20;

/// The least shared memory that a journal can be told to take.
pub const MIN_SHARED_MEMORY_BYTES: u64 = 64 << 10;

/// More than a machine has.
const MAX_SHARED_MEMORY_BYTES: u64 = 1 << 40;

/// How a [`Journal`] works.
///
/// ```
/// # use audit_sinks as audited;
/// use std::time::Duration;
///
/// use audited::JournalOptions;
///
/// # let directory = std::env::temp_dir().join(format!("journal-options-{}", std::process::id()));
/// let journal = JournalOptions::new()
///     .segment_bytes(256 << 20)
///     .rotate_every(Duration::from_secs(24 * 60 * 60))
///     .on_checkpoint(|head| println!("keep this elsewhere: {} {} {}", head.stream, head.seq, head.hash))
///     .open(&directory)?;
/// assert_eq!(journal.recovered().last_seq, 0);
/// # drop(journal);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until `open`"]
pub struct JournalOptions {
    pub(super) durability: Durability,
    pub(super) shared_memory: Option<PathBuf>,
    pub(super) shared_memory_bytes: u64,
    pub(super) queue_bytes: usize,
    pub(super) segment_bytes: u64,
    pub(super) rotate_every: Option<Duration>,
    pub(super) preallocate: u64,
    pub(super) reserve_bytes: u64,
    pub(super) on_checkpoint: Option<Arc<OnCheckpoint>>,
    pub(super) own_stream: bool,
    pub(super) goes_on: bool,
    #[cfg(feature = "zstd")]
    pub(super) compress: Option<i32>,
}

impl JournalOptions {
    /// Starts from the defaults: [`Durability::Disk`], files of [`DEFAULT_SEGMENT_BYTES`], [`DEFAULT_QUEUE_BYTES`],
    /// [`DEFAULT_RESERVE_BYTES`].
    pub const fn new() -> Self {
        Self {
            durability: Durability::Disk,
            shared_memory: None,
            shared_memory_bytes: DEFAULT_SHARED_MEMORY_BYTES,
            queue_bytes: DEFAULT_QUEUE_BYTES,
            segment_bytes: DEFAULT_SEGMENT_BYTES,
            rotate_every: None,
            preallocate: 0,
            reserve_bytes: DEFAULT_RESERVE_BYTES,
            on_checkpoint: None,
            own_stream: false,
            goes_on: false,
            #[cfg(feature = "zstd")]
            compress: None,
        }
    }

    /// Acknowledges what the operating system has, without waiting for the disk ([`Durability::OsBuffer`]): it is
    /// lost when the machine fails, and kept when the process does. `fail_closed` functions refuse such a journal.
    pub const fn os_buffer(mut self) -> Self {
        self.durability = Durability::OsBuffer;
        self
    }

    /// Acknowledges a record as soon as it lies in memory that the operating system keeps when the process dies, on the
    /// caller's own thread, in about a microsecond; [`os_buffer`](Self::os_buffer) takes two threads that are woken. On
    /// Linux only, with pointers of 64 bits.
    ///
    /// The directory must lie in memory: a tmpfs, as `/dev/shm` is. The journal makes a file in it and maps it; the
    /// records are carried from there into the journal's own files some milliseconds later. Where the process dies
    /// before, whoever opens the journal next, with this option or without, carries over what is in no file yet, each
    /// record once: [`Journal::recovered`] and the first line of the next file say how many. Where the disk takes
    /// nothing meanwhile, records are acknowledged as long as there is room for them, and written when it does again.
    /// The first record after a while wakes the writer.
    ///
    /// # What it outlives
    ///
    /// An acknowledged record outlives the process, in whatever way that ends. It is lost with the machine, and with what
    /// the directory is lost with: unlike what [`os_buffer`](Self::os_buffer) has written, it does not reach the disk by
    /// itself after the process is dead, so open the journal again before the machine is shut down. Flushing carries
    /// over what is there, as shutting the recorder down does; dropping the journal also gives the memory up. Where it
    /// is not dropped, and the machine is shut down, the next opening says that memory is missing, although nothing was
    /// in it.
    ///
    /// - In Kubernetes, take an `emptyDir` with `medium: Memory`: it outlives the containers of a pod. With Docker,
    ///   mount a directory of a tmpfs of the host: the container's own `/dev/shm`, and what `--tmpfs` makes, go with the
    ///   container, and so may what its process had acknowledged.
    /// - Under systemd, take a `RuntimeDirectory` with `RuntimeDirectoryPreserve=yes`, below `/run`: `RemoveIPC=` and
    ///   `DynamicUser=` empty `/dev/shm` when a unit or the last session of its user ends. The journal of a running
    ///   process notices that, logs it, and acknowledges what comes then once it is in a file.
    /// - Memory can be swapped out, and a caller waits for it to come back: where that is too long, have no swap.
    ///
    /// The file is named after the journal's stream; the journal's directory says where it is, and whoever has this
    /// option looks in his own directory, too: it may be mounted elsewhere next time. Memory that is not there although
    /// the journal was not closed is told ([`Recovered::missing_memory`](super::Recovered::missing_memory)). Where a
    /// process uses it, as of a directory that was copied from a running one, opening is refused.
    ///
    /// ```
    /// # use audit_sinks as audited;
    /// use audited::{Journal, JournalOptions};
    ///
    /// # let directory = std::env::temp_dir().join(format!("journal-memory-{}", std::process::id()));
    /// # if !std::path::Path::new("/dev/shm").is_dir() { return Ok(()) }
    /// let journal = JournalOptions::new().shared_memory("/dev/shm").open(&directory)?;
    /// assert_eq!(journal.recovered().from_memory, 0);
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shared_memory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.durability = Durability::OsBuffer;
        self.shared_memory = Some(directory.into());
        self
    }

    /// Sets how much [shared memory](Self::shared_memory) is taken, at least [`MIN_SHARED_MEMORY_BYTES`]: all of it when
    /// the journal is opened. What finds no room in it, and a batch of more than half of it or of 2 MiB, is acknowledged
    /// once it is in a file.
    pub fn shared_memory_bytes(mut self, bytes: u64) -> Self {
        self.shared_memory_bytes = bytes.clamp(MIN_SHARED_MEMORY_BYTES, MAX_SHARED_MEMORY_BYTES);
        self
    }

    /// Sets how many bytes are held in memory for records on their way. Who comes beyond waits until there is room,
    /// up to its deadline.
    pub const fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Sets how large a file becomes, at least [`MIN_SEGMENT_BYTES`]. It ends with the first write that reaches this.
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes.max(MIN_SEGMENT_BYTES);
        self
    }

    /// Ends a file after this time, too, if there are records in it. Otherwise only its size ends it.
    pub const fn rotate_every(mut self, every: Duration) -> Self {
        self.rotate_every = Some(every);
        self
    }

    /// Fills the first bytes of each file before it is used, at least 1 MiB and up to the whole file; opening the
    /// journal takes longer for it. Where a file is filled, a sync is about half as dear; files are filled ahead of
    /// what is written anyway, as fast as the disk allows beside that.
    pub const fn preallocate(mut self, bytes: u64) -> Self {
        self.preallocate = bytes;
        self
    }

    /// Sets how much room is kept on the disk, in a file of its own, and given up when the disk is full; 0 keeps none.
    pub const fn reserve_bytes(mut self, bytes: u64) -> Self {
        self.reserve_bytes = bytes;
        self
    }

    /// Has the head of the journal told each time a file has ended, and once when the journal is closed, on a thread
    /// of the journal's own. Keep it where nobody who can write the journal can: it shows what the chain cannot, that
    /// lines at its end are missing or that all of it was written anew. No record waits for what is told, but whoever
    /// drops the last handle does.
    pub fn on_checkpoint(mut self, told: impl Fn(JournalHead) + Send + Sync + 'static) -> Self {
        self.on_checkpoint = Some(Arc::new(told));
        self
    }

    /// Compresses files that have ended, with zstd, at a level from 1 to 19; 3 is a good one. Each becomes
    /// `audit-NNNNNNNNNN.jsonl.zst`, which `zstd -d` turns back into the same bytes; all that reads a journal here reads
    /// it as before.
    ///
    /// That is done on a thread of the journal's own, one file behind the last that has ended, and when the journal is
    /// opened also with older ones. No record waits for it, nor does whoever drops the last handle; the plain file is
    /// removed once the other is on the disk, was read back from there, and is found to be the same byte by byte. Where
    /// it is not, that is logged as an error, and tried again a few times; where it cannot be compressed at all, the
    /// plain file stays, which is logged, too. A level above 9 takes tens of MiB of memory and much of a core. Whoever
    /// reads the directory needs the feature `zstd`, too.
    #[cfg(feature = "zstd")]
    pub fn compress(mut self, level: i32) -> Self {
        let levels = super::compress::LEVELS;
        self.compress = Some(level.clamp(*levels.start(), *levels.end()));
        self
    }

    /// Where another process writes the directory, opens a journal of another stream in a directory below it, instead
    /// of an error: one that a process has left, or a new one. [`Journal::path`] says where.
    pub const fn or_own_stream(mut self) -> Self {
        self.own_stream = true;
        self
    }

    /// Goes on in the last file when the journal is opened, instead of beginning another, and leaves it without its last
    /// line when it is closed: for programs that run often and write little, which would leave a file each time.
    ///
    /// Another file is begun nevertheless where the last one has ended, as a full one has and any that a journal without
    /// this option leaves, and where it is compressed, or its end is torn or damaged: the first line of the next one tells
    /// that. Opening reads all of the last file; choose [`segment_bytes`](Self::segment_bytes) accordingly.
    /// [`rotate_every`](Self::rotate_every) counts from the opening.
    pub const fn continue_last_file(mut self) -> Self {
        self.goes_on = true;
        self
    }

    /// Opens the journal in a directory, or starts one there.
    ///
    /// # Errors
    ///
    /// As [`Journal::open`].
    pub fn open(&self, directory: impl AsRef<Path>) -> Result<Journal, JournalError> {
        let path = directory.as_ref();
        match self.open_at(path) {
            Err(JournalError::Locked { .. }) if self.own_stream => self.open_own(path),
            opened => opened,
        }
    }

    /// What is done with the files of a journal whose next file is `next` while there is nothing else to do.
    #[cfg(feature = "zstd")]
    pub(super) fn spare(&self, path: &Path, swaps: &Swaps, next: Index) -> Option<Box<dyn Spare>> {
        let compressor = |level| super::compress::Compressor::new(level, swaps.clone(), super::describe(path), next);
        self.compress.map(|level| Box::new(compressor(level)) as _)
    }

    #[cfg(not(feature = "zstd"))]
    #[expect(clippy::unused_self, reason = "it is used where there is something to do")]
    pub(super) const fn spare(&self, _: &Path, _: &Swaps, _: Index) -> Option<Box<dyn Spare>> {
        None
    }

    fn open_at(&self, path: &Path) -> Result<Journal, JournalError> {
        let disk = Directory::open(path, true)?;
        disk.refuse_foreign()?;
        disk.lock()?;
        let found = recover(&disk)?;
        Handle::start(path, Arc::new(disk), found, self).map(Journal::new)
    }

    fn open_own(&self, path: &Path) -> Result<Journal, JournalError> {
        for left in streams(path)? {
            match self.open_at(&left) {
                Err(JournalError::Locked { .. }) => {}
                opened => return opened,
            }
        }
        self.open_at(&path.join(format!("{STREAM}{}", Uuid::now_v7())))
    }
}

/// How the directories of further streams begin.
const STREAM: &str = "stream-";

/// The directories of the further streams below a journal's, in the order in which they were begun.
pub(super) fn streams(directory: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let failed = |error| JournalError::io(directory, JournalStep::Read, error);
    let mut streams = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let named = entry.file_name().to_str().and_then(|name| name.strip_prefix(STREAM)?.parse::<Uuid>().ok());
        if named.is_some() && entry.file_type().map_err(failed)?.is_dir() {
            streams.push(entry.path());
        }
    }
    streams.sort_unstable();
    Ok(streams)
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for JournalOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalOptions")
            .field("durability", &self.durability)
            .field("shared_memory", &self.shared_memory)
            .field("shared_memory_bytes", &self.shared_memory_bytes)
            .field("queue_bytes", &self.queue_bytes)
            .field("segment_bytes", &self.segment_bytes)
            .field("rotate_every", &self.rotate_every)
            .field("preallocate", &self.preallocate)
            .field("reserve_bytes", &self.reserve_bytes)
            .finish_non_exhaustive()
    }
}
