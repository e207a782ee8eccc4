//! How fast the files of a journal are read, beside what nobody can do without: looking for a text in the same bytes,
//! hashing them, reading their JSON.
//!
//! ```text
//! cargo build --release --all-features --bin audited && cargo bench --bench reading
//! ```
//!
//! One thread, but for what says otherwise; the page cache is warm. All rows take turns, and a ratio is taken within its
//! round. `AUDITED_BENCH_MIB` asks for a journal of another size. Where the program was built, what it takes as a whole is
//! shown, too.

#![allow(clippy::cast_precision_loss, reason = "figures that are printed")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use audited::__private::{Inline as _, Ticket, block_on};
use audited::{
    Action, Actor, ActorId, Arrived, AuditContext, AuditSink, AuditStore, CursorKey, Decision, Durability, Journal,
    JournalOptions, Outcome, Position, Query, Record, Selection, SinkError, StoreError, StoredRecord,
};
use memchr::memmem::Finder;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

const ROUNDS: usize = 7;
const DEFAULT_MIB: u64 = 512;
const SEGMENT_BYTES: u64 = 32 << 20;
/// One record in so many is what is looked for.
const RARE: u64 = 10_000;
/// How large the journal is that is opened.
const LARGE_BYTES: u64 = 10 << 30;

fn main() {
    let directory = tempfile::tempdir_in(target_directory()).unwrap();
    let path = directory.path().join("audit");
    let mib = std::env::var("AUDITED_BENCH_MIB").map_or(DEFAULT_MIB, |mib| mib.parse().unwrap());
    let records = write(&path, mib << 20);
    let files = Files::of(&path);
    let bytes: u64 = files.paths().iter().map(|path| path.metadata().unwrap().len()).sum();
    println!("{records} records, {} MB in {} files; {ROUNDS} rounds\n", bytes >> 20, files.paths().len());
    reading(&files, bytes);
    programs(&path, bytes);
    opening(directory.path());
}

/// A directory on a disk: the one for temporary files is in memory on many machines.
fn target_directory() -> PathBuf {
    std::env::var_os("AUDITED_BENCH_DIRECTORY").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// Writes a journal of about so many bytes; gives how many records it has.
fn write(path: &Path, bytes: u64) -> u64 {
    let journal = JournalOptions::new().os_buffer().segment_bytes(SEGMENT_BYTES).reserve_bytes(0).open(path).unwrap();
    let (mut written, mut number) = (0, 0);
    while written < bytes {
        let receipts: Vec<_> = (0..1_000)
            .map(|_| {
                number += 1;
                let record = record(number);
                // With its place in the stream.
                written += record.json().len() as u64 + 149;
                let (ticket, receipt) = Ticket::new();
                journal.submit(record, ticket);
                receipt
            })
            .collect();
        for receipt in receipts {
            receipt.wait().unwrap();
        }
    }
    number
}

/// A record of about the size of an audited call.
fn record(number: u64) -> Record {
    let user = if number.is_multiple_of(RARE) { "rare".to_owned() } else { format!("user-{}", number % 1_009) };
    let context = AuditContext::new()
        .actor(Actor::user(ActorId::plain(user)))
        .tenant(audited::TenantId::plain(format!("tenant-{}", number % 7)));
    Record::builder(Action::new("account.transfer"))
        .context(context)
        .decision(Decision::Allow)
        .outcome(Outcome::Success)
        .fields(|fields| {
            fields.value("cents", &(number * 31));
            fields.plain("currency", "EUR");
            fields.plain("to", &format!("account-{:08}", number % 65_537));
            fields.redacted("memo");
        })
        .build()
}

/// The files of a journal, as a store that has no index.
#[derive(Clone)]
struct Files {
    directory: PathBuf,
    asked: Arc<Mutex<Option<Selection>>>,
}

impl Files {
    fn of(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), asked: Arc::default() }
    }

    fn paths(&self) -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(&self.directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    /// What a reader asks a store for a query.
    fn selection(&self, query: &Query) -> Selection {
        let reader = self.global("benchmark").unrecorded();
        let asked = async { reader.count(query).await.map(drop).map_err(|_| SinkError::Closed) };
        block_on(asked, Duration::MAX).unwrap();
        self.asked.lock().unwrap().take().unwrap()
    }

    /// Has every block of every file.
    fn blocks(&self, mut each: impl FnMut(&[u8])) {
        let mut block = vec![0; 1 << 20];
        for path in self.paths() {
            let mut file = File::open(path).unwrap();
            while let read @ 1.. = file.read(&mut block).unwrap() {
                each(&block[..read]);
            }
        }
    }
}

