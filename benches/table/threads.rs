//! What a second thread adds.

use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use audited_benches::table::{self, Rounds, Target};

use super::ways::{Way, Ways};

const ROUNDS: usize = 25;
const CALLS: u32 = 20_000;

pub(super) fn print(directory: &Path) {
    let ways = Ways::new(directory);
    let measured = [&ways.limit, &ways.by_hand, &ways.serde_json, &ways.tracing[1], &ways.ours];
    let mut gains = vec![Vec::new(); measured.len()];
    for way in measured {
        rate(way, 2);
    }
    for _ in 0..ROUNDS {
        for (way, gains) in measured.iter().zip(&mut gains) {
            let one = rate(way, 1);
            gains.push(rate(way, 2) / one);
        }
    }
    table::section("Two threads: how many times the records of one");
    let gains: Vec<_> = gains.into_iter().map(Rounds).collect();
    let (ours, others) = gains.split_last().expect("ways");
    for (way, gain) in measured.iter().zip(others) {
        table::way(way.name, gain);
    }
    table::held(ways.ours.name, ours, Target::AtLeast(1.8));
}

/// Records a second, of so many threads.
fn rate(way: &Way, threads: u32) -> f64 {
    let together = Barrier::new(threads as usize);
    let run = || {
        let spent = std::cell::Cell::new(0.0);
        way.enter(|once| {
            // Warm, before the others are waited for.
            (0..100).for_each(|_| once());
            together.wait();
            let start = Instant::now();
            (0..CALLS).for_each(|_| once());
            spent.set(start.elapsed().as_secs_f64());
        });
        spent.get()
    };
    let slowest = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running.into_iter().map(|run| run.join().expect("a thread")).fold(0.0, f64::max)
    });
    f64::from(threads * CALLS) / slowest
}
