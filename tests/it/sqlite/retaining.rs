//! Removing what is old: recorded, within bounds, and nothing else.

use audited::{AuditStore, LegalHold, Query, Record, SqliteRetained, StoreError, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Fresh, carried, count, found, fresh, plain, texts};
use crate::contract::block_on;

fn at(second: u32) -> Timestamp {
    format!("2026-01-01T00:00:{second:02}Z").parse().unwrap()
}

fn old(n: u32, extra: &[(&str, Value)]) -> Record {
    let mut json = json!({
        "schema": 1, "id": Uuid::from_u128(u128::from(n) + 1), "action": "old.write", "tenant": "acme",
        "occurred_at": at(n).to_string(), "recorded_at": at(n).to_string(),
        "subjects": [{"kind": "user", "id": "u-1"}],
    });
    json.as_object_mut().unwrap().extend(extra.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    carried(&json)
}

fn twenty() -> Fresh {
    let fresh = fresh();
    fresh.write(&(0..20).map(|n| old(n, &[])).collect::<Vec<_>>());
    fresh
}

fn retain(fresh: &Fresh, before: u32) -> SqliteRetained {
    block_on(fresh.store.retain(at(before))).unwrap()
}

fn detail(record: &audited::StoredRecord) -> Value {
    serde_json::from_str(record.detail().unwrap()).unwrap()
}

#[test]
fn what_is_old_goes_and_a_record_says_so() {
    let fresh = twenty();
    let retained = retain(&fresh, 15);
    assert_eq!((retained.removed, retained.held, retained.recorded), (15, 0, 1));
    assert_eq!(count(&fresh.store, &Query::new().action("old.write")), 5);
    assert_eq!(count(&fresh.store, &Query::new().user("u-1")), 5, "those it is about are gone, too");
    let [tombstone] = &found(&fresh.store, &Query::new().action("audit.retained"))[..] else { panic!() };
    let detail = detail(tombstone);
    assert_eq!(detail["records"], 15);
    assert_eq!((&detail["first_position"], &detail["last_position"]), (&json!(1), &json!(15)));
    assert_eq!(detail["before"], at(15).to_string());
    assert_eq!((&detail["first_at"], &detail["last_at"]), (&json!(at(0).to_string()), &json!(at(14).to_string())));
    assert_eq!(detail["digest"].as_str().unwrap().len(), 64);

    assert_eq!(retain(&fresh, 15), SqliteRetained::default(), "nothing is left to remove, and nothing is recorded");
    assert!(block_on(fresh.store.check()).unwrap().is_sound());
    // The triggers refuse as before.
    plain(&fresh.path).execute("DELETE FROM audit_records WHERE position = 16", []).unwrap_err();
}

#[test]
fn the_digest_is_that_of_what_went() {
    use sha2::{Digest as _, Sha256};

    let fresh = twenty();
    let mut digest = Sha256::new();
    for n in 0..4 {
        let record = old(n, &[]);
        let row = audited::Row::of(&record).unwrap();
        digest.update(row.id.as_uuid().as_bytes());
        digest.update(row.digest);
    }
    retain(&fresh, 4);
    let bytes: [u8; 32] = digest.finalize().into();
    let retained = detail(&found(&fresh.store, &Query::new().action("audit.retained"))[0]);
    let text = retained["digest"].as_str().unwrap();
    let told: Vec<_> = (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect();
    assert_eq!(told, bytes);
}

#[test]
fn positions_are_not_given_twice() {
    let fresh = twenty();
    let before = block_on(fresh.store.position()).unwrap();
    retain(&fresh, 59);
    retain(&fresh, 59);
    assert_eq!(texts(&fresh.path).len(), 1, "the record of it");
    let after = block_on(fresh.store.position()).unwrap();
    assert!(after.as_bytes() > before.as_bytes());
    fresh.write(&[old(30, &[])]);
    assert!(block_on(fresh.store.position()).unwrap().as_bytes() > after.as_bytes());
    let reader = fresh.store.global("test").unrecorded();
    let arrivals = block_on(reader.since(&Query::new(), audited::Since::Beginning)).unwrap();
    assert_eq!(arrivals.records.len(), 2);
    assert!(!arrivals.more);
}

#[test]
fn many_go_in_several_transactions_each_with_its_record() {
    let fresh = fresh();
    let many = |n: u32| {
        carried(&json!({
            "schema": 1, "id": Uuid::from_u128(u128::from(n)), "action": "old.write",
            "occurred_at": format!("2026-01-01T00:00:00.{n:06}Z"),
        }))
    };
    fresh.write(&(0..5_000).map(many).collect::<Vec<_>>());
    let retained = retain(&fresh, 1);
    assert_eq!(retained.removed, 5_000);
    assert!(retained.recorded > 1);
    let tombstones = found(&fresh.store, &Query::new().action("audit.retained"));
    let removed: u64 = tombstones.iter().map(|record| detail(record)["records"].as_u64().unwrap()).sum();
    assert_eq!((tombstones.len() as u64, removed), (retained.recorded, 5_000));
}

#[test]
fn what_is_held_stays_until_the_hold_is_lifted() {
    let fresh = twenty();
    let hold = LegalHold::new("case-17", "litigation").from(at(5)).to(at(7));
    block_on(fresh.store.place_hold(hold.clone())).unwrap();
    assert!(matches!(block_on(fresh.store.place_hold(hold.clone())), Err(StoreError::Failed(_))));
    assert_eq!(block_on(fresh.store.holds()).unwrap(), [hold]);
    let retained = retain(&fresh, 10);
    assert_eq!((retained.removed, retained.held), (7, 3));
    assert_eq!(count(&fresh.store, &Query::new().action("old.write").until(at(10))), 3);

    block_on(fresh.store.lift_hold("case-17", "settled")).unwrap();
    assert!(matches!(block_on(fresh.store.lift_hold("case-17", "settled")), Err(StoreError::Failed(_))));
    assert_eq!(retain(&fresh, 10).removed, 3);
    for action in ["audit.hold_placed", "audit.hold_lifted"] {
        assert_eq!(found(&fresh.store, &Query::new().action(action)).len(), 1, "{action}");
    }
    assert_eq!(detail(&found(&fresh.store, &Query::new().action("audit.hold_lifted"))[0])["reason"], "settled");
}

#[test]
fn a_call_does_not_become_an_orphan() {
    let fresh = fresh();
    let call = Uuid::from_u128(9);
    // The intent is held, its final record is not.
    fresh.write(&[old(
        1,
        &[("stage", json!("intent")), ("call", json!(call)), ("recorded_at", json!(at(50).to_string()))],
    )]);
    fresh.write(&[old(2, &[("id", json!(call))]), old(3, &[])]);
    block_on(fresh.store.place_hold(LegalHold::new("late", "of what came late").from(at(40)))).unwrap();
    let retained = retain(&fresh, 30);
    assert_eq!((retained.removed, retained.held), (1, 2));
    assert_eq!(count(&fresh.store, &Query::new().orphans()), 0);
    assert_eq!(count(&fresh.store, &Query::new().action("old.write")), 1);
}
