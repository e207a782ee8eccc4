//! `audited forward` to a server that comes and goes.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use audited::Journal;
use rustix::process::{Pid, Signal, kill_process};

use super::program;
use crate::journal::{small, write};
use crate::nats::{Client, STREAM, fit};
use crate::support::eventually;

/// What a journal holds, line by line.
fn lines(journal: &Journal) -> Vec<String> {
    Journal::read(journal.path()).unwrap().map(|record| record.unwrap().json().to_owned()).collect()
}

/// Which one of them a line is.
fn seq(line: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_u64()
}

#[test]
fn a_server_that_is_stopped_and_killed_meanwhile_has_every_record() {
    let mut server = crate::servers::nats::start();
    Client::connect(&server).create(fit());
    let directory = tempfile::tempdir().unwrap();
    let journal = small().open(directory.path().join("audit")).unwrap();
    (0..50).for_each(|n| drop(write(&journal, n)));
    let to = format!("nats://{}/{STREAM}", server.address());
    let mut program = program(directory.path());
    let program = program.args(["forward", "journal:audit", &to]).stdout(Stdio::null()).stderr(Stdio::piped());
    let service = program.spawn().unwrap();
    let process = Pid::from_child(&service);
    eventually("the first are there", || Client::connect(&server).count(STREAM) >= 50);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Written all the time, and so also while a batch is on its way.
        scope.spawn(|| {
            for n in 50.. {
                drop(write(&journal, n));
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for round in 0..4 {
            if round % 2 == 0 {
                server.stop();
            } else {
                server.kill();
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
            server.restart();
            let (client, before) = (Client::connect(&server), journal.head().seq);
            eventually("it goes on", || client.count(STREAM) >= before);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let client = Client::connect(&server);
    eventually("all of them are there", || client.count(STREAM) >= journal.head().seq);
    kill_process(process, Signal::TERM).unwrap();
    let ended = service.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    // A batch of which the server took a part comes again, and what it had not taken then stands behind the rest.
    let mut there = client.payloads(STREAM);
    there.sort_by_key(|line| seq(line));
    there.dedup();
    assert!(there == lines(&journal), "{} are there", there.len());
}
