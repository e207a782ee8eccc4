//! `audited lock`

use std::path::{Path, PathBuf};

use audited::{Lock, LockCheck, LockError, LockFailure, LockMode, LockReport, LockSeverity};
use clap::{Args, Subcommand};
use serde_json::json;

use super::document::{Document, breaks, packages, print, text};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Style, escape, note};

/// Checks `audit.lock`, which says what a workspace records.
#[derive(Args, Debug)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct LockArgs {
    #[command(subcommand)]
    command: LockCommand,
}

#[derive(Subcommand, Debug)]
enum LockCommand {
    Check(CheckArgs),
}

/// Checks a lock by itself, and beside what a program records.
///
/// By itself: whether it can be read, is written as an update writes it, uses no name again that is gone for good, and
/// what it would accept unread. With --catalogue: what `assert_locked!` checks, with the same report. It ends with 1
/// where that test would fail.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
struct CheckArgs {
    /// The lock: otherwise the nearest `audit.lock` up to the root of the workspace.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// What the program records: the JSON that it prints of `audited::catalogue()`; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// Compares the section of this package, as often as it is given; otherwise all that the lock has.
    #[arg(long = "package", value_name = "NAME", requires = "catalogue")]
    packages: Vec<String>,
    /// Says that the build leaves something out, and why: what is absent is told and does not count.
    #[arg(long, value_name = "WHY", requires = "catalogue")]
    incomplete: Option<String>,
    /// Writes what can be accepted. Refused where CI is set.
    #[arg(long)]
    update: bool,
}

const EXAMPLES: &str = "\
Examples:
  audited lock check
  ./bank --catalogue > bank.json && audited lock check audit.lock --catalogue bank.json
  audited lock check --catalogue bank.json --package bank --update";

impl LockArgs {
    pub(crate) fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let LockCommand::Check(args) = &self.command;
        let path = args.file.clone().unwrap_or_else(|| Lock::find(std::env::current_dir().unwrap_or_default()));
        if args.update {
            let var = |name: &str| match name {
                "AUDIT_LOCK" => Some("update".to_owned()),
                name => std::env::var(name).ok(),
            };
            LockMode::from_env(var).map_err(|_| {
                Failure::usage(
                    "CI is set, and in CI nobody reads the diff: update on your own machine, and commit the file",
                )
            })?;
        }
        match &args.catalogue {
            Some(catalogue) => args.beside(&path, catalogue, output),
            None => args.alone(&path, output),
        }
    }
}

impl CheckArgs {
    /// By itself.
    fn alone(&self, path: &Path, output: &mut Output) -> Result<Exit, Failure> {
        let name = escape(&path.display().to_string()).into_owned();
        let lock = match Lock::read(path) {
            Ok(lock) => lock,
            Err(error @ LockError::Invalid { .. }) => return invalid(&error, &name, output),
            Err(error) => return Err(unreadable(&error)),
        };
        let faults = lock.faults();
        print(&faults, output)?;
        let written = lock.to_string();
        let mut is_canonical = text(path)? == written;
        if !is_canonical && self.update {
            lock.write(path).map_err(|error| unreadable(&error))?;
            note(format_args!("{name} was written anew: the same, in its order"));
            is_canonical = true;
        }
        // What waits to be accepted is for the next update, and no fault of the file.
        let sound = is_canonical && !breaks(&faults);
        if output.is_json() {
            output.json(&json!({ "lock": path.display().to_string(), "sound": sound, "canonical": is_canonical, "changes": faults.len() }).to_string())?;
        } else {
            if !is_canonical {
                let text = output.paint(Style::Bad, "not in order");
                output.line(format_args!(
                    "{text}: the file is not what an update writes, and merges would conflict: `audited lock check --update` \
                     writes it so, without comments"
                ))?;
            }
            summary(&lock, &name, sound, output)?;
        }
        Ok(if sound { Exit::Clean } else { Exit::Findings })
    }

