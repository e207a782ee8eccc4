//! `audited catalogue`

use std::path::PathBuf;

use audited::Catalogue;
use clap::{Args, ValueEnum};

use super::document::{Document, breaks, print};
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Output, Style, Table};

/// Shows what a program records, from its catalogue or its lock.
///
/// A catalogue is the JSON that your program prints: `println!("{}", audited::catalogue().to_json())`. A lock is the file
/// `audit.lock`; it does not hold docs, lines of source and what decides.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CatalogueArgs {
    /// The JSON of a catalogue, or a lock; `-` is the standard input.
    #[arg(value_name = "FILE", required_unless_present = "diff")]
    file: Option<PathBuf>,
    /// How it is shown.
    #[arg(long, value_name = "FORM", default_value = "table")]
    format: Format,
    /// Shows what a newer catalogue or lock says otherwise, and what that means for those who read records.
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["file", "format"])]
    diff: Option<Vec<PathBuf>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table of the actions.
    Table,
    /// For an auditor, to be kept beside the code.
    Markdown,
    /// One page that can be searched.
    Html,
    /// The catalogue itself.
    Json,
    /// A JSON Schema of the details of the records, by action.
    Schema,
    /// Types of TypeScript for the same.
    Typescript,
}

const EXAMPLES: &str = "\
Examples:
  audited catalogue audit.lock
  ./bank --catalogue | audited catalogue - --format html > catalogue.html
  What did this release change? It ends with 1 where that breaks what was promised:
    audited catalogue --diff released.json built.json
    git show v1.2:audit.lock > /tmp/old && audited catalogue --diff /tmp/old audit.lock";

impl CatalogueArgs {
    pub(crate) fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        if let Some([old, new]) = self.diff.as_deref() {
            let changes = Document::read(old)?.changes_to(&Document::read(new)?);
            print(&changes, output)?;
            if changes.is_empty() && !output.is_json() {
                output.line("nothing that is locked is otherwise")?;
            }
            return Ok(if breaks(&changes) { Exit::Findings } else { Exit::Clean });
        }
        let file = self.file.as_ref().ok_or_else(|| Failure::usage("name a FILE, or --diff OLD NEW"))?;
        let catalogue = Document::read(file)?.into_catalogue();
        match self.format {
            Format::Table if output.is_json() => output.text(&catalogue.to_json())?,
            Format::Table => table(&catalogue, output)?,
            Format::Markdown => output.text(&catalogue.to_markdown())?,
            Format::Html => output.text(&catalogue.to_html())?,
            Format::Json => output.text(&catalogue.to_json())?,
            Format::Schema => output.text(&format!("{:#}\n", catalogue.to_json_schema()))?,
            Format::Typescript => output.text(&catalogue.to_typescript())?,
        }
        Ok(Exit::Clean)
    }
}

fn table(catalogue: &Catalogue, output: &mut Output) -> Result<(), Failure> {
    let mut table = Table::new(["ACTION", "DECLARED BY", "WITHOUT A RECORD", "FIELDS"]);
    for action in &catalogue.actions {
        let place = &action.place;
        let without = match action.policy.as_deref() {
            Some("fail_closed") => Cell::new("is refused").styled(Style::Good),
            Some(_) => Cell::new("goes on"),
            None => Cell::new(""),
        };
        let fields = action.fields.iter().map(|field| match field.mode.as_deref() {
            None => field.key.clone(),
            Some(mode) => format!("{} ({mode})", field.key),
        });
        table.row([
            Cell::new(&action.action).styled(if action.deprecated { Style::Dim } else { Style::Plain }),
            Cell::new(format!("{} {}::{}", action.origin.as_str(), place.module, place.item)),
            without,
            Cell::new(fields.collect::<Vec<_>>().join(", ")),
        ]);
    }
    output.table(&table)?;
    let counts = [
        (catalogue.actions.len(), "action"),
        (catalogue.types.len(), "classified type"),
        (catalogue.errors.len(), "error with reasons"),
        (catalogue.exemptions.len(), "exemption"),
    ];
    let counts = counts.map(|(count, what)| format!("{what}: {count}"));
    Ok(output.line(output.paint(Style::Dim, counts.join(", ")))?)
}
