//! `audited tail`

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use audited::{Follow, Query, RecordId, Since, Stage, StoreError, StoredRecord};
use clap::Args;

use super::{columns, ending};
use crate::asking::AskArgs;
use crate::failure::{Exit, Failure};
use crate::location::Location;
use crate::output::{Column, Output, note};
use crate::reading::refused;
use crate::signals::Interrupt;

/// Shows the newest records, and follows what arrives.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TailArgs {
    /// Goes on with what arrives, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Shows so many of the newest records first.
    #[arg(long, short = 'n', value_name = "RECORDS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000))]
    lines: u16,
    /// Shows the ids of the records, too.
    #[arg(long)]
    ids: bool,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

const EXAMPLES: &str = "\
Examples:
  What a service records, as it does:
    audited tail -f journal:./audit --all-tenants --reason debugging
  Denials alone, from now on:
    audited tail -f -n 0 postgres://bank@db/bank --tenant acme --denied
  Into another program, a record a line:
    audited tail -f journal:./audit --tenant acme --json | jq -c '[.action, .decision]'

The intents of calls are not shown: whether they end is not known yet, and `audited orphans` finds those that did not.
Where a server goes away, it is asked again until it is back, and nothing is passed over.";

/// How long a store that did not answer is left alone.
const AGAIN: Duration = Duration::from_secs(1);

impl TailArgs {
    pub(crate) async fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let (source, session) = self.ask.open_newest().await?;
        let location = &source.location;
        let query = self.ask.query(&session, output.zone())?;
        let refused = |error| refused(location, &error);
        // Followed from before the newest are looked for, so that nothing falls between. Both are one reading.
        let follow =
            if self.follow { Some(session.reader.follow(&query, Since::Now).await.map_err(refused)?) } else { None };
        let reader = if follow.is_some() { session.reader.clone().unrecorded() } else { session.reader.clone() };
        let mut lines = Lines { columns: columns(self.ask.reading.is_global(), self.ids), shown: HashSet::new() };
        if self.lines > 0 {
            let newest = reader.page(&newest(&query, self.lines)).await.map_err(refused)?;
            for record in newest.records.iter().rev().filter(|record| record.stage() != Some(Stage::Intent)) {
                lines.show(output, record)?;
                lines.shown.extend(record.id());
            }
        }
        // Until here Ctrl-C just ends it: a large file is read, or a server does not answer.
        let interrupt = if self.follow { Some(Interrupt::listen()?) } else { None };
        output.flush()?;
        if let (Some(follow), Some(mut interrupt)) = (follow, interrupt)
            && let Some(ended) = interrupt.or(lines.follow(output, follow, location)).await
        {
            ended?;
        }
        output.flush()?;
        session.end();
        Ok(ending(&source))
    }
}

fn newest(query: &Query, lines: u16) -> Query {
    query.clone().limit(usize::from(lines))
}

/// Records, a line each.
struct Lines {
    columns: Vec<Column>,
    /// What was shown before it was followed.
    shown: HashSet<RecordId>,
}

impl Lines {
    /// Shows what arrives; ends where nobody reads it any more.
    async fn follow(&mut self, output: &mut Output, mut follow: Follow, location: &Location) -> Result<(), Failure> {
        let mut is_away = false;
        loop {
            // A store that has a lot to tell keeps nobody from being heard.
            tokio::task::yield_now().await;
            match follow.next().await {
                Ok(record) => {
                    if is_away {
                        note(format_args!("{location} is back"));
                        is_away = false;
                    }
                    if !record.id().is_some_and(|id| self.shown.remove(&id)) {
                        self.show(output, &record)?;
                        output.flush()?;
                    }
                }
                Err(error @ (StoreError::Closed | StoreError::Foreign)) => return Err(refused(location, &error)),
                Err(error) => {
                    if !is_away {
                        note(format_args!("{}; it is asked again", refused(location, &error)));
                    }
                    is_away = true;
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn show(&self, output: &mut Output, record: &StoredRecord) -> io::Result<()> {
        if output.is_json() {
            return output.json(record.json());
        }
        let zone = output.zone();
        let cells: Vec<_> = self.columns.iter().map(|column| (column.width(), column.of(record, zone))).collect();
        output.cells(&cells)
    }
}
