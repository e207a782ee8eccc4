//! `audited doctor`: each claim that does not hold is named.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use audited::{Action, AuditSink as _, Forwarder, Journal, Kind, Record};
use serde_json::Value;
use tempfile::TempDir;

use super::{Ran, finish, program, run};
use crate::contract::block_on;
use crate::forward::store::{Answer, Store};
use crate::journal::{files, small, write, written};
use crate::support::PATIENCE;

/// Asserts that a check says so; and where it is well, that nothing else is said of it.
#[track_caller]
fn assert_found(ran: &Ran, name: &str, verdict: &str, says: &str) {
    let checks = ran.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found: Vec<_> = checks.filter(|check| check["check"] == name).collect();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let holds = |check: &Value| {
        check["verdict"] == verdict && format!("{} {}", text(check, "says"), text(check, "mend")).contains(says)
    };
    let is = if verdict == "ok" { found.iter().all(holds) && !found.is_empty() } else { found.iter().any(holds) };
    assert!(is, "{name} {verdict} {says}: {found:#?}\n{ran:?}");
}

fn doctor(directory: &Path, url: &str, rest: &[&str]) -> Ran {
    let mut program = program(directory);
    finish(program.args(["doctor", url, "--json"]).args(rest))
}

fn journal() -> (TempDir, PathBuf) {
    written(5)
}

#[test]
fn a_journal_as_it_should_be_is_well() {
    let (directory, path) = journal();
    let ran = doctor(directory.path(), "journal:audit", &[]);
    for name in ["owner and modes", "writer", "reserve", "sync", "newest file", "clock", "losses", "delivery"] {
        assert_found(&ran, name, "ok", "");
    }
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "the probe is gone");
    let human = run(directory.path(), &["doctor", "journal:audit", "--no-probe"]);
    assert!(human.out.contains("ok       owner and modes"), "{human:?}");
    assert!(!human.out.contains(" sync "), "{human:?}");
}

#[test]
fn who_writes_it_is_named() {
    let (directory, path) = journal();
    let service = small().open(&path).unwrap();
    let ran = doctor(directory.path(), "journal:audit", &[]);
    assert_found(&ran, "writer", "ok", &format!("process {} writes it", std::process::id()));
    assert_found(&ran, "reserve", "warning", "no room is kept");
    // It is neither kept from the service nor is anything of it changed.
    write(&service, 1);
    drop(service);
    small().open(&path).unwrap();
}

#[test]
fn modes_links_and_what_is_no_journal_are_failures() {
    let (directory, path) = journal();
    let dir = directory.path();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let file = files(&path)[0].clone();
    mode(&file, 0o644);
    let ran = doctor(dir, "journal:audit", &[]);
    assert_found(&ran, "owner and modes", "failure", "has mode 644 and is open to others: chmod 700");
    assert_eq!(ran.code, 1);
    mode(&file, 0o600);
    mode(&path, 0o777);
    assert_found(&doctor(dir, "journal:audit", &[]), "owner and modes", "failure", "has mode 777");
    mode(&path, 0o700);
    fs::rename(&file, dir.join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(dir.join("elsewhere"), &file).unwrap();
    let ran = finish(program(dir).args(["doctor", "journal:audit", "--json"]));
    assert!(ran.err.contains("symbolic link") || ran.out.contains("symbolic link"), "{ran:?}");
    assert_ne!(ran.code, 0);
    std::os::unix::fs::symlink("audit", dir.join("link")).unwrap();
    assert_found(&doctor(dir, "journal:link", &[]), "owner and modes", "failure", "is a symbolic link");
    doctor(dir, "journal:none", &[]).expect(3);
}

/// Runs the program in a file system of its own, where that is permitted.
pub(super) fn on_a_tmpfs(size: &str, script: &str) -> Option<Ran> {
    let mount = format!("mount -t tmpfs -o size={size},mode=700 none \"$1\" && cd \"$1\" && {script}");
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &mount, "sh"]).arg(directory.path()).env("PROGRAM", env!("CARGO_BIN_EXE_audited"));
    let permitted = Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success());
    permitted.then(|| finish(&mut command))
}

