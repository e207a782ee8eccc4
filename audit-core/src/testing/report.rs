//! What the scan found.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use super::capture::{Kept, Place, both_debugs, whole_error};
use super::form::Form;
use super::plant::{Unplanted, named};
use super::scan::{Hit, Scanner};
use crate::record::Record;

/// How many bytes of what stands around a leak are shown, on either side.
const AROUND: usize = 40;

/// How many bytes of a leak are shown.
const GLIMPSE: usize = 3;

/// How many leaks are told of.
const MOST_TOLD: usize = 20;

/// A secret, or a part of it, where none should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak {
    /// Which secret: its path, as in a record's list of redacted paths; empty where it is the value itself.
    pub path: String,
    /// Where it was found.
    pub place: Place,
    /// In which form.
    pub form: Form,
    /// How many characters of it.
    pub characters: usize,
    /// How many it has.
    pub of: usize,
    /// What stands around it, and its beginning.
    pub excerpt: String,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, place, form, characters, of, excerpt } = self;
        write!(f, "{}: {form}, {characters} of {of} characters, in {place}: {excerpt}", named(path))
    }
}

/// Why nothing found means nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NothingPlanted,
    NoRecord,
    NotPlanted { path: String },
    NotFlushed { why: String },
    NotSeen { what: String, why: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingPlanted => f.write_str("nothing was planted: no sensitive field takes a secret"),
            Self::NoRecord => f.write_str(
                "the code left no record: audited code must run in it, in the task of the test or in one spawned with \
                 `carry`; where none is to be left, say so by `Canary::without_record`",
            ),
            Self::NotPlanted { path } => write!(f, "nothing was planted at `{path}`, which is asked for by name"),
            Self::NotFlushed { why } => write!(f, "not every record was seen: {why}"),
            Self::NotSeen { what, why } => write!(f, "{what} was not seen: {why}"),
        }
    }
}

/// What came of a run: the leaks, and what the code returned.
#[must_use = "nothing is checked until `assert_clean`"]
pub struct CanaryReport<R> {
    pub(super) outcome: thread::Result<R>,
    pub(super) scanner: Scanner,
    pub(super) unplanted: Vec<Unplanted>,
    pub(super) faults: Vec<Fault>,
    pub(super) records: Vec<Record>,
    pub(super) leaks: Vec<Leak>,
}

impl<R> CanaryReport<R> {
    pub(super) fn new(
        outcome: thread::Result<R>,
        scanner: Scanner,
        kept: Kept,
        unplanted: Vec<Unplanted>,
        faults: Vec<Fault>,
    ) -> Self {
        let mut report = Self { outcome, scanner, unplanted, faults, records: kept.records, leaks: Vec::new() };
        for output in kept.outputs {
            report.scan(&output.place, &output.bytes);
        }
        report
    }

