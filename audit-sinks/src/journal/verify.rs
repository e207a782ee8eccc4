//! Checking every line of a journal.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use audit_core::Kind;
use serde::Deserialize;

use super::chain::ChainHash;
use super::error::{JournalDamage, JournalError};
use super::line::Place;
use super::lines::{Lines, Next, first_place, is_only_filled};
use super::position::{Position, Walk};
use super::progress::JournalHead;
use super::reader::{JournalReader, list};
use super::retention::RETAINED;
use super::source::shown;

/// How much damage of one file a [`Verification`] lists.
pub const MAX_DAMAGE_LISTED: usize = 100;

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
pub(super) fn verify(directory: &Path, anchor: Option<JournalHead>) -> Result<Verification, JournalError> {
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
        anchored: None,
    };
    let (mut last, mut hash) = (None::<Position>, None);
    for (path, file) in paths.iter().zip(check_all(&paths, anchor.map(|anchor| anchor.seq))) {
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
        last = file.last.or(last);
        hash = file.anchor.or(hash);
    }
    found.head = last.map(JournalHead::from);
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
    /// The hash of the line that was asked for.
    anchor: Option<ChainHash>,
}

/// Checks files on as many threads as there are cores; gives what was found in the order of the files.
fn check_all(paths: &[PathBuf], anchor: Option<u64>) -> Vec<Result<Checked, JournalError>> {
    let next = AtomicUsize::new(0);
    let results: Vec<_> = paths.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let (Some(path), Some(result)) = (paths.get(at), results.get(at))
        {
            let _ = result.set(check(path, &paths[at + 1..], anchor));
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

fn check(path: &Path, later: &[PathBuf], anchor: Option<u64>) -> Result<Checked, JournalError> {
    let mut lines = Lines::open(path, Walk::default())?;
    lines.set_limit(later.iter().find_map(|path| first_place(path)).map(|place| place.seq))?;
    let mut checked = Checked::default();
    loop {
        match lines.next()? {
            Next::Line(place) => {
                checked.first.get_or_insert(place);
                checked.lines += 1;
                if anchor == Some(place.seq) {
                    checked.anchor = lines.walk.next.map(|next| next.prev);
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
    }
    checked.last = lines.walk.next;
    Ok(checked)
}
