//! What arrives while it is followed, and how following ends.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{Place, places};
use crate::stores::made::{id, made};
use crate::support::PATIENCE;

/// A run that goes on. It is killed when this is dropped.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(place: &Place, words: &[&str], rest: &[&str]) -> Self {
        let mut program = place.program();
        program.args(words).arg(&place.url).args(["--tenant", "acme", "--unrecorded"]).args(rest);
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The name of the next record.
    #[track_caller]
    fn name(&self) -> String {
        let line = self.lines.recv_timeout(PATIENCE).expect("a record");
        let record: Value = serde_json::from_str(&line).unwrap();
        record["detail"]["name"].as_str().unwrap().to_owned()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    #[track_caller]
    fn ends_with(&mut self, code: i32) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return assert_eq!(status.code(), Some(code), "{status}");
            }
            assert!(Instant::now() < until, "it does not end");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(out: ChildStdout) -> Receiver<String> {
    let (give, lines) = channel();
    std::thread::spawn(move || {
        // Who does not listen any more closes the pipe.
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if give.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

#[test]
fn what_arrives_is_shown_once_and_ctrl_c_ends_it_well() {
    for place in places() {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let mut running =
                Running::start(&place, &["tail", "-f", "-n", "2", "--json"], &["--action-prefix", "door."]);
            running.name();
            let newest = running.name();
            let name = format!("{signal:?}");
            let of = |action: &str, tenant: &str| made(&name, json!({ "action": action, "tenant": tenant }));
            place.write(&[of("door.open", "other"), of("vault.open", "acme"), of("door.open", "acme")]);
            assert_eq!(running.name(), name, "{} after {newest}", place.kind);
            running.signal(signal);
            running.ends_with(0);
            assert!(running.lines.recv_timeout(PATIENCE).is_err(), "nothing else: {}", place.kind);
        }
    }
}

#[test]
fn the_newest_are_shown_in_their_order_and_intents_are_not() {
    for place in places() {
        let ran = place.ask(&["tail", "--json", "-n", "3"], &[]);
        let names: Vec<_> = ran
            .lines()
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["detail"]["name"].clone())
            .collect();
        let expected = if place.kind == "journal" { json!(["two", "three", "six"]) } else { json!(["three", "six"]) };
        assert_eq!(json!(names), expected, "{}", place.kind);
        assert_eq!(ran.code, 0);
    }
}

#[test]
fn the_newest_of_a_journal_are_found_across_its_files() {
    let place = places().remove(0);
    for n in 0..5_u32 {
        place.write(&[made(
            &n.to_string(),
            json!({ "id": id(u128::from(100 + n)), "tenant": "acme", "occurred_at": null }),
        )]);
    }
    let ran = place.ask(&["tail", "--json", "-n", "4"], &[]);
    let names: Vec<_> =
        ran.lines().iter().map(|line| serde_json::from_str::<Value>(line).unwrap()["detail"]["name"].clone()).collect();
    assert_eq!(names.len(), 4);
    assert!(names.iter().all(|name| name != "six"), "{names:?}");
}

#[test]
fn who_reads_no_more_ends_it_in_silence() {
    for place in places() {
        let many: Vec<_> = (0..2_000_u32)
            .map(|n| {
                made(
                    &n.to_string(),
                    json!({ "id": id(u128::from(1_000 + n)), "tenant": "acme", "detail": { "long": "x".repeat(200) } }),
                )
            })
            .collect();
        place.write(&many);
        for words in [
            &["export"][..],
            &["export", "--format", "csv"],
            &["query", "--limit", "1000", "--json"],
            &["query", "--limit", "1000"],
        ] {
            let mut program = place.program();
            program.args(words).arg(&place.url).args(["--tenant", "acme", "--record-to", "journal:reads"]);
            let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut first = String::new();
            BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
            assert!(!first.is_empty());
            let output = child.wait_with_output().unwrap();
            assert_eq!((output.status.code(), &*String::from_utf8_lossy(&output.stderr)), (Some(0), ""), "{words:?}");
        }
        let mut running = Running::start(&place, &["tail", "-f", "-n", "1", "--json"], &[]);
        running.name();
        let (_, closed) = channel();
        drop(std::mem::replace(&mut running.lines, closed));
        let mut n = 5_000_u32;
        let until = Instant::now() + PATIENCE;
        while running.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "it does not end");
            place.write(&[made("late", json!({ "id": id(u128::from(n)), "tenant": "acme" }))]);
            n += 1;
        }
        running.ends_with(0);
    }
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_goes_away_is_asked_again_and_nothing_is_passed_over() {
    use std::io::Read as _;

    let mut cluster = crate::servers::postgres::start();
    let place = Place::of("postgres", &cluster.database().url("service"));
    let write = |name: &str, number| place.write(&[made(name, json!({ "id": id(number), "tenant": "acme" }))]);
    write("first", 1);
    let mut running = Running::start(&place, &["tail", "-f", "--json"], &[]);
    assert_eq!(running.name(), "first");
    write("second", 2);
    assert_eq!(running.name(), "second");
    cluster.stop();
    let mut said = BufReader::new(running.child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("it is asked again") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0);
    }
    cluster.restart();
    write("third", 3);
    assert_eq!(running.name(), "third");
    running.signal(Signal::INT);
    running.ends_with(0);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.matches("is back").count(), 1, "{rest}");
}
