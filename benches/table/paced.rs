//! How long a caller waits for its record where calls come one by one, as they do in a service: one each 20 µs.

use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use audited_benches::table::{self, Rounds, Target};

use super::ways::{Way, Ways};

const ROUNDS: usize = 7;
const CALLS: u32 = 5_000;
const PACE: Duration = Duration::from_micros(20);

pub(super) fn print(directory: &Path) {
    let ways = Ways::new(directory);
    let all: Vec<_> = ways.all().collect();
    let mut taken = vec![(Vec::new(), Vec::new()); all.len()];
    for _ in 0..ROUNDS {
        for (way, (p50, p99)) in all.iter().zip(&mut taken) {
            let waits = waits(way);
            p50.push(waits[waits.len() / 2]);
            p99.push(waits[waits.len() * 99 / 100]);
        }
    }
    let (p50s, p99s): (Vec<_>, Vec<_>) = taken.into_iter().map(|(p50, p99)| (Rounds(p50), Rounds(p99))).unzip();
    table::section("A record each 20 µs: ns for half of the callers, and the ratio to serde_json into a BufWriter");
    for (way, p50) in all.iter().zip(&p50s) {
        table::beside(way.name, p50, &p50s[SERDE_JSON]);
    }
    table::section("A record each 20 µs: ns for 99 of 100 callers, and the ratio to serde_json into a BufWriter");
    for (way, p99) in all.iter().zip(&p99s) {
        table::beside(way.name, p99, &p99s[SERDE_JSON]);
    }
    table::held("ours, ns", p99s.last().expect("ways"), Target::AtMost(1_000.0));
}

/// Its place among all ways.
const SERDE_JSON: usize = 2;

/// What each caller waited, in ns, sorted; a clock read is in it.
fn waits(way: &Way) -> Vec<f64> {
    let waits = RefCell::new(Vec::with_capacity(CALLS as usize));
    way.enter(|once| {
        let start = Instant::now();
        for call in 0..CALLS {
            while start.elapsed() < PACE * call {
                std::hint::spin_loop();
            }
            let begin = Instant::now();
            once();
            waits.borrow_mut().push(begin.elapsed().as_secs_f64() * 1e9);
        }
    });
    let mut waits = waits.into_inner();
    waits.sort_by(f64::total_cmp);
    waits
}
