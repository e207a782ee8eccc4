//! Compressing files that have ended, in small steps, while there is nothing else to do.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use zstd::stream::write::Encoder;

use super::disk::{Disk, DiskFile};
use super::keeper::{Spare, Swaps};
use super::segment::{Index, compressed, unfinished};

/// How much is compressed in one step: so long the thread is deaf to what else it is asked.
const STEP_BYTES: usize = 256 << 10;

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
    plain: Box<dyn DiskFile>,
    at: u64,
    encoder: Encoder<'static, Appended>,
}

impl Compressor {
    /// For a journal whose next file is `next`.
    pub(super) fn new(level: i32, swaps: Swaps, journal: String, next: Index) -> Self {
        let wanted = Some(Wanted::ButLastBefore(next));
        Self { level, swaps, journal, wanted, found: Vec::new(), running: None, given_up: BTreeSet::new() }
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

    fn note(&mut self, disk: &dyn Disk, index: Index, ended: io::Result<()>) {
        let Err(error) = ended else { return };
        let _ = disk.remove(&unfinished(index));
        self.given_up.insert(index);
        // The subscriber is foreign code.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            tracing::warn!(
                target: "audited::journal",
                journal = self.journal,
                file = %index,
                error = %error.kind(),
                "a file could not be compressed; it stays as it is until the journal is opened again"
            );
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
        if let Some(running) = &mut self.running {
            let index = running.index;
            match running.read_on() {
                Ok(true) => {}
                Ok(false) => {
                    let ended = self.running.take().map_or(Ok(()), |running| running.finish(disk, &self.swaps));
                    self.note(disk, index, ended);
                }
                Err(error) => {
                    self.running = None;
                    self.note(disk, index, Err(error));
                }
            }
        } else if let Some(index) = self.found.pop() {
            match Running::begin(disk, index, self.level) {
                Ok(running) => self.running = running,
                Err(error) => self.note(disk, index, Err(error)),
            }
        } else if let Some(wanted) = self.wanted.take() {
            // Where the directory cannot be read now, the end of the next file asks again.
            self.found = disk.names().map_or_else(|_| Vec::new(), |names| self.look(&names, &wanted));
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
        Ok(Some(Self { index, plain, at: 0, encoder }))
    }

    /// Compresses some more; says whether there was any.
    fn read_on(&mut self) -> io::Result<bool> {
        let mut bytes = vec![0; STEP_BYTES];
        let read = self.plain.read_at(&mut bytes, self.at)?;
        self.encoder.write_all(&bytes[..read])?;
        self.at += read as u64;
        Ok(read > 0)
    }

    /// Puts the compressed file in the place of the plain one, which is there until the other is surely on the disk.
    fn finish(self, disk: &dyn Disk, swaps: &Swaps) -> io::Result<()> {
        let (plain, next) = (self.index.to_string(), unfinished(self.index));
        self.encoder.finish()?.file.sync()?;
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