#[test]
fn what_lies_in_memory_and_has_no_room_is_a_failure() {
    let (_directory, path) = journal();
    let script =
        |rest: &str| format!("cp -rp {} audit && {rest} \"$PROGRAM\" doctor journal:audit --json", path.display());
    let Some(ran) = on_a_tmpfs("256m", &script("")) else { return };
    assert_found(&ran, "file system", "failure", "it is in memory");
    assert_found(&ran, "room", "ok", "are free");
    assert_eq!(ran.code, 1);
    let ran = on_a_tmpfs("4m", &script("head -c 10m /dev/zero > full 2> /dev/null;")).unwrap();
    assert_found(&ran, "room", "failure", "make room");
    assert_found(&ran, "sync", "failure", "make room on that disk");
}

#[test]
fn clocks_losses_and_damage_are_seen_in_the_newest_file() {
    let (directory, path) = journal();
    let service = small().open(&path).unwrap();
    let gap =
        Record::builder(Action::new("audit.gap")).kind(Kind::System).fields(|fields| fields.value("lost", &3_u64));
    block_on(service.write(&[gap.build()])).unwrap();
    drop(service);
    assert_found(&doctor(directory.path(), "journal:audit", &[]), "losses", "warning", "3 records were lost");
    let strict = doctor(directory.path(), "journal:audit", &["--strict"]);
    assert_eq!(strict.code, 1, "{strict:?}");
    // Nothing vouches for the last line.
    let file = files(&path).pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let (before, last) = text.trim_end().rsplit_once('\n').unwrap();
    let at = last.find("\"recorded_at\":\"").unwrap() + 15;
    let future = format!("{}2999{}", &last[..at], &last[at + 4..]);
    fs::write(&file, format!("{before}\n{future}\n")).unwrap();
    assert_found(&doctor(directory.path(), "journal:audit", &[]), "clock", "failure", "in the future");
    let past = format!("{}2001{}", &last[..at], &last[at + 4..]);
    fs::write(&file, format!("{before}\n{past}\n")).unwrap();
    assert_found(&doctor(directory.path(), "journal:audit", &[]), "clock", "warning", "the clock was set back");
    fs::write(&file, format!("a note\n{before}\n{last}\n")).unwrap();
    let ran = doctor(directory.path(), "journal:audit", &[]);
    assert_found(&ran, "newest file", "failure", "no line of a journal stands here");
}

#[test]
fn delivery_that_stands_still_or_was_refused_is_seen() {
    let (directory, path) = journal();
    let dir = directory.path();
    let journal = small().open(&path).unwrap();
    let store = Store::that(|batch| {
        let poison = |record: &Record| record.detail() == Some("{\"n\":2}");
        if batch.iter().any(poison) { Answer::Reject } else { Answer::Take }
    });
    let start = || Forwarder::builder(&journal, store.clone()).name("store").start().unwrap();
    start().stop(PATIENCE).unwrap();
    let ran = doctor(dir, "journal:audit", &[]);
    assert_found(&ran, "delivery", "ok", "store is 0 records behind");
    assert_found(&ran, "dead letters", "warning", "1 of store wait for somebody");
    write(&journal, 9);
    // What waits was recorded long ago.
    let file = files(&path).pop().unwrap();
    let lines = fs::read_to_string(&file).unwrap();
    let at = lines.rfind("\"recorded_at\":\"").unwrap() + 15;
    fs::write(&file, format!("{}2020{}", &lines[..at], &lines[at + 4..])).unwrap();
    let cursor = path.join("cursors/store.json");
    let text = fs::read_to_string(&cursor).unwrap();
    let at = text.find("\"updated_at\":\"").unwrap() + 14;
    fs::write(&cursor, format!("{}2020{}", &text[..at], &text[at + 4..])).unwrap();
    assert_found(&doctor(dir, "journal:audit", &[]), "delivery", "warning", "store is 1 records behind");
    let seq: Value = serde_json::from_str(&text).unwrap();
    fs::write(&cursor, text.replace(&format!("\"seq\":{}", seq["seq"]), "\"seq\":99")).unwrap();
    assert_found(&doctor(dir, "journal:audit", &[]), "delivery", "failure", "has delivered record 99");
    fs::write(&cursor, "{}").unwrap();
    assert_found(&doctor(dir, "journal:audit", &[]), "delivery", "failure", "is no cursor");
    // What a process has left below.
    fs::write(&cursor, text).unwrap();
    let second = small().or_own_stream().open(&path).unwrap();
    let ran = doctor(dir, "journal:audit", &[]);
    assert_found(&ran, "streams", "ok", "is written by another process");
    drop(second);
    assert_found(&doctor(dir, "journal:audit", &[]), "streams", "warning", "is not delivered to its end");
}

