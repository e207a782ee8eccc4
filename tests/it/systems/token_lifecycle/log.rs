//! How it stands in the log.

use audited::{Action, AuditStore, MemoryStore, Query, Recorder, record, record_action, with_recorder_sync};
use serde::{Serialize, Serializer};
use tracing::Level;
use uuid::Uuid;

use super::events::TokenEvent;
use super::*;

#[tokio::test]
async fn the_jti_is_recorded_and_the_bearer_never() {
    let gateway = Gateway::start().await;
    let given = gateway.issue_to_ann().await;
    gateway.call(&given.bearer, "crm/tools/find").await;
    gateway.call(&given.bearer, "mail/tools/find").await;
    gateway.revoke(&given.jti).await;
    gateway.call(&given.bearer, "crm/tools/find").await;
    let all = format!("{:?}", gateway.log.all());
    assert_eq!(all.matches(&given.jti).count(), 3, "issued, used and revoked: {all}");
    assert!(!all.contains(&given.bearer) && !all.contains(&given.bearer[3..20]), "{all}");
}

#[tokio::test]
async fn there_is_one_structured_field_that_holds_the_json() {
    let gateway = Gateway::start().await;
    gateway.issue_to_ann().await;
    let [line] = &gateway.records()[..] else { panic!("one line") };
    assert_eq!(line.fields.keys().copied().collect::<Vec<_>>(), ["audit"]);
    let audit = json_of(line);
    assert_eq!((&audit["action"], &audit["outcome"]), (&json!("token.issued"), &json!("success")));
}

#[test]
fn a_serialization_error_warns_and_never_panics() {
    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("s3cret"))
        }
    }

    let log = Log::default();
    tracing::dispatcher::with_default(&log.dispatch(), || {
        let recorder =
            events::recorder(KeyRing::new("2026", [7; 32]).unwrap()).allow_weak_fail_closed().build().unwrap();
        let issued =
            || record_action(Action::new("token.issued")).fields(|fields| fields.plain("tools", &Broken)).wait();
        with_recorder_sync(recorder, issued).unwrap();
    });
    let [warning] = &log.on("audited::unexpected")[..] else { panic!("one warning") };
    assert_eq!((warning.level, &*warning.fields["flag"]), (Level::WARN, "unencodable"));
    let issued = log.on(TRACING_TARGET).iter().map(json_of).find(|audit| audit["action"] == "token.issued").unwrap();
    assert_eq!(issued["detail"], json!({"tools": "<unencodable>"}));
    assert!(!format!("{:?}", log.all()).contains("s3cret"));
}

#[tokio::test]
async fn denied_and_invalid_are_at_warn_and_the_others_at_info() {
    let gateway = Gateway::start().await;
    let short = gateway.issue(&json!({"email": ANN, "name": "Ann", "backends": ["crm"], "ttl_ms": 0})).await;
    let given = gateway.issue_to_ann().await;
    gateway.call(&short.bearer, "crm/tools/find").await;
    gateway.call(&given.bearer, "crm/tools/find").await;
    gateway.call(&given.bearer, "mail/tools/find").await;
    gateway.call("gw_guessed", "mail/tools/find").await;
    gateway.revoke(&given.jti).await;
    let mut levels: Vec<_> = gateway
        .records()
        .iter()
        .map(|line| (json_of(line)["action"].as_str().unwrap().to_owned(), line.level))
        .collect();
    levels.sort();
    levels.dedup();
    let expected = [
        ("token.denied", Level::WARN),
        ("token.expired", Level::INFO),
        ("token.invalid", Level::WARN),
        ("token.issued", Level::INFO),
        ("token.revoked", Level::INFO),
        ("token.used", Level::INFO),
    ];
    assert_eq!(levels, expected.map(|(action, level)| (action.to_owned(), level)));
}

#[tokio::test]
async fn address_and_name_are_keyed_hashes() {
    let gateway = Gateway::start().await;
    gateway.issue_to_ann().await;
    let audit = gateway.audit("token.issued");
    let is_hash = |value: &Value| value.as_str().is_some_and(|text| text.starts_with("hash:2026:"));
    assert!(is_hash(&audit["actor"]["id"]) && is_hash(&audit["detail"]["name"]), "{audit}");
    let all = format!("{:?}", gateway.log.all());
    assert!(!all.contains(ANN) && !all.contains("Smith"), "{all}");
}

#[tokio::test]
async fn an_identity_is_found_by_its_hash_in_the_log() {
    let gateway = Gateway::start().await;
    let given = gateway.issue_to_ann().await;
    gateway.issue(&json!({"email": "bob@example.org", "name": "Bob", "backends": ["crm"], "ttl_ms": 1000})).await;
    gateway.call(&given.bearer, "crm/tools/find").await;
    gateway.revoke(&given.jti).await;
    let (ann, all) = (gateway.shown(ANN), gateway.records());
    let actions: Vec<_> = all.iter().filter(|line| line.fields["audit"].contains(&ann)).map(json_of).collect();
    let actions: Vec<_> = actions.iter().map(|audit| audit["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["token.issued", "token.used", "token.revoked"]);
}

#[tokio::test]
async fn an_identity_is_found_by_its_hash_in_a_store() {
    let (store, keys) = (MemoryStore::new(), KeyRing::new("2026", [7; 32]).unwrap());
    let recorder = Recorder::builder().sink(store.clone()).keys(keys.clone()).allow_weak_fail_closed().build().unwrap();
    with_recorder_sync(recorder, || {
        for email in [ANN, "bob@example.org"] {
            record(&TokenEvent::Used { jti: Uuid::now_v7() }).actor(events::identity(email)).wait().unwrap();
        }
    });
    let reader = store.global("test").unrecorded();
    let found = reader.page(&Query::new().user(events::shown(&keys, ANN))).await.unwrap().records;
    assert_eq!(found.len(), 1);
}
