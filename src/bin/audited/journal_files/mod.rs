//! The files of a journal as a store, so that the readers and the queries of stores work on them.
//!
//! They are read and nothing else: no lock is taken, no file is opened for writing, a service may write them meanwhile.
//! Nothing is indexed: each question reads all lines once, in bounded memory.

mod best;
mod damages;
mod removed;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use audited::{
    Arrived, AuditSink, AuditStore, CursorKey, Durability, Intents, InvalidCursor, Journal, JournalDamage,
    JournalError, JournalReader, Position, Record, Row, Selection, SinkError, Stage, StoreError, StoredRecord,
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
}

impl Iterator for Reading {
    type Item = Result<StoredRecord, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.ahead.take().or_else(|| self.reader.next())
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

    /// Reads every line, in their order; what is damaged is told, and passed over.
    fn each(
        &self,
        reader: &mut dyn Iterator<Item = Result<StoredRecord, JournalError>>,
        mut each: impl FnMut(StoredRecord) -> bool,
    ) -> Result<(), StoreError> {
        for record in reader {
            match record {
                Ok(record) => {
                    if !each(record) {
                        break;
                    }
                }
                Err(error) => self.pass_over(error)?,
            }
        }
        Ok(())
    }

    /// Damage costs the lines that it is in; all else ends the reading.
    fn pass_over(&self, error: JournalError) -> Result<(), StoreError> {
        let said = error.to_string();
        match error {
            JournalError::Damaged { damage: JournalDamage::Seq { expected, found }, .. }
                if removed::meanwhile(&self.directory, expected, found) =>
            {
                Ok(())
            }
            JournalError::Damaged { path, line, .. } => {
                self.damages.add(path, line, &said);
                Ok(())
            }
            error => Err(StoreError::failed(error)),
        }
    }

    fn read(&self) -> Result<JournalReader, StoreError> {
        Journal::read(&self.directory).map_err(StoreError::failed)
    }

    /// The position of the last line.
    fn last(&self) -> Result<u64, StoreError> {
        let (reader, mut last) = (self.read()?, 0);
        let Some(start) = reader.file_starts().last().copied() else { return Ok(0) };
        let mut reader = reader.from_seq(start).map_err(StoreError::failed)?;
        self.each(&mut reader, |record| {
            last = record.seq().unwrap_or(last);
            true
        })?;
        Ok(last)
    }

    /// Looks into one file after the other, from the last one on, until there is enough.
    fn newest(&self, best: &mut Best<'_>) -> Result<(), StoreError> {
        let mut end = u64::MAX;
        for start in self.read()?.file_starts().into_iter().rev() {
            let mut reader = self.read()?.from_seq(start).map_err(StoreError::failed)?;
            self.each(&mut reader, |record| {
                if record.seq().is_some_and(|seq| seq >= end) {
                    return false;
                }
                if record.stage() != Some(Stage::Intent) {
                    best.see(record);
                }
                true
            })?;
            if best.is_enough() {
                break;
            }
            end = start;
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
        let (mut found, mut next, mut looked, mut more) = (Vec::new(), after, 0, false);
        self.each(&mut reading, |record| {
            looked += 1;
            next = record.seq().unwrap_or(next);
            if selection.matches(&record) {
                found.push((record, position(next)));
            }
            more = looked == LOOK || found.len() >= selection.limit();
            !more
        })?;
        reading.at = next;
        *kept = Some(reading);
        Ok(Arrived::new(found, position(next), more))
    }
}

#[async_trait::async_trait]
impl AuditStore for JournalFiles {
    async fn select(&self, selection: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        let mut best = Best::of(selection);
        match self.depth {
            Depth::All => self.each(&mut self.read()?, |record| {
                best.see(record);
                true
            })?,
            Depth::Newest => self.newest(&mut best)?,
        }
        Ok(best.found())
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        let mut count = 0;
        let mut open = HashSet::new();
        self.each(&mut self.read()?, |record| {
            let Some(row) = Row::of(&record) else { return true };
            if row.stage != Some(Stage::Intent) {
                open.remove(&row.id);
                count += u64::from(selection.holds(&row, &record));
            } else if selection.intents() != Intents::Hidden && selection.holds(&row, &record) {
                open.insert(row.call.unwrap_or(row.id));
            }
            true
        })?;
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
        self.each(&mut self.read()?, |record| {
            if let Some(stream) = record.stream() {
                let digits = stream.bytes().filter(u8::is_ascii_hexdigit);
                key.iter_mut().zip(digits).for_each(|(byte, digit)| *byte = digit);
            }
            false
        })?;
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
