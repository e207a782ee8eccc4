//! How fast the files of a journal are read, beside what nobody can do without: looking for a text in the same bytes,
//! hashing them, reading their JSON.
//!
//! One thread, but for what says otherwise; the page cache is warm. `AUDITED_BENCH_MIB` asks for a journal of another size.

mod files;
mod programs;

use std::fs::{self, File};
use std::hint::black_box;
use std::path::Path;
use std::thread;
use std::time::Instant;

use audited::{Journal, JournalOptions, Query};
use audited_benches::table::{self, Rounds, Target};
use memchr::memmem::Finder;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use self::files::Files;

const ROUNDS: usize = 5;
const DEFAULT_MIB: u64 = 256;
/// How large the journal is that is opened.
const LARGE_BYTES: u64 = 10 << 30;

pub(super) fn print(directory: &Path) {
    let path = directory.join("audit");
    let mib = std::env::var("AUDITED_BENCH_MIB").map_or(DEFAULT_MIB, |mib| mib.parse().unwrap());
    files::write(&path, mib << 20);
    reading(&Files::of(&path));
    programs::print(&path, ROUNDS);
    opening(directory);
}

/// One way of going through the files.
struct Way<'a>(&'static str, Box<dyn Fn() + 'a>);

fn way<'a>(name: &'static str, run: impl Fn() + 'a) -> Way<'a> {
    Way(name, Box::new(run))
}

fn ways(files: &Files) -> [Way<'_>; 7] {
    let (asked, whole) = (files.selection(&Query::new().user("rare")), files.selection(&Query::new()));
    let asked_too = asked.clone();
    let expected = Journal::read(&files.directory).unwrap().map(Result::unwrap);
    let expected = expected.filter(|record| asked.matches(record)).count();
    assert!(expected > 0);
    let needle = Finder::new("\"rare\"");
    [
        way("looking for a text", move || {
            files.blocks(|block| {
                black_box(needle.find(block));
            });
        }),
        way("SHA-256", || {
            let mut hash = Sha256::new();
            files.blocks(|block| hash.update(block));
            black_box(hash.finalize());
        }),
        way("serde_json, all of each line passed over", || {
            for path in files.paths() {
                for line in fs::read(path).unwrap().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    black_box(serde_json::from_slice::<IgnoredAny>(line).unwrap());
                }
            }
        }),
        way("**ours: a query that finds few, its chain checked**", move || {
            let sieve = asked.sieve();
            let mut reader = Journal::read(&files.directory).unwrap();
            let mut found = 0;
            while let Some(record) = reader.next_where(|line| sieve.may_match(line)) {
                found += usize::from(asked.matches(&record.unwrap()));
            }
            assert_eq!(found, expected);
        }),
        way("**ours: the same, all records read**", move || {
            let reader = Journal::read(&files.directory).unwrap().map(Result::unwrap);
            assert_eq!(reader.filter(|record| asked_too.matches(record)).count(), expected);
        }),
        way("**ours: a query that finds all**", move || {
            let reader = Journal::read(&files.directory).unwrap().map(Result::unwrap);
            black_box(reader.filter(|record| whole.matches(record)).count());
        }),
        way("**ours: verify, all cores**", || assert!(Journal::verify(&files.directory).unwrap().is_sound())),
    ]
}

fn reading(files: &Files) {
    let bytes: u64 = files.paths().iter().map(|path| path.metadata().unwrap().len()).sum();
    let gb = bytes as f64 / 1e9;
    let ways = ways(files);
    for Way(_, run) in &ways {
        run();
    }
    let mut taken = vec![(Vec::new(), Vec::new()); ways.len()];
    for _ in 0..ROUNDS {
        for (Way(_, run), (cores, whole)) in ways.iter().zip(&mut taken) {
            let (cpu, start) = (cpu_time(), Instant::now());
            run();
            cores.push(gb / (cpu_time() - cpu));
            whole.push(gb / start.elapsed().as_secs_f64());
        }
    }
    let (cores, whole): (Vec<_>, Vec<_>) = taken.into_iter().map(|(a, b)| (Rounds(a), Rounds(b))).unzip();
    let sha256 = &cores[1];
    table::section(&format!("Reading {} MB: GB/s of a core's time, and the ratio to SHA-256", bytes >> 20));
    for (Way(name, _), core) in ways.iter().zip(&cores) {
        table::beside(name, core, sha256);
    }
    let [.., few, _, _, verify] = &cores[..] else { unreachable!("as many ways") };
    table::ratio("verify ÷ SHA-256, a core", &verify.over(sha256), Target::AtLeast(0.9));
    table::held("a query that finds few, GB/s a core", few, Target::AtLeast(1.0));
    let busy = whole[6].over(verify);
    let all = thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    table::held(&format!("verify: how many of {all:.0} cores are busy"), &busy, Target::AtLeast(0.9 * all));
}

/// The CPU time of the process, in seconds.
fn cpu_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
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
    let open = || {
        let start = Instant::now();
        let journal = JournalOptions::new().reserve_bytes(0).open(&path).unwrap();
        let taken = start.elapsed().as_secs_f64() * 1e3;
        drop(journal);
        taken
    };
    let taken: Rounds = (0..ROUNDS).map(|_| open()).collect();
    table::section("Opening for writing: ms");
    table::held(&format!("{} GB in {files} files", LARGE_BYTES >> 30), &taken, Target::AtMost(50.0));
}