    /// Panics unless nothing has leaked, something was planted, and a record was left; then gives what the code
    /// returned.
    ///
    /// # Panics
    ///
    /// With the whole report where something is wrong. A panic of the code resumes, unless something has leaked.
    #[track_caller]
    pub fn assert_clean(self) -> R {
        assert!(self.leaks.is_empty() && (self.faults.is_empty() || self.outcome.is_err()), "{self}");
        self.outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// What has leaked.
    pub fn leaks(&self) -> &[Leak] {
        &self.leaks
    }

    /// Where secrets were planted, as in a record's list of redacted paths.
    pub fn planted(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = Vec::new();
        for secret in self.scanner.secrets() {
            if !paths.contains(&secret.path.as_str()) {
                paths.push(&secret.path);
            }
        }
        paths
    }

    /// Sensitive places that hold no secret, and why.
    pub fn unplanted(&self) -> &[Unplanted] {
        &self.unplanted
    }

    /// The records that the code has left, without those of the framework itself.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// What the code returned; `None` where it panicked.
    pub fn result(&self) -> Option<&R> {
        self.outcome.as_ref().ok()
    }

    /// Scans something else that was put out: the body of an answer, what a mail said.
    pub fn saw(mut self, what: &str, output: impl AsRef<[u8]>) -> Self {
        self.scan(&Place::Seen { what: what.to_owned() }, output.as_ref());
        self
    }

    /// Scans an error: its `Display`, its `Debug`, and those of its sources.
    pub fn saw_error(mut self, what: &str, error: &(dyn Error + 'static)) -> Self {
        self.scan(&Place::Error { what: what.to_owned() }, whole_error(error).as_bytes());
        self
    }

    /// Scans the `Debug` of something.
    pub fn saw_debug(mut self, what: &str, value: &dyn fmt::Debug) -> Self {
        self.scan(&Place::Debug { what: what.to_owned() }, both_debugs(value).as_bytes());
        self
    }

    /// Scans a file. One that is empty or cannot be read is a failure.
    pub fn saw_file(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        if let Err(error) = self.file(path) {
            self.not_seen(path, &error);
        }
        self
    }

    /// Scans every file in a folder and in those below it. A folder without any is a failure.
    pub fn saw_dir(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        match self.folder(path) {
            Ok(0) => self.not_seen(path, &io::Error::other("there is no file in it")),
            Ok(_) => {}
            Err(error) => self.not_seen(path, &error),
        }
        self
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        let bytes = fs::read(path)?;
        if bytes.is_empty() {
            return Err(io::Error::other("it is empty"));
        }
        self.scan(&Place::Seen { what: path.display().to_string() }, &bytes);
        Ok(())
    }

    fn folder(&mut self, path: &Path) -> io::Result<usize> {
        let mut files = 0;
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.is_dir() {
                files += self.folder(&path)?;
            } else {
                // A file among others may well be empty.
                self.scan(&Place::Seen { what: path.display().to_string() }, &fs::read(&path)?);
                files += 1;
            }
        }
        Ok(files)
    }

    fn not_seen(&mut self, path: &Path, error: &io::Error) {
        self.faults.push(Fault::NotSeen { what: path.display().to_string(), why: error.to_string() });
    }

    fn scan(&mut self, place: &Place, output: &[u8]) {
        let hits = self.scanner.hits(output);
        for hit in &hits {
            let secret = &self.scanner.secrets()[hit.secret];
            let leak = Leak {
                path: secret.path.clone(),
                place: place.clone(),
                form: hit.form,
                characters: hit.characters.len(),
                of: secret.text.chars().count(),
                excerpt: excerpt(output, hit, &hits),
            };
            // The same once more tells nothing new: the most that has leaked of it does.
            let same = |known: &&mut Leak| (&known.path, &known.place, known.form) == (&leak.path, place, leak.form);
            match self.leaks.iter_mut().find(same) {
                Some(known) if known.characters >= leak.characters => {}
                Some(known) => *known = leak,
                None => self.leaks.push(leak),
            }
        }
    }
}

impl<V, E: Error + 'static> CanaryReport<Result<V, E>> {
    /// Scans the error that the code returned, if it did: its `Display`, its `Debug`, and those of its sources.
    pub fn and_error(mut self) -> Self {
        if let Ok(Err(error)) = &self.outcome {
            let output = whole_error(error);
            self.scan(&Place::Error { what: "the result".into() }, output.as_bytes());
        }
        self
    }
}

impl<R: fmt::Debug> CanaryReport<R> {
    /// Scans the `Debug` of what the code returned.
    pub fn and_debug(mut self) -> Self {
        if let Ok(result) = &self.outcome {
            let output = both_debugs(result);
            self.scan(&Place::Debug { what: "the result".into() }, output.as_bytes());
        }
        self
    }
}

impl<R> fmt::Debug for CanaryReport<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<R> fmt::Display for CanaryReport<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "canary: {} leaks, {} records", self.leaks.len(), self.records.len())?;
        for path in self.planted() {
            writeln!(f, "  planted: {}", named(path))?;
        }
        for unplanted in &self.unplanted {
            writeln!(f, "  not planted: {unplanted}")?;
        }
        for fault in &self.faults {
            writeln!(f, "  failure: {fault}")?;
        }
        for leak in self.leaks.iter().take(MOST_TOLD) {
            writeln!(f, "  leak: {leak}")?;
        }
        if self.leaks.len() > MOST_TOLD {
            writeln!(f, "  and {} leaks more", self.leaks.len() - MOST_TOLD)?;
        }
        if self.outcome.is_err() {
            writeln!(f, "  the code panicked")?;
        }
        Ok(())
    }
}

/// What stands around a hit; of every hit therein only the beginning.
fn excerpt(output: &[u8], hit: &Hit, hits: &[Hit]) -> String {
    let window = hit.at.start.saturating_sub(AROUND)..(hit.at.end + AROUND).min(output.len());
    let mut shown = Vec::new();
    let mut at = window.start;
    for other in hits {
        if other.at.end <= window.start || other.at.start >= window.end {
            continue;
        }
        shown.extend_from_slice(&output[at..other.at.start.max(at)]);
        let glimpse = (other.at.start + GLIMPSE).min(other.at.end);
        if other.at.start >= window.start {
            shown.extend_from_slice(&output[other.at.start..glimpse]);
        }
        shown.extend_from_slice("…".as_bytes());
        at = other.at.end;
    }
    shown.extend_from_slice(&output[at.min(window.end)..window.end]);
    String::from_utf8_lossy(&shown).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