fn reading(files: &Files, bytes: u64) {
    let (asked, whole) = (files.selection(&Query::new().user("rare")), files.selection(&Query::new()));
    let expected = Journal::read(&files.directory).unwrap().map(Result::unwrap);
    let expected = expected.filter(|record| asked.matches(record)).count();
    assert!(expected > 0);
    let needle = Finder::new("\"rare\"");
    let rows = [
        row("looking for a text", || {
            files.blocks(|block| {
                black_box(needle.find(block));
            });
        }),
        row("SHA-256", || {
            let mut hash = Sha256::new();
            files.blocks(|block| hash.update(block));
            black_box(hash.finalize());
        }),
        row("serde_json, all of each line passed over", || {
            for path in files.paths() {
                for line in fs::read(path).unwrap().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    black_box(serde_json::from_slice::<IgnoredAny>(line).unwrap());
                }
            }
        }),
        row("a query that finds few, its chain checked", || {
            let sieve = asked.sieve();
            let mut reader = Journal::read(&files.directory).unwrap();
            let mut found = 0;
            while let Some(record) = reader.next_where(|line| sieve.may_match(line)) {
                found += usize::from(asked.matches(&record.unwrap()));
            }
            assert_eq!(found, expected);
        }),
        row("the same, all records read", || {
            let reader = Journal::read(&files.directory).unwrap().map(Result::unwrap);
            assert_eq!(reader.filter(|record| asked.matches(record)).count(), expected);
        }),
        row("a query that finds all", || {
            let reader = Journal::read(&files.directory).unwrap().map(Result::unwrap);
            black_box(reader.filter(|record| whole.matches(record)).count());
        }),
        row("verify, all cores", || assert!(Journal::verify(&files.directory).unwrap().is_sound())),
    ];
    compare(&rows, bytes);
}

struct Row<'a>(&'static str, Box<dyn Fn() + 'a>);

fn row<'a>(name: &'static str, run: impl Fn() + 'a) -> Row<'a> {
    Row(name, Box::new(run))
}