    /// Beside a catalogue.
    fn beside(&self, path: &Path, catalogue: &Path, output: &mut Output) -> Result<Exit, Failure> {
        let name = escape(&path.display().to_string()).into_owned();
        let Document::Catalogue(catalogue) = Document::read(catalogue)? else {
            return Err(Failure::usage(
                "--catalogue names a lock: give the JSON that your program prints of `audited::catalogue()`",
            ));
        };
        let asked = match (&self.packages[..], Lock::read(path)) {
            ([], Ok(lock)) if !lock.packages.is_empty() => lock.packages.into_keys().collect(),
            ([], _) => packages(&catalogue),
            (asked, _) => asked.to_vec(),
        };
        let mut check = LockCheck::new(asked);
        if let Some(why) = &self.incomplete {
            check = check.incomplete(why);
        }
        let mode = if self.update { LockMode::Update } else { LockMode::Check };
        match check.run(&catalogue, path, mode) {
            Ok(LockReport { absent, written, .. }) => {
                print(&absent, output)?;
                if output.is_json() {
                    let report = json!({ "lock": path.display().to_string(), "sound": true, "written": written, "absent": absent.len() });
                    output.json(&report.to_string())?;
                } else {
                    let says = if written { "was brought up to date" } else { "is what the program records" };
                    let text = output.paint(Style::Good, "locked");
                    output.line(format_args!("{text}: {name} {says}"))?;
                }
                Ok(Exit::Clean)
            }
            Err(LockFailure::Differs { changes, .. }) => {
                print(&changes, output)?;
                self.differs(path, changes.len(), "is not what the program records", output)
            }
            Err(LockFailure::Refused { changes, .. }) => {
                print(&changes, output)?;
                self.differs(
                    path,
                    changes.len(),
                    "was not updated: what is asked for above has to be written or mended first",
                    output,
                )
            }
            Err(LockFailure::NothingLinked { package }) => {
                let package = escape(&package).into_owned();
                Err(Failure::Missing(format!(
                    "the catalogue has nothing of the package {package}: mend --package, or print it from a program that \
                     links that crate"
                )))
            }
            Err(LockFailure::Lock(error @ LockError::Invalid { .. })) => invalid(&error, &name, output),
            Err(LockFailure::Lock(error)) => Err(unreadable(&error)),
            Err(failure) => Err(Failure::unreachable(failure.to_string())),
        }
    }

    fn differs(&self, path: &Path, changes: usize, says: &str, output: &mut Output) -> Result<Exit, Failure> {
        if output.is_json() {
            let report =
                json!({ "lock": path.display().to_string(), "sound": false, "written": false, "changes": changes });
            output.json(&report.to_string())?;
        } else {
            let text = output.paint(Style::Bad, "differs");
            output.line(format_args!("{text}: {} {says}", escape(&path.display().to_string())))?;
            if !self.update {
                output.line(
                    "To accept this, write the reasons that are asked for, then --update, and commit the file.",
                )?;
            }
        }
        Ok(Exit::Findings)
    }
}

fn summary(lock: &Lock, name: &str, sound: bool, output: &mut Output) -> Result<(), Failure> {
    let (style, word) = if sound { (Style::Good, "sound") } else { (Style::Bad, "not sound") };
    let actions: usize = lock.packages.values().map(|package| package.actions.len()).sum();
    let waiting: usize = lock.packages.values().map(|package| package.accept.len()).sum();
    let text = output.paint(style, word);
    output.line(format_args!("{text}: {name}, packages: {}, actions: {actions}", lock.packages.len()))?;
    if waiting > 0 {
        let remark = format!(
            "{waiting} would be accepted with the next update; --catalogue tells whether each is for something"
        );
        output.line(output.paint(Style::Doubtful, remark))?;
    }
    Ok(())
}

fn invalid(error: &LockError, name: &str, output: &mut Output) -> Result<Exit, Failure> {
    let LockError::Invalid { source, .. } = error else { return Err(unreadable(error)) };
    let what = escape(&source.to_string()).into_owned();
    if output.is_json() {
        let severity = LockSeverity::Forbidden.as_str().to_ascii_lowercase();
        output.json(&json!({ "lock": name, "sound": false, "severity": severity, "what": what }).to_string())?;
    } else {
        let text = output.paint(Style::Bad, "no lock");
        output.line(format_args!("{text}: {name}: {what}"))?;
    }
    Ok(Exit::Findings)
}

fn unreadable(error: &LockError) -> Failure {
    Failure::unreachable(escape(&error.to_string()).into_owned())
}
