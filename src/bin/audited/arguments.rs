//! The command line.

use clap::{Parser, Subcommand};

use crate::commands;
use crate::output::OutputArgs;

/// Reads, checks, exports and forwards what services have recorded with `audited`.
#[derive(Parser, Debug)]
#[command(name = "audited", version, max_term_width = 100, after_long_help = BEHIND, after_help = "`audited --help` says more, and so does `audited help COMMAND`.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Tail(commands::tail::TailArgs),
    Query(commands::query::QueryArgs),
    Show(commands::show::ShowArgs),
    Stats(commands::stats::StatsArgs),
    Orphans(commands::orphans::OrphansArgs),
    Export(commands::export::ExportArgs),
    Verify(commands::verify::VerifyArgs),
    Catalogue(commands::catalogue::CatalogueArgs),
    Lock(commands::lock::LockArgs),
    Forward(commands::forward::ForwardArgs),
    DeadLetters(commands::dead_letters::DeadLettersArgs),
    Doctor(commands::doctor::DoctorArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
}

impl Command {
    /// For whom it is done, where somebody else is named.
    pub(crate) fn on_behalf_of(&self) -> Option<&str> {
        match self {
            Self::Tail(args) => args.ask.reading.on_behalf_of(),
            Self::Query(args) => args.find.ask.reading.on_behalf_of(),
            Self::Show(args) => args.reading.on_behalf_of(),
            Self::Stats(args) => args.ask.reading.on_behalf_of(),
            Self::Orphans(args) => args.find.ask.reading.on_behalf_of(),
            Self::Export(args) => args.ask.reading.on_behalf_of(),
            _ => None,
        }
    }
}

const BEHIND: &str = "\
Where records are:
  journal:./audit                 a journal, as the service writes it; it is read without a lock
  sqlite:audit.db                 a store in a file (feature `sqlite`)
  postgres://bank@db/bank         a store in a server (feature `postgres`)
  nats://nats:4222/AUDIT          a stream, for `forward` and `doctor` (feature `nats`)

Environment:
  AUDITED_URL                     where the records are, for commands that name nothing else
  AUDITED_RECORD_TO               where it is recorded that they were read
  AUDITED_KEYS                    the file of the keys that hashes were made with
  AUDITED_POSTGRES_PASSWORD       the password of the server; or AUDITED_POSTGRES_PASSWORD_FILE,
                                  a file of which it is the first line; or PGPASSWORD
  AUDITED_NATS_CREDENTIALS        a file of credentials for NATS; or AUDITED_NATS_TOKEN; or
                                  AUDITED_NATS_USER and AUDITED_NATS_PASSWORD
  NO_COLOR                        shows no colours
  TZ                              the local time zone

How it ends:
  0  all is well
  1  something was found: damage, orphans, a record that is not there
  2  it was asked wrongly, and nothing was done
  3  something could not be read or written

Examples:
  audited tail -f journal:./audit --all-tenants --reason debugging
  audited query sqlite:audit.db --tenant acme --denied --since 2h
  audited export sqlite:audit.db --tenant acme --since 2026-01-01 --output acme.jsonl
  audited verify journal:./audit
  audited forward journal:./audit postgres://bank@db/bank
  audited doctor postgres://bank@db/bank";
