//! `audited man`

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use crate::arguments::Arguments;
use crate::failure::{Exit, Failure};
use crate::output::{Output, escape};

/// Writes the manual pages: one of the program, and one of each command.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  audited man /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The directory that they are written to; pages of those names there are replaced.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl ManArgs {
    pub(crate) fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let directory = &self.directory;
        let written = std::fs::create_dir_all(directory).and_then(|()| {
            clap_mangen::generate_to(Arguments::command(), directory)?;
            Ok(())
        });
        written.map_err(|error| Failure::file("written", directory, &error))?;
        output.line(format_args!("the pages are in {}", escape(&directory.display().to_string())))?;
        Ok(Exit::Clean)
    }
}
