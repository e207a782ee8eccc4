//! What a row holds.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use audited::{Deny, Source, record, with_context_sync, with_recorder_sync};

use super::log::{Metadata, Method, Reason, SecurityEvent, SecurityEventKind, about, custom, rows};
use super::*;

const METHODS: [(Method, &str); 7] = [
    (Method::Password, "password"),
    (Method::MagicCode, "magic_code"),
    (Method::MagicLink, "magic_link"),
    (Method::OauthGoogle, "oauth:google"),
    (Method::Passkey, "passkey"),
    (Method::Siwe, "siwe"),
    (Method::Phone, "phone"),
];

fn metadata<const N: usize>(texts: [(&str, &str); N]) -> Metadata {
    Metadata { texts: texts.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect() }
}

/// Records within a log, and gives its rows, the newest first.
fn rows_of(context: AuditContext, inside: impl FnOnce()) -> Vec<Row> {
    let log = Log::in_memory();
    with_recorder_sync(log.recorder.clone(), || with_context_sync(context, inside));
    block_on(rows(&log.global(), None, 100)).unwrap()
}

#[test]
fn a_row_has_id_time_action_user_actor_tenant_ip_agent_success_reason_and_metadata() {
    let source = Source::new().ip(Ipv4Addr::new(198, 51, 100, 7).into()).user_agent("browser");
    let before = audited::Timestamp::now().as_unix_micros() / 1_000_000;
    let rows = rows_of(within("org_acme", "usr_ann").source(source), || {
        let failed = record(&SecurityEvent::SignInFailed { method: Method::Passkey });
        failed.subject(about("usr_bob")).verdict(Reason::WrongPassword.deny()).wait().unwrap();
    });
    let [row] = &rows[..] else { panic!("one row") };
    let uuid = row.id.strip_prefix("evt_").unwrap();
    assert!(uuid.parse::<uuid::Uuid>().is_ok());
    assert!((before..=before + 60).contains(&row.created_at), "in seconds");
    let json = serde_json::to_value(row).unwrap();
    let expected = serde_json::json!({
        "id": row.id, "created_at": row.created_at, "action": "sign_in_failed", "user_id": "usr_bob",
        "actor_id": "usr_ann", "tenant_id": "org_acme", "ip": "198.51.100.7", "user_agent": "browser",
        "success": false, "reason": "WRONG_PASSWORD", "metadata": {"method": "passkey"},
    });
    assert_eq!(json, expected);
}

#[test]
fn there_are_23_actions() {
    let all: Vec<_> = SecurityEventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let named = "sign_in sign_out sign_in_failed sign_up password_change password_reset email_change totp_enroll \
                 totp_disable totp_backup_codes_regenerate passkey_register passkey_revoke api_key_create \
                 api_key_revoke oauth_link oauth_unlink org_create org_delete org_invite_send org_invite_accept \
                 org_member_remove org_role_change account_delete";
    assert_eq!(all.join(" "), named);
    assert_eq!(all.len(), 23);
}

#[test]
fn a_custom_action_is_stored_verbatim() {
    for name in ["pylon.cloud.fly_machine_provision", "two words, and a \n line"] {
        let rows = rows_of(within("org_acme", "usr_ann"), || {
            custom(name, &metadata([("region", "ams")])).wait().unwrap();
        });
        assert_eq!((&*rows[0].action, &*rows[0].metadata["region"]), (name, "ams"));
    }
}

#[test]
fn the_actor_is_none_for_system_events() {
    let rows = rows_of(AuditContext::new(), || {
        record(&SecurityEvent::ApiKeyRevoke).subject(about("usr_bob")).wait().unwrap();
    });
    assert_eq!((rows[0].actor_id.as_deref(), rows[0].user_id.as_deref()), (None, Some("usr_bob")));
    assert_eq!(rows[0].tenant_id, None);
}

#[test]
fn the_user_agent_is_cut_to_256_characters_when_it_is_written() {
    let source = Source::new().user_agent("ü".repeat(300));
    let rows = rows_of(AuditContext::new().source(source), || {
        record(&SecurityEvent::SignOut).wait().unwrap();
    });
    assert_eq!(rows[0].user_agent, Some("ü".repeat(256)));
}

#[test]
fn a_failure_has_a_plain_reason_code() {
    for (reason, code) in [(Reason::WrongPassword, "WRONG_PASSWORD"), (Reason::UnknownUser, "UNKNOWN_USER")] {
        let rows = rows_of(AuditContext::new(), || {
            let failed = record(&SecurityEvent::SignInFailed { method: Method::Password });
            failed.verdict(reason.deny()).wait().unwrap();
        });
        assert_eq!((rows[0].success, rows[0].reason.as_deref()), (false, Some(code)));
    }
    let rows = rows_of(AuditContext::new(), || {
        record(&SecurityEvent::SignOut).wait().unwrap();
    });
    assert_eq!((rows[0].success, rows[0].reason.as_deref()), (true, None));
}

#[test]
fn the_method_of_a_sign_in_is_in_its_metadata() {
    for (method, name) in METHODS {
        let rows = rows_of(AuditContext::new(), || {
            record(&SecurityEvent::SignIn { method }).wait().unwrap();
        });
        assert_eq!(rows[0].metadata, BTreeMap::from([("method".to_owned(), name.to_owned())]));
    }
}

#[test]
fn metadata_are_texts_alone_and_no_passwords() {
    let log = Log::in_memory();
    let events = METHODS.map(|(method, _)| SecurityEvent::SignIn { method });
    let secrets = metadata(["password", "authorization", "session_token"].map(|key| (key, "s3cret")));
    with_recorder_sync(log.recorder.clone(), || {
        for event in events {
            record(&event).wait().unwrap();
        }
        custom("app.custom", &secrets).wait().unwrap();
    });
    let page = block_on(log.global().page(&audited::Query::new().kind(audited::Kind::Event))).unwrap();
    assert_eq!(page.records.len(), METHODS.len() + 1);
    for record in &page.records {
        let metadata: BTreeMap<String, serde_json::Value> = record.detail_as().unwrap();
        assert!(metadata.values().all(serde_json::Value::is_string), "{record:?}");
        assert!(!record.json().contains("s3cret"), "what is named like a secret is not shown: {record:?}");
    }
}
