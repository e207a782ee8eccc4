//! What a record costs its caller, one after another on one thread.

use std::path::Path;
use std::time::{Duration, Instant};

use audited_benches::table::{self, Rounds, Target};

use super::ways::{Way, Ways};

const ROUNDS: usize = 25;
const TURN: Duration = Duration::from_millis(10);

pub(super) fn print(directory: &Path) {
    let ways = Ways::new(directory);
    let all: Vec<_> = ways.all().chain([&ways.switched_off]).collect();
    let taken = measure(&all);
    let [.., ours, switched_off] = &taken[..] else { unreachable!("ways") };
    let (by_hand, serde_json, queue) = (&taken[1], &taken[2], &taken[4]);
    table::section("A record, one after another: ns, and the ratio to serde_json into a locked BufWriter");
    for (way, taken) in all.iter().zip(&taken) {
        table::beside(way.name, taken, serde_json);
    }
    table::held("ours, ns", ours, Target::AtMost(300.0));
    table::held("ours, its action switched off, ns", switched_off, Target::AtMost(5.0));
    table::ratio("ours ÷ serde_json into a locked BufWriter", &ours.over(serde_json), Target::AtMost(0.25));
    table::ratio("ours ÷ tracing JSON through its queue", &ours.over(queue), Target::AtMost(0.1));
    table::compared("ours ÷ JSON by hand", &ours.over(by_hand));
}

/// The nanoseconds of one record, for each way and round.
pub(super) fn measure(ways: &[&Way]) -> Vec<Rounds> {
    let times: Vec<_> = ways.iter().map(|way| times_in(way)).collect();
    let mut taken = vec![Vec::new(); ways.len()];
    for _ in 0..ROUNDS {
        for ((way, times), taken) in ways.iter().zip(&times).zip(&mut taken) {
            taken.push(time(way, *times).as_secs_f64() * 1e9 / f64::from(*times));
        }
    }
    taken.into_iter().map(Rounds).collect()
}

fn time(way: &Way, times: u32) -> Duration {
    let elapsed = std::cell::Cell::new(Duration::ZERO);
    way.enter(|once| {
        let start = Instant::now();
        (0..times).for_each(|_| once());
        elapsed.set(start.elapsed());
    });
    elapsed.get()
}

/// How many times fill a turn. It warms up, too.
fn times_in(way: &Way) -> u32 {
    let mut times = 64;
    while time(way, times) < TURN / 4 {
        times *= 2;
    }
    times * 4
}
