//! What the benchmarks share: rows that take turns in every round. A ratio is taken within its round, to the first row:
//! what disturbs the machine disturbs both sides of it.

pub mod package;
pub mod payment;
pub mod peers;
pub mod table;
pub mod transfer;

use std::time::{Duration, Instant};

/// Many, so that those which meet what else the machine does do not count in a median.
const ROUNDS: usize = 101;

type Run = Box<dyn Fn(u32)>;

/// One way of doing something.
pub struct Row {
    name: &'static str,
    /// Does it so many times.
    run: Run,
}

impl Row {
    /// Takes a name, and what does it so many times.
    pub fn new(name: &'static str, run: impl Fn(u32) + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }

    fn time(&self, times: u32) -> Duration {
        let start = Instant::now();
        (self.run)(times);
        start.elapsed()
    }

    /// How many times fill a turn. It warms up, too.
    fn times_in(&self, turn: Duration) -> u32 {
        let mut times = 1;
        while self.time(times) < turn / 4 {
            times *= 2;
        }
        times * 4
    }
}

/// Measures and prints; the first row is what the others are held against. A turn of a row takes so long: the shorter,
/// the fewer are disturbed.
pub fn compare(rows: &[Row], turn: Duration) {
    let rounds = measure(rows, turn);
    println!("{ROUNDS} rounds\n");
    println!("{:<60}{:>10}{:>10}{:>8}{:>8}", "", "ns", "ratio", "min", "max");
    for (at, row) in rows.iter().enumerate() {
        let [_, ns, _] = spread(rounds.iter().map(|round| round[at]));
        let [min, ratio, max] = spread(rounds.iter().map(|round| round[at] / round[0]));
        println!("{:<60}{ns:>10.0}{ratio:>10.2}{min:>8.2}{max:>8.2}", row.name);
    }
}

/// The nanoseconds of one turn, for each round and row.
fn measure(rows: &[Row], turn: Duration) -> Vec<Vec<f64>> {
    let times: Vec<_> = rows.iter().map(|row| row.times_in(turn)).collect();
    let round = || rows.iter().zip(&times).map(|(row, &times)| row.time(times).as_secs_f64() * 1e9 / f64::from(times));
    (0..ROUNDS).map(|_| round().collect()).collect()
}

/// Minimum, median, maximum.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [values[0], values[values.len() / 2], values[values.len() - 1]]
}
