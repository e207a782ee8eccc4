//! Counting, and what has no end.

use serde_json::{Value, json};

use super::places;
use super::places::empty;
use crate::stores::made::{id, made};

#[test]
fn everything_is_counted_once() {
    for place in places() {
        let ran = place.run(
            &["stats", "--json"],
            &[
                "--all-tenants",
                "--reason",
                "t",
                "--unrecorded",
                "--since",
                "2023-11-14T22:00:00Z",
                "--until",
                "2023-11-15",
            ],
        );
        let stats: Value = serde_json::from_str(&ran.expect(0)).unwrap();
        let expected = json!({
            "records": 6,
            "first": "2023-11-14T22:13:21.000000Z",
            "last": "2023-11-14T22:13:26.000000Z",
            "actions": { "door.open": 3, "account.transfer": 1, "vault.open": 1, "door.close": 1 },
            "decisions": { "allow": 1, "deny missing_scope": 1 },
            "outcomes": { "success": 3, "failure no_funds": 1 },
            "severities": { "warning": 1 },
            "days": { "2023-11-14": 6 },
            "tenants": { "acme": 5, "other": 1 },
            "gaps": 0, "lost": 0, "orphans": 1,
        });
        assert_eq!(stats, expected, "{}", place.kind);
    }
}

#[test]
fn people_see_what_is_most() {
    for place in places() {
        let out = place.ask(&["stats", "--utc"], &["--top", "1"]).expect(0);
        let expected = "\
RECORDS  FIRST                    LAST                     ORPHANS  GAPS  LOST
5        2023-11-14 22:13:21.000  2023-11-14 22:13:26.000  1        0     0

ACTION     RECORDS
door.open  2
and 3 more: --top 4
";
        assert!(out.starts_with(expected), "{}: {out}", place.kind);
    }
}

#[test]
fn what_was_lost_is_counted() {
    for place in empty() {
        place.write(&[
            made("g", json!({ "action": "audit.gap", "kind": "system", "detail": { "lost": 7 } })),
            made("h", json!({ "action": "audit.gap", "detail": { "lost": 5 } })),
        ]);
        let ran = place.run(&["stats", "--json"], &["--all-tenants", "--reason", "t", "--unrecorded"]);
        let stats: Value = serde_json::from_str(&ran.expect(0)).unwrap();
        assert_eq!((&stats["gaps"], &stats["lost"]), (&json!(2), &json!(12)), "{}", place.kind);
    }
}

#[test]
fn a_call_without_an_end_is_a_finding_until_its_end_arrives() {
    for place in places() {
        let ran = place.ask(&["orphans", "--json"], &[]);
        assert_eq!((ran.code, ran.lines().len()), (1, 1), "{}: {ran:#?}", place.kind);
        assert!(ran.out.contains("\"vault.open\""));
        let table = place.ask(&["orphans"], &[]);
        assert!(table.out.contains("no end recorded"), "{}", table.out);
        assert_eq!(place.ask(&["orphans"], &["--until", "2023-11-14T22:13:24Z"]).expect(0), "no records\n");
        place.write(&[made("end", json!({ "id": id(40), "tenant": "acme", "action": "vault.open", "kind": "call" }))]);
        assert_eq!(place.ask(&["orphans"], &[]).expect(0), "no records\n", "{}", place.kind);
        assert_eq!(place.ask(&["query", "--json"], &["--action", "vault.open"]).lines().len(), 1, "its end alone");
    }
}
