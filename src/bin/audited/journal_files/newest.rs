//! The newest records of a journal, file by file from its end, so that what is older is left alone.

use audited::{JournalReader, Stage, StoreError};

use super::JournalFiles;
use super::best::Best;
use super::recent::Recent;

impl JournalFiles {
    /// Reads the files in which something may be that happened later than what was found so far, from the last one on.
    pub(super) fn latest(&self, best: &mut Best<'_>) -> Result<(), StoreError> {
        let (files, mut end) = (self.read()?, u64::MAX);
        for file in files.files().into_iter().rev() {
            let reader = || files.from_file(&file).before_seq(end);
            if file.happened.is_none_or(|(oldest, newest)| best.may_hold(oldest, newest)) {
                let recent = self.recent(best, reader())?;
                if !recent.show(best) {
                    best.forget_open();
                    let mut reader = reader();
                    while let Some(read) = reader.next_where(|line| best.wants(line)) {
                        self.sound(read)?.into_iter().for_each(|record| best.see(record));
                    }
                }
                best.go_back();
            }
            end = file.first_seq;
        }
        let Some(first) = best.first_left() else { return Ok(()) };
        let mut reader = self.read()?.from_seq(first + 1).map_err(StoreError::failed)?;
        while let Some(read) = reader.next_where(|line| best.may_end(line)) {
            if self.sound(read)?.is_some_and(|record| !best.end(&record)) {
                break;
            }
        }
        Ok(())
    }

    /// Looks into one file after the other, from the last one on, until there is enough.
    pub(super) fn newest(&self, best: &mut Best<'_>) -> Result<(), StoreError> {
        let (files, mut end) = (self.read()?, u64::MAX);
        for file in files.files().into_iter().rev() {
            let reader = || files.from_file(&file).before_seq(end);
            let recent = self.recent(best, reader())?;
            let is_all = recent.show(best);
            best.forget_open();
            if !is_all && !best.is_enough() {
                let mut reader = reader();
                while let Some(read) = reader.next_where(|line| best.wants(line)) {
                    if let Some(record) = self.sound(read)?.filter(|record| record.stage() != Some(Stage::Intent)) {
                        best.see(record);
                    }
                }
            }
            if best.is_enough() {
                break;
            }
            end = file.first_seq;
        }
        Ok(())
    }

    /// Goes through a file, and keeps what may be looked for.
    fn recent(&self, best: &Best<'_>, mut reader: JournalReader) -> Result<Recent, StoreError> {
        let mut recent = Recent::default();
        while let Some(read) = reader.next_where(|line| {
            if best.wants(line) {
                recent.push(line);
            }
            false
        }) {
            self.sound(read)?;
        }
        Ok(recent)
    }
}
