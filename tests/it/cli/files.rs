//! Files that the program is to read, and that are none.

use std::fs;
use std::process::Command;

use super::{Ran, finish, program, run};
use crate::journal::{small, write};

/// A directory with a journal, and with what is no file.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    assert!(Command::new("mkfifo").arg(path.join("pipe")).status().unwrap().success());
    fs::create_dir(path.join("directory")).unwrap();
    fs::write(path.join("whole.json"), "{\"actions\":[],\"types\":[],\"errors\":[],\"exemptions\":[]}").unwrap();
    write(&small().open(path.join("audit")).unwrap(), 0);
    directory
}

/// It says which file, and what it is, and does not wait for anybody to write it.
#[track_caller]
fn refused(ran: Ran, name: &str, what: &str) {
    assert!(ran.err.contains(name) && ran.err.contains(what), "{name}: {ran:?}");
    ran.expect(3);
}

#[test]
fn what_is_no_regular_file_is_refused_wherever_one_is_named() {
    let directory = directory();
    let dir = directory.path();
    for (name, what) in [("pipe", "is a FIFO"), ("/dev/zero", "is a device"), ("directory", "is a directory")] {
        for arguments in [
            &["lock", "check", "audit.lock", "--catalogue", name][..],
            &["catalogue", name],
            &["catalogue", "--diff", "whole.json", name],
            &["query", "journal:audit", "--all-tenants", "--reason", "x", "--unrecorded", "--keys", name],
        ] {
            refused(run(dir, arguments), name, what);
        }
        #[cfg(feature = "postgres")]
        refused(run(dir, &["doctor", "postgres://ann@localhost:1/bank", "--tls-roots", name]), name, what);
        for (variable, url) in [
            #[cfg(feature = "postgres")]
            ("AUDITED_POSTGRES_PASSWORD_FILE", "postgres://ann@localhost:1/bank"),
            #[cfg(feature = "nats")]
            ("AUDITED_NATS_CREDENTIALS", "nats://localhost:1/AUDIT"),
        ] {
            let mut program = program(dir);
            refused(finish(program.env(variable, name).args(["doctor", url])), name, what);
        }
    }
}

#[test]
fn a_lock_is_a_regular_file() {
    let directory = directory();
    let dir = directory.path();
    for name in ["pipe", "/dev/zero"] {
        refused(run(dir, &["lock", "check", name]), name, "a regular file");
        refused(run(dir, &["lock", "check", name, "--catalogue", "whole.json"]), name, "a regular file");
        refused(run(dir, &["doctor", "journal:audit", "--no-probe", "--lock", name]), name, "a regular file");
    }
}

#[test]
fn what_a_shell_makes_of_a_command_is_read() {
    let directory = directory();
    let line = format!("{} catalogue --diff <(cat whole.json) <(cat whole.json)", env!("CARGO_BIN_EXE_audited"));
    let ran = finish(Command::new("bash").current_dir(directory.path()).args(["-c", &line]));
    assert_eq!((ran.code, &*ran.err), (0, ""), "{ran:?}");
}
