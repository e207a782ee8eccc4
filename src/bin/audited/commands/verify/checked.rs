//! What a check of a store has found, and how that is shown.

use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::output::{Output, Style, escape};

/// What a check has found, whichever store it was.
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) records: u64,
    pub(super) damaged: u64,
    pub(super) damage: Vec<String>,
    /// What else is to be said.
    pub(super) remarks: Vec<String>,
    /// What such a store cannot show.
    pub(super) unproved: &'static str,
}

impl Checked {
    pub(super) fn print(&self, most: usize, output: &mut Output) -> Result<Exit, Failure> {
        let damage: Vec<_> = self.damage.iter().take(most).collect();
        let exit = if self.damaged == 0 { Exit::Clean } else { Exit::Findings };
        if output.is_json() {
            let value = json!({
                "store": self.name, "sound": self.damaged == 0, "records": self.records, "damages": self.damaged,
                "damage": damage, "remarks": self.remarks,
            });
            output.json(&value.to_string())?;
            return Ok(exit);
        }
        let records = if self.records == 1 { "1 record".to_owned() } else { format!("{} records", self.records) };
        output.line(format_args!("{}: {records}", escape(&self.name)))?;
        for damage in &damage {
            let text = output.paint(Style::Bad, "damaged");
            output.line(format_args!("{text}: {}", escape(damage)))?;
        }
        let untold = self.damaged.saturating_sub(damage.len() as u64);
        if untold > 0 {
            output.line(format_args!("… and {untold} more"))?;
        }
        if self.damaged == 0 {
            let text = output.paint(Style::Good, "sound");
            output.line(format_args!("{text}: what is kept beside each record is what it says"))?;
        }
        for remark in &self.remarks {
            output.line(escape(remark))?;
        }
        output.line(output.paint(Style::Dim, self.unproved))?;
        Ok(exit)
    }
}
