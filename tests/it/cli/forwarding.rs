//! `audited forward`, as a service, and `audited dead-letters`.

use std::fs;
use std::io::Read as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use audited::{AuditSink as _, Journal, SqliteStore};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::{finish, program, run};
use crate::contract::block_on;
use crate::journal::{small, write};
use crate::stores::made::of_json;
use crate::support::{PATIENCE, eventually};

/// A journal `audit` that is being written, and the directory that it is in.
fn journal(records: usize) -> (TempDir, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let journal = small().open(directory.path().join("audit")).unwrap();
    (0..records).for_each(|n| drop(write(&journal, n)));
    (directory, journal)
}

/// The positions that a store has, in the order in which they came.
fn stored(directory: &Path) -> Vec<i64> {
    let Ok(connection) = reading(directory) else { return Vec::new() };
    let Ok(mut rows) = connection.prepare("SELECT seq FROM audit_records ORDER BY position") else { return Vec::new() };
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Opens the store as it is: to make the file is for the program alone.
fn reading(directory: &Path) -> rusqlite::Result<rusqlite::Connection> {
    rusqlite::Connection::open_with_flags(directory.join("audit.db"), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn all_of(journal: &Journal) -> Vec<i64> {
    (1..=journal.head().seq.cast_signed()).collect()
}

/// The program at work; killed when it is dropped.
struct Service(Child, PathBuf);

impl Service {
    fn start(command: &mut Command, directory: &Path) -> Self {
        let log = directory.join(format!("log-{}", std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos()));
        let file = fs::File::create(&log).unwrap();
        Self(command.stdout(Stdio::null()).stderr(file).spawn().unwrap(), log)
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.1).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Waits until it has ended.
    #[track_caller]
    fn ended(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn forward(directory: &Path, rest: &[&str]) -> Service {
    let mut program = program(directory);
    Service::start(program.args(["forward", "journal:audit", "sqlite:audit.db"]).args(rest), directory)
}

#[test]
fn once_delivers_what_is_there_and_the_next_time_goes_on() {
    let (directory, journal) = journal(20);
    let dir = directory.path();
    run(dir, &["forward", "journal:audit", "sqlite:audit.db", "--once"]).expect(0);
    assert_eq!(stored(dir), all_of(&journal));
    write(&journal, 20);
    let ran = run(dir, &["forward", "journal:audit", "sqlite:audit.db", "--once", "--json"]);
    let lines: Vec<Value> = ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"] == "stopped" && line["delivered"] == 1), "{ran:?}");
    ran.expect(0);
    assert_eq!(stored(dir), all_of(&journal));
    let cursor: Value =
        serde_json::from_str(&fs::read_to_string(dir.join("audit/cursors/sqlite.json")).unwrap()).unwrap();
    assert_eq!(cursor["seq"], journal.head().seq);
}

/// A journal of several files, the `nth` of which is a FIFO from now on: no user may read that.
fn blind(nth: usize) -> (TempDir, Journal, PathBuf) {
    let (directory, journal) = journal(1_000);
    let files = crate::journal::files(journal.path());
    assert!(files.len() > 5, "{files:?}");
    let file = files[nth].clone();
    fs::rename(&file, directory.path().join("aside")).unwrap();
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&file).status().unwrap().success());
    (directory, journal, file)
}

#[test]
fn once_ends_where_a_file_cannot_be_read_and_goes_on_when_it_can() {
    for nth in [0, 1] {
        let (directory, journal, file) = blind(nth);
        let dir = directory.path();
        let ran = run(dir, &["forward", "journal:audit", "sqlite:audit.db", "--once"]);
        let name = file.file_name().unwrap().to_str().unwrap();
        let said = ran.err.lines().last().unwrap();
        assert!(said.starts_with("audited: ") && said.contains(name) && said.contains("is a FIFO"), "{ran:?}");
        ran.expect(3);
        let before = stored(dir);
        assert_eq!(before.is_empty(), nth == 0, "what stands before it is delivered, and nothing behind it");
        assert_eq!(before, (1..).take(before.len()).collect::<Vec<_>>());
        fs::rename(dir.join("aside"), &file).unwrap();
        run(dir, &["forward", "journal:audit", "sqlite:audit.db", "--once"]).expect(0);
        assert_eq!(stored(dir), all_of(&journal), "{nth}");
    }
}

#[test]
fn a_service_says_which_file_it_cannot_read_and_goes_on_when_it_can() {
    let (directory, journal, file) = blind(1);
    let dir = directory.path();
    let service = forward(dir, &["--json", "--report-every", "100ms"]);
    let reports = || -> Vec<Value> {
        let log = service.log();
        // The last line may not be whole yet.
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == "how far it is").collect()
    };
    eventually("it says so", || {
        let said = |line: &Value| line["journal_error"].as_str().is_some_and(|error| error.contains("is a FIFO"));
        reports().iter().any(|line| said(line) && line["behind"].as_u64() > Some(0))
    });
    fs::rename(dir.join("aside"), &file).unwrap();
    eventually("all is delivered", || stored(dir) == all_of(&journal));
    eventually("nothing is wrong any more", || {
        reports().last().is_some_and(|line| line["behind"] == 0 && line["journal_error"].is_null())
    });
}

#[test]
fn it_runs_beside_the_service_that_writes_until_it_is_asked_to_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let (directory, journal) = journal(3);
        let dir = directory.path();
        let mut service = forward(dir, &["--report-every", "100ms", "--name", "store"]);
        for n in 3..40 {
            write(&journal, n);
        }
        eventually("all is delivered", || stored(dir) == all_of(&journal));
        eventually("it reports", || service.log().contains("how far it is"));
        service.signal(signal);
        assert_eq!(service.ended().code(), Some(0), "{}", service.log());
        let log = service.log();
        assert!(log.contains("forwarding") && log.contains("stopped"), "{log}");
        // The journal is the other's all the time.
        write(&journal, 41);
    }
}

