//! Finding records: the words of `Query`, on every kind of place alike.

use serde_json::Value;

use super::{Ran, places, seeds};

/// The names of the records that were printed as JSON lines.
fn names(ran: &Ran) -> Vec<String> {
    let name = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["detail"]["name"].as_str().unwrap_or("?").to_owned()
    };
    ran.lines().into_iter().map(name).collect()
}

#[test]
fn every_word_of_a_query_finds_the_same_everywhere() {
    let asked: &[(&[&str], &[&str])] = &[
        (&[], &["six", "four", "three", "two", "one"]),
        (&["--oldest-first"], &["one", "two", "three", "four", "six"]),
        (&["--limit", "2"], &["six", "four"]),
        (&["--limit", "2", "--offset", "1"], &["four", "three"]),
        (&["--action", "door.open"], &["two", "one"]),
        (&["--action", "door.open", "--action", "vault.open"], &["four", "two", "one"]),
        (&["--action-prefix", "door."], &["six", "two", "one"]),
        (&["--user", "u-17"], &["three", "one"]),
        (&["--actor", "user:u-18"], &["two"]),
        (&["--actor", "service"], &["three"]),
        (&["--subject", "user:u-17"], &["three"]),
        (&["--resource", "account:42"], &["three"]),
        (&["--resource", "account"], &["three"]),
        (&["--allowed"], &["one"]),
        (&["--denied"], &["two"]),
        (&["--deny-reason", "missing_scope"], &["two"]),
        (&["--deny-reason", "closed"], &[]),
        (&["--outcome", "failure"], &["three"]),
        (&["--failure-code", "no_funds"], &["three"]),
        (&["--correlation-id", "req-1"], &["three"]),
        (&["--kind", "call"], &["four", "three"]),
        (&["--text", "detail.method=card"], &["six"]),
        (&["--since", "2023-11-14T22:13:23Z"], &["six", "four", "three"]),
        (&["--until", "2023-11-14T22:13:23Z"], &["two", "one"]),
        (&["--since", "2023-11-14", "--until", "2023-11-15"], &["six", "four", "three", "two", "one"]),
        (&["--since", "2h"], &[]),
        (&["--id", "01900000-0000-7000-8000-000000000003"], &["three"]),
    ];
    for place in places() {
        for (words, expected) in asked {
            let ran = place.ask(&["query", "--json"], words);
            assert_eq!(ran.code, 0, "{}: {words:?}: {ran:#?}", place.kind);
            assert_eq!(names(&ran), *expected, "{}: {words:?}", place.kind);
        }
    }
}

#[test]
fn json_is_what_is_stored_byte_for_byte() {
    let expected: Vec<_> = seeds().iter().map(|record| record.json().to_owned()).collect();
    for place in places() {
        let ran = place.ask(&["query", "--json"], &["--action", "door.close"]);
        let line = ran.expect(0);
        let line = line.strip_suffix('\n').unwrap();
        if place.kind == "journal" {
            // It has a place in the stream there.
            let file = std::fs::read_to_string(place.directory().join("audit/audit-0000000001.jsonl")).unwrap();
            assert!(file.lines().any(|stored| stored == line), "{line}");
        } else {
            assert!(expected.iter().any(|stored| stored == line), "{}: {line}", place.kind);
        }
    }
}

#[test]
fn pages_go_on_where_the_one_before_has_ended() {
    for place in places() {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let mut words = vec!["--limit", "2"];
            words.extend(after.iter().flat_map(|cursor| ["--after", cursor]));
            let ran = place.ask(&["query", "--json"], &words);
            found.extend(names(&ran));
            after = ran.err.lines().find_map(|line| Some(line.split_once("--after ")?.1.to_owned()));
            ran.expect(0);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, ["six", "four", "three", "two", "one"], "{}", place.kind);
    }
}

#[test]
fn a_page_of_the_last_hours_goes_on_with_the_same_moments() {
    for place in places() {
        let ran = place.ask(&["query", "--json"], &["--since", "100y", "--until", "now", "--limit", "4"]);
        assert_eq!(names(&ran), ["six", "four", "three", "two"], "{}: {ran:#?}", place.kind);
        let (_, rest) = ran.err.trim().split_once("go on with ").unwrap();
        let rest: Vec<_> = rest.split(' ').collect();
        let next = place.ask(&["query", "--json"], &[&["--limit", "4"], &rest[..]].concat());
        assert_eq!(names(&next), ["one"], "{}: {rest:?}: {next:#?}", place.kind);
    }
}

