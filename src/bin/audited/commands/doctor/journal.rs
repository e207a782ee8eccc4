//! A journal.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use audited::{DEFAULT_SEGMENT_BYTES, Journal, JournalError, Kind, Lock, StoredRecord, Timestamp};
use serde::Deserialize;

use super::delivery::{self, Head};
use super::disk::{self, bytes};
use super::report::Report;
use crate::failure::Failure;

/// How often a probe writes.
const PROBES: usize = 9;
/// How long a sync may take: every caller waits for one.
const SLOW: Duration = Duration::from_millis(50);
/// By how much a clock may differ.
pub(super) const CLOCK: i64 = 2_000_000;
/// How far back losses are told.
const LATELY: i64 = 24 * 3600 * 1_000_000;

pub(super) fn examine(path: &Path, lock: Option<&Path>, probes: bool, report: &mut Report) -> Result<(), Failure> {
    let lock =
        lock.map(|path| Lock::read(path).map_err(|error| Failure::unreachable(error.to_string()))).transpose()?;
    let found = match Journal::inspect(path) {
        Ok(found) => found,
        Err(error @ (JournalError::NotADirectory { .. } | JournalError::Mode { .. } | JournalError::Owner { .. })) => {
            report.fault("owner and modes", error.to_string());
            return Ok(());
        }
        Err(error) => return Err(Failure::because("the journal cannot be read", &error)),
    };
    if found.faults.is_empty() {
        report.ok("owner and modes", "nobody but its user can change or read it");
    }
    for fault in &found.faults {
        report.fault("owner and modes", fault.to_string());
    }
    match found.writer {
        Some(process) => report.ok("writer", format!("process {process} writes it")),
        None => report.ok("writer", "no process writes it now, as far as can be seen from here"),
    }
    disk::examine(&found.filesystem, DEFAULT_SEGMENT_BYTES * 2, report);
    match found.reserve_bytes {
        Some(kept) => report.ok("reserve", format!("{} are kept for when the disk is full", bytes(kept))),
        None if found.writer.is_some() => report.warning(
            "reserve",
            "no room is kept for when the disk is full",
            "the journal was told so (`reserve_bytes(0)`), or has given it up: is the disk full?",
        ),
        None => {
            report.ok("reserve", "none is there while nobody writes; who opens the journal makes it, if there is room");
        }
    }
    if let Some(memory) = &found.shared_memory {
        examine_memory(memory, found.writer.is_some(), report);
    }
    if probes && found.faults.is_empty() {
        probe(path, report);
    }
    let newest = Newest::read(path)?;
    newest.examine(report);
    if found.files > 1 {
        let older = found.files - 1;
        report.unknown("older files", format!("{older} were not read: `audited verify` checks every line of them"));
    }
    if let Some(lock) = lock {
        newest.compare(&lock, report);
    }
    delivery::examine(path, newest.head, report)
}

/// What lies in memory before it is in a file.
fn examine_memory(memory: &Path, is_written: bool, report: &mut Report) {
    let shown = memory.display();
    match memory.try_exists() {
        Err(error) => report.unknown("shared memory", format!("{shown} cannot be seen from here: {error}")),
        Ok(false) => {
            let gone = "is not there, as far as can be seen from here: what was acknowledged last may be lost";
            report.fault("shared memory", format!("{shown} {gone}"));
        }
        Ok(true) if is_written => {
            report.ok("shared memory", format!("records are acknowledged in {shown} before they are in a file"));
        }
        Ok(true) => {
            let left = format!("a process that died has left {shown}, and records in it may be in no file");
            report.warning("shared memory", left, "start the service again: it carries them over");
        }
    }
}