#[test]
fn what_is_killed_goes_on_and_loses_nothing() {
    let (directory, journal) = journal(1);
    let dir = directory.path();
    for round in 0..6 {
        let service = forward(dir, &[]);
        let before = stored(dir).len();
        for n in 0..30 {
            write(&journal, round * 100 + n);
        }
        eventually("some is delivered", || stored(dir).len() > before);
        service.signal(Signal::KILL);
    }
    run(dir, &["forward", "journal:audit", "sqlite:audit.db", "--once"]).expect(0);
    assert_eq!(stored(dir), all_of(&journal), "in order, and each once");
    let found = Journal::verify(dir.join("audit")).unwrap();
    assert!(found.is_sound());
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_is_away_is_waited_for_and_what_is_left_is_told() {
    let (directory, journal) = journal(5);
    let dir = directory.path();
    let url = format!("postgres://bank:s3cret@127.0.0.1:{}/bank", crate::servers::free_port());
    let mut away = program(dir);
    away.args(["forward", "journal:audit", &url, "--stop-within", "200ms"]);
    let mut service = Service::start(&mut away, dir);
    eventually("it is at work", || service.log().contains("forwarding"));
    service.signal(Signal::TERM);
    assert_eq!(service.ended().code(), Some(0), "{}", service.log());
    let log = service.log();
    assert!(log.contains("the server is away") && log.contains("not everything is delivered"), "{log}");
    assert!(log.contains(&format!("left={}", journal.head().seq)) && !log.contains("s3cret"), "{log}");
    let ran = run(dir, &["forward", "journal:audit", &url, "--once", "--stop-within", "200ms"]);
    assert!(ran.err.contains("were not delivered in time"), "{ran:?}");
    ran.expect(3);
}

#[cfg(feature = "postgres")]
#[test]
fn what_is_to_be_delivered_once_and_is_interrupted_is_no_success() {
    for signal in [Signal::TERM, Signal::INT] {
        let (directory, _journal) = journal(5);
        let dir = directory.path();
        let url = format!("postgres://bank@127.0.0.1:{}/bank", crate::servers::free_port());
        let mut once = program(dir);
        let mut once = Service::start(once.args(["forward", "journal:audit", &url, "--once"]), dir);
        eventually("it is at work", || once.log().contains("forwarding"));
        once.signal(signal);
        assert_eq!(once.ended().code(), Some(3), "{}", once.log());
        let log = once.log();
        assert!(log.contains("not delivered") || log.contains("before all was delivered"), "{log}");
        assert!(!log.contains("asked twice"), "{log}");
    }
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_is_killed_and_comes_back_has_every_record_once() {
    let mut cluster = crate::servers::postgres::start();
    let database = cluster.database();
    let (directory, journal) = journal(200);
    let dir = directory.path();
    let mut program = program(dir);
    let mut service = Service::start(program.args(["forward", "journal:audit", &database.url("service")]), dir);
    for round in 0..3 {
        cluster.kill();
        (0..100).for_each(|n| drop(write(&journal, round * 100 + n)));
        cluster.restart();
        let head = journal.head().seq.to_string();
        let counted = "SELECT count(*) FROM audited.keys WHERE stream IS NOT NULL";
        eventually("all is delivered", || database.sql("postgres", counted) == [head.clone()]);
    }
    service.signal(Signal::TERM);
    assert_eq!(service.ended().code(), Some(0), "{}", service.log());
}

#[cfg(feature = "postgres")]
#[test]
fn it_delivers_to_a_server() {
    let (directory, journal) = journal(12);
    let database = crate::servers::postgres::database();
    run(directory.path(), &["forward", "journal:audit", &database.url("service"), "--once"]).expect(0);
    let found = database.sql("postgres", "SELECT count(*) FROM audited.keys WHERE stream IS NOT NULL");
    assert_eq!(found, [journal.head().seq.to_string()]);
}

#[cfg(feature = "nats")]
#[test]
fn it_delivers_to_a_stream() {
    let (directory, journal) = journal(12);
    let dir = directory.path();
    let server = crate::servers::nats::start();
    let address = format!("nats://127.0.0.1:{}", server.port());
    drop(audited::NatsOptions::new(&address, "AUDIT").create_stream().connect().unwrap());
    let url = format!("{address}/AUDIT");
    let ran = run(dir, &["forward", "journal:audit", &url, "--once", "--json"]);
    assert!(ran.err.contains(&format!("\"delivered\":{}", journal.head().seq)), "{ran:?}");
    let targets = ran.err.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["target"].clone());
    assert!(targets.into_iter().all(|target| target.as_str().unwrap().starts_with("audited::")), "{ran:?}");
    ran.expect(0);
}

#[test]
fn a_service_manager_is_told() {
    let (directory, _journal) = journal(1);
    let dir = directory.path();
    let socket = UnixDatagram::bind(dir.join("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = |socket: &UnixDatagram| {
        let mut bytes = [0; 256];
        let read = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    };
    let mut program = program(dir);
    program.env("NOTIFY_SOCKET", dir.join("notify")).args(["forward", "journal:audit", "sqlite:audit.db"]);
    let mut service = Service::start(&mut program, dir);
    assert!(told(&socket).starts_with("READY=1\n"));
    service.signal(Signal::TERM);
    assert_eq!(told(&socket), "STOPPING=1");
    assert_eq!(service.ended().code(), Some(0));
}

#[test]
fn a_journal_without_a_line_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path();
    fs::create_dir(dir.join("audit")).unwrap();
    fs::set_permissions(dir.join("audit"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    run(dir, &["forward", "journal:audit", "sqlite:audit.db", "--once"]).expect(0);
    let service = forward(dir, &[]);
    eventually("it waits", || service.log().contains("waiting for the first line"));
    let journal = small().open(dir.join("audit")).unwrap();
    write(&journal, 1);
    eventually("all is delivered", || stored(dir) == all_of(&journal));
}

#[test]
fn the_journals_of_dead_processes_are_adopted() {
    let (directory, journal) = journal(1);
    let dir = directory.path();
    let left = small().open(dir.join("audit/left")).unwrap();
    write(&left, 77);
    drop(left);
    // Last written long ago.
    for entry in fs::read_dir(dir.join("audit/left")).unwrap().map(Result::unwrap) {
        let file = fs::File::options().append(true).open(entry.path()).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }
    let service = forward(dir, &["--adopt", "audit"]);
    let has = || {
        let Ok(connection) = reading(dir) else { return false };
        let sql = "SELECT count(*) FROM audit_records WHERE json LIKE '%\"n\":77%'";
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).is_ok_and(|count| count == 1)
    };
    eventually("it is adopted", has);
    drop((service, journal));
}

#[test]
fn a_journal_that_is_another_is_not_delivered_in_its_place() {
    let (directory, journal) = journal(5);
    let dir = directory.path();
    run(dir, &["forward", "journal:audit", "sqlite:audit.db", "--once"]).expect(0);
    drop(journal);
    let cursors = dir.join("audit/cursors");
    fs::rename(&cursors, dir.join("cursors")).unwrap();
    fs::remove_dir_all(dir.join("audit")).unwrap();
    drop(small().open(dir.join("audit")).unwrap());
    fs::rename(dir.join("cursors"), &cursors).unwrap();
    let ran = run(dir, &["forward", "journal:audit", "sqlite:audit.db", "--once"]);
    assert!(ran.err.contains("whoever put another journal here") && ran.err.contains("--reset"), "{ran:?}");
    ran.expect(1);
    run(dir, &["forward", "journal:audit", "sqlite:audit.db", "--once", "--reset"]).expect(0);
}

#[test]
fn what_is_asked_wrongly_is_said_and_secrets_are_not() {
    let (directory, _journal) = journal(1);
    let dir = directory.path();
    for (arguments, code, says) in [
        (&["forward", "journal:audit"][..], 2, "<TO>"),
        (&["forward", "sqlite:x", "sqlite:y"], 2, "sqlite:x is no journal"),
        (&["forward", "journal:none", "sqlite:y"], 3, "none"),
        (&["forward", "journal:audit", "journal:other"], 2, "a journal does not know what it has"),
        (&["forward", "journal:audit", "nats://127.0.0.1:4222"], 2, "which stream?"),
        (&["forward", "journal:audit", "nats://a:s3cret@127.0.0.1:4222/AUDIT"], 2, "AUDITED_NATS_TOKEN"),
        (&["forward", "journal:audit", "sqlite:audit.db", "--name", "a/b", "--once"], 2, "--name"),
        (&["forward", "journal:audit", "sqlite:audit.db", "--stop-within", "soon"], 2, "30s, 5m or 1h30m"),
        (&["dead-letters", "dismiss", "journal:audit", "--name", "x", "--reason", "y"], 2, "--all"),
        (
            &["dead-letters", "dismiss", "journal:audit", "--name", "x", "--reason", "y", "--seq", "3"],
            1,
            "no dead letter 3",
        ),
    ] {
        let ran = run(dir, arguments);
        assert!(ran.err.contains(says) && !ran.err.contains("s3cret"), "{arguments:?}: {ran:?}");
        ran.expect(code);
    }
    assert!(!dir.join("y").exists(), "nothing is made for what is asked wrongly");
}

/// A directory with a journal, and a store that has another record in the place of two of its lines.
fn conflicting() -> (TempDir, Journal) {
    let (directory, journal) = journal(8);
    let store = SqliteStore::open(directory.path().join("audit.db")).unwrap();
    let lines = Journal::read(journal.path()).unwrap().map(Result::unwrap);
    let others = lines.filter(|record| [3, 5].contains(&record.seq().unwrap())).map(|record| {
        let mut json: Value = serde_json::from_str(record.json()).unwrap();
        json["detail"]["n"] = 4711.into();
        of_json(&json.to_string())
    });
    block_on(store.write(&others.collect::<Vec<_>>())).unwrap();
    (directory, journal)
}

#[test]
fn dead_letters_are_listed_and_dismissed_by_somebody() {
    let (directory, journal) = conflicting();
    let dir = directory.path();
    let ran = run(dir, &["forward", "journal:audit", "sqlite:audit.db", "--once"]);
    assert!(ran.err.contains("`audited dead-letters list` names them"), "{ran:?}");
    ran.expect(1);
    assert_eq!(stored(dir).len(), all_of(&journal).len());
    let out = run(dir, &["dead-letters", "list", "journal:audit"]).expect(1);
    assert!(out.contains("sqlite") && out.contains("conflict") && out.lines().count() == 3, "{out}");
    let json = run(dir, &["dead-letters", "list", "journal:audit", "--json"]).expect(1);
    let seqs: Vec<_> = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].clone()).collect();
    assert_eq!(seqs, [3, 5]);
    let out = run(dir, &["dead-letters", "redeliver", "journal:audit", "sqlite:audit.db", "--seq", "3"]).expect(1);
    assert!(out.starts_with("3: not redelivered: "), "{out}");
    run(dir, &["dead-letters", "redeliver", "journal:audit", "sqlite:other.db", "--name", "sqlite", "--seq", "3"])
        .expect(0);
    let dismiss =
        ["dead-letters", "dismiss", "journal:audit", "--name", "sqlite", "--all", "--reason", "known_duplicate"];
    assert_eq!(run(dir, &dismiss).expect(0), "5: dismissed\n");
    assert_eq!(run(dir, &["dead-letters", "list", "journal:audit"]).expect(0), "no dead letters\n");
    let resolved = Journal::read(dir.join("audit/cursors/sqlite.dead")).unwrap().map(Result::unwrap);
    let resolved = resolved.filter(|record| record.action() == "audit.dead_letter_resolved").last().unwrap();
    let (detail, actor) = (resolved.detail().unwrap().to_owned(), resolved.actor().and_then(|actor| actor.id));
    assert!(detail.contains("known_duplicate") && actor.is_some(), "{}", resolved.json());
}

#[test]
fn the_letters_of_a_forwarder_at_work_are_left_to_it() {
    let (directory, journal) = conflicting();
    let dir = directory.path();
    let service = forward(dir, &[]);
    eventually("all is delivered", || stored(dir).len() == all_of(&journal).len());
    let dismiss = ["dead-letters", "dismiss", "journal:audit", "--name", "sqlite", "--all", "--reason", "x"];
    let ran = run(dir, &dismiss);
    assert!(ran.err.contains("a forwarder of that name is at work"), "{ran:?}");
    ran.expect(3);
    let mut second = program(dir);
    let ran = finish(second.args(["forward", "journal:audit", "sqlite:audit.db"]));
    assert!(ran.err.contains("a forwarder of that name is at work"), "{ran:?}");
    ran.expect(3);
    drop(service);
    let mut out = String::new();
    fs::File::open(dir.join("audit/cursors/sqlite.json")).unwrap().read_to_string(&mut out).unwrap();
    assert!(out.contains("\"seq\""), "{out}");
}
