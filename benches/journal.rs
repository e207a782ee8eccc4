//! What an acknowledged record costs, beside the disk itself.
//!
//! ```text
//! cargo bench --bench journal
//! ```
//!
//! For each number of callers that wait: the bare batch (one thread, no callers: so many lines at once into a file
//! that is filled before, one `fdatasync`, again), and the journal with as many callers, each of which waits for its
//! record before it makes the next. Both take turns, and a ratio is taken within its turn.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures that are printed"
)]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use audited::__private::{Inline as _, Ticket};
use audited::{Action, Decision, Journal, JournalOptions, Record};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

const ROUNDS: usize = 7;
const TURN: Duration = Duration::from_millis(300);
const CALLERS: [usize; 5] = [1, 8, 64, 256, 1024];
/// Enough for a turn on a fast disk.
const FILLED: u64 = 256 << 20;

fn main() {
    let directory = tempfile::tempdir_in(target_directory()).unwrap();
    let record = record();
    let line = line_bytes(&record, directory.path());
    println!("{} bytes a line; {ROUNDS} rounds of {TURN:?}\n", line.len());
    one_caller(directory.path(), &record, &line);
    many_callers(directory.path(), &line);
    steady_state(directory.path());
    verifying(directory.path(), &record);
}

/// A directory on a disk: the one for temporary files is in memory on many machines.
fn target_directory() -> PathBuf {
    std::env::var_os("AUDITED_BENCH_DIRECTORY").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// A record of about the size of an audited call.
fn record() -> Record {
    Record::builder(Action::new("account.transfer"))
        .decision(Decision::Allow)
        .fields(|fields| {
            fields.value("cents", &125_000_u64);
            fields.plain("currency", "EUR");
            fields.plain("to", &"acc-0750".repeat(16));
            fields.redacted("memo");
        })
        .build()
}

/// The line that a journal makes of it.
fn line_bytes(record: &Record, directory: &Path) -> Vec<u8> {
    let at = directory.join("line");
    let journal = Journal::open(&at).unwrap();
    submit(&journal, record).wait().unwrap();
    drop(journal);
    let records: Vec<_> = Journal::read(&at).unwrap().map(Result::unwrap).collect();
    format!("{}\n", records[1].json()).into_bytes()
}

fn submit(journal: &Journal, record: &Record) -> audited::__private::Receipt {
    let (ticket, receipt) = Ticket::new();
    journal.submit(record.clone(), ticket);
    receipt
}

/// What one way has done in one turn.
struct Turn {
    /// Records a second.
    rate: f64,
    /// How long each wait took, in µs, sorted.
    waits: Vec<f64>,
    /// CPU time of the process a record, in µs.
    cpu: f64,
}

impl Turn {
    fn take(run: impl FnOnce() -> Vec<Vec<f64>>, each: usize) -> Self {
        let (cpu, start) = (cpu_time(), Instant::now());
        let mut waits: Vec<_> = run().into_iter().flatten().collect();
        let (elapsed, cpu) = (start.elapsed().as_secs_f64(), cpu_time() - cpu);
        waits.sort_by(f64::total_cmp);
        let records = (waits.len() * each) as f64;
        Self { rate: records / elapsed, waits, cpu: cpu * 1e6 / records }
    }

    fn at(&self, share: f64) -> f64 {
        self.waits[((self.waits.len() - 1) as f64 * share) as usize]
    }
}

/// The CPU time of the process, in seconds.
fn cpu_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Writes batches of lines and syncs each.
fn bare(file: &File, lines: &[u8]) -> Vec<f64> {
    let (start, mut offset, mut waits) = (Instant::now(), 0, Vec::new());
    while start.elapsed() < TURN && offset + (lines.len() as u64) < FILLED {
        let begin = Instant::now();
        file.write_all_at(lines, offset).unwrap();
        file.sync_data().unwrap();
        offset += lines.len() as u64;
        waits.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    waits
}

fn filled(path: &Path) -> File {
    let mut file = File::options().create_new(true).read(true).write(true).open(path).unwrap();
    let chunk = vec![b'\n'; 1 << 20];
    for _ in 0..FILLED >> 20 {
        file.write_all(&chunk).unwrap();
    }
    file.sync_all().unwrap();
    file
}

fn journal(path: &Path) -> Journal {
    let _ = fs::remove_dir_all(path);
    JournalOptions::new().segment_bytes(FILLED).preallocate(FILLED).open(path).unwrap()
}

fn one_caller(directory: &Path, record: &Record, line: &[u8]) {
    let (appended, at) = (directory.join("appended"), directory.join("one"));
    let journal = journal(&at);
    let runtime = Runtime::new().unwrap();
    let (mut ratios, mut plain_times, mut waits, mut asyncs) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let _ = fs::remove_file(&appended);
        let mut file = File::options().create_new(true).append(true).open(&appended).unwrap();
        let plain = Turn::take(
            || {
                let (start, mut waits) = (Instant::now(), Vec::new());
                while start.elapsed() < TURN {
                    let begin = Instant::now();
                    file.write_all(line).unwrap();
                    file.sync_data().unwrap();
                    waits.push(begin.elapsed().as_secs_f64() * 1e6);
                }
                vec![waits]
            },
            1,
        );
        let ours = Turn::take(
            || {
                let (start, mut waits) = (Instant::now(), Vec::new());
                while start.elapsed() < TURN {
                    let begin = Instant::now();
                    submit(&journal, record).wait().unwrap();
                    waits.push(begin.elapsed().as_secs_f64() * 1e6);
                }
                vec![waits]
            },
            1,
        );
        let tasks = Turn::take(|| callers(&runtime, &journal, 1), 1);
        ratios.push(ours.rate / plain.rate);
        asyncs.push(tasks.rate / plain.rate);
        plain_times.push(plain.at(0.5));
        waits.push(ours.at(0.5));
    }
    println!("one caller, ratio to a plain append and fdatasync each ({:.0} µs)", median(plain_times.into_iter()));
    println!(
        "  a thread: {:.2} ({:.0} µs); a task: {:.2}\n",
        median(ratios.into_iter()),
        median(waits.into_iter()),
        median(asyncs.into_iter())
    );
}

fn callers(runtime: &Runtime, journal: &Journal, callers: usize) -> Vec<Vec<f64>> {
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            // Each has a record of its own, as callers have: else they would all count the users of one.
            let (journal, record, stop) = (journal.clone(), self::record(), stop.clone());
            runtime.spawn(async move {
                let mut waits = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let begin = Instant::now();
                    submit(&journal, &record).await.unwrap();
                    waits.push(begin.elapsed().as_secs_f64() * 1e6);
                }
                waits
            })
        })
        .collect();
    thread::sleep(TURN);
    stop.store(true, Ordering::Relaxed);
    runtime.block_on(async {
        let mut all = Vec::new();
        for task in tasks {
            all.push(task.await.unwrap());
        }
        all
    })
}

