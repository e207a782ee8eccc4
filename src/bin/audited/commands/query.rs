//! `audited query`

use clap::Args;

use super::ending;
use super::find::FindArgs;
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Finds records, the newest first.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    pub(crate) find: FindArgs,
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
        let (source, _) = self.find.run(|query| query, output).await?;
        Ok(ending(&source))
    }
}
