//! A reading that cannot be recorded, because the disk or its permissions do not let it, is none.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use audited::Journal;

use super::{Ran, run};
use crate::crash::{ORDERS, on_a_small_disk};
use crate::journal::{small, write};

/// A journal `audit` in a directory, and the empty directory `audit-reads` beside it.
fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    write(&small().open(directory.path().join("audit")).unwrap(), 0);
    let reads = directory.path().join("audit-reads");
    fs::create_dir(&reads).unwrap();
    (directory, reads)
}

fn read(directory: &Path) -> Ran {
    run(directory, &["query", "journal:audit", "--json", "--all-tenants", "--reason", "an audit"])
}

/// It reads nothing, and says why and what to do.
#[track_caller]
fn refused(ran: &Ran, why: &str) {
    assert_eq!((ran.code, &*ran.out), (3, ""), "{ran:#?}");
    assert!(ran.err.contains(why) && ran.err.contains("audit-reads"), "{ran:#?}");
    assert!(ran.err.contains("--record-to URL") && ran.err.contains("--unrecorded"), "{ran:#?}");
}

#[test]
fn what_others_may_write_or_own_records_no_reading() {
    let (directory, reads) = directory();
    fs::set_permissions(&reads, Permissions::from_mode(0o777)).unwrap();
    refused(&read(directory.path()), "is open to others");
    fs::set_permissions(&reads, Permissions::from_mode(0o700)).unwrap();
    // Root alone may give it to somebody else, and take it back.
    if std::os::unix::fs::chown(&reads, Some(65534), None).is_ok() {
        refused(&read(directory.path()), "belongs to user 65534");
        std::os::unix::fs::chown(&reads, Some(rustix::process::geteuid().as_raw()), None).unwrap();
    }
    assert_eq!(read(directory.path()).code, 0);
}

fn orders() -> Option<PathBuf> {
    std::env::var_os(ORDERS).map(PathBuf::from)
}

#[test]
fn on_a_disk_that_is_full_or_read_only_nothing_is_read() {
    for child in ["cli::unwritable::full_child", "cli::unwritable::read_only_child"] {
        let (_directory, reads) = directory();
        if let Some(lines) = on_a_small_disk(child, &reads) {
            assert!(lines.iter().any(|line| line == "content"), "{child}: {lines:#?}");
        }
    }
}

/// Reads until there is no room for the record of it.
#[test]
fn full_child() {
    let Some(reads) = orders() else { return };
    let directory = reads.parent().unwrap();
    // Little is left, also of what a journal that was not closed has filled ahead of what it writes.
    fs::write(reads.join("ballast"), vec![0; (1 << 20) - (48 << 10)]).unwrap();
    assert_eq!(read(directory).code, 0);
    let mut done = 1;
    let last = loop {
        let ran = read(directory);
        if ran.code != 0 {
            break ran;
        }
        done += 1;
        assert!(done < 100, "the disk is full");
    };
    assert_eq!((last.code, &*last.out), (3, ""), "{last:#?}");
    assert!(last.err.contains("no storage space") || last.err.contains("No space left"), "{last:#?}");
    let records = Journal::read(&reads).unwrap().map(Result::unwrap);
    assert_eq!(records.filter(|record| record.action() == "audit.read").count(), done);
    fs::remove_file(reads.join("ballast")).unwrap();
    assert_eq!(read(directory).code, 0);
    println!("\ncontent");
}

/// Has its disk made read-only.
#[test]
fn read_only_child() {
    let Some(reads) = orders() else { return };
    let directory = reads.parent().unwrap();
    assert_eq!(read(directory).code, 0);
    assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(&reads).status().unwrap().success());
    refused(&read(directory), "name a path on a writable disk");
    println!("\ncontent");
}