/// Prints how fast each row goes through so many bytes, by its CPU time and by the clock, beside SHA-256.
fn compare(rows: &[Row<'_>], bytes: u64) {
    for Row(_, run) in rows {
        run();
    }
    let rounds: Vec<Vec<_>> = (0..ROUNDS).map(|_| rows.iter().map(|row| time(&row.1)).collect()).collect();
    println!("{:<52}{:>10}{:>10}{:>10}{:>8}{:>8}", "", "GB/s CPU", "GB/s", "/ SHA-256", "min", "max");
    for (at, row) in rows.iter().enumerate() {
        let gb = |seconds: f64| bytes as f64 / 1e9 / seconds;
        let [_, cpu, _] = spread(rounds.iter().map(|round| gb(round[at].0)));
        let [_, wall, _] = spread(rounds.iter().map(|round| gb(round[at].1)));
        let [min, ratio, max] = spread(rounds.iter().map(|round| round[1].0 / round[at].0));
        println!("{:<52}{cpu:>10.2}{wall:>10.2}{ratio:>10.2}{min:>8.2}{max:>8.2}", row.0);
    }
}

/// CPU time and time, in seconds.
fn time(run: impl Fn()) -> (f64, f64) {
    let (cpu, start) = (cpu_time(), Instant::now());
    run();
    (cpu_time() - cpu, start.elapsed().as_secs_f64())
}

/// The CPU time of the process, in seconds.
fn cpu_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// What the program takes, from its start to its end.
fn programs(path: &Path, bytes: u64) {
    let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("audited");
    if !program.exists() {
        return println!("\n{} is not there: it was not measured", program.display());
    }
    let url = format!("journal:{}", path.display());
    let commands: [(&str, &[&str]); 5] = [
        ("query --user rare", &["query", "--user", "rare"]),
        ("query -n 5", &["query", "-n", "5"]),
        ("tail -n 5", &["tail", "-n", "5"]),
        ("stats", &["stats"]),
        ("stats --user rare", &["stats", "--user", "rare"]),
    ];
    println!("\n{:<52}{:>10}{:>8}{:>8}{:>10}", "the program, start to end", "ms", "min", "max", "GB/s");
    for (name, arguments) in commands {
        let run = || {
            let mut command = Command::new(&program);
            command.args(arguments).args([&*url, "--all-tenants", "--reason", "benchmark", "--unrecorded"]);
            let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            assert!(status.success(), "{name}: {status}");
        };
        run();
        let [min, ms, max] = spread((0..ROUNDS).map(|_| time(run).1 * 1e3));
        println!("{name:<52}{ms:>10.1}{min:>8.1}{max:>8.1}{:>10.2}", bytes as f64 / 1e6 / ms);
    }
}

/// Opens a large journal for writing. All but its last file are holes: opening reads none of them.
fn opening(directory: &Path) {
    let path = directory.join("large");
    drop(JournalOptions::new().reserve_bytes(0).open(&path).unwrap());
    let name = |index: u64| path.join(format!("audit-{index:010}.jsonl"));
    let files = LARGE_BYTES / audited::DEFAULT_SEGMENT_BYTES;
    fs::rename(name(1), name(files)).unwrap();
    for index in 1..files {
        let mut options = File::options();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.create_new(true).write(true).open(name(index)).unwrap();
        file.set_len(audited::DEFAULT_SEGMENT_BYTES).unwrap();
    }
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let journal = JournalOptions::new().reserve_bytes(0).open(&path).unwrap();
        times.push(start.elapsed().as_secs_f64() * 1e3);
        drop(journal);
    }
    let [min, ms, max] = spread(times.into_iter());
    println!(
        "\nopening {} GB in {files} files for writing: {ms:.1} ms (min {min:.1}, max {max:.1})",
        LARGE_BYTES >> 30
    );
    println!("{} cores", thread::available_parallelism().unwrap());
}

/// Minimum, median, maximum.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [values[0], values[values.len() / 2], values[values.len() - 1]]
}

#[async_trait::async_trait]
impl AuditStore for Files {
    async fn select(&self, _: &Selection) -> Result<Vec<StoredRecord>, StoreError> {
        Err(StoreError::Closed)
    }

    async fn count(&self, selection: &Selection) -> Result<u64, StoreError> {
        *self.asked.lock().unwrap() = Some(selection.clone());
        Ok(0)
    }

    async fn arrived(&self, _: &Selection, _: &Position) -> Result<Arrived, StoreError> {
        Err(StoreError::Closed)
    }

    async fn position(&self) -> Result<Position, StoreError> {
        Err(StoreError::Closed)
    }

    async fn grown(&self, _: &Position) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    async fn cursor_key(&self) -> Result<CursorKey, StoreError> {
        Err(StoreError::Closed)
    }
}

#[async_trait::async_trait]
impl AuditSink for Files {
    async fn write(&self, _: &[Record]) -> Result<(), SinkError> {
        Err(SinkError::Closed)
    }

    fn durability(&self) -> Durability {
        Durability::None
    }

    fn describe(&self) -> String {
        "files".into()
    }
}
