//! Processes that die while they write and deliver.
//!
//! A child is this test binary again. It ends with its parent, whatever becomes of that: its input ends then.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;

use async_trait::async_trait;
use audited::{DeadLetter, Durability, RecordId, SinkError, StoredRecord};

use super::store::assert_in_order;
use super::*;

const ORDERS: &str = "AUDITED_TEST_CHILD_FORWARDS";
const LIVES: u64 = 4;
const ROUNDS: u64 = 14;

/// Killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A store in a file, which takes whatever comes and never looks: each delivery leaves a line.
struct FileStore(Mutex<File>);

impl FileStore {
    fn open(path: &Path) -> Self {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path).unwrap();
        // What a death has torn is ended, and is no record.
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(-1)).is_ok() {
            file.read_exact(&mut last).unwrap();
        }
        if last != [b'\n'] {
            file.write_all(b"\n").unwrap();
        }
        Self(Mutex::new(file))
    }
}

/// Which records the store never takes.
fn is_poison(record: &audited::Fields) -> bool {
    record.action() == "forward.kill" && record.detail().is_some_and(|detail| detail.ends_with("0}"))
}

#[async_trait]
impl AuditSink for FileStore {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        if batch.iter().any(|record| is_poison(record)) {
            return Err(SinkError::rejected(std::io::Error::other("not this one")));
        }
        let lines: String = batch.iter().flat_map(|record| [record.json(), "\n"]).collect();
        self.0.lock().unwrap().write_all(lines.as_bytes())?;
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::OsBuffer
    }

    fn describe(&self) -> String {
        "file".into()
    }
}

#[test]
fn child() {
    let Some(orders) = std::env::var_os(ORDERS) else { return };
    thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
    let directory = PathBuf::from(orders);
    let journal = options().open(directory.join("journal")).unwrap();
    let every = Duration::from_millis(u64::from(std::process::id() % 3));
    let forwarder = Forwarder::builder(&journal, FileStore::open(&directory.join("store")))
        .name("store")
        .batch_records(16)
        .cursor_every(every)
        .start()
        .unwrap();
    let (journal, _forwarder) = (&journal, &forwarder);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                for n in 1_u64.. {
                    let record = Record::builder(Action::new("forward.kill")).field("n", &n).build();
                    block_on(journal.write(std::slice::from_ref(&record))).unwrap();
                    let id = record.id().unwrap();
                    write!(std::io::stdout().lock(), "\nacknowledged {id}\n").unwrap();
                }
            });
        }
    });
}

/// Starts a child, kills it `lifetime` after its first acknowledgement, and gives what it had acknowledged.
fn acknowledged_by_a_child(directory: &Path, lifetime: Duration) -> Vec<RecordId> {
    let mut child = Killed(
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "forward::kill::child", "--nocapture", "--test-threads=1"])
            .env(ORDERS, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut ids = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<RecordId>().ok());
    let mut acknowledged = vec![ids.next().expect("the child writes")];
    let killer = thread::spawn(move || {
        thread::sleep(lifetime);
        drop(child);
    });
    acknowledged.extend(ids);
    killer.join().unwrap();
    acknowledged
}

/// The lines of the file, those that are whole.
fn delivered(directory: &Path) -> Vec<StoredRecord> {
    let text = std::fs::read_to_string(directory.join("store")).unwrap();
    text.lines().filter_map(|line| StoredRecord::parse(line).ok()).collect()
}

#[test]
fn whenever_it_dies_nothing_is_lost_and_nothing_overtakes() {
    let random = RandomState::new();
    let (mut acknowledged_in_all, mut repeats, mut buried) = (0, 0, 0);
    for life in 0..LIVES {
        let directory = tempfile::tempdir().unwrap();
        let mut acknowledged = HashSet::new();
        for round in 0..ROUNDS {
            let lifetime = Duration::from_micros(random.hash_one((life, round)) % 40_000);
            acknowledged.extend(acknowledged_by_a_child(directory.path(), lifetime));
        }
        // The last life ends well.
        let journal = options().open(directory.path().join("journal")).unwrap();
        let forwarder = Forwarder::builder(&journal, FileStore::open(&directory.path().join("store"))).name("store");
        forwarder.start().unwrap().stop(PATIENCE).unwrap();
        let head = journal.head().seq;
        let lines = Journal::read(journal.path()).unwrap().map(Result::unwrap);
        let lines: BTreeMap<_, _> = lines.map(|r| (r.seq().unwrap(), r)).filter(|(seq, _)| *seq <= head).collect();
        let poison: Vec<_> = lines.iter().filter(|(_, record)| is_poison(record)).map(|(seq, _)| *seq).collect();
        // A repeat is the same, down to the last byte.
        let came = delivered(directory.path());
        for record in &came {
            assert_eq!(record.json(), lines[&record.seq().unwrap()].json());
        }
        let keys: Vec<_> = came.iter().map(|r| (r.stream().unwrap().into_owned(), r.seq().unwrap())).collect();
        assert_in_order(&keys, &poison);
        // What is acknowledged is in the store, or is a dead letter; and so is every line of the journal.
        let letters = DeadLetter::all(journal.path(), "store").unwrap();
        let dead: Vec<_> = letters.iter().map(|letter| letter.seq).collect();
        assert_eq!(dead, poison);
        for letter in &letters {
            assert_eq!(letter.original.as_ref().unwrap().json(), lines[&letter.seq].json());
        }
        let there: BTreeSet<_> = keys.iter().map(|(_, seq)| *seq).chain(dead).collect();
        assert_eq!(there, (1..=head).collect());
        let ids: HashSet<_> = lines.values().filter_map(|record| record.id()).collect();
        assert!(acknowledged.is_subset(&ids));
        acknowledged_in_all += acknowledged.len();
        repeats += came.len() + letters.len() - usize::try_from(head).unwrap();
        buried += letters.len();
    }
    println!("{} kills, {acknowledged_in_all} acknowledged, {repeats} repeated, {buried} dead", LIVES * ROUNDS);
}
