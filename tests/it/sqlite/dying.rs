//! Processes that die while they write, two that write at a time, and disks that are full.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use audited::{Action, AuditSink, AuditStore, Query, Record, RecordId, Since, SinkError, SqliteStore, StoredRecord};

use super::{count, fresh, record, texts};
use crate::contract::block_on;
use crate::crash::{ORDERS, acknowledged_by_a_child, kill, on_a_small_disk, start_child, write_until_killed};
use crate::support::PATIENCE;

#[test]
fn child() {
    if let Some(path) = std::env::var_os(ORDERS) {
        write_until_killed(SqliteStore::open(path).unwrap());
    }
}

/// What is in a store after a crash.
fn ids_in(path: &Path) -> Vec<RecordId> {
    let store = SqliteStore::open(path).unwrap();
    let check = block_on(store.check()).unwrap();
    assert!(check.is_sound(), "{check:?}");
    drop(store);
    texts(path).into_iter().map(|json| StoredRecord::parse(json).unwrap().id().unwrap()).collect()
}

/// `AUDITED_KILLS` sets how many processes die.
#[test]
fn every_acknowledged_record_outlives_sigkill() {
    let kills = std::env::var("AUDITED_KILLS").map_or(40, |kills| kills.parse().unwrap());
    let random = RandomState::new();
    let mut total = 0;
    for life in 0..kills / 10 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.db");
        let mut acknowledged = HashSet::new();
        for round in 0..10 {
            let lifetime = Duration::from_micros(random.hash_one((life, round)) % 60_000);
            for id in acknowledged_by_a_child("sqlite::dying::child", &path, lifetime) {
                assert!(acknowledged.insert(id), "{id} was acknowledged twice");
            }
            let there = ids_in(&path);
            let once: HashSet<_> = there.iter().copied().collect();
            assert_eq!(once.len(), there.len(), "a record is there twice");
            let lost: Vec<_> = acknowledged.difference(&once).collect();
            assert!(lost.is_empty(), "life {life}, round {round}, {lifetime:?}: {lost:?} are lost");
        }
        total += acknowledged.len();
    }
    println!("{kills} kills, {total} acknowledged records");
}

/// Two processes write, and one follows: it is given all of both, once, and in the order of the commits.
#[test]
fn two_processes_write_and_nothing_is_passed_over() {
    let fresh = fresh();
    let reader = fresh.store.global("test").unrecorded();
    let query = Query::new().actions(["crash.write", "sqlite.write"]);
    let mut follow = block_on(reader.follow(&query, Since::Beginning)).unwrap();
    let mut child = start_child("sqlite::dying::child", &fresh.path);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut theirs = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<RecordId>().ok());
    let mut acknowledged = HashSet::new();
    thread::scope(|scope| {
        let ours = scope.spawn(|| {
            let mut ours = HashSet::new();
            for n in 0..200 {
                let record = record(n);
                fresh.write(std::slice::from_ref(&record));
                ours.insert(record.id().unwrap());
            }
            ours
        });
        acknowledged.extend(theirs.by_ref().take(200));
        acknowledged.extend(ours.join().unwrap());
    });
    kill(child);
    acknowledged.extend(theirs);
    let there: Vec<_> = texts(&fresh.path);
    let expected: Vec<_> = there.iter().map(|json| StoredRecord::parse(json.as_str()).unwrap()).collect();
    let expected: Vec<_> = expected.iter().filter(|record| query.matches(record)).map(|r| r.id().unwrap()).collect();
    let followed: Vec<_> = expected.iter().map(|_| block_on(follow.next()).unwrap().id().unwrap()).collect();
    assert_eq!(followed, expected);
    let once: HashSet<_> = expected.iter().copied().collect();
    assert_eq!(once.len(), expected.len());
    assert!(acknowledged.is_subset(&once));
}

#[test]
fn what_another_process_writes_wakes_who_waits() {
    let fresh = fresh();
    let reader = fresh.store.global("test").unrecorded();
    let mut follow = block_on(reader.follow(&Query::new().action("crash.write"), Since::Now)).unwrap();
    let (told, heard) = std::sync::mpsc::channel();
    thread::spawn(move || told.send(block_on(follow.next()).unwrap()).unwrap());
    let child = start_child("sqlite::dying::child", &fresh.path);
    let record = heard.recv_timeout(PATIENCE);
    kill(child);
    assert_eq!(record.unwrap().action(), "crash.write");
}

#[test]
fn a_full_disk_refuses_and_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    if let Some(lines) = on_a_small_disk("sqlite::dying::filling_child", directory.path()) {
        assert!(lines.iter().any(|line| line == "content"), "{lines:#?}");
    }
}

/// Fills its disk, makes room again, and checks what is there.
#[test]
fn filling_child() {
    let Some(disk) = std::env::var_os(ORDERS) else { return };
    let disk = Path::new(&disk);
    let store = SqliteStore::open(disk.join("audit.db")).unwrap();
    fs::write(disk.join("ballast"), vec![0; 300 << 10]).unwrap();
    let long = || {
        let text = "x".repeat(1061);
        Record::builder(Action::new("sqlite.write")).fields(|fields| fields.plain("text", &text)).build()
    };
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    while refused < 20 {
        let record = long();
        match block_on(store.write(std::slice::from_ref(&record))) {
            Ok(()) => acknowledged.push(record),
            Err(SinkError::Io(error)) => {
                refused += 1;
                assert!(refused > 1 || error.kind() == ErrorKind::StorageFull, "{error}");
            }
            Err(error) => panic!("{error}"),
        }
        assert!(acknowledged.len() < 2000);
    }
    assert!(!acknowledged.is_empty());
    fs::remove_file(disk.join("ballast")).unwrap();
    let record = long();
    block_on(store.write(std::slice::from_ref(&record))).unwrap();
    acknowledged.push(record);
    for record in &acknowledged {
        assert_eq!(count(&store, &Query::new().id(record.id().unwrap())), 1);
    }
    assert!(block_on(store.check()).unwrap().is_sound());
    println!("\ncontent");
}