/// How long a caller waits for the disk.
fn probe(path: &Path, report: &mut Report) {
    let took = match Journal::probe(path, PROBES) {
        Ok(took) => took,
        Err(error) => return report.fault("sync", error.to_string()),
    };
    let mut sorted = took.clone();
    sorted.sort_unstable();
    let (median, longest) = (sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
    let says = format!("a write and its sync take {} µs, and up to {} µs", median.as_micros(), longest.as_micros());
    if median > SLOW {
        report.warning(
            "sync",
            says,
            "every caller waits for one: put the journal on a faster disk, or one with less load",
        );
    } else {
        report.ok("sync", says);
    }
}

/// What the newest file holds.
#[derive(Default)]
struct Newest {
    head: Option<Head>,
    last_at: Option<Timestamp>,
    /// The first position whose record is older than the one before.
    went_back: Option<u64>,
    damage: Option<JournalError>,
    lost: u64,
    actions: BTreeSet<String>,
}

/// What a record of a gap says.
#[derive(Deserialize)]
struct Gap {
    lost: u64,
}

impl Newest {
    fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |error: JournalError| Failure::because("the journal cannot be read", &error);
        let reader = Journal::read(path).map_err(failed)?;
        let start = reader.file_starts().last().copied().unwrap_or(1);
        let (mut newest, now) = (Self::default(), Timestamp::now().as_unix_micros());
        for record in reader.from_seq(start).map_err(failed)? {
            match record {
                Ok(record) => newest.note(&record, now),
                Err(error @ JournalError::Damaged { .. }) => drop(newest.damage.get_or_insert(error)),
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(newest)
    }

    fn note(&mut self, record: &StoredRecord, now: i64) {
        let stream = record.stream().and_then(|stream| stream.parse().ok());
        if let (Some(stream), Some(seq)) = (stream, record.seq()) {
            self.head = Some(Head { stream, seq });
        }
        if let Some(at) = record.recorded_at() {
            // What says that records were lost waits until a disk takes it, and keeps its time.
            let is_of_then = record.action() != "audit.gap";
            if is_of_then && self.last_at.is_some_and(|last| at.as_unix_micros() < last.as_unix_micros() - CLOCK) {
                self.went_back = self.went_back.or(record.seq());
            }
            if is_of_then {
                self.last_at = Some(at);
            }
            if record.action() == "audit.gap" && now - at.as_unix_micros() < LATELY {
                self.lost += record.detail_as::<Gap>().map_or(1, |gap| gap.lost);
            }
        }
        if record.kind() != Some(Kind::System) {
            self.actions.insert(record.action().into_owned());
        }
    }

    fn examine(&self, report: &mut Report) {
        match &self.damage {
            Some(error) => {
                report.failure("newest file", error.to_string(), "`audited verify` says what is proved all the same");
            }
            None if self.head.is_none() => {
                report.warning("newest file", "there is no line yet", "has a service opened it?");
            }
            None => report.ok("newest file", "each line follows the one before"),
        }
        let ahead = self.last_at.map(|at| at.as_unix_micros() - Timestamp::now().as_unix_micros());
        match (ahead, self.went_back) {
            (Some(ahead), _) if ahead > CLOCK => report.failure(
                "clock",
                format!("the last record is {} s in the future", ahead / 1_000_000),
                "the clock was set back, or another machine has written it: synchronise the clocks",
            ),
            (_, Some(seq)) => report.warning(
                "clock",
                format!("the clock was set back before the record with seq {seq}"),
                "synchronise the clock, and have it slewed instead of set",
            ),
            (Some(_), None) => report.ok("clock", "times follow the positions, and none is in the future"),
            (None, None) => {}
        }
        if self.lost > 0 {
            report.warning(
                "losses",
                format!("{} records were lost within a day, as records of gaps say", self.lost),
                "`audited query --action audit.gap` says when and why",
            );
        } else {
            report.ok("losses", "no record of a gap within a day");
        }
    }

    /// Whether the actions are those of a lock.
    fn compare(&self, lock: &Lock, report: &mut Report) {
        let mut known = BTreeSet::new();
        for package in lock.packages.values() {
            for (name, action) in &package.actions {
                known.insert(name);
                known.extend(&action.was);
            }
            for (name, retired) in &package.retired {
                known.insert(name);
                known.extend(&retired.was);
            }
        }
        let unknown: Vec<_> =
            self.actions.iter().filter(|action| !known.contains(action)).map(String::as_str).collect();
        if unknown.is_empty() {
            report.ok("lock", format!("the {} actions of the newest file are in it", self.actions.len()));
        } else {
            report.failure(
                "lock",
                format!("it does not have {}", unknown.join(", ")),
                "is it the lock of the version that runs? Then an action is `unlocked`, or recorded by its name alone",
            );
        }
    }
}
