//! The files that a journal has, and what is known of them without reading them.

use std::path::Path;

use audit_core::Timestamp;

use super::JournalReader;
use crate::journal::error::{JournalError, JournalStep};
use crate::journal::lines::{first_and_before, first_place};
use crate::journal::segment::{Index, compressed};

/// A file of a journal, as [`JournalReader::files`] lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalFile {
    /// The position of its first line: [`JournalReader::from_seq`] begins there. A file whose first line is none belongs to
    /// the one before; where the oldest is such a file, 0 stands for it and the next one.
    pub first_seq: u64,
    /// When the first and the last of its records happened, by [`SortKey::micros`](audit_core::SortKey::micros). The file behind
    /// it says so, and its second line vouches for that; `None` where it does not: the process died before it could end
    /// the file, or the file is the last one.
    pub happened: Option<(Timestamp, Timestamp)>,
    /// Where it is among them.
    index: Index,
}

impl JournalReader {
    /// The positions at which those of its files begin that are still to be opened, the oldest first: where
    /// [`from_seq`](Self::from_seq) begins at no cost, for whoever wants the end alone.
    ///
    /// ```
    /// # use audit_sinks as audited;
    /// use audited::{Journal, JournalError};
    ///
    /// /// The records of the last file.
    /// fn newest(directory: &str) -> Result<Vec<String>, JournalError> {
    ///     let reader = Journal::read(directory)?;
    ///     let start = reader.file_starts().last().copied().unwrap_or(1);
    ///     reader.from_seq(start)?.map(|record| Ok(record?.action().into_owned())).collect()
    /// }
    ///
    /// # let directory = std::env::temp_dir().join(format!("journal-starts-{}", std::process::id()));
    /// # drop(Journal::open(&directory)?);
    /// assert_eq!(newest(&directory.to_string_lossy())?.first().map(String::as_str), Some("audit.segment_opened"));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn file_starts(&self) -> Vec<u64> {
        self.files.iter().filter_map(|index| first_place(&self.path_of(*index))).map(|place| place.seq).collect()
    }

    /// Those of its files that are still to be opened, the oldest first, with what is known of their records without reading
    /// them: for whoever looks for what happened at some time, and leaves the others alone.
    pub fn files(&self) -> Vec<JournalFile> {
        let mut before = None;
        let mut files: Vec<_> = Vec::new();
        for index in self.files.iter().rev() {
            let Some((place, of_before)) = first_and_before(&self.path_of(*index)) else { continue };
            let about = std::mem::replace(&mut before, of_before).filter(|before| before.first_seq == place.seq);
            let happened = about.and_then(|about| about.moments());
            files.push(JournalFile { first_seq: place.seq, happened, index: *index });
        }
        files.reverse();
        if let (Some(first), Some(oldest)) = (files.first_mut(), self.files.first())
            && first.index != *oldest
        {
            *first = JournalFile { first_seq: 0, happened: None, index: *oldest };
        }
        files
    }

    /// Another reader, which begins with one of the [`files`](Self::files) and has no other bound. The directory is not
    /// listed anew for it, so that going from file to file costs as much as what is read of them.
    ///
    /// ```
    /// # use audit_sinks as audited;
    /// use audited::{Journal, JournalError};
    ///
    /// /// How many records each file has, the newest first.
    /// fn counts(directory: &str) -> Result<Vec<usize>, JournalError> {
    ///     let (reader, mut end, mut counts) = (Journal::read(directory)?, u64::MAX, Vec::new());
    ///     for file in reader.files().into_iter().rev() {
    ///         let records: Result<Vec<_>, _> = reader.from_file(&file).before_seq(end).collect();
    ///         counts.push(records?.len());
    ///         end = file.first_seq;
    ///     }
    ///     Ok(counts)
    /// }
    ///
    /// # let directory = std::env::temp_dir().join(format!("journal-file-{}", std::process::id()));
    /// # drop(Journal::open(&directory)?);
    /// assert_eq!(counts(&directory.to_string_lossy())?, [2]); // what the journal says of itself
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn from_file(&self, file: &JournalFile) -> Self {
        let files = self.files.iter().copied().skip_while(|index| *index < file.index).collect();
        Self { from_seq: file.first_seq, ..Self::of(&self.directory, files, self.progress.clone()) }
    }
}

/// The files of a journal, in their order.
pub(in crate::journal) fn list(directory: &Path) -> Result<Vec<Index>, JournalError> {
    let failed = |error| JournalError::io(directory, JournalStep::Read, error);
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let files = with_missed(directory, Index::all(names.iter().map(String::as_str)));
    // What cannot be read must not look as if it were not there.
    if !cfg!(feature = "zstd")
        && let Some(plain) = files.iter().map(Index::to_string).find(|plain| !names.contains(plain))
    {
        return Err(JournalError::Compressed { path: directory.join(compressed(&plain)) });
    }
    Ok(files)
}

/// How many files that follow each other one listing may miss.
const MOST_MISSED: u64 = 64;

/// With the files that a listing has missed: one that is compressed meanwhile has a name that it passed already, and no
/// longer the one that it comes to.
fn with_missed(directory: &Path, listed: Vec<Index>) -> Vec<Index> {
    let mut all = Vec::with_capacity(listed.len());
    let mut before = 0;
    for index in listed {
        let missed = (before + 1..index.0).rev().take(usize::try_from(MOST_MISSED).unwrap_or_default()).map(Index);
        // Before the oldest there is nothing, once there is nothing.
        let mut missed: Vec<_> = if all.is_empty() {
            missed.take_while(|index| is_there(directory, *index)).collect()
        } else {
            missed.filter(|index| is_there(directory, *index)).collect()
        };
        missed.reverse();
        all.append(&mut missed);
        all.push(index);
        before = index.0;
    }
    all
}

/// The plain name first: it goes once the other one is there.
fn is_there(directory: &Path, index: Index) -> bool {
    let path = directory.join(index.to_string());
    path.symlink_metadata().is_ok() || directory.join(compressed(&index.to_string())).symlink_metadata().is_ok()
}

/// The name of the last file in which there is a line. Whoever opens a journal begins another.
pub(crate) fn last_begun(directory: &Path) -> Result<Option<String>, JournalError> {
    let names = list(directory)?.into_iter().rev().map(|index| index.to_string());
    Ok(names.into_iter().find(|name| first_place(&directory.join(name)).is_some()))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_a_listing_has_missed_is_found() {
        let directory = tempfile::tempdir().unwrap();
        for index in [3, 4, 5, 7, 8, 100, 103] {
            std::fs::write(directory.path().join(Index(index).to_string()), "").unwrap();
        }
        for index in [6, 101] {
            std::fs::write(directory.path().join(compressed(&Index(index).to_string())), "").unwrap();
        }
        let found = |listed: &[u64]| -> Vec<_> {
            let listed = listed.iter().copied().map(Index).collect();
            with_missed(directory.path(), listed).into_iter().map(|index| index.0).collect()
        };
        let all = [3, 4, 5, 6, 7, 8, 100, 101, 103];
        assert_eq!(found(&all), all);
        assert_eq!(found(&[3, 4, 5, 7, 8, 100, 103]), all, "plain and compressed, one and several");
        assert_eq!(found(&[5, 7, 8, 100, 103]), all, "the oldest");
        assert_eq!(found(&[]), [0; 0]);
    }

    #[test]
    fn a_number_that_is_far_off_costs_no_more_than_another() {
        let directory = tempfile::tempdir().unwrap();
        let listed = vec![Index(1), Index(u64::MAX - 1)];
        assert_eq!(with_missed(directory.path(), listed.clone()), listed);
    }
}
