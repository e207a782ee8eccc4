//! A file of lines that a sink writes.

use std::fs;
use std::path::PathBuf;

use crate::record::StoredRecord;

/// How many characters are shown of a line that is no record.
const SHOWN: usize = 60;

pub(super) struct Lines(pub(super) PathBuf);

impl Lines {
    /// The lines that are records.
    pub(super) fn records(&self) -> Vec<String> {
        self.all().into_iter().filter(|line| is_record(line)).collect()
    }

    /// What is wrong with the others, if there are any. The records of the suite are its own, and may be shown.
    pub(super) fn wrong(&self) -> Option<String> {
        let mut lines = self.all();
        // The end of the file may be the beginning of a record that nobody was told of.
        lines.pop_if(|last| last.starts_with('{'));
        let none: Vec<_> = lines.into_iter().filter(|line| !line.is_empty() && !is_record(line)).collect();
        let begins = start_of(none.first()?);
        let file = self.0.file_name().unwrap_or_default().to_string_lossy();
        let mend = "for another format use `reads(…)`";
        Some(match none.len() {
            1 => format!("1 line of {file} is no JSON record (it begins `{begins}…`): {mend}"),
            lines => format!("{lines} lines of {file} are no JSON records (the first begins `{begins}…`): {mend}"),
        })
    }

    fn all(&self) -> Vec<String> {
        let text = fs::read(&self.0).unwrap_or_default();
        text.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }
}

fn is_record(line: &str) -> bool {
    StoredRecord::parse(line.to_owned()).is_ok()
}

fn start_of(line: &str) -> String {
    line.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
