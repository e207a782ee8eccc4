//! Data that would act on a terminal, a spreadsheet or a log.

use serde_json::json;

use super::places::empty;
use crate::stores::made::{id, made};

/// What a terminal, or whoever reads it, would act on or not see.
const HOSTILE: &str =
    "\u{1b}[31m\u{1b}]0;t\u{7}\u{9b}2J\r\n\t\u{0}\u{8}\u{7f}\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{ad}\u{e0041}";

fn is_harmless(text: &str) -> bool {
    !text.chars().any(|c| c != '\n' && (c.is_control() || !c.is_ascii() && HOSTILE.contains(c)))
}

#[test]
fn nothing_that_a_terminal_acts_on_is_printed() {
    let text = format!("a{HOSTILE}z");
    let record = made(
        "hostile",
        json!({
            "id": id(1), "tenant": text, "action": text, "decision": "deny", "reason": text, "outcome": "failure", "code": text,
            "actor": { "kind": "user", "id": text }, "resource": { "kind": text, "id": text }, "correlation_id": text,
            "subjects": [{ "kind": text, "id": text }], "severity": text, "detail": { (text.clone()): { "deep": text } }, (text.clone()): text,
        }),
    );
    for place in empty() {
        place.write(std::slice::from_ref(&record));
        let all = ["--all-tenants", "--reason", "test", "--unrecorded"];
        for words in [
            &["query"][..],
            &["tail"],
            &["stats"],
            &["show", "01900000-0000-7000-8000-000000000001"],
            &["query", "--ids", "--color", "never"],
        ] {
            let ran = place.run(words, &all);
            assert_eq!(ran.code, 0, "{}: {words:?}: {ran:#?}", place.kind);
            assert!(is_harmless(&ran.out), "{}: {words:?}: {ran:#?}", place.kind);
            assert!(ran.out.contains(r"\u{1b}[31m"), "{}: {words:?}: {ran:#?}", place.kind);
        }
        let csv = place.run(&["export", "--format", "csv"], &all).expect(0);
        assert!(is_harmless(&csv.replace("\r\n", "\n")), "{csv:?}");
        let ran =
            place.run(&["query", "--json"], &[&all[..], &["--id", "01900000-0000-7000-8000-000000000001"]].concat());
        assert!(ran.out.contains(record.json()) || place.kind == "journal", "byte for byte: {ran:#?}");
        assert_eq!(ran.lines().len(), 1);
    }
}

#[test]
fn hostile_arguments_are_escaped_in_what_is_said_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let text = HOSTILE.replace('\0', "");
    for option in ["--since", "--actor", "--id", "--text"] {
        let ran = super::run(directory.path(), &["query", "journal:.", "--tenant", "a", "--unrecorded", option, &text]);
        assert_eq!(ran.code, 2);
        assert!(is_harmless(&ran.err), "{option}: {ran:#?}");
    }
    for arguments in [vec![&*text], vec!["query", "--limit", &text], vec!["query", "a", &text]] {
        let ran = super::run(directory.path(), &arguments);
        assert!(ran.code == 2 && is_harmless(&ran.err), "{ran:#?}");
    }
    for url in [text.clone(), format!("journal:{text}"), format!("mysql://{text}")] {
        let ran = super::run(directory.path(), &["query", &url, "--tenant", "a", "--unrecorded"]);
        assert!(ran.code >= 2 && is_harmless(&ran.err), "{ran:#?}");
    }
}

#[test]
fn no_text_is_a_formula_in_a_spreadsheet() {
    let formulas = ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "'=1", "\t=1", "＝1", "|x"];
    let records: Vec<_> = (1..)
        .zip(formulas)
        .map(|(n, text)| made("f", json!({ "id": id(n), "action": "a", "actor": { "kind": "user", "id": text } })))
        .collect();
    for place in empty() {
        place.write(&records);
        let csv = place
            .run(&["export", "--format", "csv"], &["--all-tenants", "--reason", "t", "--unrecorded", "--action", "a"])
            .expect(0);
        assert_eq!(csv.lines().count(), formulas.len() + 1);
        for row in csv.lines().skip(1) {
            let actor = row.split(',').nth(8).unwrap();
            assert!(actor.trim_start_matches('"').starts_with('\''), "{}: {row}", place.kind);
        }
    }
}
