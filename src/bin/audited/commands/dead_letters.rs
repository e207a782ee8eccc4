//! `audited dead-letters`

use std::path::{Path, PathBuf};
use std::time::Duration;

use audited::{Code, DeadLetter, DeadLetterBox, ForwarderCursor};
use clap::{Args, Subcommand};
use serde_json::json;

use super::forward::{journal, refused, target};
use crate::failure::{Exit, Failure};
use crate::location::Location;
use crate::open::{ServerArgs, warn_of_password};
use crate::output::{Cell, Output, Table, escape, moment};

/// How long a store has for a record, and the disk for the note that it has it.
const WITHIN: Duration = Duration::from_secs(30);

/// Shows and resolves the records that a forwarder could not deliver.
///
/// A record that a store will never take does not hold up those behind it: it is kept beside the journal until somebody
/// resolves it, which leaves a record of who did and why.
#[derive(Args, Debug)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    command: DeadLettersCommand,
}

#[derive(Subcommand, Debug)]
enum DeadLettersCommand {
    List(ListArgs),
    Redeliver(RedeliverArgs),
    Dismiss(DismissArgs),
}

/// Names the records that are not delivered, and why. It ends with 1 where there are any.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  audited dead-letters list journal:./audit")]
struct ListArgs {
    /// The journal that they come from: `journal:DIR`.
    #[arg(value_name = "JOURNAL")]
    journal: String,
    /// Of this forwarder; otherwise of all.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Delivers them once more. The forwarder of that name must not be at work.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  audited dead-letters redeliver journal:./audit sqlite:audit.db --all")]
struct RedeliverArgs {
    /// The journal that they come from: `journal:DIR`.
    #[arg(value_name = "JOURNAL")]
    journal: String,
    /// Where to: `sqlite:FILE`, `postgres://USER@HOST/DATABASE` or `nats://HOST:4222/STREAM`.
    #[arg(value_name = "TO")]
    to: String,
    /// Of this forwarder; otherwise the scheme of TO.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Notes that they need no delivery, and why. The forwarder of that name must not be at work.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  audited dead-letters dismiss journal:./audit --name sqlite --seq 4711 --reason known_duplicate"
)]
struct DismissArgs {
    /// The journal that they come from: `journal:DIR`.
    #[arg(value_name = "JOURNAL")]
    journal: String,
    /// Of this forwarder.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Why, in a word or two: it stands in the record of it.
    #[arg(long, value_name = "WHY")]
    reason: String,
    #[command(flatten)]
    which: WhichArgs,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct WhichArgs {
    /// The one with this position, as `audited dead-letters list` shows it, as often as it is given.
    #[arg(long, value_name = "SEQ")]
    seq: Vec<u64>,
    /// All of them.
    #[arg(long)]
    all: bool,
}

impl DeadLettersArgs {
    pub(crate) async fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        match &self.command {
            DeadLettersCommand::List(args) => args.run(output),
            DeadLettersCommand::Redeliver(args) => args.run(output).await,
            DeadLettersCommand::Dismiss(args) => args.run(output),
        }
    }
}

impl ListArgs {
    fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let journal = journal(&self.journal)?;
        let names = match &self.name {
            Some(name) => vec![name.clone()],
            None => ForwarderCursor::all(&journal).map_err(refused)?.into_iter().map(|cursor| cursor.name).collect(),
        };
        let mut table = Table::new(["FORWARDER", "SEQ", "WHY", "ACTION", "SINCE", "ID"]);
        let mut count = 0;
        for name in names {
            for letter in DeadLetter::all(&journal, &name).map_err(refused)? {
                count += 1;
                if output.is_json() {
                    output.json(&as_json(&name, &letter).to_string())?;
                }
                table.row([
                    Cell::new(&name),
                    Cell::new(positions(&letter)),
                    Cell::new(letter.reason.as_str()),
                    Cell::new(letter.action.as_deref().unwrap_or_default()),
                    Cell::new(moment(letter.buried_at, output.zone())),
                    Cell::new(letter.id.map(|id| id.to_string()).unwrap_or_default()),
                ]);
            }
        }
        if count == 0 {
            if !output.is_json() {
                output.line("no dead letters")?;
            }
            return Ok(Exit::Clean);
        }
        if !output.is_json() {
            output.table(&table)?;
        }
        Ok(Exit::Findings)
    }
}

impl RedeliverArgs {
    async fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        warn_of_password(&self.to);
        let (journal, to) = (journal(&self.journal)?, Location::parse(&self.to)?);
        let name = self.name.clone().unwrap_or_else(|| target::name(&to).to_owned());
        let sink = target::open(&to, &self.server).await?;
        self.which.each(&journal, &name, output, "redelivered", |letters, letter| {
            letters.redeliver(letter, sink.clone(), WITHIN)
        })
    }
}

impl DismissArgs {
    fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let journal = journal(&self.journal)?;
        let reason = Code::custom(&self.reason);
        self.which.each(&journal, &self.name, output, "dismissed", |letters, letter| {
            letters.dismiss(letter, reason.clone(), WITHIN)
        })
    }
}

impl WhichArgs {
    /// Resolves each that is asked for. Those that cannot be are named, and the others go on.
    fn each(
        &self,
        journal: &Path,
        name: &str,
        output: &mut Output,
        how: &str,
        resolve: impl Fn(&DeadLetterBox, &DeadLetter) -> Result<(), audited::DeadLetterError>,
    ) -> Result<Exit, Failure> {
        let letters = DeadLetterBox::open(journal, name).map_err(refused)?;
        let unresolved = letters.unresolved().map_err(refused)?;
        if let Some(missing) = self.seq.iter().find(|seq| !unresolved.iter().any(|letter| letter.seq == **seq)) {
            let journal = PathBuf::from(journal);
            return Err(Failure::Missing(format!(
                "the forwarder {} has no dead letter {missing}: `audited dead-letters list journal:{}` names them",
                escape(name),
                escape(&journal.display().to_string())
            )));
        }
        let mut exit = Exit::Clean;
        for letter in unresolved.iter().filter(|letter| self.all || self.seq.contains(&letter.seq)) {
            let resolved = resolve(&letters, letter);
            if output.is_json() {
                let error = resolved.as_ref().err().map(|error| crate::failure::reasons(error));
                let (seq, done) = (letter.seq, error.is_none());
                output.json(&json!({ "forwarder": name, "seq": seq, how: done, "error": error }).to_string())?;
            } else {
                let says = match &resolved {
                    Ok(()) => how.to_owned(),
                    Err(error) => format!("not {how}: {}", escape(&crate::failure::reasons(error))),
                };
                output.line(format_args!("{}: {says}", positions(letter)))?;
            }
            if resolved.is_err() {
                exit = Exit::Findings;
            }
        }
        Ok(exit)
    }
}

fn positions(letter: &DeadLetter) -> String {
    if letter.last_seq > letter.seq { format!("{} to {}", letter.seq, letter.last_seq) } else { letter.seq.to_string() }
}

fn as_json(name: &str, letter: &DeadLetter) -> serde_json::Value {
    json!({
        "forwarder": name,
        "stream": letter.stream.to_string(),
        "seq": letter.seq,
        "last_seq": letter.last_seq,
        "id": letter.id.map(|id| id.to_string()),
        "action": letter.action,
        "reason": letter.reason.as_str(),
        "since": letter.buried_at.map(|at| at.to_string()),
    })
}
