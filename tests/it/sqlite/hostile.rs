//! Whatever texts anybody passes.

use audited::{Action, AuditStore, Query, Record};
use serde_json::json;
use uuid::Uuid;

use super::{carried, count, found, fresh};
use crate::contract::block_on;

const TEXTS: &[&str] = &[
    "",
    "\0",
    "a\0b",
    "a",
    "a\0",
    "%",
    "_",
    "a%",
    "'; DROP TABLE audit_records; --",
    "\"",
    "?1",
    "*",
    "[a]",
    "NULL",
    "1",
    "1.0",
    "x'61'",
    "\u{10ffff}",
    "\u{feff}a",
    "A",
    "\u{e4}",
    "a\u{308}",
];

#[test]
fn each_text_finds_its_own_record_and_no_other() {
    let fresh = fresh();
    for (n, text) in TEXTS.iter().enumerate() {
        fresh.write(&[carried(&json!({
            "schema": 1, "id": Uuid::from_u128(n as u128), "action": text, "tenant": text, "stream": text, "seq": 1,
            "actor": {"kind": "user", "id": text}, "subjects": [{"kind": text, "id": text}],
            "resource": {"kind": text, "id": text}, "decision": "deny", "reason": text, "outcome": "failure",
            "code": text, "correlation_id": text, "detail": {"x": text},
        }))]);
    }
    for (n, text) in TEXTS.iter().enumerate() {
        let queries = [
            Query::new().action(*text),
            Query::new().user(*text),
            Query::new().subject(*text, *text),
            Query::new().resource(*text, *text),
            Query::new().resource_kind(*text),
            Query::new().deny_reason(*text),
            Query::new().failure_code(*text),
            Query::new().correlation_id(*text),
            Query::new().text("detail.x", *text),
        ];
        for query in queries {
            let found = found(&fresh.store, &query);
            assert_eq!(found.len(), 1, "{text:?} {query:?}");
            assert_eq!(found[0].id().unwrap().as_uuid(), Uuid::from_u128(n as u128));
            assert_eq!(count(&fresh.store, &query), 1);
        }
        let prefixed = found(&fresh.store, &Query::new().action_prefix(*text)).len();
        assert_eq!(prefixed, TEXTS.iter().filter(|other| other.starts_with(text)).count(), "{text:?}");
        if let Ok(page) = block_on(fresh.store.tenant(*text).unrecorded().page(&Query::new())) {
            assert_eq!(page.records.len(), 1, "{text:?}");
        }
    }
    assert!(block_on(fresh.store.check()).unwrap().is_sound());
}

#[test]
fn a_large_text_is_kept_and_found() {
    let fresh = fresh();
    let text = "x\0'%".repeat(3 << 20);
    let record = carried(&json!({"schema": 1, "id": Uuid::from_u128(1), "action": "large", "detail": {"x": text}}));
    fresh.write(std::slice::from_ref(&record));
    let found = found(&fresh.store, &Query::new().action("large"));
    assert_eq!(found[0].json(), record.json());
}

#[test]
fn many_texts_and_prefixes_are_asked_at_once() {
    let fresh = fresh();
    fresh.write(&[Record::builder(Action::new("many.x700")).build()]);
    let mut prefixes = Query::new();
    for n in 0..900 {
        prefixes = prefixes.action_prefix(format!("many.x{n}"));
    }
    assert_eq!(found(&fresh.store, &prefixes).len(), 1);
    assert_eq!(found(&fresh.store, &Query::new().actions((0..900).map(|n| format!("many.x{n}")))).len(), 1);
}
