//! What is handed over to the writer of a journal.

use super::line::{Body, Head, Text};
use crate::group::queue::{self, RECORD_OVERHEAD};
use crate::group::round::Round;

/// Records that are answered for together.
pub(super) enum Lot {
    One(Body),
    Many(Vec<Body>),
    /// Answered once everything before it is.
    Flush,
    /// Ends the file that is written, and goes on in another.
    Rotate,
}

impl Lot {
    pub(super) fn many(head: &Head, texts: Vec<Text>) -> Self {
        Self::Many(texts.into_iter().map(|text| Body::new(head, text)).collect())
    }

    pub(super) fn bodies(&self) -> &[Body] {
        match self {
            Self::One(body) => std::slice::from_ref(body),
            Self::Many(bodies) => bodies,
            Self::Flush | Self::Rotate => &[],
        }
    }
}

impl queue::Lot for Lot {
    fn bytes(&self) -> usize {
        self.bodies().iter().map(|body| body.len() + RECORD_OVERHEAD).sum()
    }
}

impl Round<Lot> {
    /// Whether there is nothing to write in it.
    pub(super) fn is_flush(&self) -> bool {
        self.batch.iter().all(|entry| matches!(entry.lot, Lot::Flush))
    }

    /// Whether the file is to end with it.
    pub(super) fn rotates(&self) -> bool {
        self.batch.iter().any(|entry| matches!(entry.lot, Lot::Rotate))
    }
}
