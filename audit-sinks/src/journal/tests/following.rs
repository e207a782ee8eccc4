//! Readers of a journal whose disk fails while they read.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::journal::disk::{Directory, Disk, DiskFile};
use crate::journal::recover::recover;
use crate::journal::segment::Index;

/// A directory of the operating system whose syncs fail on demand.
struct Faulty {
    directory: Directory,
    fails: Arc<AtomicBool>,
}

struct FaultyFile {
    file: Box<dyn DiskFile>,
    fails: Arc<AtomicBool>,
}

impl Faulty {
    fn file(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(FaultyFile { file, fails: self.fails.clone() })
    }
}

impl Disk for Faulty {
    fn names(&self) -> io::Result<Vec<String>> {
        self.directory.names()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.directory.create(name).map(|file| self.file(file))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.directory.open(name).map(|file| self.file(file))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.directory.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.directory.rename(from, to)
    }

    fn sync(&self) -> io::Result<()> {
        self.directory.sync()
    }
}

impl DiskFile for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        if self.fails.load(Ordering::SeqCst) { Err(io::Error::from_raw_os_error(5)) } else { self.file.sync() }
    }
}

fn journal(directory: &Path) -> (Journal, Arc<AtomicBool>) {
    let fails = Arc::new(AtomicBool::new(false));
    let disk = Faulty { directory: Directory::open(directory, true).unwrap(), fails: fails.clone() };
    let found = recover(&disk.directory).unwrap();
    (Handle::start(directory, Arc::new(disk), found, &JournalOptions::new()).map(Journal::new).unwrap(), fails)
}

/// Gives the actions of the tests' own records that a reader has by now.
fn read(reader: &mut super::super::JournalReader) -> Vec<String> {
    let records = std::iter::from_fn(|| reader.next_within(Duration::from_millis(100))).map(Result::unwrap);
    records.map(|record| record.action().into_owned()).filter(|action| action.starts_with("test.")).collect()
}

#[test]
fn who_follows_is_given_what_is_acknowledged_and_nothing_else() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let (journal, fails) = journal(directory.path());
        let mut following = journal.follow().unwrap();
        // More than a reader takes at once.
        for n in 0..60 {
            submit(&journal, long_record(n, 12 << 10)).wait().unwrap();
        }
        assert_eq!(following.next().unwrap().unwrap().action(), "audit.segment_opened");
        fails.store(true, Ordering::SeqCst);
        // Both stand in the file, and neither counts.
        block_on(journal.write(&[record(901), record(902)])).unwrap_err();
        fails.store(false, Ordering::SeqCst);
        for n in 60..69 {
            write_at_last(&journal, n);
        }
        assert_eq!(read(&mut following), (0..69).map(|n| format!("test.n{n}")).collect::<Vec<_>>());
        drop(journal);
        assert_eq!(read(&mut following), [""; 0]);
        assert!(Journal::verify(directory.path()).unwrap().is_sound());
    });
}

#[test]
fn who_read_what_was_never_acknowledged_finds_no_damage_behind_it() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let (journal, fails) = journal(directory.path());
        let mut reading = Journal::read(directory.path()).unwrap();
        write(&journal, 0).unwrap();
        fails.store(true, Ordering::SeqCst);
        block_on(journal.write(&[record(1), record(2)])).unwrap_err();
        assert_eq!(read(&mut reading), ["test.n0", "test.n1", "test.n2"], "it shows what is there");
        fails.store(false, Ordering::SeqCst);
        write_at_last(&journal, 3);
        assert_eq!(read(&mut reading), ["test.n3"]);
        write(&journal, 4).unwrap();
        assert_eq!(read(&mut reading), ["test.n4"]);
    });
}

#[test]
fn a_reader_passes_over_files_that_were_never_begun_or_are_gone() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let at = |index: u64| directory.path().join(Index(index).to_string());
        let journal = Journal::open(directory.path()).unwrap();
        write(&journal, 0).unwrap();
        // As a writer leaves them that could not finish a first line: one is removed, one cannot be.
        for index in [2, 3] {
            std::fs::write(at(index), b"").unwrap();
            std::fs::set_permissions(at(index), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let mut reading = Journal::read(directory.path()).unwrap();
        assert_eq!(read(&mut reading), ["test.n0"]);
        block_on(journal.rotate()).unwrap();
        write_at_last(&journal, 1);
        std::fs::remove_file(at(2)).unwrap();
        std::fs::write(at(3), b"{\"stream\":\"0190163d\n\n\n").unwrap();
        drop(journal);
        assert_eq!(read(&mut reading), ["test.n1"]);
        let found = Journal::verify(directory.path()).unwrap();
        assert!(found.is_sound(), "{found:?}");
    });
}
