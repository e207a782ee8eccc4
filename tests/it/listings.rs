//! How often a directory is listed.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};

/// Counts from when it was made.
pub(crate) struct Listings(OwnedFd);

impl Listings {
    pub(crate) fn of(directory: &Path) -> Self {
        let watch = init(CreateFlags::NONBLOCK).unwrap();
        add_watch(&watch, directory, WatchFlags::OPEN).unwrap();
        Self(watch)
    }

    /// How many there were, and how many files were opened in between: of two events that are the same the system tells
    /// one, so that without such files nothing is counted.
    pub(crate) fn count(self) -> (usize, usize) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(self.0, &mut buffer);
        // At the end there is an error, as nothing blocks.
        let are_files: Vec<_> =
            std::iter::from_fn(|| events.next().ok().map(|event| event.file_name().is_some())).collect();
        let files = are_files.iter().filter(|is_file| **is_file).count();
        (are_files.len() - files, files)
    }
}
