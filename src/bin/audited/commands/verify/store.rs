//! Of a store: each record beside what is kept of it.

use std::path::Path;

use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::open::ServerArgs;
use crate::output::{Output, Style, escape};

/// What a check has found, whichever store it was.
struct Checked {
    name: String,
    records: u64,
    damaged: u64,
    damage: Vec<String>,
    /// What else is to be said.
    remarks: Vec<String>,
    /// What such a store cannot show.
    unproved: &'static str,
}

#[cfg(feature = "sqlite")]
pub(super) fn sqlite(path: &Path, most: usize, output: &mut Output) -> Result<Exit, Failure> {
    use audited::SqliteStore;

    // It is not opened as a store, which would bring its tables up to date: it is to be checked as it is.
    let found = SqliteStore::inspect(path).map_err(|error| Failure::because("the store cannot be read", &error))?;
    let mut checked = Checked {
        name: format!("sqlite:{}", path.display()),
        records: 0,
        damaged: 1,
        damage: Vec::new(),
        remarks: Vec::new(),
        unproved: "That records were removed, or replaced by somebody who may write the file, a store does not show: keep a \
                   journal for that.",
    };
    if found.layout == Some(found.current_layout) {
        let check = SqliteStore::check_file(path);
        let check = check.map_err(|error| Failure::because("the store cannot be read", &error))?;
        (checked.records, checked.damaged) = (check.records, check.damaged);
        checked.damage = check.damage.iter().map(ToString::to_string).collect();
    } else {
        let current = found.current_layout;
        checked.remarks = vec!["no record was checked".to_owned()];
        checked.damage = vec![match found.layout {
            Some(layout) => format!(
                "its layout is {layout}, and this version checks {current}: use the version that wrote it, or open it once with \
                 this one"
            ),
            None => "the tables of a store are not there".to_owned(),
        }];
    }
    checked.print(most, output)
}

#[cfg(not(feature = "sqlite"))]
pub(super) fn sqlite(_: &Path, _: usize, _: &mut Output) -> Result<Exit, Failure> {
    Err(crate::open::lacking("SQLite", "sqlite"))
}

#[cfg(feature = "postgres")]
pub(super) async fn postgres(
    url: &str,
    server: &ServerArgs,
    most: usize,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let options = crate::open::postgres_options(url, server)?;
    let name = options.to_string();
    let failed = |error: audited::PostgresError| Failure::because(&name, &error);
    let store = audited::PostgresStore::connect(options.clone()).await.map_err(failed)?;
    let check = store.check().await.map_err(|error| Failure::because("the store cannot be read", &error))?;
    let removed = (check.removed > 0).then(|| {
        format!(
            "{} keys are of records that are not there any more; what removed them is in `audited query --action audit.retained`",
            check.removed
        )
    });
    let checked = Checked {
        records: check.records,
        damaged: check.damaged,
        damage: check.damage.iter().map(ToString::to_string).collect(),
        remarks: removed.into_iter().collect(),
        unproved: "That records were removed, or replaced with their keys by who owns the tables, a store does not show: \
                   keep a journal for that.",
        name,
    };
    checked.print(most, output)
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "it is awaited where there is something to connect to")]
pub(super) async fn postgres(_: &str, _: &ServerArgs, _: usize, _: &mut Output) -> Result<Exit, Failure> {
    Err(crate::open::lacking("PostgreSQL", "postgres"))
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl Checked {
    fn print(&self, most: usize, output: &mut Output) -> Result<Exit, Failure> {
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
