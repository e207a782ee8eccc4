//! Processes that die while they write.
//!
//! A child is this test binary again, with one test to run and its orders in an environment variable.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use audited::{
    Action, AuditSink, Durability, Journal, JournalOptions, Record, RecordId, Recorder, SinkError, record_action,
    with_recorder_sync,
};

use crate::contract::is_no_frame;

/// The path that a child writes to; without it a child's test has nothing to do.
pub(crate) const ORDERS: &str = "AUDITED_TEST_CHILD_WRITES";

const THREADS: usize = 8;

/// Starts this binary again to run one test, which finds `path` in [`ORDERS`].
pub(crate) fn start_child(test: &str, path: &Path) -> Child {
    start(Command::new(std::env::current_exe().unwrap()), test, path)
}

/// As [`start_child`], but none of the child's files may grow beyond 64 blocks of the shell's, 32 or 64 KiB: the
/// write that would is cut short, and the next one fails.
pub(crate) fn start_child_with_small_files(test: &str, path: &Path) -> Child {
    start_shell("trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"", test, path)
}

/// As [`start_child`], from a line of the shell that ends with it.
pub(crate) fn start_shell(line: &str, test: &str, path: &Path) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).arg(std::env::current_exe().unwrap());
    start(shell, test, path)
}

fn start(mut command: Command, test: &str, path: &Path) -> Child {
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ORDERS, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills a child as a crash would: it cannot see it coming.
pub(crate) fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Waits for a child, which must be content, and gives what it has printed.
pub(crate) fn said_by(mut child: Child) -> Vec<String> {
    let lines: Vec<_> = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success(), "{lines:#?}");
    lines
}

/// Runs a child's test in a file system of its own, small and in memory, mounted at a path.
pub(crate) fn on_a_small_disk(test: &str, path: &Path) -> Option<Vec<String>> {
    let allowed = Command::new("unshare").args(["-rm", "true"]).stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        // Containers may forbid it. The journal's own tests fill a disk of their own making.
        return None;
    }
    let mount = "exec unshare -rm sh -c 'mount -t tmpfs -o size=1m,mode=700 small \"$AUDITED_TEST_CHILD_WRITES\" && \
                 exec \"$0\" \"$@\"' \"$0\" \"$@\"";
    Some(said_by(start_shell(mount, test, path)))
}

/// Starts a child, kills it after `lifetime` from its first acknowledgement on, and gives what it had acknowledged.
pub(crate) fn acknowledged_by_a_child(test: &str, path: &Path, lifetime: Duration) -> Vec<RecordId> {
    let mut child = start_child(test, path);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut ids = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<RecordId>().ok());
    let mut acknowledged = vec![ids.next().expect("the child writes")];
    let killer = thread::spawn(move || {
        thread::sleep(lifetime);
        kill(child);
    });
    // What it had printed before it died is read to the end; a line that it did not finish is no id.
    acknowledged.extend(ids);
    killer.join().unwrap();
    acknowledged
}

/// Writes through a recorder from many threads, and prints the id of each record once it is acknowledged.
pub(crate) fn write_until_killed(sink: impl AuditSink) {
    let recorder = Recorder::builder().sink(sink).allow_weak_fail_closed().build().unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let recorder = recorder.clone();
            scope.spawn(move || {
                for n in 0_u64.. {
                    let text = "x".repeat(usize::try_from(n * 37 % 1500).unwrap());
                    let record = || record_action(Action::new("crash.write")).field("thread", &thread);
                    let write = || record().field("n", &n).fields(|fields| fields.plain("text", &text)).wait();
                    let id = with_recorder_sync(recorder.clone(), write).unwrap();
                    // With its line break before it, since the harness prints the name of the test without one.
                    write!(std::io::stdout().lock(), "\nacknowledged {id}\n").unwrap();
                }
            });
        }
    });
}

#[test]
fn child() {
    if let Some(path) = std::env::var_os(ORDERS) {
        // Small files, so that some die where one ends.
        write_until_killed(JournalOptions::new().segment_bytes(256 << 10).open(path).unwrap());
    }
}

#[test]
fn child_in_memory() {
    if let Some(path) = std::env::var_os(ORDERS) {
        let memory = Path::new(&path).parent().unwrap().join("memory");
        let memory = std::fs::read_link(memory).unwrap();
        write_until_killed(JournalOptions::new().segment_bytes(256 << 10).shared_memory(memory).open(path).unwrap());
    }
}