fn many_callers(directory: &Path, line: &[u8]) {
    let file = filled(&directory.join("bare"));
    let runtime = Runtime::new().unwrap();
    println!(
        "{:>8}{:>12}{:>12}{:>8}{:>8}{:>8}{:>10}{:>10}{:>14}{:>10}",
        "callers", "bare /s", "journal /s", "ratio", "min", "max", "p50 µs", "p99 µs", "p99 / fsync", "CPU µs"
    );
    for count in CALLERS {
        let lines = line.repeat(count);
        let mut turns = Vec::new();
        for _ in 0..ROUNDS {
            let journal = journal(&directory.join("many"));
            let bare = Turn::take(|| vec![bare(&file, &lines)], count);
            let ours = Turn::take(|| callers(&runtime, &journal, count), 1);
            turns.push((bare, ours));
        }
        let of = |what: &dyn Fn(&Turn, &Turn) -> f64| median(turns.iter().map(|(bare, ours)| what(bare, ours)));
        let ratios = || turns.iter().map(|(bare, ours)| ours.rate / bare.rate);
        println!(
            "{count:>8}{:>12.0}{:>12.0}{:>8.2}{:>8.2}{:>8.2}{:>10.0}{:>10.0}{:>14.2}{:>10.2}",
            of(&|bare, _| bare.rate),
            of(&|_, ours| ours.rate),
            median(ratios()),
            ratios().fold(f64::MAX, f64::min),
            ratios().fold(0.0, f64::max),
            of(&|_, ours| ours.at(0.5)),
            of(&|_, ours| ours.at(0.99)),
            of(&|bare, ours| ours.at(0.99) / bare.at(0.5)),
            of(&|_, ours| ours.cpu),
        );
    }
}

/// With the default options: files are filled while they are written.
fn steady_state(directory: &Path) {
    let runtime = Runtime::new().unwrap();
    let at = directory.join("steady");
    let journal = Journal::open(&at).unwrap();
    let turns: Vec<_> = (0..ROUNDS).map(|_| Turn::take(|| callers(&runtime, &journal, 256), 1)).collect();
    println!(
        "\n256 callers, default options (files are filled while they are written, and rotate): {:.0} /s",
        median(turns.iter().map(|turn| turn.rate))
    );
}

fn verifying(directory: &Path, record: &Record) {
    let at = directory.join("verify");
    let journal = JournalOptions::new().os_buffer().open(&at).unwrap();
    let batch = vec![record.clone(); 1000];
    for _ in 0..400 {
        let receipts: Vec<_> = batch.iter().map(|record| submit(&journal, record)).collect();
        for receipt in receipts {
            receipt.wait().unwrap();
        }
    }
    drop(journal);
    let paths: Vec<_> = fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()).collect();
    let bytes = AtomicU64::new(0);
    let mut rows = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        bytes.store(0, Ordering::Relaxed);
        for path in &paths {
            let text = fs::read(path).unwrap();
            bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
            black_box(Sha256::digest(&text));
        }
        let raw = start.elapsed().as_secs_f64();
        let (start, cpu) = (Instant::now(), cpu_time());
        assert!(Journal::verify(&at).unwrap().is_sound());
        rows.push((raw, start.elapsed().as_secs_f64(), cpu_time() - cpu));
    }
    let bytes = bytes.into_inner() as f64;
    println!(
        "verify: {:.2} GB/s on all cores, {:.2} of raw SHA-256 (reading and hashing the files at once, {:.2} GB/s) a core",
        bytes / 1e9 / median(rows.iter().map(|row| row.1)),
        median(rows.iter().map(|row| row.0 / row.2)),
        bytes / 1e9 / median(rows.iter().map(|row| row.0)),
    );
}
