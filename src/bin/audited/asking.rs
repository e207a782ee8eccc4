//! What is asked of which records, by whom.

use audited::Query;
use clap::Args;
use jiff::tz::TimeZone;

use crate::failure::Failure;
use crate::filter::FilterArgs;
use crate::open::{ServerArgs, Source, SourceArgs};
use crate::reading::{ReadingArgs, Session};

/// What every command has that asks for records by a filter.
#[derive(Args, Debug)]
pub(crate) struct AskArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl AskArgs {
    /// Opens the records, and a reader of them.
    pub(crate) async fn open(&self) -> Result<(Source, Session), Failure> {
        self.reader_of(self.source.open(&self.server).await?).await
    }

    /// As [`open`](Self::open), for the newest records alone.
    pub(crate) async fn open_newest(&self) -> Result<(Source, Session), Failure> {
        self.reader_of(self.source.open_newest(&self.server).await?).await
    }

    async fn reader_of(&self, source: Source) -> Result<(Source, Session), Failure> {
        let session = self.reading.open(&source, &self.server).await?;
        Ok((source, session))
    }

    /// The query that asks for them.
    pub(crate) fn query(&self, session: &Session, zone: &TimeZone) -> Result<Query, Failure> {
        self.filter.query(session, zone)
    }
}
