//! `audited completions`

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Prints what a shell completes this command line with.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// Which shell.
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  audited completions bash > /etc/bash_completion.d/audited
  audited completions zsh > ~/.zfunc/_audited
  audited completions fish > ~/.config/fish/completions/audited.fish";

impl CompletionsArgs {
    pub(crate) fn run(&self, output: &mut Output) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "audited", &mut script);
        output.text(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Clean)
    }
}
