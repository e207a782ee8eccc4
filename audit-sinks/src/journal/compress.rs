//! Compressing files that have ended, in small steps, while there is nothing else to do. The plain file goes once the
//! other was read back and found to be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use zstd::stream::write::Encoder;

use super::compare::{Comparison, is_wrong};
use super::disk::{Disk, DiskFile};
use super::keeper::{Spare, Swaps};
use super::segment::{Index, compressed, unfinished};

/// How much is compressed in one step: so long the thread is deaf to what else it is asked.
const STEP_BYTES: usize = 256 << 10;

/// How often a file is compressed at most before it is left as it is, where the result is not what it was made from.
const TRIES: u32 = 3;

/// The levels that need no more than some MiB to decompress.
pub(super) const LEVELS: std::ops::RangeInclusive<i32> = 1..=19;

/// Compresses files, the oldest first. The last one that has ended stays plain, and so recovery finds it.
pub(super) struct Compressor {
    level: i32,
    swaps: Swaps,
    journal: String,
    /// Which files are to be looked for.
    wanted: Option<Wanted>,
    found: Vec<Index>,
    running: Option<Running>,
    /// How often the result was not what it was made from.
    wrong: BTreeMap<Index, u32>,
    /// Files that could not be compressed. They stay plain until the journal is opened again.
    given_up: BTreeSet<Index>,
}

enum Wanted {
    /// The plain ones before a file.
    Before(Index),
    /// The same, but for the last of them.
    ButLastBefore(Index),
}

/// A file that is being compressed.
struct Running {
    index: Index,
    stage: Stage,
}

enum Stage {
    Compressing { plain: Box<dyn DiskFile>, at: u64, encoder: Box<Encoder<'static, Appended>> },
    Comparing(Box<Comparison>),
}

impl Compressor {
    /// For a journal whose next file is `next`.
    pub(super) fn new(level: i32, swaps: Swaps, journal: String, next: Index) -> Self {
        let wanted = Some(Wanted::ButLastBefore(next));
        let (wrong, given_up) = (BTreeMap::new(), BTreeSet::new());
        Self { level, swaps, journal, wanted, found: Vec::new(), running: None, wrong, given_up }
    }

    fn look(&self, names: &[String], wanted: &Wanted) -> Vec<Index> {
        let (Wanted::Before(end) | Wanted::ButLastBefore(end)) = wanted;
        let is_plain = |name: &&str| Index::parse(name).is_some_and(|index| index < *end && index.to_string() == *name);
        let mut found = Index::all(names.iter().map(String::as_str).filter(is_plain));
        if matches!(wanted, Wanted::ButLastBefore(_)) {
            found.pop();
        }
        found.retain(|index| !self.given_up.contains(index));
        found.reverse();
        found
    }

    fn failed(&mut self, disk: &dyn Disk, index: Index, error: &io::Error) {
        let _ = disk.remove(&unfinished(index));
        let wrong = is_wrong(error);
        let tries = self.wrong.get(&index).map_or(1, |tries| tries + 1);
        let again = wrong && tries < TRIES;
        if again {
            self.wrong.insert(index, tries);
            self.found.push(index);
        } else {
            self.given_up.insert(index);
        }
        // The subscriber is foreign code.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            if wrong {
                tracing::error!(
                    target: "audited::journal",
                    journal = self.journal,
                    file = %index,
                    again,
                    "what a file was compressed to is not that file; it stays as it is"
                );
            } else {
                tracing::warn!(
                    target: "audited::journal",
                    journal = self.journal,
                    file = %index,
                    error = %error.kind(),
                    "a file could not be compressed; it stays as it is until the journal is opened again"
                );
            }
        }));
    }
}

impl Spare for Compressor {
    fn has_work(&self) -> bool {
        self.wanted.is_some() || self.running.is_some() || !self.found.is_empty()
    }

    fn ended(&mut self, index: Index) {
        self.wanted = Some(Wanted::Before(index));
    }

    fn step(&mut self, disk: &dyn Disk) {
        let (index, stepped) = if let Some(running) = self.running.take() {
            (running.index, running.step(disk, &self.swaps))
        } else if let Some(index) = self.found.pop() {
            (index, Running::begin(disk, index, self.level))
        } else if let Some(wanted) = self.wanted.take() {
            // Where the directory cannot be read now, the end of the next file asks again.
            self.found = disk.names().map_or_else(|_| Vec::new(), |names| self.look(&names, &wanted));
            return;
        } else {
            return;
        };
        match stepped {
            Ok(running) => self.running = running,
            Err(error) => self.failed(disk, index, &error),
        }
    }

    fn stop(&mut self, disk: &dyn Disk) {
        if let Some(running) = self.running.take() {
            let _ = disk.remove(&unfinished(running.index));
        }
    }
}

impl Running {
    /// `None` where the file is gone.
    fn begin(disk: &dyn Disk, index: Index, level: i32) -> io::Result<Option<Self>> {
        let plain = match disk.open(&index.to_string()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let name = unfinished(index);
        let file = match disk.create(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                disk.remove(&name)?;
                disk.create(&name)?
            }
            created => created?,
        };
        let mut encoder = Encoder::new(Appended { file, end: 0 }, level)?;
        encoder.include_checksum(true)?;
        // It then does not end well unless all of it was read.
        encoder.set_pledged_src_size(Some(plain.len()?))?;
        Ok(Some(Self { index, stage: Stage::Compressing { plain, at: 0, encoder: Box::new(encoder) } }))
    }

    /// Does some more; gives nothing once all is done.
    fn step(self, disk: &dyn Disk, swaps: &Swaps) -> io::Result<Option<Self>> {
        let index = self.index;
        let stage = match self.stage {
            Stage::Compressing { plain, at, mut encoder } => {
                let mut bytes = vec![0; STEP_BYTES];
                let read = plain.read_at(&mut bytes, at)?;
                encoder.write_all(&bytes[..read])?;
                if read > 0 {
                    Stage::Compressing { plain, at: at + read as u64, encoder }
                } else {
                    let packed = encoder.finish()?.file;
                    packed.sync()?;
                    Stage::Comparing(Box::new(Comparison::new(plain, packed)?))
                }
            }
            Stage::Comparing(mut comparison) => {
                if !comparison.go_on(STEP_BYTES)? {
                    return Self::replace(index, disk, swaps).map(|()| None);
                }
                Stage::Comparing(comparison)
            }
        };
        Ok(Some(Self { index, stage }))
    }

    /// Puts the compressed file in the place of the plain one, which is there until the other is surely on the disk.
    fn replace(index: Index, disk: &dyn Disk, swaps: &Swaps) -> io::Result<()> {
        let (plain, next) = (index.to_string(), unfinished(index));
        let _one_at_a_time = swaps.lock().unwrap_or_else(PoisonError::into_inner);
        match disk.open(&plain) {
            // A retention has removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return disk.remove(&next),
            opened => drop(opened?),
        }
        let packed = compressed(&plain);
        disk.rename(&next, &packed)?;
        if let Err(error) = disk.sync() {
            let _ = disk.remove(&packed);
            return Err(error);
        }
        disk.remove(&plain)
    }
}

/// Writes one behind the other.
struct Appended {
    file: Box<dyn DiskFile>,
    end: u64,
}

impl Write for Appended {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(bytes, self.end)?;
        self.end += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
