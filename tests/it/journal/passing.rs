//! Passing over lines: what is not wanted is not read, and is checked all the same.

use std::fs;

use audited::{Journal, JournalError};

use super::{files, number, small, write, written};
use crate::contract::is_no_frame;

/// What is told of the damage in a directory by whoever wants all records, or none.
fn told(path: &std::path::Path, wanted: bool) -> Vec<String> {
    let (mut reader, mut told) = (Journal::read(path).unwrap(), Vec::new());
    while let Some(read) = reader.next_where(|_| wanted) {
        match read {
            Ok(_) => assert!(wanted),
            Err(error @ JournalError::Damaged { .. }) => told.push(error.to_string()),
            Err(error) => panic!("{error}"),
        }
    }
    told
}

#[test]
fn damage_is_told_whatever_is_wanted() {
    let (_directory, path) = written(4);
    let file = &files(&path)[0];
    let text = fs::read_to_string(file).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(told(&path, false), told(&path, true));
    let mut damaged = 0;
    for line in 0..lines.len() {
        for (from, to) in [("\"kind\"", "\"kino\""), ("\"action\"", "\"actino\""), ("\"seq\":", "\"seq\":9"), (",", "")]
        {
            let mut lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
            lines[line] = lines[line].replacen(from, to, 1);
            fs::write(file, lines.join("\n") + "\n").unwrap();
            let (all, none) = (told(&path, true), told(&path, false));
            assert_eq!(all.is_empty(), none.is_empty(), "line {line}, {to}: {all:?}, {none:?}");
            // Of a line that is no record, and that another one speaks against, that other one is told.
            assert!(none.iter().all(|damage| all.contains(damage)), "line {line}, {to}: {all:?}, {none:?}");
            damaged += usize::from(!none.is_empty());
        }
    }
    // A last line that still is a record is vouched for by nothing here.
    assert_eq!(damaged, lines.len() * 4 - 1);
}

#[test]
fn it_goes_as_far_as_is_acknowledged_and_gives_what_is_wanted() {
    let (_directory, path) = written(3);
    let journal = small().open(&path).unwrap();
    (3..9).for_each(|n| drop(write(&journal, n)));
    let mut following = journal.follow().unwrap();
    let mut found = Vec::new();
    while let Some(record) = following.next_where(|line| line.windows(6).any(|part| part == b"\"n\":5}")) {
        found.push(record.unwrap());
    }
    assert_eq!(found.iter().filter(|record| is_no_frame(record)).map(number).collect::<Vec<_>>(), [5]);
    assert_eq!(following.last_seq(), Some(journal.head().seq));
    write(&journal, 9);
    assert!(following.next_where(|_| false).is_none());
    assert_eq!(following.last_seq(), Some(journal.head().seq));
}

#[test]
fn it_ends_before_a_position() {
    let (_directory, path) = written(200);
    let starts = Journal::read(&path).unwrap().file_starts();
    assert!(starts.len() > 1, "one file");
    let all: Vec<_> = Journal::read(&path).unwrap().map(|record| record.unwrap().seq().unwrap()).collect();
    for before in [1, 2, starts[1] - 1, starts[1], starts[1] + 1, u64::MAX] {
        let mut reader = Journal::read(&path).unwrap().from_seq(2).unwrap().before_seq(before);
        let found: Vec<_> = reader.by_ref().map(|record| record.unwrap().seq().unwrap()).collect();
        let expected: Vec<_> = all.iter().copied().filter(|seq| (2..before).contains(seq)).collect();
        assert_eq!(found, expected);
        assert!(reader.next().is_none());
    }
}
