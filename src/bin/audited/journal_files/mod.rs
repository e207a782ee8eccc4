//! The files of a journal as a store, so that the readers and the queries of stores work on them.
//!
//! They are read and nothing else: no lock is taken, no file is opened for writing, a service may write them meanwhile.
//! Nothing is indexed: a question goes through all lines, in bounded memory, and reads those that may be what it is about.
//! The newest records are looked for from the end; files that are too old to hold any are left alone.

mod best;
mod damages;
mod newest;
mod recent;
mod removed;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use audited::__private::head_id;
use audited::{
    Arrived, AuditSink, AuditStore, CursorKey, Durability, Intents, InvalidCursor, Journal, JournalDamage,
    JournalError, JournalReader, Order, Position, Record, Selection, SinkError, Stage, StoreError, StoredRecord,
};

use self::best::Best;
pub(crate) use self::damages::Damages;
use crate::failure::Failure;
use crate::output::{escape_path, note};

/// How many lines are read before others have their turn.
const LOOK: usize = 2_048;
/// How often a journal is looked at for something new.
const POLL: Duration = Duration::from_millis(50);

/// How much of a journal a page is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// In all of it.
    All,
    /// In the last files, as many as it takes to fill the page: what was written last is there, whatever its times say.
    /// Intents are left out: their ends may be elsewhere.
    Newest,
}

/// A journal's files.
pub(crate) struct JournalFiles {
    directory: PathBuf,
    depth: Depth,
    damages: Damages,
    /// What is read of what arrives.
    reading: Mutex<Option<Reading>>,
    key: OnceLock<CursorKey>,
}

/// A reader that stands behind a position.
struct Reading {
    at: u64,
    reader: JournalReader,
    /// What it has given already, and nobody has seen.
    ahead: Option<Result<StoredRecord, JournalError>>,
}

impl Reading {
    /// Looks whether there is more.
    fn has_grown(&mut self) -> bool {
        self.ahead = self.ahead.take().or_else(|| self.reader.next());
        self.ahead.is_some()
    }

    fn next_where(&mut self, wanted: impl FnMut(&[u8]) -> bool) -> Option<Result<StoredRecord, JournalError>> {
        self.ahead.take().or_else(|| self.reader.next_where(wanted))
    }
}

impl JournalFiles {
    pub(crate) fn open(directory: &Path, depth: Depth, damages: Damages) -> Result<Self, Failure> {
        let failed = |error: JournalError| Failure::because("the journal cannot be read", &error);
        if !directory.is_dir() {
            return Err(match directory.symlink_metadata() {
                Ok(_) => Failure::unreachable(format!("{} is no directory, as a journal is", escape_path(directory))),
                Err(error) => Failure::file("read", directory, &error),
            });
        }
        let reader = Journal::read(directory).map_err(failed)?;
        if reader.file_starts().is_empty() {
            note(format_args!("{} holds no record of a journal", escape_path(directory)));
        }
        // Journals of further processes are in directories below.
        let further = Journal::streams(directory).map_err(failed)?.len();
        if further > 0 {
            note(format_args!(
                "{further} further streams are below {}: name their directories to read them",
                escape_path(directory)
            ));
        }
        Ok(Self { directory: directory.to_owned(), depth, damages, reading: Mutex::default(), key: OnceLock::new() })
    }

    /// What was read, where it is a record. Damage costs the lines that it is in, and is told; all else ends the reading.
    fn sound(&self, read: Result<StoredRecord, JournalError>) -> Result<Option<StoredRecord>, StoreError> {
        let error = match read {
            Ok(record) => return Ok(Some(record)),
            Err(error) => error,
        };
        let said = error.to_string();
        match error {
            JournalError::Damaged { damage: JournalDamage::Seq { expected, found }, .. }
                if removed::meanwhile(&self.directory, expected, found) =>
            {
                Ok(None)
            }
            JournalError::Damaged { path, line, .. } => {
                self.damages.add(path, line, &said);
                Ok(None)
            }
            error => Err(StoreError::failed(error)),
        }
    }

    fn read(&self) -> Result<JournalReader, StoreError> {
        Journal::read(&self.directory).map_err(StoreError::failed)
    }

    /// The position of the last line.
    fn last(&self) -> Result<u64, StoreError> {
        let reader = self.read()?;
        let Some(start) = reader.file_starts().last().copied() else { return Ok(0) };
        let mut reader = reader.from_seq(start).map_err(StoreError::failed)?;
        while let Some(read) = reader.next_where(|_| false) {
            self.sound(read)?;
        }
        Ok(reader.last_seq().unwrap_or(0))
    }