#[test]
fn what_was_not_looked_at_is_not_said_to_be_well() {
    let (directory, path) = written(600);
    let dir = directory.path();
    let older = files(&path).len() - 1;
    assert!(older > 1);
    fs::write(&files(&path)[0], "").unwrap();
    assert_found(&doctor(dir, "journal:audit", &[]), "older files", "unknown", &format!("{older} were not read"));
    run(dir, &["verify", "journal:audit"]).expect(1);
}

#[test]
fn a_journal_that_is_gone_is_seen_by_what_was_delivered_of_it() {
    let (directory, path) = journal();
    let journal = small().open(&path).unwrap();
    Forwarder::builder(&journal, Store::that(|_| Answer::Take)).name("store").start().unwrap().stop(PATIENCE).unwrap();
    drop(journal);
    for file in files(&path) {
        fs::remove_file(file).unwrap();
    }
    let ran = doctor(directory.path(), "journal:audit", &[]);
    assert_found(&ran, "delivery", "failure", "and the journal has no line");
    assert_eq!(ran.code, 1);
}

#[test]
fn what_had_nothing_to_deliver_for_long_does_not_stand_still() {
    let (directory, path) = journal();
    let journal = small().open(&path).unwrap();
    Forwarder::builder(&journal, Store::that(|_| Answer::Take)).name("store").start().unwrap().stop(PATIENCE).unwrap();
    let cursor = path.join("cursors/store.json");
    let text = fs::read_to_string(&cursor).unwrap();
    let at = text.find("\"updated_at\":\"").unwrap() + 14;
    let delivered_in = |year: &str| fs::write(&cursor, format!("{}{year}{}", &text[..at], &text[at + 4..])).unwrap();
    delivered_in("2020");
    write(&journal, 9);
    assert_found(&doctor(directory.path(), "journal:audit", &[]), "delivery", "ok", "store is 1 records behind");
    delivered_in("2120");
    let ran = doctor(directory.path(), "journal:audit", &[]);
    assert_found(&ran, "delivery", "warning", "has delivered last in the future");
}

