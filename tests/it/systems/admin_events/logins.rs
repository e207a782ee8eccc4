//! Logins, and users who go.

use audited::{AnyOf, AuditStore as _, MemoryStore, Query, StoredDecision};

use super::*;

#[test]
fn uniform_401_outside_and_the_distinction_inside() {
    let desk = Desk::new();
    let answers = [
        desk.login("ann@example.org", "wrong"),
        desk.login("cleo@example.org", "staple"),
        desk.login("dora@example.org", "gone"),
        desk.login("eve@example.org", "any"),
        desk.http("POST /mfa", &desk.token("ann@example.org", "horse"), &json!({ "code": "999" })),
        desk.http("POST /mfa", "no session", &json!({ "code": "111" })),
        desk.http("DELETE /users/2", "no session", &Value::Null),
        desk.http("POST /logout", "no session", &Value::Null),
    ];
    assert_eq!(answers[0].0, 401);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "byte for byte: {answers:#?}");

    let failed: Vec<_> = desk.records().into_iter().filter(|record| record.action() == "login_failed").collect();
    let names = ["wrong_password", "inactive", "locked", "unknown_email", "wrong_code"];
    assert_eq!(failed.len(), names.len());
    for (record, name) in failed.iter().zip(names) {
        assert_eq!(record.detail(), Some(&*format!(r#"{{"reason":"{name}"}}"#)));
        assert_eq!(record.decision(), Some(StoredDecision::Deny { reason: name.into() }));
    }
}

#[test]
fn a_wrong_password_too_many_locks_and_says_so_once() {
    let desk = Desk::new();
    for _ in 0..5 {
        assert_eq!(desk.login("bob@example.org", "wrong").0, 401);
    }
    let actions = desk.actions();
    assert_eq!(actions.iter().filter(|action| *action == "account_locked").count(), 1);
    assert_eq!(actions[3], "account_locked");
    assert_eq!(desk.login("bob@example.org", "battery").0, 401);
}

#[test]
fn login_succeeded_once_per_login() {
    let desk = Desk::new();
    let bob = desk.token("bob@example.org", "battery");
    let ann = desk.token("ann@example.org", "horse");
    assert_eq!(desk.http("POST /mfa", &ann, &json!({ "code": "111" })).0, 204);
    assert_eq!(desk.http("POST /mfa", &ann, &json!({ "code": "222" })).0, 204);
    assert_eq!(desk.http("POST /logout", &bob, &Value::Null).0, 204);
    let records = desk.records();
    let said: Vec<_> = records.iter().map(|record| (record.action(), record.detail().unwrap_or_default())).collect();
    let expected = [
        ("login_succeeded", r#"{"mfa_pending":false}"#),
        ("login_succeeded", r#"{"mfa_pending":true}"#),
        ("mfa_code_consumed", r#"{"code_id":31,"remaining_codes":1,"via":"login"}"#),
        ("mfa_code_consumed", r#"{"code_id":32,"remaining_codes":0,"via":"reauth"}"#),
        ("session_logout", ""),
    ];
    assert_eq!(said.iter().map(|(action, detail)| (&**action, *detail)).collect::<Vec<_>>(), expected);
}

#[test]
fn attempts_against_an_unknown_email_are_recorded_too() {
    let desk = Desk::new();
    for password in ["a", "b"] {
        desk.login("eve@example.org", password);
    }
    desk.login("mallory@example.org", "c");
    let records = desk.records();
    assert_eq!(records.len(), 3);
    assert!(records.iter().all(|record| !record.json().contains("example.org")), "{records:#?}");
    // The address is not there, and yet all attempts against it are found.
    let eve = Query::new().subject("email", AnyOf::hashed(&keys(), None, None, "eve@example.org"));
    assert_eq!(records.iter().filter(|record| eve.matches(record)).count(), 2);
}

#[test]
fn deleting_a_user_deletes_no_record() {
    let store = MemoryStore::new();
    let recorder = Recorder::builder().sink(store.clone()).keys(keys()).allow_weak_fail_closed().build().unwrap();
    let desk = Desk { recorder, ..Desk::new() };
    let found = || {
        let page = block_on(store.global("test").unrecorded().page(&Query::new().user("2").oldest_first())).unwrap();
        page.records.iter().map(|record| record.action().into_owned()).collect::<Vec<_>>()
    };
    desk.login("bob@example.org", "wrong");
    let bob = desk.token("bob@example.org", "battery");
    assert_eq!(found(), ["login_failed", "login_succeeded"]);
    let ann = desk.token("ann@example.org", "horse");
    assert_eq!(desk.http("DELETE /users/2", &ann, &Value::Null).0, 401, "her login is not complete");
    desk.http("POST /mfa", &ann, &json!({ "code": "111" }));
    assert_eq!(desk.http("DELETE /users/2", &ann, &Value::Null).0, 204);
    assert_eq!(desk.http("DELETE /users/2", &bob, &Value::Null).0, 401, "he is gone");
    assert_eq!(desk.login("bob@example.org", "battery").0, 401);
    assert_eq!(found(), ["login_failed", "login_succeeded", "user_deleted"]);
}
