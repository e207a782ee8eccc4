//! The program `audited`, as people and scripts run it.

mod cataloguing;
mod documenting;
mod examining;
mod exporting;
mod files;
mod finding;
mod following;
#[cfg(feature = "sqlite")]
mod forwarding;
mod hostile;
mod locking;
mod meanwhile;
#[cfg(feature = "nats")]
mod nats;
mod newest;
mod places;
mod recording;
mod scoping;
mod terminal;
mod totals;
mod transcripts;
mod unwritable;
mod usage;
mod verifying;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::PATIENCE;

pub(crate) use self::places::{Place, places, seeds};

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// What it printed, where it ended with that code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:#?}");
        self.out
    }

    pub(crate) fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }
}

/// The program, in a directory, with nothing of this process's environment that it looks at.
pub(crate) fn program(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_audited"));
    command.current_dir(directory).stdin(Stdio::null());
    clean(&mut command);
    command
}

/// Takes from the environment what the program looks at.
fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("AUDITED_") || name.starts_with("PG") || matches!(&*name, "NO_COLOR" | "TERM" | "COLUMNS") {
            command.env_remove(name);
        }
    }
    command.env("TZ", "UTC");
}

/// Runs it to its end.
#[track_caller]
pub(crate) fn run(directory: &Path, arguments: &[&str]) -> Ran {
    finish(program(directory).args(arguments))
}

/// Runs a command to its end, and kills it where that does not come.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Ran {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (process, (told, ended)) = (Pid::from_child(&child), channel());
    std::thread::spawn(move || told.send(child.wait_with_output()));
    let output = ended.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let _ = kill_process(process, Signal::KILL);
        panic!("it does not end: {command:?}")
    });
    let output = output.unwrap();
    Ran {
        code: output.status.code().unwrap_or_else(|| panic!("it was killed: {output:?}")),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command to its end, with its standard output there.
#[track_caller]
pub(crate) fn finish_into(mut command: Command, out: Stdio) -> Ran {
    let child = command.stdout(out).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or_else(|| panic!("it was killed: {output:?}")),
        out: String::new(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
