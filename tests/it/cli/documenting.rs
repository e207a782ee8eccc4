//! What is generated: shell completions, and manual pages.

use std::fs;
use std::process::{Command, Stdio};

use super::run;

#[test]
fn bash_loads_its_completions_and_completes_a_command() {
    let directory = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(directory.path(), &["completions", shell]).expect(0);
        assert!(script.contains("dead-letters"), "{shell}");
        fs::write(directory.path().join(shell), script).unwrap();
    }
    let complete = "source ./bash && COMP_WORDS=(audited ver) COMP_CWORD=1 && _audited audited ver audited && echo \"${COMPREPLY[@]}\"";
    let output =
        Command::new("bash").args(["--norc", "-euc", complete]).current_dir(directory.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), "verify", "{output:?}");
    run(directory.path(), &["completions", "tcsh"]).expect(2);
}

#[test]
fn every_command_has_a_manual_page_that_renders() {
    let directory = tempfile::tempdir().unwrap();
    run(directory.path(), &["man", "pages"]).expect(0);
    let help = run(directory.path(), &["--help"]).expect(0);
    let commands = help.split_once("Commands:").unwrap().1.split_once("Options:").unwrap().0;
    let commands: Vec<_> = commands.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let commands: Vec<_> = commands.into_iter().filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(commands.contains(&"verify") && commands.len() > 9, "{commands:?}");
    let pages = directory.path().join("pages");
    for command in commands {
        let page = pages.join(format!("audited-{command}.1"));
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{command}: {error}"));
        assert!(text.contains(".TH") && text.contains(".SH NAME"), "{command}");
    }
    let page = fs::read_to_string(pages.join("audited-lock-check.1")).unwrap();
    assert!(page.contains("assert_locked"), "{page}");
    for (renderer, arguments) in [("mandoc", &["-T", "lint", "-W", "error"][..]), ("man", &["--warnings", "-l"])] {
        let mut command = Command::new(renderer);
        command.args(arguments).arg(pages.join("audited-verify.1")).env("MANPAGER", "cat").env("MANROFFOPT", "");
        let Ok(output) = command.stdin(Stdio::null()).output() else { continue };
        assert!(output.status.success(), "{renderer}: {output:?}");
        if renderer == "man" {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains("--expect") && output.stderr.is_empty(), "{output:?}");
        }
    }
}
