//! Whatever dies, every acknowledged record is in the store, once.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use audited::{Action, Forwarder, ForwarderBuilder, Journal, JournalOptions, PostgresOptions};

use super::*;
use crate::crash::{ORDERS, kill, start_child};
use crate::support::{PATIENCE, eventually};

const LIVES: u64 = 6;

fn journal(directory: &Path) -> Journal {
    let options = JournalOptions::new().segment_bytes(256 << 10).preallocate(0).reserve_bytes(0);
    options.open(directory.join("journal")).unwrap()
}

/// Impatient: a server that hangs is left soon.
fn impatient(options: PostgresOptions) -> PostgresStore {
    let second = Duration::from_secs(1);
    PostgresStore::connect_later(options.connect_timeout(second).statement_timeout(second)).unwrap()
}

fn forwarder(journal: &Journal, store: PostgresStore) -> ForwarderBuilder {
    Forwarder::builder(journal, store)
        .name("postgres")
        .batch_records(64)
        .retry(Duration::from_millis(5), Duration::from_millis(50))
        .breaker(5, Duration::from_millis(50))
        .cursor_every(Duration::from_millis(20))
}

fn crash(n: u64) -> Record {
    Record::builder(Action::new("crash.write")).field("n", &n).build()
}

/// Asserts that the store has what the journal has, each line once, byte for byte and in its order.
#[track_caller]
fn assert_shipped(database: &Database, journal: &Journal) {
    let head = journal.head().seq;
    let lines = Journal::read(journal.path()).unwrap().map(Result::unwrap);
    let lines: Vec<_> = lines.take_while(|line| line.seq() <= Some(head)).map(|line| line.json().to_owned()).collect();
    assert_eq!(lines.len() as u64, head);
    let in_order = "SELECT record FROM audited.records JOIN audited.keys USING (id) ORDER BY stream, seq";
    assert!(database.sql("postgres", in_order) == lines);
    assert!(contract::records(database) == lines, "nothing has overtaken anything");
}

#[test]
fn a_server_that_is_killed_frozen_and_restarted_gets_every_record_once() {
    let mut cluster = crate::servers::postgres::start();
    let database = cluster.database();
    let directory = tempfile::tempdir().unwrap();
    let journal = journal(directory.path());
    let forwarder = forwarder(&journal, impatient(database.options("service"))).start().unwrap();
    let (done, written) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let batch: Vec<_> = (0..5).map(|_| crash(written.fetch_add(1, Ordering::Relaxed))).collect();
                    block_on(journal.write(&batch)).unwrap();
                    thread::sleep(Duration::from_millis(1));
                }
            });
        }
        // In the midst of it: something is delivered before each, and what comes meanwhile is delivered after it.
        let moves = |what: &str| {
            let before = forwarder.stats().delivered;
            eventually(what, || forwarder.stats().delivered > before);
        };
        for disaster in 0..4 {
            moves("it delivers");
            match disaster {
                0 => cluster.kill(),
                1 => cluster.pause(),
                2 => cluster.stop(),
                _ => database_dies(&database),
            }
            let retried = forwarder.stats().retried;
            if disaster < 3 {
                eventually("it is refused", || forwarder.stats().retried > retried);
            }
            match disaster {
                0 | 2 => cluster.restart(),
                1 => cluster.resume(),
                _ => {}
            }
        }
        moves("it goes on");
        done.store(true, Ordering::Relaxed);
    });
    forwarder.stop(PATIENCE).unwrap();
    assert_shipped(&database, &journal);
}

/// Ends every connection of the service.
fn database_dies(database: &Database) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'";
    database.sql("postgres", sql);
}

#[test]
fn child() {
    let Some(orders) = std::env::var_os(ORDERS) else { return };
    let directory = PathBuf::from(orders);
    let url = fs::read_to_string(directory.join("url")).unwrap();
    let store = impatient(PostgresOptions::new(&url).unwrap());
    let journal = journal(&directory);
    let _forwarder = forwarder(&journal, store.clone()).start().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0_u64.. {
                block_on(journal.write(&[crash(n)])).unwrap();
            }
        });
        // And without a journal.
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0_u64.. {
                    let records = [crash(n), crash(n)];
                    if block_on(store.write(&records)).is_ok() {
                        let ids = records.map(|record| record.id().unwrap().to_string());
                        write!(std::io::stdout().lock(), "\nacknowledged {}\n", ids.join(" ")).unwrap();
                    }
                }
            });
        }
    });
}

#[test]
fn a_client_that_is_killed_has_written_what_was_acknowledged_once() {
    let database = database();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("url"), database.url("service")).unwrap();
    let mut acknowledged = Vec::new();
    for life in 0..LIVES {
        let mut child = start_child("postgres::crashes::child", directory.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut lines = lines.filter_map(|line| line.strip_prefix("acknowledged ").map(str::to_owned));
        acknowledged.push(lines.next().expect("the child writes"));
        let killer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(40 * life));
            kill(child);
        });
        // A line that it did not finish is no pair of ids.
        acknowledged.extend(lines.filter(|line| line.len() == 73));
        killer.join().unwrap();
    }
    let journal = journal(directory.path());
    forwarder(&journal, database.store()).start().unwrap().stop(PATIENCE).unwrap();

    let ids = database.sql("postgres", "SELECT id FROM audited.records");
    let there: HashSet<_> = ids.iter().map(String::as_str).collect();
    assert_eq!(there.len(), ids.len(), "each once");
    assert_eq!(database.sql("postgres", "SELECT count(*) FROM audited.keys"), [ids.len().to_string()]);
    let lost: BTreeSet<_> =
        acknowledged.iter().flat_map(|pair| pair.split(' ')).filter(|id| !there.contains(id)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    // Pairs were written whole or not at all.
    let direct = database.sql("postgres", "SELECT count(*) FROM audited.keys WHERE stream IS NULL");
    assert_eq!(direct[0].parse::<usize>().unwrap() % 2, 0);
    let shipped = database.sql("postgres", "SELECT seq FROM audited.keys WHERE stream IS NOT NULL ORDER BY seq");
    assert_eq!(shipped, (1..=journal.head().seq).map(|seq| seq.to_string()).collect::<Vec<_>>());
}