/// What is in a journal after a crash: every line must be a record, in its place.
fn ids_in(path: &Path) -> Vec<RecordId> {
    let journal = Journal::open(path).unwrap();
    assert_eq!(journal.recovered().missing_memory, None);
    let (last, records) = (journal.head().seq, Journal::read(path).unwrap().map(Result::unwrap));
    let records: Vec<_> = records.take_while(|record| record.seq() <= Some(last)).collect();
    assert_eq!(journal.recovered().damage, None);
    for (record, seq) in records.iter().zip(1..) {
        assert_eq!(record.seq(), Some(seq));
        assert_eq!(record.stream(), records[0].stream());
        assert!(!is_no_frame(record) || record.action() == "audit.started" || record.action() == "crash.write");
    }
    assert_eq!(records.len() as u64, last);
    assert!(Journal::verify(path).unwrap().is_sound());
    records.iter().map(|record| record.id().unwrap()).collect()
}

/// How often a journal dies and is opened again.
const DEATHS: usize = 10;

/// `AUDITED_KILLS` sets how many processes die.
#[test]
fn every_acknowledged_record_outlives_sigkill() {
    outlives("crash::child", std::env::var("AUDITED_KILLS").map_or(200, |kills| kills.parse().unwrap()));
}

/// `AUDITED_KILLS` sets how many processes die, here too.
#[test]
fn every_record_that_is_acknowledged_in_memory_outlives_sigkill() {
    outlives("crash::child_in_memory", std::env::var("AUDITED_KILLS").map_or(60, |kills| kills.parse().unwrap()));
}

fn outlives(child: &str, kills: usize) {
    let (lives, total) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let random = RandomState::new();
                while let life = lives.fetch_add(1, Ordering::Relaxed)
                    && life * DEATHS < kills
                {
                    total.fetch_add(acknowledged_in_one_life(child, life, &random), Ordering::Relaxed);
                }
            });
        }
    });
    println!("{kills} kills, {} acknowledged records", total.into_inner());
}

/// The same journal dies and is opened again; gives how many records were acknowledged.
fn acknowledged_in_one_life(child: &str, life: usize, random: &RandomState) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    std::os::unix::fs::symlink(memory.path(), directory.path().join("memory")).unwrap();
    let mut acknowledged = HashSet::new();
    for round in 0..DEATHS {
        let lifetime = Duration::from_micros(random.hash_one((life, round)) % 60_000);
        let new = acknowledged_by_a_child(child, &path, lifetime);
        assert!(!new.is_empty());
        for id in new {
            assert!(acknowledged.insert(id), "{id} was acknowledged twice");
        }
        let there = ids_in(&path);
        let once: HashSet<_> = there.iter().copied().collect();
        assert_eq!(once.len(), there.len(), "a record is there twice");
        let lost: Vec<_> = acknowledged.difference(&once).collect();
        assert!(lost.is_empty(), "life {life}, round {round}, {lifetime:?}: {lost:?} are lost");
    }
    assert_eq!(std::fs::read_dir(memory.path()).unwrap().count(), 0, "memory is left behind");
    acknowledged.len()
}

/// Acknowledges what is not in the file yet: the last records stay behind in memory.
struct Hasty(Arc<Mutex<(File, VecDeque<Record>)>>);

#[async_trait]
impl AuditSink for Hasty {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let (file, behind) = &mut *self.0.lock().unwrap();
        behind.extend(batch.iter().cloned());
        while behind.len() > 8 * THREADS
            && let Some(record) = behind.pop_front()
        {
            writeln!(file, "{}", record.json())?;
        }
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Disk
    }

    fn describe(&self) -> String {
        "hasty".into()
    }
}

#[test]
fn hasty_child() {
    if let Some(path) = std::env::var_os(ORDERS) {
        write_until_killed(Hasty(Arc::new(Mutex::new((File::create(path).unwrap(), VecDeque::new())))));
    }
}

#[test]
fn a_sink_that_acknowledges_too_early_is_caught_by_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hasty");
    let acknowledged = acknowledged_by_a_child("crash::hasty_child", &path, Duration::from_millis(50));
    let there = std::fs::read_to_string(&path).unwrap();
    assert!(acknowledged.iter().any(|id| !there.contains(&id.to_string())), "of {}", acknowledged.len());
}