    /// Reads every line, in their order.
    fn oldest(&self, best: &mut Best<'_>) -> Result<(), StoreError> {
        let mut reader = self.read()?;
        while let Some(read) = reader.next_where(|line| best.wants(line)) {
            self.sound(read)?.into_iter().for_each(|record| best.see(record));
        }
        Ok(())
    }

    /// Reads some of what stands behind a position.
    fn behind(&self, selection: &Selection, after: u64) -> Result<Arrived, StoreError> {
        let mut kept = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reading = match kept.take() {
            Some(reading) if reading.at == after => reading,
            _ => {
                let reader = self.read()?.from_seq(after + 1).map_err(StoreError::failed)?;
                Reading { at: after, reader, ahead: None }
            }
        };
        let sieve = selection.sieve();
        let (mut found, mut next, mut looked, mut more) = (Vec::new(), after, 0, false);
        // The last line of a turn is read in any case: its place is where the next turn begins.
        while let Some(read) = reading.next_where(|line| {
            looked += 1;
            looked >= LOOK || sieve.may_match(line)
        }) {
            let Some(record) = self.sound(read)? else { continue };
            next = record.seq().unwrap_or(next);
            if selection.matches(&record) {
                found.push((record, position(next)));
            }
            more = looked >= LOOK || found.len() >= selection.limit();
            if more {
                break;
            }
        }
        if !more && looked > 0 {
            next = reading.reader.last_seq().unwrap_or(next);
        }
        reading.at = next;
        *kept = Some(reading);
        Ok(Arrived::new(found, position(next), more))
    }
}

#[async_trait::async_trait]
impl AuditStore for JournalFiles {
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        let mut best = Best::of(selection);
        match (self.depth, selection.order(), selection.intents()) {
            (Depth::Newest, ..) => self.newest(&mut best)?,
            (Depth::All, Order::NewestFirst, Intents::Orphans | Intents::Hidden) => self.latest(&mut best)?,
            (Depth::All, ..) => self.oldest(&mut best)?,
        }
        Ok(best.found())
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        let (sieve, mut reader) = (selection.sieve(), self.read()?);
        let (mut count, mut open) = (0, HashSet::new());
        while let Some(read) = reader.next_where(|line| {
            let may_end = || !open.is_empty() && head_id(line).is_none_or(|id| open.contains(&id));
            sieve.may_match(line) || may_end()
        }) {
            let Some(record) = self.sound(read)? else { continue };
            let Some(id) = record.id() else { continue };
            if record.stage() != Some(Stage::Intent) {
                open.remove(&id);
                count += u64::from(selection.matches(&record));
            } else if selection.intents() != Intents::Hidden && selection.matches(&record) {
                open.insert(record.call().unwrap_or(id));
            }
        }
        Ok(count + open.len() as u64)
    }

    async fn arrived(&self, selection: &Selection, after: &Position) -> Result<Arrived, StoreError> {
        self.behind(selection, seq(after)?)
    }

    async fn position(&self) -> Result<Position, StoreError> {
        self.last().map(position)
    }

    async fn grown(&self, after: &Position) -> Result<(), StoreError> {
        let after = seq(after)?;
        loop {
            {
                let mut kept = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
                let reading = kept.as_mut().filter(|reading| reading.at == after);
                if reading.is_none_or(Reading::has_grown) {
                    return Ok(());
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Made of the id of the stream: it seals nothing from anybody, as who reads the files reads all of them, and keeps
    /// cursors of other journals apart.
    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        if let Some(key) = self.key.get() {
            return Ok(key.clone());
        }
        let mut key = [0; 32];
        for read in self.read()? {
            let Some(record) = self.sound(read)? else { continue };
            if let Some(stream) = record.stream() {
                let digits = stream.bytes().filter(u8::is_ascii_hexdigit);
                key.iter_mut().zip(digits).for_each(|(byte, digit)| *byte = digit);
            }
            break;
        }
        Ok(self.key.get_or_init(|| CursorKey::from_bytes(key)).clone())
    }
}

#[async_trait::async_trait]
impl AuditSink for JournalFiles {
    async fn write(&self, _: &[Record]) -> Result<(), SinkError> {
        Err(SinkError::Closed)
    }

    fn durability(&self) -> Durability {
        Durability::None
    }

    fn describe(&self) -> String {
        format!("files of {}", escape_path(&self.directory))
    }
}

/// A position is how many lines there were.
fn position(seq: u64) -> Position {
    if seq == 0 { Position::start() } else { Position::from_bytes(seq.to_be_bytes()) }
}

fn seq(position: &Position) -> Result<u64, StoreError> {
    match position.as_bytes() {
        [] => Ok(0),
        bytes => Ok(u64::from_be_bytes(bytes.try_into().map_err(|_| InvalidCursor)?)),
    }
}
