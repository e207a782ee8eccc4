//! How the files of a journal lie on the disk.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Journal;
use super::disk::Directory;
use super::error::{JournalError, JournalStep};
use super::keeper::RESERVE;
use super::ring::marker::{MARKER, Marker};
use super::segment::Index;
use crate::filesystem::Filesystem;

/// How many bytes a probe writes at a time: about a record and its place.
const PROBE_BYTES: usize = 1 << 10;

/// How a journal lies on the disk: what [`Journal::inspect`] has found.
#[derive(Debug)]
#[non_exhaustive]
pub struct JournalInspection {
    /// Why a journal would refuse the directory or a file in it: somebody else's, open to others, no regular file.
    pub faults: Vec<JournalError>,
    /// The process that writes it, where that can be seen from here.
    pub writer: Option<u32>,
    /// What it lies on.
    pub filesystem: Filesystem,
    /// How many files with records there are.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many bytes are kept for when the disk is full; `None` where none are.
    pub reserve_bytes: Option<u64>,
    /// The [shared memory](super::JournalOptions::shared_memory) in which records may lie that are in no file yet.
    /// Where nobody writes the journal, a process has left it when it died, and whoever opens the journal carries over
    /// what is there.
    pub shared_memory: Option<PathBuf>,
}

impl Journal {
    /// Looks at how a journal lies on the disk, without changing or locking anything.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the directory cannot be read. What a journal would refuse is no error here, but what it
    /// finds.
    pub fn inspect(directory: impl AsRef<Path>) -> Result<JournalInspection, JournalError> {
        let path = directory.as_ref();
        let failed = |error| JournalError::io(path, JournalStep::Read, error);
        let directory = Directory::open(path, false)?;
        let mut faults: Vec<_> = directory.refuse_foreign().err().into_iter().collect();
        let (mut files, mut bytes) = (0, 0);
        for entry in fs::read_dir(path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_segment = Index::parse(name).is_some();
            if is_segment || name == RESERVE || name == MARKER {
                faults.extend(directory.refuse_foreign_file(name).err());
            }
            if is_segment {
                files += 1;
                bytes += path.join(name).symlink_metadata().map_or(0, |metadata| metadata.len());
            }
        }
        let marker = Marker::look(path).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        let reserve = path.join(RESERVE).symlink_metadata().ok().filter(fs::Metadata::is_file);
        Ok(JournalInspection {
            faults,
            writer: holder(path),
            filesystem: Filesystem::of(path).map_err(failed)?,
            files,
            bytes,
            reserve_bytes: reserve.map(|metadata| metadata.len()),
            shared_memory: marker.map(|marker| marker.path),
        })
    }

    /// Writes a file of its own into a journal's directory so many times, syncs it each time, and removes it: how long
    /// each took is what a caller waits for on this disk.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the disk refuses.
    pub fn probe(directory: impl AsRef<Path>, times: usize) -> Result<Vec<Duration>, JournalError> {
        let directory = directory.as_ref();
        let probe = Probe(directory.join(format!(".audited-probe-{}", std::process::id())));
        let failed = |step| move |error| JournalError::io(directory, step, error);
        let options = File::options().write(true).create_new(true).mode(0o600).open(&probe.0);
        let mut file = options.map_err(failed(JournalStep::Open))?;
        let mut took = Vec::new();
        for _ in 0..times {
            let begun = Instant::now();
            file.write_all(&[b'\n'; PROBE_BYTES]).map_err(failed(JournalStep::Write))?;
            file.sync_data().map_err(failed(JournalStep::Sync))?;
            took.push(begun.elapsed());
        }
        Ok(took)
    }
}

/// Removed when it is dropped.
struct Probe(PathBuf);

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The process that has a directory locked. To try the lock would refuse it to whoever takes it at that moment.
fn holder(directory: &Path) -> Option<u32> {
    let key = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let ours = fs::metadata(directory).map(key).ok()?;
    let processes =
        fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    processes.into_iter().find(|process| {
        // Of a process of somebody else nothing can be seen.
        let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().filter_map(Result::ok);
        let mut same = open.filter(|fd| fs::metadata(fd.path()).map(key).is_ok_and(|theirs| theirs == ours));
        same.any(|fd| {
            let info = format!("/proc/{process}/fdinfo/{}", fd.file_name().display());
            fs::read_to_string(info)
                .is_ok_and(|info| info.lines().any(|line| line.starts_with("lock:") && line.contains("FLOCK")))
        })
    })
}
