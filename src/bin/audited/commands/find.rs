//! What `audited query` and `audited orphans` share.

use audited::Query;
use clap::Args;

use super::list;
use crate::asking::AskArgs;
use crate::failure::Failure;
use crate::filter::PageArgs;
use crate::open::Source;
use crate::output::{Output, note};
use crate::reading::refused;

/// A page of records.
#[derive(Args, Debug)]
pub(crate) struct FindArgs {
    /// Shows the ids of the records, too: `audited show ID` shows all of one.
    #[arg(long)]
    ids: bool,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    #[command(flatten)]
    page: PageArgs,
}

impl FindArgs {
    /// Prints a page of what the filter asks for and `further` beside it. Says where that was, and how many there were.
    pub(super) async fn run(
        &self,
        further: impl FnOnce(Query) -> Query,
        output: &mut Output,
    ) -> Result<(Source, usize), Failure> {
        let (source, session) = self.ask.open().await?;
        let (filter, moments) = self.ask.filter.fixed(output.zone())?;
        let query = self.page.of(further(filter.query(&session, output.zone())?))?;
        let page = session.reader.page(&query).await.map_err(|error| refused(&source.location, &error))?;
        list(output, &page.records, self.ask.reading.is_global(), self.ids)?;
        output.flush()?;
        if page.records.is_empty() && self.ask.filter.asks_for_plain_ids() {
            note("records may keep ids as hashes: --hashed-ids with --keys FILE looks for those");
        }
        if let Some(next) = page.next {
            note(format_args!("there is more; go on with {moments}--after {next}"));
        }
        session.end();
        Ok((source, page.records.len()))
    }
}