#[test]
fn the_actions_are_compared_with_a_lock() {
    let (directory, _) = journal();
    let dir = directory.path();
    let lock = |name: &str| {
        let text = format!("version = 1\n[package.a.action.\"{name}\"]\nfrom = [\"event a::E::W\"]\n");
        fs::write(dir.join("audit.lock"), text).unwrap();
    };
    lock("journal.write");
    assert_found(&doctor(dir, "journal:audit", &["--lock", "audit.lock"]), "lock", "ok", "1 actions");
    lock("journal.read");
    let ran = doctor(dir, "journal:audit", &["--lock", "audit.lock"]);
    assert_found(&ran, "lock", "failure", "it does not have journal.write");
    doctor(dir, "journal:audit", &["--lock", "none.lock"]).expect(3);
    doctor(dir, "sqlite:audit.db", &["--lock", "audit.lock"]).expect(2);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_store_in_a_file_is_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let (dir, file) = (directory.path(), directory.path().join("audit.db"));
    drop(audited::SqliteStore::open(&file).unwrap());
    let ran = doctor(dir, "sqlite:audit.db", &[]);
    for name in ["owner and mode", "journal_mode", "layout", "tables and triggers"] {
        assert_found(&ran, name, "ok", "");
    }
    let sql = |sql: &str| rusqlite::Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    sql("CREATE TRIGGER mine AFTER INSERT ON audit_records BEGIN SELECT 1; END");
    assert_found(&doctor(dir, "sqlite:audit.db", &[]), "tables and triggers", "warning", "not of the store: mine");
    // Who has named it so is no friend of terminals.
    sql("CREATE TRIGGER \"\u{1b}[31mred\nok\" AFTER INSERT ON audit_records BEGIN SELECT 1; END");
    let human = run(dir, &["doctor", "sqlite:audit.db"]);
    assert!(human.out.contains("\\u{1b}[31mred\\nok") && !human.out.contains('\u{1b}'), "{human:?}");
    sql("DROP TRIGGER audit_records_no_delete");
    let ran = doctor(dir, "sqlite:audit.db", &[]);
    assert_found(&ran, "tables and triggers", "failure", "audit_records_no_delete");
    assert_eq!(ran.code, 1);
    sql("PRAGMA journal_mode = DELETE");
    assert_found(&doctor(dir, "sqlite:audit.db", &[]), "journal_mode", "failure", "delete");
    sql("UPDATE audit_meta SET value = 99 WHERE key = 'layout'");
    assert_found(&doctor(dir, "sqlite:audit.db", &[]), "layout", "failure", "version 99");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_found(&doctor(dir, "sqlite:audit.db", &[]), "owner and mode", "failure", "chmod 600 it");
    fs::write(dir.join("text"), "hello, this is no database, but a text that is long enough to be asked\n".repeat(20))
        .unwrap();
    assert_found(&doctor(dir, "sqlite:text", &[]), "file", "failure", "is no SQLite database");
    doctor(dir, "sqlite:none.db", &[]).expect(3);
}

