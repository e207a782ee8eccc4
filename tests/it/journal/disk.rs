//! Disks that are full, small or read-only, and processes that may open no more files.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use audited::{Action, AuditSink, Journal, JournalError, JournalOptions, Record, SinkError};

use super::{assert_sound, files, read, small, write};
use crate::contract::block_on;
use crate::crash::{ORDERS, on_a_small_disk, said_by, start_child_with_small_files, start_shell};

fn long() -> Record {
    // So that no line ends where the file must.
    let text = "x".repeat(1061);
    Record::builder(Action::new("journal.write")).fields(|fields| fields.plain("text", &text)).build()
}

fn orders() -> Option<PathBuf> {
    std::env::var_os(ORDERS).map(PathBuf::from)
}

fn acknowledged(lines: &[String]) -> usize {
    lines.iter().find_map(|line| line.strip_prefix("acknowledged ")?.parse().ok()).expect("a number")
}

fn write_one(journal: &Journal) -> Result<(), SinkError> {
    block_on(journal.write(&[long()]))
}

fn write_within(journal: &Journal, within: Duration) {
    let start = Instant::now();
    while let Err(error) = write_one(journal) {
        assert!(start.elapsed() < within, "{error}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_file_that_may_not_grow_is_left_for_another() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let lines = said_by(start_child_with_small_files("journal::disk::growing_child", &path));
    assert_eq!(acknowledged(&lines), 300);
    assert!(files(&path).len() > 4);
    assert_eq!(read(&path).len(), 300);
    assert_sound(&path);
}

/// Writes more than a file may hold.
#[test]
fn growing_child() {
    let Some(path) = orders() else { return };
    let journal = Journal::open(path).unwrap();
    let acknowledged = (0..300).filter(|_| write_one(&journal).is_ok()).count();
    println!("\nacknowledged {acknowledged}");
}

#[test]
fn who_may_open_no_more_files_is_told_and_goes_on_when_there_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let lines = said_by(start_shell("ulimit -n 48; exec \"$0\" \"$@\"", "journal::disk::crowded_child", &path));
    assert_eq!(read(&path).len(), acknowledged(&lines));
    assert_sound(&path);
}

/// Takes all the files that it may have open.
#[test]
fn crowded_child() {
    let Some(path) = orders() else { return };
    let journal = small().open(path).unwrap();
    write(&journal, 0);
    let (mut taken, mut acknowledged) = (Vec::new(), 1);
    let error = loop {
        // The journal's own threads may give one back meanwhile.
        while let Ok(file) = fs::File::open("/dev/null") {
            taken.push(file);
        }
        // What is open is written; to begin another takes one more.
        let written = block_on(journal.rotate()).map(|()| write_one(&journal));
        match written.unwrap() {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 50);
    };
    assert!(matches!(&error, SinkError::Io(_)), "{error}");
    drop(taken);
    write_within(&journal, Duration::from_secs(5));
    println!("\nacknowledged {}", acknowledged + 1);
}

#[test]
fn a_full_disk_refuses_and_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    if let Some(lines) = on_a_small_disk("journal::disk::filling_child", directory.path()) {
        assert!(lines.iter().any(|line| line == "content"), "{lines:#?}");
    }
}

/// Fills its disk, makes room again, and checks what is there.
#[test]
fn filling_child() {
    let Some(disk) = orders() else { return };
    let path = disk.join("audit");
    let journal = JournalOptions::new().segment_bytes(256 << 10).reserve_bytes(64 << 10).open(&path).unwrap();
    assert!(path.join("reserve").exists());
    fs::write(disk.join("ballast"), vec![0; 300 << 10]).unwrap();
    let mut acknowledged = 0;
    let error = loop {
        match write_one(&journal) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 2000);
    };
    assert!(matches!(&error, SinkError::Io(source) if source.kind() == ErrorKind::StorageFull), "{error}");
    assert!(!path.join("reserve").exists(), "it was given up first");
    let start = Instant::now();
    for _ in 0..20 {
        write_one(&journal).unwrap_err();
    }
    assert!(start.elapsed() < Duration::from_secs(5), "deadlines hold");
    fs::remove_file(disk.join("ballast")).unwrap();
    write_within(&journal, Duration::from_secs(5));
    drop(journal);
    assert_eq!(read(&path).len(), acknowledged + 1);
    assert_sound(&path);
    println!("\ncontent");
}

#[test]
fn a_read_only_disk_is_refused_and_read() {
    let directory = tempfile::tempdir().unwrap();
    if let Some(lines) = on_a_small_disk("journal::disk::read_only_child", directory.path()) {
        assert!(lines.iter().any(|line| line == "content"), "{lines:#?}");
    }
}

/// Has its disk made read-only.
#[test]
fn read_only_child() {
    let Some(disk) = orders() else { return };
    let path = disk.join("audit");
    write(&small().open(&path).unwrap(), 1);
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&disk).status().unwrap();
    assert!(remounted.success());
    for path in [&path, &disk.join("other")] {
        let error = Journal::open(path).unwrap_err();
        let JournalError::Io { source, .. } = &error else { panic!("{error}") };
        assert_eq!(source.kind(), ErrorKind::ReadOnlyFilesystem, "{error}");
        assert!(error.to_string().ends_with("; name a path on a writable disk"), "{error}");
    }
    assert_eq!(read(&path).len(), 1);
    assert_sound(&path);
    println!("\ncontent");
}
