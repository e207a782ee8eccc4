//! The program `audited`: reads, checks, exports and forwards what services have recorded.

mod arguments;
mod asking;
mod commands;
mod failure;
mod file;
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
                note(location::without_arguments(failure.to_string()));
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
    for line in location::without_arguments(error.render().to_string()).lines() {
        let _ = writeln!(std::io::stderr(), "{}", escape_controls(&location::without_secrets(line)));
    }
    Exit::Usage.into()
}
