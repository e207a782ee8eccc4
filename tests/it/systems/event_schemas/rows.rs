//! What a client sees of an event.

use std::collections::HashMap;

use audited::{AuditContext, CorrelationId, Seen, SessionId, TenantId, ViewError, with_context_sync};

use super::*;

/// An event that has everything, and much that is no client's business.
fn full() -> (Log, StoredRecord) {
    let log = Log::new();
    let secrets = AuditContext::new()
        .session(SessionId::new("s3cret"))
        .tenant(TenantId::plain("acme"))
        .correlation_id(CorrelationId::random())
        .role("root");
    with_context_sync(secrets, || {
        log.write(&Happened {
            event_type: "role_grant_revoke",
            failed: true,
            by: Some(actor(1)),
            target: Some(Target::Actor(actor(2))),
            ip: Some([192, 0, 2, 7].into()),
            metadata: fields(json!({ "role_grant_id": Uuid::from_u128(9), "role": "editor", "extra": [1] })),
        });
    });
    let event = log.list(&Filter::default()).remove(0);
    (log, event)
}

#[test]
fn the_row() {
    let (_, event) = full();
    let row = serde_json::to_value(EventJson::of(&event).unwrap()).unwrap();
    let expected = json!({
        "id": event.id().unwrap().to_string(),
        "seq": event.seq(),
        "event_type": "role_grant_revoke",
        "outcome": "failure",
        "actor_id": actor(1).id,
        "account_id": actor(1).account_id,
        "target_account_id": actor(2).account_id,
        "target_actor_id": actor(2).id,
        "ip": "192.0.2.7",
        "created_at": event.occurred_at().unwrap().to_string(),
        "metadata": { "role_grant_id": Uuid::from_u128(9), "role": "editor", "extra": [1] },
    });
    assert_eq!(row, expected);
    let log = Log::new();
    log.write_all(["logout"]);
    let bare = serde_json::to_value(EventJson::of(&log.list(&Filter::default())[0]).unwrap()).unwrap();
    assert_eq!(bare["outcome"], "success");
    for key in ["seq", "actor_id", "account_id", "target_account_id", "target_actor_id", "ip", "metadata"] {
        assert_eq!(bare.get(key), Some(&Value::Null), "{key} is there, and is nothing");
    }
}

/// Of a journal, the place is the sequence number.
#[test]
fn seq_is_the_place_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let journal = audited::Journal::open(folder.path()).unwrap();
    let recorder = Recorder::builder().sink(journal).vocabulary(types()).allow_weak_fail_closed().build().unwrap();
    for _ in 0..2 {
        let happened = Happened { event_type: "logout", ..Happened::default() };
        with_recorder_sync(recorder.clone(), || happened.record().wait().unwrap());
    }
    let records = audited::Journal::read(folder.path()).unwrap().map(Result::unwrap);
    let rows = records.filter(|record| record.action() == "logout").filter_map(|record| EventJson::of(&record));
    let seqs: Vec<_> = rows.map(|row| row.seq.unwrap()).collect();
    assert_eq!(seqs[1], seqs[0] + 1);
    recorder.shutdown(crate::support::PATIENCE).unwrap();
}

#[test]
fn when_both_targets_are_present_they_belong_to_one_account() {
    let log = Log::new();
    for target in [Some(Target::Actor(actor(2))), Some(Target::Account(actor(3).account_id)), None] {
        log.write(&Happened { event_type: "logout", target, ..Happened::default() });
    }
    let rows = log.list(&Filter::default());
    let targets: Vec<_> = rows.iter().rev().filter_map(|event| EventJson::of(event)).collect();
    let targets: Vec<_> = targets.iter().map(|row| (row.target_account_id, row.target_actor_id)).collect();
    let expected = [(Some(actor(2).account_id), Some(actor(2).id)), (Some(actor(3).account_id), None), (None, None)];
    assert_eq!(targets, expected);
}

#[test]
fn strict_client_safe_json() {
    let (_, event) = full();
    let row = EventJson::of(&event).unwrap();
    let json = serde_json::to_string(&row).unwrap();
    for (what, hidden) in [("tenant", "acme"), ("role", "root"), ("session", "<redacted>"), ("flags", "schema")] {
        assert!(!json.contains(hidden), "{what}: {json}");
    }
    assert_eq!(serde_json::from_str::<EventJson>(&json).unwrap(), row);
    let mut more: Value = serde_json::from_str(&json).unwrap();
    more["session"] = json!("x");
    assert!(serde_json::from_value::<EventJson>(more).unwrap_err().to_string().contains("unknown field `session`"));
}

#[test]
fn a_view_with_user_names_resolved() {
    let (_, event) = full();
    let names = HashMap::from([(actor(1).account_id, "ann".to_owned())]);
    let row = EventJson::of(&event).unwrap();
    let resolved = serde_json::to_value(row.clone().named(&names)).unwrap();
    let mut expected = serde_json::to_value(row).unwrap();
    (expected["username"], expected["target_username"]) = (json!("ann"), Value::Null);
    assert_eq!(resolved, expected);
}

#[test]
fn typed_metadata_after_matching_on_the_type() {
    let (log, event) = full();
    match event.view::<AuthEvent>().unwrap() {
        AuthEventView::RoleGrantRevoke { role_grant_id, role, reason } => {
            assert_eq!(role_grant_id, Seen::Value(Uuid::from_u128(9)));
            assert_eq!((role.into_value().as_deref(), reason), (Some("editor"), None));
        }
        other => panic!("{other:?}"),
    }
    log.write_all(["comment_hidden", "login"]);
    let events = log.list(&Filter { limit: Some(2), ..Filter::default() });
    assert!(matches!(events[0].view::<AuthEvent>(), Err(ViewError::Missing { key: "username" })), "it has drifted");
    assert!(matches!(events[1].view::<AuthEvent>(), Err(ViewError::UnknownAction(_))), "it is not built in");
}
