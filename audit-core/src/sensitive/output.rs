//! The text that an encoder writes, and what is cut out of it: of a part that is over a bound only the size and the
//! digest stay, and no more than a piece of it is ever held.

use sha2::{Digest, Sha256};

use super::keys::push_hex;
use super::path::Path;
use crate::json;

/// How much of what is cut is held before it goes into the digest.
const PIECE_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Output {
    pub(super) text: String,
    /// The length past which [`Output::overflow`] is due.
    bound: usize,
    cut: Option<Box<Cut>>,
}

/// A part of the text that will not stay.
#[derive(Debug)]
struct Cut {
    start: usize,
    digest: Sha256,
    /// How much went into the digest.
    bytes: u64,
    /// Whether what went into the digest should have been taken back.
    spoilt: bool,
    bound_before: usize,
}

/// A place that what follows can be taken back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    length: usize,
    /// How much a cut had digested, where there was one.
    digested: Option<u64>,
}

impl Output {
    pub(super) fn new(text: String) -> Self {
        Self { text, bound: usize::MAX, cut: None }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { length: self.text.len(), digested: self.cut.as_ref().map(|cut| cut.bytes) }
    }

    /// Takes back what was written since.
    pub(super) fn back_to(&mut self, mark: Mark) {
        match (&mut self.cut, mark.digested) {
            (Some(cut), Some(digested)) if cut.bytes != digested => {
                cut.spoilt = true;
                self.text.truncate(cut.start);
            }
            // It began after the mark, and may begin before it: then what lay between is gone.
            (Some(cut), None) => {
                let (start, digested) = (cut.start, cut.bytes > 0);
                if start >= mark.length {
                    self.bound = cut.bound_before;
                    self.cut = None;
                } else if digested {
                    cut.spoilt = true;
                    return self.text.truncate(start);
                }
                self.text.truncate(mark.length);
            }
            _ => self.text.truncate(mark.length),
        }
    }

    /// Sets the length that the text must not pass, and gives back the one before.
    pub(super) fn set_bound(&mut self, bound: usize) -> usize {
        std::mem::replace(&mut self.bound, bound)
    }

    pub(super) fn bound(&self) -> usize {
        self.bound
    }

    pub(super) fn is_over(&self) -> bool {
        self.text.len() > self.bound
    }

    pub(super) fn is_cutting(&self) -> bool {
        self.cut.is_some()
    }

    /// From `start` on nothing stays.
    pub(super) fn cut_from(&mut self, start: usize) {
        let bound_before = self.set_bound(start + PIECE_BYTES);
        self.cut = Some(Box::new(Cut { start, digest: Sha256::new(), bytes: 0, spoilt: false, bound_before }));
    }

    /// Takes what is held of the cut into the digest. The path lies in the text, and is saved first.
    pub(super) fn digest(&mut self, path: &mut Path) {
        let Some(cut) = &mut self.cut else { return };
        path.save(&self.text, cut.start);
        cut.digest.update(&self.text.as_bytes()[cut.start..]);
        cut.bytes += (self.text.len() - cut.start) as u64;
        self.text.truncate(cut.start);
    }

    /// Ends the cut: its size and digest take its place. False where they could not be told.
    pub(super) fn end_cut(&mut self) -> bool {
        let Some(mut cut) = self.cut.take() else { return true };
        cut.digest.update(&self.text.as_bytes()[cut.start..]);
        let bytes = cut.bytes + (self.text.len() - cut.start) as u64;
        self.text.truncate(cut.start);
        self.bound = cut.bound_before;
        if cut.spoilt {
            return false;
        }
        self.text.push_str("{\"bytes\":");
        json::push_integer(&mut self.text, bytes);
        self.text.push_str(",\"sha256\":\"");
        push_hex(&mut self.text, &cut.digest.finalize());
        self.text.push_str("\"}");
        true
    }
}
