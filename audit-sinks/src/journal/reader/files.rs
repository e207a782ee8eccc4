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
            files.push(JournalFile { first_seq: place.seq, happened: about.and_then(|about| about.moments()) });
        }
        files.reverse();
        let opens_first = self.files.first().is_none_or(|first| first_place(&self.path_of(*first)).is_some());
        if let Some(first) = files.first_mut().filter(|_| !opens_first) {
            *first = JournalFile { first_seq: 0, happened: None };
        }
        files
    }
}

/// The files of a journal, in their order.
pub(in crate::journal) fn list(directory: &Path) -> Result<Vec<Index>, JournalError> {
    let failed = |error| JournalError::io(directory, JournalStep::Read, error);
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let files = Index::all(names.iter().map(String::as_str));
    // What cannot be read must not look as if it were not there.
    if !cfg!(feature = "zstd")
        && let Some(plain) = files.iter().map(Index::to_string).find(|plain| !names.contains(plain))
    {
        return Err(JournalError::Compressed { path: directory.join(compressed(&plain)) });
    }
    Ok(files)
}

/// The name of the last file in which there is a line. Whoever opens a journal begins another.
pub(crate) fn last_begun(directory: &Path) -> Result<Option<String>, JournalError> {
    let names = list(directory)?.into_iter().rev().map(|index| index.to_string());
    Ok(names.into_iter().find(|name| first_place(&directory.join(name)).is_some()))
}