#[cfg(feature = "postgres")]
#[test]
fn a_database_as_it_should_be_is_well_and_each_wrong_thing_is_named() {
    let database = crate::servers::postgres::database();
    let directory = tempfile::tempdir().unwrap();
    let examine = |user: &str| doctor(directory.path(), &database.url(user), &[]);
    let ran = examine("service");
    for name in [
        "fsync",
        "full_page_writes",
        "set-up",
        "role",
        "grants",
        "triggers",
        "row level security",
        "partitions",
        "TLS",
        "clocks",
    ] {
        assert_found(&ran, name, "ok", "");
    }
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_found(&examine("postgres"), "role", "failure", "superuser");
    assert_found(&examine("auditor"), "role", "failure", "connect as the service does");
    let sql = |sql: &str| drop(database.sql("postgres", sql));
    sql(
        "CREATE ROLE intruder; GRANT USAGE ON SCHEMA audited TO service; GRANT DELETE ON audited.keys TO intruder; GRANT intruder TO service",
    );
    let ran = examine("service");
    assert_found(&ran, "grants", "failure", "intruder: DELETE on keys");
    assert_found(&ran, "role", "failure", "DELETE on keys");
    sql("REVOKE intruder FROM service; REVOKE ALL ON audited.keys FROM intruder; DROP ROLE intruder");
    sql("ALTER TABLE audited.keys DISABLE TRIGGER refuse");
    assert_found(&examine("service"), "triggers", "failure", "keys: the trigger refuse is not always enabled");
    sql("ALTER TABLE audited.keys ENABLE ALWAYS TRIGGER refuse; DROP TRIGGER refuse ON audited.records_default");
    assert_found(&examine("service"), "triggers", "failure", "records_default: no trigger refuse");
    sql("SELECT audited.guard('audited.records_default')");
    sql("CREATE OR REPLACE FUNCTION audited.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
    assert_found(&examine("service"), "triggers", "failure", "calls another function");
    sql("ALTER TABLE audited.keys DISABLE ROW LEVEL SECURITY");
    assert_found(&examine("service"), "row level security", "failure", "off: keys");
    sql("ALTER DATABASE CURRENT SET synchronous_commit = off".replace("CURRENT", &database.name).as_str());
    assert_found(&examine("service"), "synchronous_commit", "warning", "off");
    sql("DROP SCHEMA audited CASCADE");
    let ran = examine("service");
    assert_found(&ran, "set-up", "failure", "PostgresSetUp");
    assert_eq!(ran.code, 1);
    let away = format!("postgres://service@127.0.0.1:{}/x", crate::servers::free_port());
    doctor(directory.path(), &away, &[]).expect(3);
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_does_not_sync_is_a_failure() {
    let cluster =
        crate::servers::postgres::start_with(&["fsync=off", "full_page_writes=off", "zero_damaged_pages=on"], |_| {});
    let directory = tempfile::tempdir().unwrap();
    let ran = doctor(directory.path(), &cluster.database().url("service"), &[]);
    assert_found(&ran, "fsync", "failure", "set fsync = on");
    assert_found(&ran, "full_page_writes", "failure", "set full_page_writes = on");
    assert_found(&ran, "zero_damaged_pages", "failure", "damaged pages are emptied");
    assert_eq!(ran.code, 1);
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_will_acknowledge_nothing_is_a_failure() {
    let cluster = crate::servers::postgres::start();
    let database = cluster.database();
    let directory = tempfile::tempdir().unwrap();
    let examine = || doctor(directory.path(), &database.url("service"), &[]);
    let ran = examine();
    assert_found(&ran, "room", "unknown", "cannot be seen by a client");
    assert_found(&ran, "records", "unknown", "`audited verify` checks each");
    drop(database.sql("postgres", "ALTER ROLE service SET default_transaction_read_only = on"));
    assert_found(&examine(), "default_transaction_read_only", "failure", "what a store writes is refused");
    drop(database.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'far'"));
    drop(database.sql("postgres", "SELECT pg_reload_conf()"));
    crate::support::eventually("the setting is read", || examine().out.contains("no standby is connected"));
    let ran = examine();
    assert_found(&ran, "durability", "failure", "commits wait for one of far");
    assert_eq!(ran.code, 1);
}

#[cfg(feature = "nats")]
#[test]
fn a_stream_is_looked_at_as_far_as_a_client_can() {
    use audited::NatsOptions;

    let server = crate::servers::nats::start();
    let directory = tempfile::tempdir().unwrap();
    let address = format!("nats://127.0.0.1:{}", server.port());
    let ran = doctor(directory.path(), &format!("{address}/AUDIT"), &[]);
    assert_found(&ran, "stream", "failure", "there is no stream AUDIT");
    drop(NatsOptions::new(&address, "AUDIT").create_stream().connect().unwrap());
    let ran = doctor(directory.path(), &format!("{address}/AUDIT"), &[]);
    assert_found(&ran, "stream", "ok", "keeps what it takes");
    assert_found(&ran, "sync_interval", "unknown", "no client can see that");
    assert_eq!(ran.code, 0);
    forgetful(&address);
    let ran = doctor(directory.path(), &format!("{address}/FORGETFUL"), &[]);
    assert_found(&ran, "stream", "failure", "it is in memory");
    assert!(ran.out.contains("max_age"), "{ran:?}");
    assert_eq!(ran.code, 1);
    let away = format!("nats://127.0.0.1:{}/AUDIT", crate::servers::free_port());
    doctor(directory.path(), &away, &[]).expect(3);
}

/// A stream in memory that forgets.
#[cfg(feature = "nats")]
fn forgetful(address: &str) {
    use async_nats::jetstream::stream::{Config, StorageType};

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(address).await.unwrap();
        let config = Config {
            name: "FORGETFUL".to_owned(),
            subjects: vec!["forgetful.>".to_owned()],
            storage: StorageType::Memory,
            max_age: std::time::Duration::from_secs(60),
            ..Config::default()
        };
        async_nats::jetstream::new(client).create_stream(config).await.unwrap();
    });
}

#[test]
fn each_line_is_one_and_holds_nothing_for_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let name = "au\u{1b}[31mdit";
    let path = directory.path().join(name);
    drop(small().open(&path).unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = run(directory.path(), &["doctor", &format!("journal:{name}")]);
    assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{ran:?}");
    let _ = Journal::inspect(&path).unwrap();
}
