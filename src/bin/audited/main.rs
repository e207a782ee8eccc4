//! The program `audited`: reads, checks, exports and forwards what services have recorded.

mod arguments;
mod commands;
mod failure;
mod filter;
mod journal_files;
mod location;
mod moment;
mod open;
mod output;
mod progress;
mod reading;
mod signals;
mod walk;

use std::io::Write as _;
use std::process::ExitCode;

use audited::with_context;
use clap::Parser as _;

use crate::arguments::{Arguments, Command};
use crate::failure::{Exit, Failure};
use crate::output::{Output, escape_controls, note};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return told(&error),
    };
    let mut output = Output::new(&arguments.output);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let context = reading::context(arguments.command.on_behalf_of());
            runtime.block_on(with_context(context, run(&arguments.command, &mut output)))
        }
        Err(error) => Err(Failure::because("the runtime cannot be started", &error)),
    };
    // What was printed before it failed is a result, too.
    let ended = output.flush().map_err(Failure::from).and(ended);
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if !matches!(failure, Failure::NobodyReads) {
                note(&failure);
            }
            failure.exit().into()
        }
    }
}

async fn run(command: &Command, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Tail(args) => args.run(output).await,
        Command::Query(args) => args.run(output).await,
        Command::Show(args) => args.run(output).await,
        Command::Stats(args) => args.run(output).await,
        Command::Orphans(args) => args.run(output).await,
        Command::Export(args) => args.run(output).await,
        Command::Verify(args) => args.run(output).await,
        Command::Catalogue(args) => args.run(output),
        Command::Lock(args) => args.run(output),
        Command::Forward(args) => args.run(output).await,
        Command::DeadLetters(args) => args.run(output).await,
        Command::Doctor(args) => args.run(output).await,
        Command::Completions(args) => args.run(output),
        Command::Man(args) => args.run(output),
    }
}

/// Prints help, or what is wrong with the arguments, which may hold a password.
fn told(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match error.print() {
            Ok(()) => Exit::Clean.into(),
            Err(error) => Failure::from(error).exit().into(),
        };
    }
    let mut text = error.render().to_string();
    for argument in std::env::args_os().skip(1) {
        let argument = argument.to_string_lossy();
        for part in [Some(&*argument), argument.split_once('=').map(|(_, value)| value)].into_iter().flatten() {
            let shown = location::without_secrets(part);
            if shown != part {
                text = text.replace(part, &shown);
            }
        }
    }
    for line in text.lines() {
        let _ = writeln!(std::io::stderr(), "{}", escape_controls(&location::without_secrets(line)));
    }
    Exit::Usage.into()
}
