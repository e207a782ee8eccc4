//! Checking every line of a journal.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use audit_core::Kind;
use serde::Deserialize;

use super::chain::ChainHash;
use super::error::{JournalDamage, JournalError};
use super::intact::{Intact, Stretches};
use super::line::Place;
use super::lines::{Lines, Next, first_place, is_only_filled};
use super::position::{Position, Walk};
use super::progress::JournalHead;
use super::reader::{JournalReader, list};
use super::retention::RETAINED;
use super::source::{all_forms, shown};

/// How much damage of one file a [`Verification`] lists.
pub const MAX_DAMAGE_LISTED: usize = 100;

/// How many bytes are read between two reports of how far a verification is.
const REPORT_BYTES: u64 = 1 << 20;

/// How [`Journal::verify_with`](super::Journal::verify_with) works.
///
/// ```
/// # use audit_sinks as audited;
/// use audited::{Journal, VerifyOptions};
///
/// # let directory = std::env::temp_dir().join(format!("verify-options-{}", std::process::id()));
/// # drop(Journal::open(&directory)?);
/// let options = VerifyOptions::new().on_progress(|progress| println!("{} of {}", progress.bytes, progress.of));
/// let found = Journal::verify_with(&directory, &options)?;
/// for stretch in &found.intact {
///     println!("{} to {} follow each other", stretch.first_seq, stretch.last_seq);
/// }
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "options do nothing until `Journal::verify_with`"]
pub struct VerifyOptions {
    anchor: Option<JournalHead>,
    progress: Option<Arc<OnProgress>>,
}

type OnProgress = dyn Fn(VerifyProgress) + Send + Sync;

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyProgress {
    /// How many bytes are checked, as they are on the disk; roughly, where files are compressed.
    pub bytes: u64,
    /// How many there were when it began.
    pub of: u64,
}

impl VerifyOptions {
    /// Starts with neither.
    pub const fn new() -> Self {
        Self { anchor: None, progress: None }
    }

    /// Sets a head that was kept elsewhere, which the journal must lead to.
    pub const fn anchor(mut self, anchor: JournalHead) -> Self {
        self.anchor = Some(anchor);
        self
    }

    /// Has told how far it is, once a MiB, from the threads that check.
    pub fn on_progress(mut self, told: impl Fn(VerifyProgress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(told));
        self
    }
}

impl fmt::Debug for VerifyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyOptions").field("anchor", &self.anchor).finish_non_exhaustive()
    }
}

/// What [`Journal::verify`](super::Journal::verify) found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verification {
    /// The last line; `None` where there is no line at all.
    pub head: Option<JournalHead>,
    /// The position of the first line that is there: not 1 where older files were removed.
    pub first_seq: u64,
    /// How many lines were checked.
    pub lines: u64,
    /// How many files there are.
    pub files: u64,
    /// What is not as it was written, in its order; of each file the first [`MAX_DAMAGE_LISTED`].
    pub damage: Vec<JournalError>,
    /// How much of it there is, listed or not.
    pub damages: u64,
    /// What is as it was written, in the order in which it stands there: one stretch, where nothing is damaged. Of each
    /// file the first [`MAX_DAMAGE_LISTED`].
    pub intact: Vec<Intact>,
    /// Whether the journal leads to the anchor that was given.
    pub anchored: Option<Anchored>,
}

/// Whether a journal leads to an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Anchored {
    /// The line is there, as it was.
    Yes,
    /// The journal ends before it: its end was cut off.
    Shorter,
    /// Another line stands there: what leads to it was written anew.
    Different,
    /// The journal is another stream.
    OtherStream,
    /// The file that had it was removed.
    Removed,
}

impl Verification {
    /// Whether nothing was found, and the anchor, if one was given, was led to.
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty() && matches!(self.anchored, None | Some(Anchored::Yes))
    }
}

/// Checks every line of a directory, and whether it leads to an anchor.
pub(super) fn verify(directory: &Path, options: &VerifyOptions) -> Result<Verification, JournalError> {
    let anchor = options.anchor;
    let mut paths: Vec<_> = list(directory)?.into_iter().map(|index| directory.join(index.to_string())).collect();
    // A file that is begun only now is none of what is checked: the one before it may grow until then.
    while paths.pop_if(|path| is_only_filled(path)).is_some() {}
    let mut found = Verification {
        head: None,
        first_seq: 0,
        lines: 0,
        files: paths.len() as u64,
        damage: Vec::new(),
        damages: 0,
        intact: Vec::new(),
        anchored: None,
    };
    let mut intact = Stretches::default();
    let (mut last, mut hash) = (None::<Position>, None);
    for (path, file) in paths.iter().zip(check_all(&paths, options)) {
        let file = file?;
        if let (Some(last), Some(first)) = (last, file.first)
            && let Some(damage) = last.mismatch(first)
        {
            found.damage.push(JournalError::damaged(&shown(path), 1, damage));
            found.damages += 1;
        }
        if let (0, Some(first)) = (found.lines, file.first) {
            found.first_seq = first.seq;
            hash = anchor.filter(|anchor| anchor.seq == first.seq - 1).map(|_| first.prev);
        }
        found.lines += file.lines;
        found.damage.extend(file.damage);
        found.damages += file.damages;
        file.intact.0.into_iter().for_each(|stretch| intact.append(stretch, usize::MAX));
        last = file.last.or(last);
        hash = file.anchor.or(hash);
    }
    found.head = last.map(JournalHead::from);
    found.intact = intact.0;
    if let Some((path, first)) = first_of(&paths)
        && first.seq > 1
        && !was_removed(directory, first)?
    {
        found.damages += 1;
        found.damage.insert(0, JournalError::damaged(&shown(path), 1, JournalDamage::Missing { seq: first.seq }));
    }
    found.anchored = anchor.map(|anchor| found.leads_to(anchor, hash));
    Ok(found)
}

