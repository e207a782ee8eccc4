//! One Markdown table, printed row by row: what has been measured, round by round, beside what it is held against.

use std::fmt;

/// Where a ratio or a figure should be.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// At most so much.
    AtMost(f64),
    /// At least so much.
    AtLeast(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(to, "≤ {}", figure(*most)),
            Self::AtLeast(least) => write!(to, "≥ {}", figure(*least)),
        }
    }
}

/// What one way has taken, a figure for each round.
#[derive(Debug, Clone)]
pub struct Rounds(pub Vec<f64>);

impl Rounds {
    /// Ratios to what another way has taken in the same rounds.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(this, other)| this / other).collect())
    }

    /// The figure in the middle.
    pub fn median(&self) -> f64 {
        self.spread()[1]
    }

    /// Minimum, median, maximum.
    fn spread(&self) -> [f64; 3] {
        let mut values = self.0.clone();
        values.sort_by(f64::total_cmp);
        [values[0], values[values.len() / 2], values[values.len() - 1]]
    }
}

impl FromIterator<f64> for Rounds {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// Prints the head of the table.
pub fn begin() {
    println!("| | median | min | max | ratio | min | max | target | |");
    println!("|---|--:|--:|--:|--:|--:|--:|--:|---|");
}

/// Prints what the rows below are about, and in what they are measured.
pub fn section(title: &str) {
    println!("| **{title}** | | | | | | | | |");
}

/// Prints a way, without a ratio.
pub fn way(name: &str, taken: &Rounds) {
    println!("| {name} | {} | | | | | |", cells(taken));
}

/// Prints a way, and its ratio to another.
pub fn beside(name: &str, taken: &Rounds, other: &Rounds) {
    println!("| {name} | {} | {} | | |", cells(taken), cells(&taken.over(other)));
}

/// Prints a way, and its ratio to another, which should be somewhere.
pub fn should(name: &str, taken: &Rounds, other: &Rounds, target: Target) {
    let ratio = taken.over(other);
    println!("| {name} | {} | {} | {} |", cells(taken), cells(&ratio), verdict(target, ratio.median()));
}

/// Prints a figure that should be somewhere.
pub fn held(name: &str, taken: &Rounds, target: Target) {
    println!("| {name} | {} | | | | {} |", cells(taken), verdict(target, taken.median()));
}

/// Prints a ratio that should be somewhere.
pub fn ratio(name: &str, ratio: &Rounds, target: Target) {
    println!("| {name} | | | | {} | {} |", cells(ratio), verdict(target, ratio.median()));
}

/// Prints a ratio.
pub fn compared(name: &str, ratio: &Rounds) {
    println!("| {name} | | | | {} | | |", cells(ratio));
}

fn verdict(target: Target, value: f64) -> String {
    format!("{target} | {}", if target.is_met(value) { "met" } else { "**missed**" })
}

fn cells(taken: &Rounds) -> String {
    let [min, median, max] = taken.spread().map(figure);
    format!("{median} | {min} | {max}")
}

/// A figure as the table has it: three digits, or all before the point.
pub fn figure(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 && value.abs() < 1_000.0 => format!("{value:.0}"),
        1_000.0.. => thousands(&format!("{value:.0}")),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn thousands(digits: &str) -> String {
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digit.is_ascii_digit() && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
