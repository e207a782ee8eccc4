//! Exports: complete, whole or not at all, and for nobody else.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::places::empty;
use super::{Place, places, seeds};
use crate::stores::made::{id, made, moment};

/// What a directory holds, but for what records are in.
fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with("audit"));
    names.sort();
    names
}

fn parse(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_export_has_every_record_once_however_many_there_are() {
    let many: Vec<_> = (0..2_500_u32)
        .map(|n| {
            let keys = json!({ "id": id(u128::from(n)), "tenant": "acme", "occurred_at": moment(i64::from(n / 7)).to_string() });
            made(&n.to_string(), keys)
        })
        .collect();
    for place in empty() {
        place.write(&many);
        let lines = place.ask(&["export"], &[]).expect(0);
        let mut names: Vec<_> = parse(&lines)
            .iter()
            .map(|record| record["detail"]["name"].as_str().unwrap().parse::<u32>().unwrap())
            .collect();
        assert_eq!(names.len(), 2_500, "{}", place.kind);
        assert!(names.is_sorted(), "{}: in the order in which they happened", place.kind);
        names.dedup();
        assert_eq!(names.len(), 2_500, "{}", place.kind);
        if place.kind != "journal" {
            let stored: Vec<_> = many.iter().map(|record| record.json()).collect();
            assert_eq!(lines.lines().collect::<Vec<_>>(), stored);
        }
    }
}

#[test]
fn calls_without_an_end_are_exported_too() {
    for place in places() {
        let lines = place.ask(&["export"], &[]).expect(0);
        let mut names: Vec<_> =
            parse(&lines).iter().map(|record| record["detail"]["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        assert_eq!(names, ["four", "one", "six", "three", "two"], "{}", place.kind);
    }
}

#[test]
fn a_file_is_for_its_owner_and_replaces_nothing_unasked() {
    for place in places() {
        let path = place.directory().join("out.jsonl");
        let ran = place.ask(&["export"], &["--output", "out.jsonl"]);
        assert_eq!((ran.code, &*ran.out), (0, ""), "{ran:#?}");
        assert!(ran.err.contains("5 records are in out.jsonl"), "{}", ran.err);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let first = std::fs::read_to_string(&path).unwrap();
        assert_eq!(first, place.ask(&["export"], &[]).out, "the same as on the standard output");

        let asked = ["--tenant", "acme", "--record-to", "journal:reads", "--output", "out.jsonl"];
        let again = place.run(&["export"], &asked);
        assert!(!place.directory().join("reads").exists(), "nothing is read for it");
        assert_eq!(again.code, 2, "{again:#?}");
        assert!(again.err.contains("is there already") && again.err.contains("--force"), "{}", again.err);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
        place.ask(&["export"], &["--denied", "--output", "out.jsonl", "--force"]).expect(0);
        assert_eq!(parse(&std::fs::read_to_string(&path).unwrap()).len(), 1);
        assert_eq!(files(place.directory()), ["out.jsonl"], "nothing else is left");
    }
}

#[test]
fn an_export_that_fails_leaves_nothing() {
    for place in places() {
        let ran =
            place.run(&["export"], &["--tenant", "acme", "--record-to", "journal:no/such", "--output", "out.jsonl"]);
        assert_eq!(ran.code, 3, "{ran:#?}");
        assert_eq!(files(place.directory()), [""; 0], "{}", place.kind);
        let ran = place.ask(&["export"], &["--output", "no/such/out.jsonl"]);
        assert_eq!(ran.code, 3, "{ran:#?}");
    }
}

#[test]
fn a_file_that_came_meanwhile_is_not_replaced() {
    for place in empty() {
        let (code, said) =
            meanwhile(&place, |_| std::fs::write(place.directory().join("out.jsonl"), "of others").unwrap());
        assert_eq!(code, 2, "{}: {said}", place.kind);
        assert!(said.contains("is there already"), "{said}");
        assert_eq!(std::fs::read_to_string(place.directory().join("out.jsonl")).unwrap(), "of others");
        assert_eq!(files(place.directory()), ["out.jsonl"], "{}", place.kind);
    }
}

#[test]
fn an_export_that_is_interrupted_leaves_nothing() {
    for place in empty() {
        let (code, said) = meanwhile(&place, |child| kill_process(child, Signal::INT).unwrap());
        assert_eq!(code, 3, "{}: {said}", place.kind);
        assert!(said.contains("interrupted before all was written"), "{said}");
        assert_eq!(files(place.directory()), [""; 0], "{}", place.kind);
    }
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_does_not_answer_keeps_nobody_from_interrupting_an_export() {
    let cluster = crate::servers::postgres::start();
    let place = Place::of("postgres", &cluster.database().url("service"));
    cluster.pause();
    let mut program = place.program();
    program.args(["export", &place.url, "--tenant", "acme", "--unrecorded", "--output", "out.jsonl"]);
    let child = program.stderr(Stdio::piped()).spawn().unwrap();
    crate::support::eventually("it has begun", || {
        let mut entries = std::fs::read_dir(place.directory()).unwrap().map(|entry| entry.unwrap().file_name());
        entries.any(|name| name.to_string_lossy().starts_with(".audited-export-"))
    });
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let ended = child.wait_with_output().unwrap();
    cluster.resume();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("interrupted before all was written"), "{said}");
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(files(place.directory()), [""; 0]);
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_is_killed_leaves_no_half_of_an_export() {
    let mut cluster = crate::servers::postgres::start();
    let place = Place::of("postgres", &cluster.database().url("service"));
    let of = |n: u32| made(&n.to_string(), json!({ "id": id(u128::from(n)), "tenant": "acme" }));
    place.write(&(0..4_000).map(of).collect::<Vec<_>>());
    // It is killed where one page was read, and nobody takes what is printed.
    let mut program = place.program();
    program.args(["export", &place.url, "--tenant", "acme", "--unrecorded"]);
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut first = [0; 1];
    out.read_exact(&mut first).unwrap();
    cluster.kill();
    let mut rest = String::from("{");
    out.read_to_string(&mut rest).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), &first), (Some(3), b"{"), "{said}");
    assert!(said.contains("cannot be reached, or the connection broke"), "{said}");
    let lines = parse(&rest).len();
    assert!(0 < lines && lines < 4_000, "whole lines, and not all: {lines}");
    for words in [&["export", "--output", "out.jsonl"][..], &["query", "--json"], &["stats", "--json"]] {
        let ran = place.ask(words, &[]);
        assert_eq!((ran.code, &*ran.out), (3, ""), "{words:?}: {ran:?}");
    }
    assert_eq!(files(place.directory()), [""; 0]);
}

#[test]
fn a_disk_that_is_full_leaves_no_half_of_an_export_and_the_former_file() {
    let place = Place::of("journal", "journal:audit");
    place.write(&(0..4_000_u32).map(|n| made(&n.to_string(), json!({ "tenant": "acme" }))).collect::<Vec<_>>());
    let script = format!(
        "echo former > out; \"$PROGRAM\" export journal:{} --all-tenants --reason test --unrecorded --force -o out; \
         code=$?; ls -A; cat out; exit $code",
        place.directory().join("audit").display()
    );
    let Some(ran) = super::examining::on_a_tmpfs("512k", &script) else { return };
    assert_eq!((ran.code, &*ran.out), (3, "out\nformer\n"), "{ran:?}");
    assert!(ran.err.contains("cannot be written: no storage space"), "{ran:?}");
}

/// Does something while an export of many records is at work; how that ends, and what it says.
fn meanwhile(place: &Place, then: impl FnOnce(Pid)) -> (i32, String) {
    let of = |n: u32| made(&n.to_string(), json!({ "id": id(u128::from(n)), "tenant": "acme" }));
    for first in (0..20_000).step_by(2_000) {
        place.write(&(first..first + 2_000).map(of).collect::<Vec<_>>());
    }
    let mut program = place.program();
    program.args(["export", &place.url, "--tenant", "acme", "--unrecorded", "--output", "out.jsonl"]);
    let mut child = program.stderr(Stdio::piped()).spawn().unwrap();
    crate::support::eventually("it has begun", || {
        let mut entries = std::fs::read_dir(place.directory()).unwrap().map(|entry| entry.unwrap().file_name());
        entries.any(|name| name.to_string_lossy().starts_with(".audited-export-"))
    });
    then(Pid::from_child(&child));
    let code = child.wait().unwrap().code().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (code, said)
}

#[test]
fn csv_has_the_columns_that_are_documented() {
    for place in places() {
        let csv = place.ask(&["export", "--format", "csv"], &["--resource", "account"]).expect(0);
        let lines: Vec<_> = csv.lines().collect();
        let help = place.run(&["help", "export"], &[]);
        let header = lines[0].replace(',', ", ");
        let documented = super::run(place.directory(), &["export", "--help"]).out;
        let documented = documented.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(documented.contains(&format!("The columns of CSV are {header}.")), "{header}: {help:#?}");
        let row = lines[1].split(',').collect::<Vec<_>>();
        let expected = [
            "01900000-0000-7000-8000-000000000003",
            "2023-11-14T22:13:23.000000Z",
            row[2],
            "acme",
            "call",
            "completed",
            "account.transfer",
            "service",
            "billing",
            "",
            "",
            "user:u-17",
            "account",
            "42",
            "",
            "",
            "failure",
            "no_funds",
            "",
            "",
            "req-1",
            "",
        ];
        assert_eq!(row[..22], expected, "{}", place.kind);
        assert!(lines[1].ends_with(r#","{""name"":""three""}""#), "{}", lines[1]);
        assert_eq!(lines.len(), 2);
    }
    assert_eq!(seeds().len(), 6);
}

#[test]
fn what_cannot_be_written_is_named_and_a_reader_that_has_enough_is_no_failure() {
    let many: Vec<_> = (0..2_500_u32).map(|n| made(&n.to_string(), json!({ "tenant": "acme" }))).collect();
    let place = Place::of("journal", "journal:audit");
    place.write(&many);
    let export = |format: &str| {
        let mut program = place.program();
        program.args(["export", "journal:audit", "--tenant", "acme", "--unrecorded", "--format", format]);
        program
    };
    for format in ["jsonl", "csv"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = super::finish_into(export(format), full.into());
        assert_eq!(ran.code, 3, "{format}: {ran:#?}");
        assert!(ran.err.contains("the output cannot be written: no storage space"), "{format}: {}", ran.err);

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = super::finish_into(export(format), writer.into());
        assert_eq!(ran.code, 0, "{format}: {ran:#?}");
        assert!(!ran.err.contains("cannot be written"), "{format}: {}", ran.err);
    }
}
