//! The program on a terminal: colours, the width, Ctrl-C.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::json;

use super::{Place, places};
use crate::stores::made::{id, made};
use crate::support::PATIENCE;

/// A program on a terminal of its own. It is killed when this is dropped.
struct Terminal {
    side: File,
    shown: Arc<Mutex<Vec<u8>>>,
    child: Child,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    #[track_caller]
    fn start(place: &Place, columns: u16, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let side = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&side).unwrap();
        unlockpt(&side).unwrap();
        let name = ptsname(&side, Vec::new()).unwrap();
        let side = File::from(side);
        resize(&side, columns);
        let open = || {
            let path = std::ffi::OsStr::from_bytes(name.as_bytes());
            Stdio::from(File::options().read(true).write(true).open(path).unwrap())
        };
        // It leads a session of its own, whose terminal this is: Ctrl-C is a signal there.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(env!("CARGO_BIN_EXE_audited")).args(arguments).current_dir(place.directory());
        super::clean(&mut command);
        command.env("TERM", "xterm-256color").envs(environment.iter().copied());
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn().unwrap();
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let (mut reading, into) = (side.try_clone().unwrap(), shown.clone());
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The other side is closed when this fails.
            while let Ok(count @ 1..) = reading.read(&mut buffer) {
                into.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { side, shown, child, reader: Some(reader) }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).replace("\r\n", "\n")
    }

    #[track_caller]
    fn wait_for(&self, text: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.shown().contains(text) {
            assert!(Instant::now() < until, "never: {text}: {:?}", self.shown());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// What it has shown when it has ended.
    #[track_caller]
    fn ends_with(mut self, code: i32) -> String {
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < until, "it does not end: {:?}", self.shown());
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        assert_eq!(status.code(), Some(code), "{status}: {:?}", self.shown());
        // With the last who had it open, the terminal ends, and so does what reads it.
        self.reader.take().unwrap().join().unwrap();
        self.shown()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(side: &File, columns: u16) {
    tcsetwinsize(side, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

fn ask<'a>(place: &'a Place, words: &[&'a str]) -> Vec<&'a str> {
    [words, &[&place.url, "--tenant", "acme", "--record-to", "journal:reads"]].concat()
}

#[test]
fn colours_are_for_terminals_and_can_be_refused() {
    let place = places().remove(0);
    let words = ask(&place, &["query", "--utc"]);
    let is_coloured = |arguments: &[&str], environment: &[(&str, &str)]| {
        let shown = Terminal::start(&place, 200, arguments, environment).ends_with(0);
        assert!(shown.contains("missing_scope"), "{shown}");
        shown.contains('\u{1b}')
    };
    assert!(is_coloured(&words, &[]));
    assert!(!is_coloured(&words, &[("NO_COLOR", "1")]));
    assert!(is_coloured(&words, &[("NO_COLOR", "")]), "empty is unset");
    assert!(!is_coloured(&words, &[("TERM", "dumb")]));
    assert!(!is_coloured(&[&words[..], &["--color", "never"]].concat(), &[]));
    assert!(is_coloured(&[&words[..], &["--color", "always"]].concat(), &[("NO_COLOR", "1")]));
    assert!(place.ask(&["query", "--color", "always"], &[]).out.contains('\u{1b}'));
    assert!(!place.ask(&["query"], &[]).out.contains('\u{1b}'));
}

#[test]
fn a_table_is_as_wide_as_the_terminal() {
    let place = places().remove(0);
    let arguments = ask(&place, &["query", "--utc", "--color", "never", "--ids"]);
    for columns in [60, 100, 200] {
        let shown = Terminal::start(&place, columns, &arguments, &[]).ends_with(0);
        let widest = shown.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= usize::from(columns), "{columns}: {shown}");
    }
}

/// How many columns a line takes: of what is used here, all that is no ASCII and no Hebrew takes two.
fn columns_of(line: &str) -> usize {
    line.chars().map(|c| if c.is_ascii() || ('\u{590}'..'\u{600}').contains(&c) { 1 } else { 2 }).sum()
}

#[test]
fn a_narrow_terminal_shows_one_record_below_the_other() {
    let place = places().remove(0);
    let keys = |n: u32, actor: &str| json!({ "id": id(n.into()), "tenant": "acme", "action": "wide.shown", "actor": { "kind": "user", "id": actor } });
    for (n, actor) in [(20, "日本語日本語日本語日本語"), (21, "שלום\u{202e}עולם"), (22, "🔒🔑🔒🔑🔒🔑🔒🔑🔒🔑")]
    {
        place.write(&[made(&n.to_string(), keys(n, actor))]);
    }
    let arguments = ask(&place, &["query", "--utc", "--color", "never", "--ids", "--action", "wide.shown"]);
    for columns in [20, 30, 50] {
        let shown = Terminal::start(&place, columns, &arguments, &[]).ends_with(0);
        assert_eq!(shown.lines().filter(|line| line.starts_with("ACTION")).count(), 3, "{columns}: {shown}");
        assert!(shown.lines().filter(|line| line.contains("wide.shown")).count() == 3, "{columns}: {shown}");
        assert!(shown.lines().all(|line| columns_of(line) <= usize::from(columns)), "{columns}: {shown}");
        assert!(!shown.contains('\u{202e}') && shown.contains("\\u{202e}"), "{columns}: {shown}");
        let letters: String = shown.split_whitespace().collect();
        assert!(letters.contains("日本語日本語日本語日本語") || columns < 50, "nothing is left out: {shown}");
    }
    // Where there is room, all of a record is on its line.
    let shown = Terminal::start(&place, 200, &arguments, &[]).ends_with(0);
    let header = shown.lines().find(|line| line.contains("ACTOR")).unwrap();
    let of_ids = header.rfind("ID").map(|at| columns_of(&header[..at]));
    for name in ["日本語", "שלום", "🔒🔑"] {
        let line = shown.lines().find(|line| line.contains(name)).unwrap();
        assert_eq!(line.find("01900000-").map(|at| columns_of(&line[..at])), of_ids, "{shown}");
    }
}

#[test]
fn a_window_that_changes_is_asked_anew_and_ctrl_c_ends_it_well() {
    let mut number = 100_u32;
    for place in places() {
        let arguments = ask(&place, &["tail", "-f", "--utc", "--color", "never"]);
        let mut terminal = Terminal::start(&place, 40, &arguments, &[]);
        terminal.wait_for("door.close");
        let mut arrive = |name: &str| {
            number += 1;
            let keys = json!({ "id": id(u128::from(number)), "tenant": "acme", "action": format!("window.{name}.{}", "x".repeat(60)) });
            place.write(&[made(name, keys)]);
        };
        arrive("narrow");
        terminal.wait_for("window.narro");
        resize(&terminal.side, 120);
        arrive("wide");
        terminal.wait_for(&format!("window.wide.{}", "x".repeat(40)));
        terminal.side.write_all(b"\x03").unwrap();
        let shown = terminal.ends_with(0);
        let width = |text: &str| shown.lines().find(|line| line.contains(text)).unwrap().chars().count();
        assert_eq!(width("window.na"), 40, "{shown}");
        assert!((110..=120).contains(&width("window.wide")), "{shown}");
    }
}

#[test]
fn nothing_reaches_a_terminal_that_it_acts_on_in_json_either() {
    let place = places().remove(0);
    place.write(&[made("hostile", json!({ "id": id(9), "tenant": "acme", "action": "a\u{9b}b\u{202e}c\u{200b}" }))]);
    let arguments = ask(&place, &["query", "--json", "--id", "01900000-0000-7000-8000-000000000009"]);
    let shown = Terminal::start(&place, 80, &arguments, &[]).ends_with(0);
    assert!(shown.contains(r#""action":"a\u009bb\u202ec\u200b""#), "{shown:?}");
    assert!(!shown.contains(['\u{9b}', '\u{202e}', '\u{200b}']));
    let export = ask(&place, &["export", "--action-prefix", "a"]);
    let shown = Terminal::start(&place, 80, &export, &[]).ends_with(0);
    assert!(shown.contains(r"\u200b") && !shown.contains('\u{200b}'), "{shown:?}");
}

#[test]
fn an_export_shows_how_far_it_is_on_a_terminal_alone() {
    for place in places() {
        let arguments = ask(&place, &["export", "--output", "out.jsonl", "--force"]);
        let shown = Terminal::start(&place, 100, &arguments, &[]).ends_with(0);
        assert!(shown.contains("records exported"), "{}: {shown:?}", place.kind);
        let ran = place.ask(&["export", "--output", "out.jsonl", "--force"], &[]);
        assert!(!ran.err.contains("records exported"), "{}", ran.err);
    }
}
