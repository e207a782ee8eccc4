//! What is damaged, told once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::output::note;

/// How many places are remembered, so that none is told twice: nothing is told of those beyond the first few anyway.
const KNOWN: usize = TOLD + 1;
/// How many are told one by one.
const TOLD: usize = 3;

/// What was found to be damaged while a journal was read.
#[derive(Clone, Default)]
pub(crate) struct Damages(Arc<Mutex<BTreeSet<(PathBuf, u64)>>>);

impl Damages {
    /// Whether anything was found to be damaged.
    pub(crate) fn are_any(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Says so, once a place.
    pub(super) fn add(&self, path: PathBuf, line: u64, said: &str) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = places.len();
        if count >= KNOWN || !places.insert((path, line)) {
            return;
        }
        match count {
            0..TOLD => note(format_args!("damaged: {said}")),
            TOLD => note("more is damaged: `audited verify` says what"),
            _ => {}
        }
    }
}
