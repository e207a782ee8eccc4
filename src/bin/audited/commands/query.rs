//! `audited query`

use clap::Args;

use super::{ending, list};
use crate::failure::{Exit, Failure};
use crate::filter::{FilterArgs, PageArgs};
use crate::open::{ServerArgs, SourceArgs};
use crate::output::{Output, note};
use crate::reading::{ReadingArgs, refused};

/// Finds records, the newest first.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct QueryArgs {
    /// Shows the ids of the records, too: `audited show ID` shows all of one.
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
  What was denied in the last two hours:
    audited query sqlite:audit.db --tenant acme --denied --since 2h
  What somebody did, or what was done to them, in November:
    audited query sqlite:audit.db --tenant acme --user u-17 --since 2026-11-01 --until 2026-12-01
  Who has read, of all tenants:
    audited query postgres://bank@db/bank --all-tenants --reason review --action audit.read
  For programs, a record a line:
    audited query journal:./audit --tenant acme --action-prefix account. --json | jq .action

Where there is more than a page, the standard error says how to go on: --after CURSOR.";

impl QueryArgs {
    pub(crate) async fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let source = self.source.open(&self.server).await?;
        let session = self.reading.open(&source, &self.server).await?;
        let (filter, moments) = self.filter.fixed(output.zone())?;
        let query = self.page.of(filter.query(&session, output.zone())?)?;
        let page = session.reader.page(&query).await.map_err(|error| refused(&source.location, &error))?;
        list(output, &page.records, self.reading.is_global(), self.ids)?;
        output.flush()?;
        if let Some(next) = page.next {
            note(format_args!("there is more; go on with {moments}--after {next}"));
        }
        session.end();
        Ok(ending(&source))
    }
}
