//! `audited show`

use clap::Args;

use super::ending;
use crate::failure::{Exit, Failure};
use crate::filter::record_id;
use crate::open::{ServerArgs, SourceArgs};
use crate::output::{Output, Style, describe};
use crate::reading::{ReadingArgs, refused};

/// Shows all of one record.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ShowArgs {
    /// Which record: its `id`, which `audited query --ids` shows. It may stand behind the URL, too.
    id: String,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  audited show 019a9c8e-5f3b-7000-8000-3a2f6e0c1d2b sqlite:audit.db --tenant acme
  audited show 019a9c8e-5f3b-7000-8000-3a2f6e0c1d2b journal:./audit --tenant acme --json | jq .detail

An id that is not there ends it with 1. An intent whose call has ended is found by the id of its final record alone.";

impl ShowArgs {
    pub(crate) async fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let (id, source) = self.source.beside(&self.id);
        let id = record_id("ID", id)?;
        let source = source.open(&self.server).await?;
        let session = self.reading.open(&source, &self.server).await?;
        let found = session.reader.get(id).await.map_err(|error| refused(&source.location, &error))?;
        session.end();
        let Some(record) = found else {
            let location = &source.location;
            return Err(Failure::Missing(format!("{location} has no record {id} that this reading may see")));
        };
        if output.is_json() {
            output.json(record.json())?;
        } else {
            let entries = describe(&record, output.zone());
            let widest = entries.iter().map(|(key, _)| key.chars().count()).max().unwrap_or_default();
            for (key, value) in entries {
                let key = output.paint(Style::Heading, format_args!("{key:widest$}"));
                let text = value.text().replace('\n', &format!("\n{:widest$}  ", ""));
                let text = output.paint(value.style(), text);
                output.line(format_args!("{key}  {text}"))?;
            }
        }
        output.flush()?;
        Ok(ending(&source))
    }
}
