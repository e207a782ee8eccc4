//! What an acknowledged record costs, beside the disk itself: a plain loop that writes lines and calls `fdatasync`.
//!
//! Each caller waits for its record before it makes the next. The bare ways have one thread and no callers.

use std::path::Path;
use std::time::Duration;

use audited::{Journal, JournalOptions};
use audited_benches::table::{self, Rounds, Target};
use tokio::runtime::Runtime;

use self::bare::{Filled, append, direct};
use self::turn::Turn;

mod bare;
mod group;
mod turn;

const ROUNDS: usize = 5;
const REST: Duration = Duration::from_millis(700);
/// Enough for a turn on a fast disk.
const FILLED: u64 = 256 << 20;

/// One way, and a turn of it a round.
struct Way<'a> {
    name: String,
    run: Box<dyn Fn() -> Turn + 'a>,
    turns: Vec<Turn>,
}

impl<'a> Way<'a> {
    fn new(name: impl Into<String>, run: impl Fn() -> Turn + 'a) -> Self {
        Self { name: name.into(), run: Box::new(run), turns: Vec::new() }
    }

    fn rounds(&self, of: impl Fn(&Turn) -> f64) -> Rounds {
        self.turns.iter().map(of).collect()
    }
}

pub(super) fn print(directory: &Path) {
    let runtime = Runtime::new().unwrap();
    let line = turn::line(directory);
    let filled = Filled::new(&directory.join("filled"), FILLED);
    let journal = |callers| turn::journal(&runtime, &fresh(&directory.join("journal")), callers);
    let mut ways = [
        Way::new("append and fdatasync, one at a time", || append(&directory.join("appended"), &line, 1)),
        Way::new("append and fdatasync, 256 together", || append(&directory.join("appended"), &line, 256)),
        Way::new("preallocated, one at a time", || filled.write(&line, 1)),
        Way::new("preallocated, 8 together", || filled.write(&line, 8)),
        Way::new("preallocated, 64 together", || filled.write(&line, 64)),
        Way::new("preallocated, 256 together", || filled.write(&line, 256)),
        Way::new("preallocated, 1,024 together", || filled.write(&line, 1024)),
        Way::new("preallocated, O_DIRECT, 512 bytes at a time", || direct(&directory.join("filled"), 1)),
        Way::new("preallocated, O_DIRECT, 256 together", || direct(&directory.join("filled"), 256)),
        Way::new("256 async callers, one writer, wake all: appended", || group::appended(&runtime, directory, &line)),
        Way::new("256 async callers, one writer, wake all: preallocated", || group::filled(&runtime, &filled, &line)),
        Way::new("**ours: the journal, a thread that waits**", || turn::thread(&fresh(&directory.join("journal")))),
        Way::new("**ours: the journal, 1 caller**", || journal(1)),
        Way::new("**ours: the journal, 8 callers**", || journal(8)),
        Way::new("**ours: the journal, 64 callers**", || journal(64)),
        Way::new("**ours: the journal, 256 callers**", || journal(256)),
        Way::new("**ours: the journal, 1,024 callers**", || journal(1024)),
        // Its files are filled while they are written.
        Way::new("**ours: the journal, 256 callers, default options**", || {
            let path = directory.join("default");
            let _ = std::fs::remove_dir_all(&path);
            turn::journal(&runtime, &Journal::open(path).unwrap(), 256)
        }),
        Way::new("**ours: the journal, 256 callers, a reader follows**", || {
            turn::followed(&runtime, &fresh(&directory.join("journal")), 256)
        }),
    ];
    for _ in 0..ROUNDS {
        for way in &mut ways {
            way.turns.push((way.run)());
        }
    }
    report(&ways, line.len());
}

/// A new journal, its first file filled. The disk rests before it is used: the file of the bare ways was filled long ago.
fn fresh(path: &Path) -> Journal {
    let _ = std::fs::remove_dir_all(path);
    let journal = JournalOptions::new().segment_bytes(FILLED).preallocate(FILLED).open(path).unwrap();
    std::thread::sleep(REST);
    journal
}

fn report(ways: &[Way<'_>], bytes: usize) {
    let rates: Vec<_> = ways.iter().map(|way| way.rounds(|turn| turn.rate)).collect();
    let waits: Vec<_> = ways.iter().map(|way| way.rounds(|turn| turn.at(0.5))).collect();
    table::section(&format!(
        "Durable, lines of {bytes} bytes: records/s, and the ratio to append and fdatasync one at a time"
    ));
    for (way, rate) in ways.iter().zip(&rates) {
        table::beside(&way.name, rate, &rates[0]);
    }
    table::section(
        "Durable: µs until half of the waits were over, and the ratio to the preallocated file one at a time",
    );
    for (way, wait) in ways.iter().zip(&waits) {
        table::beside(&way.name, wait, &waits[2]);
    }
    let [appended, _, one, _, by_64, by_256, .., thread, _, _, at_64, at_256, _, _, followed] = ways else {
        unreachable!("as many ways")
    };
    let ratio = |name: &str, ours: &Way<'_>, other: &Way<'_>, of: fn(&Turn) -> f64, target| {
        table::ratio(name, &ours.rounds(of).over(&other.rounds(of)), target);
    };
    let rate = |turn: &Turn| turn.rate;
    table::section("Durable: what should be");
    ratio("rate, a thread that waits ÷ append and fdatasync", thread, appended, rate, Target::AtLeast(1.25));
    ratio("p50, a thread that waits ÷ preallocated, one", thread, one, |turn| turn.at(0.5), Target::AtMost(1.05));
    ratio("rate, 64 callers ÷ preallocated, 64 together", at_64, by_64, rate, Target::AtLeast(0.65));
    ratio("rate, 256 callers ÷ preallocated, 256 together", at_256, by_256, rate, Target::AtLeast(0.65));
    let p99 = at_64.rounds(|turn| turn.at(0.99)).over(&by_64.rounds(|turn| turn.at(0.5)));
    table::ratio("p99 of 64 callers ÷ one preallocated batch of 64", &p99, Target::AtMost(3.0));
    table::held(
        "share that the reader had when the callers stopped",
        &followed.rounds(|turn| turn.read),
        Target::AtLeast(0.9),
    );
    table::held("CPU of a record, 64 callers, µs", &at_64.rounds(|turn| turn.cpu), Target::AtMost(1.2));
    table::held("CPU of a record, 256 callers, µs", &at_256.rounds(|turn| turn.cpu), Target::AtMost(1.2));
}
