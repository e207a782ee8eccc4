//! The journal that is carried: one of this process, or one that another process writes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use audit_core::__private::block_on;
use audit_core::{AuditSink as _, Durability, SinkError};

use crate::journal::{Journal, JournalError, JournalHead, JournalReader, JournalWatch, Progress};

#[derive(Clone, Debug)]
pub(super) enum Carried {
    Ours(Journal),
    Another(JournalWatch),
}

impl Carried {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Ours(journal) => journal.path(),
            Self::Another(watch) => watch.path(),
        }
    }

    pub(super) fn head(&self) -> JournalHead {
        match self {
            Self::Ours(journal) => journal.head(),
            Self::Another(watch) => watch.head(),
        }
    }

    pub(super) fn follow(&self) -> Result<JournalReader, JournalError> {
        match self {
            Self::Ours(journal) => journal.follow(),
            Self::Another(watch) => watch.follow(),
        }
    }

    /// How far it is, for whoever follows it without keeping it open.
    pub(super) fn progress(&self) -> Arc<Progress> {
        match self {
            Self::Ours(journal) => journal.progress(),
            Self::Another(watch) => watch.progress(),
        }
    }

    /// Whether what it has acknowledged is on the disk.
    pub(super) fn is_synced(&self) -> bool {
        match self {
            Self::Ours(journal) => journal.durability() >= Durability::Disk,
            Self::Another(_) => true,
        }
    }

    /// Has it on the disk.
    pub(super) fn sync(&self, within: Duration) -> Result<(), SinkError> {
        match self {
            Self::Ours(journal) => block_on(journal.flush(), within),
            Self::Another(_) => Ok(()),
        }
    }
}
