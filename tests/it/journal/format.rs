//! What is in the files, as somebody reads them who has nothing of ours.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use audited::{AuditSink, Durability, Forwarder, Journal, JournalOptions};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{assert_sound, copy, files, name, read, small, write, written};
use crate::contract::block_on;
use crate::support::PATIENCE;

const DOCUMENTED: &str = include_str!("../../../audit-sinks/src/journal/FORMAT.md");

fn hash(kind: &str, text: &[u8]) -> String {
    let text = [format!("audited.{kind}.1\n").as_bytes(), text, format!("\n{}\n", text.len()).as_bytes()].concat();
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn lines(path: &Path) -> Vec<(u64, Vec<u8>)> {
    let bytes = fs::read(path).unwrap();
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
    lines.filter(|(_, line)| line.iter().any(|byte| *byte != 0)).collect()
}

/// Where a line stands, `None` where it is no JSON that says so.
fn place(line: &[u8]) -> Option<(String, u64, String)> {
    let json: Value = serde_json::from_slice(line).ok()?;
    Some((json["stream"].as_str()?.to_owned(), json["seq"].as_u64()?, json["prev"].as_str()?.to_owned()))
}

/// Checks a directory as the documentation says, and with no code of the journal's; gives the first line that is not
/// the next one, or the last `seq` and the hash of its line.
pub(super) fn check(path: &Path) -> Result<(u64, String), (String, u64)> {
    let files: Vec<_> = files(path).into_iter().map(|path| (name(&path), lines(&path))).collect();
    let files: Vec<_> = files.into_iter().filter(|(_, lines)| !lines.is_empty()).collect();
    let mut expected: Option<(String, u64, String)> = None;
    for (at, (name, lines)) in files.iter().enumerate() {
        let limit = files.get(at + 1).map(|(_, lines)| place(&lines[0].1).map(|(_, seq, _)| seq));
        for (number, line) in lines {
            let (Some(found), Some(limit)) = (place(line), limit.map_or(Some(None), |limit| limit.map(Some))) else {
                return Err((name.clone(), *number));
            };
            let first = |(stream, seq, prev): &(String, u64, String)| {
                let prev = if *seq == 1 { hash("stream", stream.as_bytes()) } else { prev.clone() };
                (stream.clone(), *seq, prev)
            };
            let next = expected.get_or_insert_with(|| first(&found)).clone();
            if limit.is_some_and(|limit| next.1 == limit && limit <= found.1) {
                break;
            }
            if next != found {
                return Err((name.clone(), *number));
            }
            expected = Some((next.0, next.1 + 1, hash("line", line)));
        }
    }
    Ok(expected.map_or((0, String::new()), |(_, seq, prev)| (seq - 1, prev)))
}

/// What the documented script says of a directory; `None` where there is no Python.
pub(super) fn check_with_the_script(path: &Path) -> Option<Result<String, String>> {
    let script = DOCUMENTED.split("```").find_map(|block| block.strip_prefix("python\n")).unwrap();
    let run = Command::new("python3").args(["-c", script]).arg(path).output().ok()?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    Some(if run.status.success() { Ok(text(run.stdout)) } else { Err(text(run.stderr)) })
}

#[test]
fn a_line_is_the_record_between_its_stream_and_its_place() {
    let (_directory, path) = written(0);
    let journal = small().open(&path).unwrap();
    let written: Vec<_> = (0..3).map(|n| write(&journal, n)).collect();
    assert_eq!(journal.describe(), format!("journal({})", path.display()));
    assert_eq!(journal.durability(), Durability::Disk);
    assert_eq!(format!("{journal:?}"), format!("Journal {{ path: {path:?}, durability: Disk }}"));
    assert_eq!(journal.path(), path);
    drop(journal);
    let text = fs::read_to_string(&files(&path)[1]).unwrap();
    let stream = read(&path)[0].stream().unwrap().into_owned();
    assert_eq!(text.lines().count(), 5, "{text}");
    for (line, (record, seq)) in text.lines().skip(1).zip(written.iter().zip(4_u64..)) {
        let json = record.json();
        let start = format!(r#"{{"stream":"{stream}",{},"seq":{seq},"prev":""#, &json[1..json.len() - 1]);
        assert!(line.starts_with(&start) && line.len() == start.len() + 66 && line.ends_with("\"}"), "{line}");
    }
}

#[test]
fn whoever_follows_the_documentation_agrees_with_us() {
    let (_directory, path) = written(30);
    let journal = small().open(&path).unwrap();
    for n in 0..250 {
        write(&journal, n);
    }
    block_on(journal.rotate()).unwrap();
    write(&journal, 300);
    // While it is open, with what it is filled with; and closed.
    let (_copy, live) = copy(&path);
    let head = journal.head();
    assert_eq!(check(&live).unwrap(), (head.seq, head.hash.to_string()));
    drop(journal);
    for path in [&live, &path] {
        assert_sound(path);
        let (seq, hash) = check(path).unwrap();
        if let Some(said) = check_with_the_script(path) {
            assert_eq!(said, Ok(format!("sound up to seq {seq}, {hash}")));
        }
    }
    assert!(files(&path).len() >= 4);
}

#[test]
fn the_script_is_short_enough_to_be_read() {
    let script = DOCUMENTED.split("```").find_map(|block| block.strip_prefix("python\n")).unwrap();
    assert!(script.lines().filter(|line| !line.is_empty()).count() < 24);
    let empty = tempfile::tempdir().unwrap();
    if let Some(said) = check_with_the_script(empty.path()) {
        assert_eq!(said, Ok("empty".to_owned()));
    }
}

#[test]
fn a_live_file_is_lines_of_json_and_empty_lines() {
    let (_directory, path) = written(0);
    let journal = JournalOptions::new().open(&path).unwrap();
    (0..20).for_each(|n| drop(write(&journal, n)));
    let text = fs::read_to_string(files(&path).last().unwrap()).unwrap();
    let (full, empty): (Vec<_>, Vec<_>) = text.split('\n').partition(|line| !line.is_empty());
    assert!(full.len() >= 21 && !empty.is_empty());
    assert!(full.iter().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()));
}

#[test]
fn it_goes_on_where_it_was_left() {
    let (_directory, path) = written(3);
    for life in 1..4 {
        let journal = small().open(&path).unwrap();
        let recovered = journal.recovered();
        assert_eq!((recovered.cut_bytes, recovered.damage.as_ref()), (0, None));
        assert_eq!((recovered.last_seq, recovered.files), (5 + 3 * (life - 1), life));
        write(&journal, 0);
    }
    let records: Vec<_> = Journal::read(&path).unwrap().map(Result::unwrap).collect();
    assert!(records.iter().zip(1..).all(|(record, seq)| record.seq() == Some(seq)));
    assert!(records.iter().all(|record| record.stream() == records[0].stream()));
    assert_eq!(records.len(), 14);
}

#[test]
fn two_journals_are_two_streams() {
    let ((_a, first), (_b, second)) = (written(1), written(1));
    assert_ne!(read(&first)[0].stream(), read(&second)[0].stream());
}

#[test]
fn only_its_user_may_read_it() {
    let (_directory, path) = written(1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let _open = JournalOptions::new().open(&path).unwrap();
    assert_eq!(mode(&path), 0o700);
    let entries: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(entries.len() > 2 && entries.iter().all(|path| mode(path) == 0o600), "{entries:?}");
}

#[test]
fn a_record_that_comes_from_another_journal_keeps_the_place_it_had_there() {
    let (_directory, path) = written(2);
    let journal = small().open(&path).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let relay = small().open(elsewhere.path().join("relay")).unwrap();
    let forwarder = Forwarder::builder(&journal, relay.clone()).name("relay").start().unwrap();
    forwarder.flush(PATIENCE).unwrap();
    drop(forwarder);
    let originals: Vec<_> = Journal::read(&path).unwrap().map(Result::unwrap).collect();
    let relayed = Journal::read(relay.path()).unwrap().map(Result::unwrap);
    let relayed: Vec<_> = relayed.filter(|record| record.get("origin").is_some()).collect();
    assert_eq!(relayed.len(), originals.len());
    for (relayed, original) in relayed.iter().zip(&originals) {
        let origin: Value = serde_json::from_str(relayed.get("origin").unwrap()).unwrap();
        assert_eq!(origin["stream"], *original.stream().unwrap());
        assert_eq!(origin["seq"].as_u64(), original.seq());
        assert_eq!(relayed.id(), original.id());
        assert_eq!(relayed.detail(), original.detail());
        assert_eq!(relayed.stream().unwrap(), relay.head().stream.to_string());
    }
    assert_sound(relay.path());
}
