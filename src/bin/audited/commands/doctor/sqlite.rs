//! A store in a file.

use std::path::Path;

use audited::{FilesystemKind, SqliteError, SqliteStore};

use super::disk;
use super::report::Report;
use crate::failure::Failure;

/// How much room a store may need soon: its log, and what it is copied to.
const ROOM: u64 = 256 << 20;

pub(super) fn examine(path: &Path, report: &mut Report) -> Result<(), Failure> {
    let found = match SqliteStore::inspect(path) {
        Ok(found) => found,
        Err(error @ (SqliteError::NotAFile { .. } | SqliteError::NotADatabase { .. })) => {
            report.fault("file", error.to_string());
            return Ok(());
        }
        Err(error) => return Err(Failure::because("the store cannot be read", &error)),
    };
    match &found.fault {
        Some(fault) => report.fault("owner and mode", fault.to_string()),
        None => report.ok("owner and mode", "nobody but its user can change or read it"),
    }
    disk::examine(&found.filesystem, ROOM, report);
    if found.filesystem.kind == FilesystemKind::Network {
        report.failure(
            "locks",
            "SQLite's locks and its shared memory do not work over a network",
            "put the file on a disk of this machine, or take PostgreSQL",
        );
    }
    if found.journal_mode == "wal" {
        report.ok("journal_mode", "wal, as a store sets it");
    } else {
        report.failure(
            "journal_mode",
            format!("{}: no store has opened the file so, or somebody has set it", found.journal_mode),
            "open it as a store once: that sets a write-ahead log",
        );
    }
    report.ok("synchronous", "FULL, in every connection of a store; what else writes the file sets its own");
    let current = found.current_layout;
    match found.layout {
        Some(layout) if layout == current => report.ok("layout", format!("version {layout}")),
        Some(layout) if layout > current => report.failure(
            "layout",
            format!("version {layout}, and this program knows {current} at most"),
            "take the version of `audited` that has written it",
        ),
        Some(layout) => report.warning(
            "layout",
            format!("version {layout}, and {current} is the newest"),
            "open it with the newer version: the tables become those of today",
        ),
        None => {
            report.failure("layout", "the tables of a store are not there", "is it the file of another application?");
        }
    }
    if found.layout == Some(current) && found.differing.is_empty() {
        report.ok("tables and triggers", "as the store makes them: what is in them is neither changed nor removed");
    } else if found.layout == Some(current) {
        report.failure(
            "tables and triggers",
            format!("missing, or other than the store makes them: {}", found.differing.join(", ")),
            "somebody has changed them: restore the file, and find out what was done meanwhile",
        );
    }
    report.unknown("records", "they were not read: `audited verify` checks each");
    if !found.foreign_triggers.is_empty() {
        report.warning(
            "tables and triggers",
            format!("not of the store: {}", found.foreign_triggers.join(", ")),
            "look at what they do with records; the application's own tables are the place for its triggers",
        );
    }
    Ok(())
}
