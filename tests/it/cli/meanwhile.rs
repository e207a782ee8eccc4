//! Journals whose files change, or are not what they should be, while they are read.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use audited::{AuditSink as _, Retention};
use serde_json::{Value, json};

use super::places::empty;
use super::{finish, program};
use crate::contract::block_on;
use crate::journal::{files, small, written};
use crate::stores::made::made;

/// Asks of a journal `audit`, of all tenants, without a record of it.
fn ask(directory: &Path, words: &[&str]) -> Command {
    let mut program = program(directory);
    program.args(words).args(["journal:audit", "--all-tenants", "--reason", "test", "--unrecorded"]);
    program
}

#[test]
fn what_a_retention_removes_while_it_is_read_is_no_damage() {
    let place = empty().remove(0);
    let journal = small().open(place.directory().join("audit")).unwrap();
    let records: Vec<_> = (0..5_000_u32).map(|n| made(&n.to_string(), json!({ "tenant": "acme" }))).collect();
    records.chunks(500).for_each(|records| block_on(journal.write(records)).unwrap());
    let mut program = ask(place.directory(), &["export"]);
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::with_capacity(64, child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    // More is written than a pipe holds, and nobody reads: it stands somewhere among the first records.
    let removed = block_on(journal.retain(Retention::new().total_bytes(200 << 10))).unwrap().up_to.unwrap().0;
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    let seqs: Vec<_> = rest.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64()).collect();
    let passed_over = seqs.windows(2).find(|pair| pair[1] > pair[0].map(|seq| seq + 1)).expect("some are missing");
    let (from, to) = (passed_over[0].unwrap() + 1, passed_over[1].unwrap() - 1);
    assert_eq!(to, removed);
    assert!(said.contains(&format!("seq {from} to {to} were removed while they were to be read")), "{said}");
    assert!(!said.contains("damaged"), "{said}");
    assert_eq!(ended.status.code(), Some(0), "{said}");
}

#[test]
fn lines_that_are_gone_from_the_middle_are_damage_as_before() {
    let (directory, path) = written(600);
    let middle = files(&path)[1].clone();
    fs::write(&middle, "").unwrap();
    let ran = finish(&mut ask(directory.path(), &["export"]));
    assert!(ran.err.contains("damaged: ") && !ran.err.contains("were removed"), "{}", ran.err);
    assert_eq!(ran.code, 1);
}

#[test]
fn a_file_that_cannot_be_read_is_named_wherever_it_stands() {
    for at in [1, 2] {
        let (directory, path) = written(600);
        let all = files(&path);
        let file = all.get(at).filter(|_| at == 1).or(all.last()).unwrap();
        fs::remove_file(file).unwrap();
        assert!(Command::new("mkfifo").args(["-m", "600"]).arg(file).status().unwrap().success());
        for words in [&["query"][..], &["stats"], &["orphans"], &["export"]] {
            let ran = finish(&mut ask(directory.path(), words));
            assert!(ran.err.contains("is a FIFO, and a journal consists of regular files"), "{at} {words:?}: {ran:?}");
            assert!(ran.err.contains(file.file_name().unwrap().to_str().unwrap()), "{at} {words:?}: {ran:?}");
            assert_eq!(ran.code, 3, "{at} {words:?}");
        }
        let ran = super::run(directory.path(), &["doctor", "journal:audit", "--json", "--no-probe"]);
        let faults = ran.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let faults: Vec<_> = faults.filter(|check| check["verdict"] == "failure").collect();
        assert!(faults.iter().any(|check| check["says"].as_str().unwrap().contains("is a FIFO")), "{ran:?}");
        assert_eq!(ran.code, if at == 1 { 1 } else { 3 }, "what was found is told in any case: {ran:?}");
    }
}

#[test]
fn a_head_is_compared_with_a_file_that_can_be_read_or_with_none() {
    let (directory, path) = written(5);
    let file = files(&path).remove(0);
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(file).status().unwrap().success());
    let head = format!("7:{}", "0".repeat(64));
    let ran = super::run(directory.path(), &["verify", "journal:audit", "--expect", &head]);
    assert!(ran.err.contains("is a FIFO"), "{ran:?}");
    assert_eq!(ran.code, 3);
}
