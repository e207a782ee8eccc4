//! `audited doctor`

mod clock;
mod delivery;
mod disk;
mod journal;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "postgres")]
mod postgres;
mod report;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::path::PathBuf;

use clap::Args;

use self::report::Report;
use crate::failure::{Exit, Failure};
use crate::location::Location;
#[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "nats")))]
use crate::open::lacking;
use crate::open::{ServerArgs, SourceArgs};
use crate::output::Output;

/// Looks at whether a journal, a store or a stream is what it claims: owners, durability, room, lag, clocks, settings.
///
/// Each check is ok, a warning or a failure, and says how to mend it; what nobody can see from here is said to be
/// unknown, and so is what is not looked at: records that are not read here are for `audited verify`. Nothing is changed, but that the probe writes a small file into the directory of a journal, syncs it, and
/// removes it. Run it as the user, or the role, that the service has.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// Looks at whether the actions in the journal's newest file are those of this lock.
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// Writes nothing, so that it is not known how long a sync takes.
    #[arg(long)]
    no_probe: bool,
    /// Ends with 1 for warnings, too.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  audited doctor journal:/var/lib/bank/audit --lock audit.lock
  audited doctor sqlite:audit.db
  audited doctor postgres://bank@db/bank --strict
  audited doctor nats://nats:4222/AUDIT --json | jq 'select(.verdict == \"failure\")'

It ends with 0 where nothing failed, with 1 where something did, and with 3 where nobody answers.";

impl DoctorArgs {
    pub(crate) async fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let location = self.source.location()?;
        if self.lock.is_some() && !matches!(location, Location::Journal(_)) {
            return Err(Failure::usage("--lock is compared with the newest file of a journal: name a journal:DIR"));
        }
        let mut report = Report::default();
        // What was seen before something could not be read is a finding all the same.
        let examined = self.examine(&location, &mut report).await;
        if examined.is_ok() {
            clock::examine(&mut report);
        }
        report.print(output)?;
        examined?;
        Ok(report.exit(self.strict))
    }

    async fn examine(&self, location: &Location, report: &mut Report) -> Result<(), Failure> {
        match location {
            Location::Journal(path) => journal::examine(path, self.lock.as_deref(), !self.no_probe, report),
            #[cfg(feature = "sqlite")]
            Location::Sqlite(path) => sqlite::examine(path, report),
            #[cfg(not(feature = "sqlite"))]
            Location::Sqlite(_) => Err(lacking("SQLite", "sqlite")),
            #[cfg(feature = "postgres")]
            Location::Postgres(url) => postgres::examine(url, &self.server, report).await,
            #[cfg(not(feature = "postgres"))]
            Location::Postgres(_) => Err(lacking("PostgreSQL", "postgres")),
            #[cfg(feature = "nats")]
            Location::Nats(url) => nats::examine(url, report),
            #[cfg(not(feature = "nats"))]
            Location::Nats(_) => Err(lacking("NATS", "nats")),
        }
    }
}
