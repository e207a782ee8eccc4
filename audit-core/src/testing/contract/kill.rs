//! A process that dies while it writes.
//!
//! The child is the test binary again, with one test to run and its directory in an environment variable.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::SinkCase;
use super::cases::numbered;
use super::place::Place;
use super::subject::SinkUnderTest;
use crate::record::{Record, StoredRecord};
use crate::sink::Durability;

/// In which directory a child writes.
const PLACE: &str = "AUDITED_CONTRACT_PLACE";
/// For which module's test.
const MODULE: &str = "AUDITED_CONTRACT_MODULE";
/// What a child says before the JSON of a record, once that is acknowledged.
const ACKNOWLEDGED: &str = "acknowledged ";
/// How many records a child has acknowledged before it is killed.
const RECORDS: usize = 40;

pub(super) fn is_the_child_of(module: &str) -> bool {
    std::env::var(MODULE).is_ok_and(|of| of == module)
}

/// Writes, and says what is acknowledged, until somebody ends the process.
pub(super) fn write_until_killed(make: &impl Fn(&Path) -> SinkUnderTest) -> ! {
    let place = std::env::var_os(PLACE).map(PathBuf::from).expect("the directory of the child");
    let under = make(&place);
    let mut n = 0;
    loop {
        n += 1;
        let batch: Vec<_> = (0..=n % 3).map(|m| numbered(n, m)).collect();
        under.takes(&batch, "it refuses a batch");
        for record in &batch {
            // With its line break before it, since the harness prints the name of the test without one.
            let said = write!(std::io::stdout().lock(), "\n{ACKNOWLEDGED}{}\n", record.json());
            if said.is_err() {
                // Who was to kill it is gone.
                std::process::exit(1);
            }
        }
    }
}

pub(super) fn outlives_a_kill(
    under: SinkUnderTest,
    place: &Place,
    make: &impl Fn(&Path) -> SinkUnderTest,
    module: &str,
) {
    if !under.opened_again || under.sink.durability() < Durability::OsBuffer {
        return;
    }
    // The child is alone in its directory.
    drop(under);
    let elsewhere = place.path().join("killed");
    std::fs::create_dir(&elsewhere).expect("a directory for the child");
    let acknowledged = acknowledged_by_a_child(&elsewhere, module);
    assert!(acknowledged.len() >= RECORDS, "the child ended by itself: run it with {MODULE} and {PLACE} to see why");
    make(&elsewhere).assert_has_among_others(&acknowledged);
}

fn acknowledged_by_a_child(place: &Path, module: &str) -> Vec<Record> {
    let (_, path) = module.split_once("::").expect("the test is in a module");
    let test = format!("{path}::{}", SinkCase::OutlivesAKill);
    let mut child = Command::new(std::env::current_exe().expect("this binary"));
    child.args(["--exact", &test, "--nocapture", "--test-threads=1"]).env(PLACE, place).env(MODULE, module);
    let child = child.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("this binary again");
    let mut child = Killed(child);
    let lines = BufReader::new(child.0.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let mut acknowledged = Vec::new();
    for line in lines {
        let Some(json) = line.strip_prefix(ACKNOWLEDGED) else { continue };
        // The last line may end in the middle; then nobody was told.
        let Ok(stored) = StoredRecord::parse(json) else { break };
        acknowledged.push(crate::__private::carried(&stored));
        if acknowledged.len() == RECORDS {
            // What it says until it is dead was acknowledged, too.
            child.0.kill().expect("it is killed");
        }
    }
    acknowledged
}

/// Does not stay behind when the test fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
