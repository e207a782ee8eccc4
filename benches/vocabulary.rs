//! What a large vocabulary costs: programs with 100, 1,000 and 10,000 actions, which are generated, built and run.
//!
//! ```text
//! cargo bench --bench vocabulary
//! ```
//!
//! Each program says what it costs to start with so many actions (collect them, and find none declared twice), to build
//! its first recorder, to look an action up by its name, and to write and compare its lock. The figures are for one
//! action: where they stay the same from line to line, the cost is linear.

use std::fmt::Write as _;
use std::path::Path;

use audited_benches::package::Package;

const SIZES: [usize; 3] = [100, 1_000, 10_000];
const WORDS: usize = 50;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    println!("nanoseconds for each action, the least of several runs\n");
    println!(
        "{:>8} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "actions", "catalogue", "recorder", "look up", "lock", "compare"
    );
    for size in SIZES {
        println!("{size:>8} {}", run(folder.path(), size));
    }
}

fn run(folder: &Path, size: usize) -> String {
    let profile = "\n[profile.release]\nopt-level = 1\n";
    let package = Package::write(folder.join(format!("words-{size}")), "words", profile, &source(size));
    package.cargo(&["run", "--release"], folder.join("target")).trim_end().to_owned()
}

fn source(size: usize) -> String {
    let mut source = String::from(PROGRAM);
    let enums = size / WORDS;
    for at in 0..enums {
        let _ = writeln!(source, "#[derive(AuditEvent)]\n#[event(prefix = \"e{at}\")]\npub enum E{at} {{");
        for word in 0..WORDS {
            let _ = writeln!(source, "    /// What happens.\n    W{word} {{ id: u64, #[sensitive] note: String }},");
        }
        source.push_str("}\n");
    }
    source.push_str("fn look_up() {\n");
    for at in 0..enums {
        let _ = writeln!(
            source,
            "    for word in 0..{WORDS} {{ black_box(format!(\"e{at}.w{{word}}\").parse::<E{at}Kind>().unwrap()); }}"
        );
    }
    source.push_str("}\n");
    source
}

const PROGRAM: &str = r#"
#![allow(dead_code)]
use std::hint::black_box;
use std::time::Instant;

use audited::{AuditEvent, Lock, MemorySink, Recorder, catalogue};

fn main() {
    let actions = catalogue().actions.len();
    let start = Instant::now();
    black_box(Recorder::builder().sink(MemorySink::new()).build().unwrap());
    let recorder = start.elapsed().as_nanos() as f64 / actions as f64;
    let listed = least(actions, || drop(black_box(catalogue())));
    let looked_up = least(actions, look_up);
    let catalogue = catalogue();
    let locked = least(actions, || drop(black_box(Lock::of(&catalogue, &["words"]).to_string())));
    let lock = Lock::of(&catalogue, &["words"]);
    let compared = least(actions, || assert!(lock.compare(&catalogue, &["words"]).is_empty()));
    println!("{listed:>12.0} {recorder:>12.0} {looked_up:>12.0} {locked:>12.0} {compared:>12.0}");
}

fn least(actions: usize, mut once: impl FnMut()) -> f64 {
    let runs = (0..7).map(|_| {
        let start = Instant::now();
        once();
        start.elapsed().as_nanos() as f64 / actions as f64
    });
    runs.fold(f64::MAX, f64::min)
}
"#;