#[test]
fn a_cursor_of_another_question_is_refused() {
    for place in places() {
        let ran = place.ask(&["query"], &["--limit", "1"]);
        let (_, cursor) = ran.err.trim().split_once("--after ").unwrap();
        let other = place.ask(&["query"], &["--limit", "1", "--denied", "--after", cursor]);
        assert_eq!((other.code, &*other.out), (2, ""), "{}", place.kind);
        assert!(other.err.contains("--after: not a cursor of this reading"), "{}", other.err);
    }
}

#[test]
fn people_see_a_table_in_their_zone() {
    for place in places() {
        let ran = place.ask(&["query", "--utc"], &["--action-prefix", "door.", "--until", "2023-11-14T22:13:26Z"]);
        let expected = "\
TIME (UTC)               ACTION     DECISION            ACTOR      RESOURCE  OUTCOME
2023-11-14 22:13:22.000  door.open  deny missing_scope  user:u-18
2023-11-14 22:13:21.000  door.open  allow               user:u-17            success
";
        assert_eq!(ran.expect(0), expected, "{}", place.kind);
        let mut berlin = place.program();
        berlin.env("TZ", "Europe/Berlin").args(["query", &place.url, "--tenant", "acme", "--unrecorded", "--denied"]);
        let ran = super::finish(&mut berlin);
        assert!(ran.out.contains("2023-11-14 23:13:22.000"), "{ran:#?}");
        berlin.arg("--since").arg("2023-11-14T23:13:23");
        assert_eq!(super::finish(&mut berlin).out, "no records\n", "a moment without a zone is local, too");
    }
}

#[test]
fn all_of_one_record_is_shown_and_one_that_is_not_there_is_a_finding() {
    const ID: &str = "01900000-0000-7000-8000-000000000003";
    for place in places() {
        let ran = place.ask(&["show", ID, "--utc"], &[]);
        let shown =
            ran.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
        for expected in [
            "occurred_at 2023-11-14 22:13:23.000000 +00:00",
            "actor service:billing",
            "resource account:42",
            "code no_funds",
            r#"detail {"name":"three"}"#,
        ] {
            assert!(shown.iter().any(|line| line == expected), "{}: {expected}: {ran:#?}", place.kind);
        }
        assert_eq!(ran.code, 0);
        let json = place.ask(&["show", ID, "--json"], &[]);
        assert_eq!(names(&json), ["three"]);
        let turned = place.run(&["show", "--json"], &[ID, "--tenant", "acme", "--unrecorded"]);
        assert_eq!((turned.code, &turned.out), (0, &json.out), "{}: {turned:#?}", place.kind);
        let missing = place.ask(&["show", "01900000-0000-7000-8000-000000000099"], &[]);
        assert_eq!((missing.code, &*missing.out), (1, ""));
        assert!(missing.err.contains("has no record 01900000-0000-7000-8000-000000000099"), "{}", missing.err);
        let other = place.ask(&["show", "01900000-0000-7000-8000-000000000005"], &[]);
        assert_eq!((other.code, &*other.out), (1, ""), "a record of another tenant is none");
    }
}

#[test]
fn a_journal_is_read_while_a_service_writes_it_and_is_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let journal = audited::Journal::open(directory.path().join("audit")).unwrap();
    crate::contract::block_on(audited::AuditSink::write(&journal, &seeds())).unwrap();
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(journal.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect::<Vec<_>>()
    };
    let before = files();
    let arguments = ["query", "journal:audit", "--tenant", "acme", "--unrecorded", "--json"];
    assert_eq!(names(&super::run(directory.path(), &arguments)).len(), 5);
    assert_eq!(files(), before);
}

#[test]
fn damage_costs_the_lines_that_it_is_in_and_is_a_finding() {
    let place = places().remove(0);
    let file = place.directory().join("audit/audit-0000000001.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("\"door.close\"", "\"door.clos", 1)).unwrap();
    let ran = place.ask(&["query", "--json"], &[]);
    assert_eq!(names(&ran), ["four", "three", "two", "one"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("audited: damaged: "), "{}", ran.err);
    assert!(ran.err.contains("audit-0000000001.jsonl, line 7: "), "{}", ran.err);
}
