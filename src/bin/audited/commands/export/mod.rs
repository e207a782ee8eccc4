//! `audited export`

mod csv;
mod file;

use std::io::{self, Write};
use std::path::PathBuf;

use audited::{Query, StoredRecord};
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use self::csv::CsvRows;
use self::file::NewFile;
use super::ending;
use crate::asking::AskArgs;
use crate::failure::{Exit, Failure};
use crate::location::Location;
use crate::open::Source;
use crate::output::{Output, escape_json, escape_path, note};
use crate::progress::Progress;
use crate::reading::{Session, refused};
use crate::signals::Interrupt;
use crate::walk::Walk;

/// Writes records to a file, as JSON lines or as CSV.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// `jsonl`: each record as it is stored, byte for byte. `csv`: for spreadsheets.
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    format: Format,
    /// Writes this file, which nobody else may read, whole or not at all; the standard output otherwise.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replaces the file if there is one.
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

const EXAMPLES: &str = "\
Examples:
  A year of a tenant, for an auditor:
    audited export sqlite:audit.db --tenant acme --since 2026-01-01 --until 2027-01-01 --output acme.jsonl
  For a spreadsheet:
    audited export postgres://bank@db/bank --tenant acme --denied --format csv --output denials.csv
  Into another program:
    audited export journal:./audit --all-tenants --reason backup | zstd > audit.jsonl.zst

A store gives its records in the order in which they happened. A journal gives them in its own order, and the intents of
calls without an end last.

The columns of CSV are id, occurred_at, recorded_at, tenant, kind, stage, action, actor_kind, actor_id,
on_behalf_of_kind, on_behalf_of_id, subjects, resource_kind, resource_id, decision, deny_reason, outcome, failure_code,
severity, source_ip, correlation_id, trace_id, stream, seq, detail. Further ones may come behind them. Times are in UTC;
a text that a spreadsheet would take for a formula begins with an apostrophe; controls are shown as \\u{1b}. What a record
holds besides is in JSON lines alone.";

/// What records are written to.
enum Rows<W: Write> {
    Json { out: W, is_terminal: bool },
    Csv(Box<CsvRows<W>>),
}

impl ExportArgs {
    pub(crate) async fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let Some(path) = &self.output else {
            let (source, session, _) = self.export(io::stdout(), output.is_terminal(), output.zone()).await?;
            session.end();
            return Ok(ending(&source));
        };
        // A file that was begun is removed; the standard output just ends.
        let mut interrupt = Interrupt::listen()?;
        let mut file = NewFile::begin(path, self.force)?;
        let exported = interrupt.or(self.export(file.writer(), false, output.zone())).await;
        let Some(exported) = exported else { return Err(Failure::unreachable("interrupted before all was written")) };
        let (source, session, count) = exported?;
        file.finish()?;
        session.end();
        note(format_args!("{count} records are in {}", escape_path(path)));
        Ok(ending(&source))
    }

    /// Writes all records that are asked for, and says how many there were.
    async fn export(
        &self,
        out: impl Write,
        is_terminal: bool,
        zone: &TimeZone,
    ) -> Result<(Source, Session, u64), Failure> {
        let (source, session) = self.ask.open().await?;
        let query = self.ask.query(&session, zone)?;
        let count = self.write(out, is_terminal, &source, &session, query).await?;
        Ok((source, session, count))
    }

    async fn write(
        &self,
        out: impl Write,
        is_terminal: bool,
        source: &Source,
        session: &Session,
        query: Query,
    ) -> Result<u64, Failure> {
        let out = io::BufWriter::new(out);
        let mut rows = match self.format {
            Format::Jsonl => Rows::Json { out, is_terminal },
            Format::Csv => Rows::Csv(Box::new(CsvRows::begin(out)?)),
        };
        // Beside the records themselves it would be in the way.
        let progress = if is_terminal { None } else { Some(progress(source, session, &query).await?) };
        let (mut walk, mut count) = (Walk::new(source, session, query), 0);
        while let Some(records) = walk.next().await? {
            records.iter().try_for_each(|record| rows.write(record))?;
            count += records.len() as u64;
            if let Some(progress) = &progress {
                progress.add(records.len());
            }
        }
        rows.flush()?;
        Ok(count)
    }
}

/// Shows how far it is: a store counts the records before.
async fn progress(source: &Source, session: &Session, query: &Query) -> Result<Progress, Failure> {
    let progress = Progress::start("exported");
    if !progress.is_seen() || matches!(source.location, Location::Journal(_)) {
        return Ok(progress);
    }
    // The export itself is what is recorded.
    let count = session.reader.clone().unrecorded().count(query).await;
    Ok(Progress::up_to(count.map_err(|error| refused(&source.location, &error))?, "exported"))
}

impl<W: Write> Rows<W> {
    fn write(&mut self, record: &StoredRecord) -> Result<(), Failure> {
        match self {
            Self::Json { out, is_terminal: true } => writeln!(out, "{}", escape_json(record.json()))?,
            Self::Json { out, is_terminal: false } => writeln!(out, "{}", record.json())?,
            Self::Csv(rows) => rows.write(record)?,
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        match self {
            Self::Json { out, .. } => out.flush()?,
            Self::Csv(rows) => rows.flush()?,
        }
        Ok(())
    }
}
