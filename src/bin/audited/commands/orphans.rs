//! `audited orphans`

use audited::Query;
use clap::Args;

use super::ending;
use super::find::FindArgs;
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Finds calls that began and have no end: they are running, or their process died.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct OrphansArgs {
    #[command(flatten)]
    pub(crate) find: FindArgs,
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
        let (source, found) = self.find.run(Query::orphans, output).await?;
        Ok(if found == 0 { ending(&source) } else { Exit::Findings })
    }
}
