//! What is damaged, told once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::output::note;

/// What was found to be damaged while a journal was read.
#[derive(Clone, Default)]
pub(crate) struct Damages(Arc<Mutex<BTreeSet<(PathBuf, u64)>>>);

impl Damages {
    /// How many places were found to be damaged.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Says so, once a place.
    pub(super) fn add(&self, path: PathBuf, line: u64, said: &str) {
        /// How many are told one by one.
        const TOLD: usize = 3;
        let mut damages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = damages.len();
        if !damages.insert((path, line)) {
            return;
        }
        match count {
            0..TOLD => note(format_args!("damaged: {said}")),
            TOLD => note("more is damaged: `audited verify` says what"),
            _ => {}
        }
    }
}
