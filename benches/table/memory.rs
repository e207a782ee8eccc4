//! What a recorder keeps in memory: the resident set of a process of its own, as `/proc/self/status` has it.

use std::path::Path;
use std::process::Command;

use audited::{AuditSink, JournalOptions};
use audited_benches::table::{self, Rounds, Target};
use audited_benches::transfer::{Null, Order, inside, recorder, transfer};

const ROUNDS: usize = 5;
/// After so many all that is kept for later is there.
const WARM: u32 = 10_000;
/// The argument with which this program measures itself.
const CHILD: &str = "--memory-of";

pub(super) fn print(_: &Path) {
    table::section("Memory, resident: MB that are added");
    let sinks = [
        ("null", "a sink that forgets", 1_000_000, "1,000,000"),
        // Each is waited for, which takes its time.
        ("journal", "the journal, in the system's buffers", 50_000, "50,000"),
    ];
    for (sink, name, records, count) in sinks {
        let taken: Vec<_> = (0..ROUNDS).map(|_| child(sink, records)).collect();
        let [idle, own, grown] = [0, 1, 2].map(|at| taken.iter().map(|taken| taken[at]).collect::<Rounds>());
        table::held(&format!("an idle recorder with {name}"), &idle, Target::AtMost(2.0));
        table::way("of that memory of its own; the rest is the program, read for the first time", &own);
        table::held(&format!("{count} records into {name}"), &grown, Target::AtMost(0.5));
    }
}

/// Whether this process is one that measures its own memory: then it has.
pub(super) fn is_child(directory: &Path) -> bool {
    let mut arguments = std::env::args().skip_while(|argument| argument != CHILD).skip(1);
    let Some(sink) = arguments.next() else { return false };
    let records = arguments.next().expect("a number").parse().expect("a number");
    let [idle, own, grown] = match &*sink {
        "null" => measure(records, || Null),
        _ => measure(records, || JournalOptions::new().os_buffer().open(directory.join("journal")).unwrap()),
    };
    println!("{idle} {own} {grown}");
    true
}

fn child(sink: &str, records: u32) -> [f64; 3] {
    let output =
        Command::new(std::env::current_exe().unwrap()).args([CHILD, sink, &records.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut figures = text.split_whitespace().map(|figure| figure.parse().unwrap());
    [(); 3].map(|()| figures.next().unwrap())
}

/// What a recorder adds, how much of that is no file's, and what records add to it.
fn measure<S: AuditSink>(records: u32, sink: impl FnOnce() -> S) -> [f64; 3] {
    let before = [resident(), own()];
    let recorder = recorder(sink());
    let idle = [resident() - before[0], own() - before[1]];
    let order = Order::example();
    inside(&recorder, || {
        (0..WARM).for_each(|_| transfer("acc-2020", &order));
        let before = resident();
        (0..records).for_each(|_| transfer("acc-2020", &order));
        [idle[0], idle[1], resident() - before]
    })
}

/// The resident set of this process, in MB.
fn resident() -> f64 {
    of_status("VmRSS:")
}

/// What of it is in no file.
fn own() -> f64 {
    of_status("RssAnon:")
}

fn of_status(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("the size of a part of the memory");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1_024.0 / 1e6
}
