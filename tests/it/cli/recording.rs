//! That somebody reads is recorded, before anything is read.

use audited::{Journal, StoredRecord};

use super::{places, run};

/// The records of readings in a journal.
fn readings(directory: &std::path::Path) -> Vec<StoredRecord> {
    let records = Journal::read(directory).unwrap().map(Result::unwrap);
    records.filter(|record| record.action() == "audit.read").collect()
}

#[test]
fn a_store_records_what_is_read_of_it_and_a_journal_has_one_beside_it() {
    for place in places() {
        let ran = place.run(&["query", "--json"], &["--tenant", "acme", "--as", "ann", "--denied"]);
        assert_eq!((ran.code, ran.lines().len()), (0, 1), "{}: {ran:#?}", place.kind);
        let read = if place.kind == "journal" {
            assert!(ran.err.contains("audit-reads from now on"), "{}", ran.err);
            let again = place.run(&["query", "--json"], &["--tenant", "acme"]);
            assert_eq!((again.code, &*again.err), (0, ""), "it is said once");
            readings(&place.directory().join("audit-reads")).remove(0)
        } else {
            let reads = place.ask(&["query", "--json"], &["--action", "audit.read"]).expect(0);
            StoredRecord::parse(reads.trim()).unwrap()
        };
        let user = read.actor().unwrap();
        assert_eq!(user.kind, Some(audited::ActorKind::User));
        let name = String::from_utf8(std::process::Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        assert!(user.id.unwrap().starts_with(&format!("{}@", name.trim())));
        assert_eq!(read.on_behalf_of().unwrap().id.as_deref(), Some("ann"));
        assert_eq!(read.tenant().as_deref(), Some("acme"));
        assert_eq!(read.detail(), Some(r#"{"reading":"page","scope":"tenant","filter":[{"decision":"deny"}]}"#));
    }
}

#[test]
fn the_environment_does_not_say_who_reads() {
    let place = places().remove(0);
    let mut program = place.program();
    program.env("USER", "mallory").env("LOGNAME", "mallory").env("SUDO_USER", "mallory");
    program.args(["query", &place.url, "--tenant", "acme"]);
    super::finish(&mut program).expect(0);
    let read = readings(&place.directory().join("audit-reads")).remove(0);
    assert!(!read.json().contains("mallory"), "{}", read.json());
}

#[test]
fn every_reading_command_records_one_reading() {
    for command in ["query", "tail", "stats", "orphans", "export"] {
        for place in places() {
            let to = place.directory().join("elsewhere");
            let to = format!("journal:{}", to.display());
            let ran = place.run(&[command], &["--all-tenants", "--reason", "an audit", "--record-to", &to]);
            assert!(ran.code < 2, "{}: {command}: {ran:#?}", place.kind);
            let read = readings(&place.directory().join("elsewhere"));
            assert_eq!(read.len(), 1, "{}: {command}: {read:#?}", place.kind);
            assert!(
                read[0].detail().unwrap().contains(r#""scope":"global","reason":"an audit""#),
                "{}",
                read[0].json()
            );
            let reads = place.run(
                &["query", "--json"],
                &["--all-tenants", "--reason", "x", "--unrecorded", "--action", "audit.read"],
            );
            assert_eq!(reads.out, "", "it is recorded elsewhere alone");
        }
    }
}

#[test]
fn what_is_not_recorded_is_said() {
    for place in places() {
        let ran = place.ask(&["query", "--json"], &["--denied"]);
        assert!(ran.err.contains("audited: nothing records this reading (--unrecorded)"), "{}", ran.err);
        let reads = place.ask(&["query", "--json"], &["--action", "audit.read"]);
        assert_eq!(reads.expect(0), "", "{}", place.kind);
        assert!(!place.directory().join("audit-reads").exists());
    }
}

#[test]
fn many_readings_share_a_file() {
    let place = places().remove(0);
    for _ in 0..12 {
        place.run(&["query", "--json"], &["--tenant", "acme"]).expect(0);
        place.run(&["stats"], &["--tenant", "acme", "--record-to", "journal:elsewhere"]).expect(0);
    }
    for name in ["audit-reads", "elsewhere"] {
        let path = place.directory().join(name);
        assert_eq!(crate::journal::files(&path).len(), 1, "{name}");
        assert_eq!(readings(&path).len(), 12, "{name}");
        run(place.directory(), &["verify", &format!("journal:{name}")]).expect(0);
        // Nothing is wrong with a journal whose last file is open for the next reading.
        let doctor = run(place.directory(), &["doctor", &format!("journal:{name}"), "--no-probe"]);
        assert_eq!(doctor.code, 0, "{doctor:#?}");
    }
}

#[test]
fn where_a_reading_cannot_be_recorded_nothing_is_read() {
    for place in places() {
        std::fs::write(place.directory().join("file"), "no journal").unwrap();
        let ran = place.run(&["query", "--json"], &["--tenant", "acme", "--record-to", "journal:file"]);
        assert_eq!((ran.code, &*ran.out), (3, ""), "{}: {ran:#?}", place.kind);
        assert!(ran.err.contains("file is a regular file, and a journal is a directory"), "{}", ran.err);
    }
    let place = places().remove(0);
    std::fs::write(place.directory().join("audit-reads"), "in the way").unwrap();
    let ran = place.run(&["export"], &["--tenant", "acme"]);
    assert_eq!((ran.code, &*ran.out), (3, ""));
    assert!(ran.err.contains("--record-to URL") && ran.err.contains("--unrecorded"), "{}", ran.err);
}

#[cfg(feature = "postgres")]
#[test]
fn a_role_that_may_not_write_reads_nothing_unless_it_is_recorded_elsewhere() {
    let database = crate::servers::postgres::database();
    let place = tempfile::tempdir().unwrap();
    let url = database.url("service");
    database.sql("postgres", "REVOKE INSERT ON ALL TABLES IN SCHEMA audited FROM audited_writer");
    let ran = run(place.path(), &["query", &url, "--tenant", "acme"]);
    assert_eq!((ran.code, &*ran.out), (3, ""), "{ran:#?}");
    assert!(ran.err.contains("the reading was not recorded"), "{}", ran.err);
    assert!(ran.err.contains("--record-to URL"), "{}", ran.err);
    let ran = run(place.path(), &["query", &url, "--tenant", "acme", "--record-to", "journal:reads"]);
    assert_eq!((ran.code, &*ran.out), (0, "no records\n"), "{ran:#?}");
}