impl Verification {
    /// `hash` is that of the line at the anchor's place.
    fn leads_to(&self, anchor: JournalHead, hash: Option<ChainHash>) -> Anchored {
        let Some(head) = self.head else { return Anchored::Shorter };
        match hash {
            _ if head.stream != anchor.stream => Anchored::OtherStream,
            Some(hash) if hash == anchor.hash => Anchored::Yes,
            None if anchor.seq > head.seq => Anchored::Shorter,
            None if anchor.seq < self.first_seq => Anchored::Removed,
            _ => Anchored::Different,
        }
    }
}

fn first_of(paths: &[PathBuf]) -> Option<(&Path, Place)> {
    paths.iter().find_map(|path| Some((path.as_path(), first_place(path)?)))
}

/// Whether a record says that everything before a line was removed.
fn was_removed(directory: &Path, first: Place) -> Result<bool, JournalError> {
    #[derive(Deserialize)]
    struct Detail<'a> {
        last_seq: u64,
        last_hash: &'a str,
    }

    let prev = first.prev.to_string();
    let removed = JournalReader::open(directory, None)?.filter_map(Result::ok).any(|record| {
        let detail = record.detail().filter(|_| record.kind() == Some(Kind::System) && record.action() == RETAINED);
        let detail = detail.and_then(|detail| serde_json::from_str::<Detail<'_>>(detail).ok());
        detail.is_some_and(|detail| detail.last_seq + 1 == first.seq && detail.last_hash == prev)
    });
    Ok(removed)
}

/// One file, checked by itself.
#[derive(Default)]
struct Checked {
    first: Option<Place>,
    last: Option<Position>,
    lines: u64,
    damage: Vec<JournalError>,
    damages: u64,
    intact: Stretches,
    /// The hash of the line that was asked for.
    anchor: Option<ChainHash>,
}

/// Checks files on as many threads as there are cores; gives what was found in the order of the files.
fn check_all(paths: &[PathBuf], options: &VerifyOptions) -> Vec<Result<Checked, JournalError>> {
    let next = AtomicUsize::new(0);
    let results: Vec<_> = paths.iter().map(|_| OnceLock::new()).collect();
    let meter = Meter::new(paths, options.progress.as_deref());
    let work = || {
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let (Some(path), Some(result)) = (paths.get(at), results.get(at))
        {
            let _ = result.set(check(path, &paths[at + 1..], options.anchor.map(|anchor| anchor.seq), &meter));
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(paths.len());
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    results.into_iter().filter_map(OnceLock::into_inner).collect()
}

fn check(path: &Path, later: &[PathBuf], anchor: Option<u64>, meter: &Meter<'_>) -> Result<Checked, JournalError> {
    let mut lines = Lines::open(path, Walk::default())?;
    lines.set_limit(later.iter().find_map(|path| first_place(path)).map(|place| place.seq))?;
    let (mut checked, mut read) = (Checked::default(), meter.file(path));
    loop {
        match lines.next()? {
            Next::Line(place) => {
                checked.first.get_or_insert(place);
                checked.lines += 1;
                let hash = lines.walk.next.map(|next| next.prev);
                if anchor == Some(place.seq) {
                    checked.anchor = hash;
                }
                if let Some(hash) = hash {
                    checked.intact.add(place, hash, MAX_DAMAGE_LISTED);
                }
            }
            Next::Damage(line, damage) => {
                checked.damages += 1;
                if checked.damage.len() < MAX_DAMAGE_LISTED {
                    checked.damage.push(JournalError::damaged(lines.path(), line, damage));
                }
            }
            Next::End => break,
        }
        read.is_at(lines.offset());
    }
    read.is_done();
    checked.last = lines.walk.next;
    Ok(checked)
}

/// Counts what is read of all files.
struct Meter<'a> {
    told: Option<&'a OnProgress>,
    bytes: AtomicU64,
    of: u64,
}

/// What is read of one file.
struct FileMeter<'a> {
    meter: &'a Meter<'a>,
    len: u64,
    told: u64,
}

impl<'a> Meter<'a> {
    fn new(paths: &[PathBuf], told: Option<&'a OnProgress>) -> Self {
        let of = if told.is_some() { paths.iter().map(|path| len(path)).sum() } else { 0 };
        Self { told, bytes: AtomicU64::new(0), of }
    }

    fn file(&'a self, path: &Path) -> FileMeter<'a> {
        FileMeter { meter: self, len: if self.told.is_some() { len(path) } else { 0 }, told: 0 }
    }
}

impl FileMeter<'_> {
    /// What is decompressed is more than what stands on the disk.
    fn is_at(&mut self, offset: u64) {
        let offset = offset.min(self.len);
        if offset >= self.told + REPORT_BYTES {
            self.tell(offset);
        }
    }

    fn is_done(&mut self) {
        self.tell(self.len);
    }

    fn tell(&mut self, offset: u64) {
        if let Some(told) = self.meter.told {
            let more = offset.saturating_sub(self.told);
            let bytes = self.meter.bytes.fetch_add(more, Ordering::Relaxed) + more;
            self.told = offset;
            told(VerifyProgress { bytes: bytes.min(self.meter.of), of: self.meter.of });
        }
    }
}

fn len(path: &Path) -> u64 {
    all_forms(path).first().map_or(0, |(_, metadata)| metadata.len())
}
