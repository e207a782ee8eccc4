//! What the program takes, from its start to its end, where it has been built with this benchmark's profile:
//! `cargo build --release --features cli --bin audited`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use audited_benches::table::{self, Rounds};

const COMMANDS: [(&str, &[&str]); 5] = [
    ("query --user rare", &["query", "--user", "rare"]),
    ("query -n 5", &["query", "-n", "5"]),
    ("tail -n 5", &["tail", "-n", "5"]),
    ("stats", &["stats"]),
    ("stats --user rare", &["stats", "--user", "rare"]),
];

pub(super) fn print(journal: &Path, rounds: usize) {
    let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("audited");
    if !program.exists() {
        return eprintln!("{} is not there: it is not measured", program.display());
    }
    let url = format!("journal:{}", journal.display());
    table::section("The program `audited` on that journal, from its start to its end: ms");
    for (name, arguments) in COMMANDS {
        let run = || {
            let mut command = Command::new(&program);
            command.args(arguments).args([&*url, "--all-tenants", "--reason", "benchmark", "--unrecorded"]);
            let start = Instant::now();
            let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            assert!(status.success(), "{name}: {status}");
            start.elapsed().as_secs_f64() * 1e3
        };
        run();
        table::way(&format!("**ours: `{name}`**"), &(0..rounds).map(|_| run()).collect::<Rounds>());
    }
}
