//! `audited orphans`

use clap::Args;

use super::{ending, list};
use crate::failure::{Exit, Failure};
use crate::filter::{FilterArgs, PageArgs};
use crate::open::{ServerArgs, SourceArgs};
use crate::output::{Output, note};
use crate::reading::{ReadingArgs, refused};

/// Finds calls that began and have no end: they are running, or their process died.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct OrphansArgs {
    /// Shows the ids of the records, too.
    #[arg(long)]
    ids: bool,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  Calls that should have ended by now:
    audited orphans sqlite:audit.db --all-tenants --reason monitoring --until 15m
  The same for a script:
    audited orphans journal:./audit --all-tenants --reason monitoring --until 15m >/dev/null || alert

It ends with 1 where there are any. How such a call ended is unknown: it may have done what it was asked.";

impl OrphansArgs {
    pub(crate) async fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let source = self.source.open(&self.server).await?;
        let session = self.reading.open(&source, &self.server).await?;
        let (filter, moments) = self.filter.fixed(output.zone())?;
        let query = self.page.of(filter.query(&session, output.zone())?.orphans())?;
        let page = session.reader.page(&query).await.map_err(|error| refused(&source.location, &error))?;
        list(output, &page.records, self.reading.is_global(), self.ids)?;
        output.flush()?;
        if let Some(next) = page.next {
            note(format_args!("there is more; go on with {moments}--after {next}"));
        }
        session.end();
        Ok(if page.records.is_empty() { ending(&source) } else { Exit::Findings })
    }
}
