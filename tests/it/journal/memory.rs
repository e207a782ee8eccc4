//! Journals that acknowledge what lies in shared memory: where that may be, and what is done with what was left there.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use audited::{
    Action, AuditSink, Durability, Forwarder, Journal, JournalError, JournalOptions, MIN_SHARED_MEMORY_BYTES,
    MemorySink, Record, RecordId, Recorder,
};
use tempfile::TempDir;

use crate::contract::{block_on, is_no_frame};
use crate::crash::acknowledged_by_a_child;

fn memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

fn names(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn ids(path: &Path) -> Vec<RecordId> {
    let records = Journal::read(path).unwrap().map(Result::unwrap).filter(is_no_frame);
    records.map(|record| record.id().unwrap()).collect()
}

/// A journal whose process has died, what it had acknowledged, and where its memory is.
struct Dead {
    directory: TempDir,
    memory: TempDir,
    acknowledged: Vec<RecordId>,
}

impl Dead {
    fn new() -> Self {
        let (directory, memory) = (tempfile::tempdir().unwrap(), memory());
        symlink(memory.path(), directory.path().join("memory")).unwrap();
        let path = directory.path().join("audit");
        let acknowledged = acknowledged_by_a_child("crash::child_in_memory", &path, Duration::from_millis(20));
        Self { directory, memory, acknowledged }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("audit")
    }

    fn left(&self) -> PathBuf {
        let [left] = &names(self.memory.path())[..] else { panic!("one file in memory") };
        left.clone()
    }

    #[track_caller]
    fn refuses(&self, expected: &str) -> JournalError {
        let before = names(&self.path());
        let error = Journal::open(self.path()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(names(&self.path()).iter().all(|name| before.contains(name)), "nothing is begun");
        error
    }

    #[track_caller]
    fn has_all(&self) {
        drop(Journal::open(self.path()).unwrap());
        let there = ids(&self.path());
        assert!(self.acknowledged.iter().all(|id| there.contains(id)));
        assert!(Journal::verify(self.path()).unwrap().is_sound());
    }
}

#[test]
fn only_memory_is_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let error = JournalOptions::new().shared_memory("/proc").open(&path).unwrap_err();
    assert!(matches!(&error, JournalError::NoMemory { .. }), "{error}");
    assert!(error.to_string().starts_with("/proc lies on "), "{error}");
    assert!(error.to_string().ends_with("name a directory on a tmpfs, such as /dev/shm"), "{error}");

    // Others could take away what is there.
    let open_to_all = memory();
    fs::set_permissions(open_to_all.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = JournalOptions::new().shared_memory(open_to_all.path()).open(&path).unwrap_err();
    assert!(matches!(&error, JournalError::Mode { mode: 0o777, .. }), "{error}");

    // A link to a directory is one.
    let link = directory.path().join("link");
    symlink(memory().path(), &link).unwrap();
    let dangling = JournalOptions::new().shared_memory(&link).open(&path).unwrap_err();
    assert!(dangling.to_string().contains("could not be opened: "), "{dangling}");
    fs::remove_file(&link).unwrap();
    symlink("/dev/shm", &link).unwrap();
    drop(JournalOptions::new().shared_memory(&link).shared_memory_bytes(0).open(&path).unwrap());

    let missing = JournalOptions::new().shared_memory("/dev/shm/audited/none").open(&path).unwrap_err();
    assert!(missing.to_string().starts_with("/dev/shm/audited/none could not be opened: "), "{missing}");
    // Neither has left anything behind that the next one would look for.
    assert!(Journal::open(&path).unwrap().recovered().missing_memory.is_none());
}

#[test]
fn memory_that_is_not_there_is_found_when_the_journal_is_opened() {
    let (directory, memory) = (tempfile::tempdir().unwrap(), memory());
    let path = directory.path().join("audit");
    let options = JournalOptions::new().shared_memory(memory.path()).shared_memory_bytes(1 << 50);
    let JournalError::Io { source, .. } = options.open(&path).unwrap_err() else { panic!("no I/O error") };
    assert!(matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::FileTooLarge), "{source}");
    assert!(names(memory.path()).is_empty());
    assert!(Journal::open(&path).unwrap().recovered().missing_memory.is_none());
}

#[test]
fn what_a_process_has_left_is_there_and_told() {
    let dead = Dead::new();
    let journal = Journal::open(dead.path()).unwrap();
    let told = journal.recovered().from_memory;
    assert!(names(dead.memory.path()).is_empty());
    drop(journal);
    let there = ids(&dead.path());
    assert!(dead.acknowledged.iter().all(|id| there.contains(id)));
    let lines = Journal::read(dead.path()).unwrap().map(Result::unwrap);
    let opened: Vec<_> = lines.filter(|record| record.action() == "audit.segment_opened").collect();
    let last = opened.last().unwrap().json();
    assert_eq!(last.contains(&format!("\"from_memory\":{told}")), told > 0, "{last}");
}

#[test]
fn memory_that_others_may_have_written_is_refused_and_nothing_is_lost() {
    let dead = Dead::new();
    let left = dead.left();
    fs::set_permissions(&left, fs::Permissions::from_mode(0o640)).unwrap();
    let error = dead.refuses(left.to_str().unwrap());
    assert!(matches!(error, JournalError::Mode { mode: 0o640, .. }), "{error}");
    fs::set_permissions(&left, fs::Permissions::from_mode(0o600)).unwrap();

    let elsewhere = dead.directory.path().join("elsewhere");
    fs::copy(&left, &elsewhere).unwrap();
    fs::remove_file(&left).unwrap();
    symlink(&elsewhere, &left).unwrap();
    dead.refuses(left.to_str().unwrap());
    fs::remove_file(&left).unwrap();
    fs::copy(&elsewhere, &left).unwrap();
    dead.has_all();
}

#[test]
fn what_is_no_memory_of_this_journal_is_refused_until_it_is_given_up() {
    let (dead, other) = (Dead::new(), Dead::new());
    let left = dead.left();
    let bytes = fs::read(&left).unwrap();
    let foreign = fs::read(other.left()).unwrap();
    for damaged in [&b""[..], &b"no memory"[..], &[0; 8192], &foreign, &bytes[..5000]] {
        fs::write(&left, damaged).unwrap();
        let error = dead.refuses("remove the file `ahead` from the journal");
        assert!(error.to_string().contains("cannot be read: "), "{error}");
    }
    fs::remove_file(dead.path().join("ahead")).unwrap();
    let journal = Journal::open(dead.path()).unwrap();
    assert_eq!((journal.recovered().from_memory, &journal.recovered().missing_memory), (0, &None));
    other.has_all();
}

#[test]
fn an_adopter_carries_over_what_an_orphan_has_left() {
    let dead = Dead::new();
    let sink = MemorySink::with_capacity(1 << 20);
    let next = tempfile::tempdir().unwrap();
    let journal = Journal::open(next.path().join("audit")).unwrap();
    let forwarder = Forwarder::builder(&journal, sink.clone())
        .adopt(dead.directory.path())
        .adopt_after(Duration::from_millis(10))
        .start();
    let forwarder = forwarder.unwrap();
    let start = Instant::now();
    let there = || sink.records().iter().filter_map(|record| record.id()).collect::<HashSet<_>>();
    while !dead.acknowledged.iter().all(|id| there().contains(id)) {
        assert!(start.elapsed() < Duration::from_secs(20), "it is not delivered");
        thread::sleep(Duration::from_millis(20));
    }
    drop(forwarder);
    assert!(names(dead.memory.path()).is_empty());
}

#[test]
fn an_inspection_says_where_it_is_and_what_is_wrong_with_that() {
    let dead = Dead::new();
    let found = Journal::inspect(dead.path()).unwrap();
    assert_eq!((found.shared_memory, found.faults.len()), (Some(dead.left()), 0));
    fs::remove_file(dead.path().join("ahead")).unwrap();
    assert_eq!(Journal::inspect(dead.path()).unwrap().shared_memory, None);
    symlink("nowhere", dead.path().join("ahead")).unwrap();
    let found = Journal::inspect(dead.path()).unwrap();
    assert!(found.shared_memory.is_none() && !found.faults.is_empty());
}

#[test]
fn it_promises_what_an_operating_system_keeps() {
    let (directory, memory) = (tempfile::tempdir().unwrap(), memory());
    let options = JournalOptions::new().shared_memory(memory.path()).shared_memory_bytes(0);
    let journal = options.open(directory.path().join("audit")).unwrap();
    assert_eq!(journal.durability(), Durability::OsBuffer);
    assert!(journal.describe().contains(memory.path().to_str().unwrap()), "{}", journal.describe());
    assert!(fs::metadata(&names(memory.path())[0]).unwrap().len() >= MIN_SHARED_MEMORY_BYTES);
    let refused = Recorder::builder().sink(journal).build().unwrap_err();
    assert!(refused.to_string().contains("promises only `os_buffer`"), "{refused}");
}

#[test]
fn records_are_read_within_moments() {
    let (directory, memory) = (tempfile::tempdir().unwrap(), memory());
    let path = directory.path().join("audit");
    let journal = JournalOptions::new().shared_memory(memory.path()).open(&path).unwrap();
    let mut follows = journal.follow().unwrap();
    let record = Record::builder(Action::new("memory.written")).build();
    block_on(journal.write(std::slice::from_ref(&record))).unwrap();
    let found = std::iter::from_fn(|| follows.next_within(Duration::from_secs(20)))
        .map(Result::unwrap)
        .find(|record| record.action() == "memory.written");
    assert_eq!(found.unwrap().id(), record.id());
}
