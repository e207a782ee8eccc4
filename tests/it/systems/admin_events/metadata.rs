//! What each variant says besides its name.

use audited::{AuditEvent, RecordId};

use super::admin::events::{CliOperation, LoginFailure, NewCodes, OsActor, Proposal, Via};
use super::*;

/// The metadata as a record has it.
fn metadata(event: &impl AuditEvent) -> Value {
    let record = Record::builder(audited::Action::new("test")).fields(|fields| event.write_fields(fields)).build();
    record.detail().map_or(Value::Null, |detail| serde_json::from_str(detail).unwrap())
}

/// What a value is in a record.
fn shown(value: impl audited::Sensitive) -> String {
    let record = Record::builder(audited::Action::new("test")).field("value", &value).build();
    let detail: Value = serde_json::from_str(record.detail().unwrap()).unwrap();
    detail["value"].as_str().unwrap().to_owned()
}

#[test]
fn forced_password_change_completed() {
    let id: RecordId = "01a22a9b-2491-7176-85b0-9aa2aac74559".parse().unwrap();
    let event = AdminEvent::ForcedPasswordChangeCompleted { triggered_by_audit_id: id, invalidated_session_count: 3 };
    let expected = json!({ "triggered_by_audit_id": id.to_string(), "invalidated_session_count": 3 });
    assert_eq!(metadata(&event), expected);
}

#[test]
fn mfa_code_consumed() {
    for (via, name) in [(Via::Login, "login"), (Via::Reauth, "reauth")] {
        let event = AdminEvent::MfaCodeConsumed { code_id: 31, remaining_codes: 7, via };
        assert_eq!(metadata(&event), json!({ "code_id": 31, "remaining_codes": 7, "via": name }));
    }
}

#[test]
fn backup_codes_regenerated() {
    let event = AdminEvent::BackupCodesRegenerated { previous_codes_invalidated: 5, new_codes_count: NewCodes };
    assert_eq!(metadata(&event), json!({ "previous_codes_invalidated": 5, "new_codes_count": 8 }));
}

#[test]
fn login_succeeded() {
    assert_eq!(metadata(&AdminEvent::LoginSucceeded { mfa_pending: true }), json!({ "mfa_pending": true }));
}

#[test]
fn login_failed() {
    use LoginFailure::{Inactive, Locked, UnknownEmail, WrongCode, WrongPassword};
    let reasons = [WrongPassword, Inactive, Locked, UnknownEmail, WrongCode];
    let shown = reasons.map(|reason| metadata(&AdminEvent::LoginFailed { reason }));
    let names = ["wrong_password", "inactive", "locked", "unknown_email", "wrong_code"];
    assert_eq!(shown, names.map(|reason| json!({ "reason": reason })));
}

#[test]
fn emergency_recovery() {
    use CliOperation::{DisableMfa, EmergencyAccess, Promote, ResetPassword, Unlock};
    let event = OperatorEvent::EmergencyRecovery { cli_operation: Unlock, os_actor: OsActor::new("ann", "host") };
    assert_eq!(metadata(&event), json!({ "cli_operation": "unlock", "os_actor": "ann@host" }));
    let operations = [ResetPassword, Unlock, DisableMfa, Promote, EmergencyAccess].map(shown);
    assert_eq!(operations, ["reset_password", "unlock", "disable_mfa", "promote", "emergency_access"]);
}

#[test]
fn ai_proposals() {
    let proposal = || Proposal { id: 7, capability: "refactor", title: "Rename", ai_action: "edit" };
    let same = json!({ "proposal_id": 7, "capability": "refactor", "title": "Rename", "ai_action": "edit" });
    let with = |key: &str, value: Value| {
        let mut expected = same.clone();
        expected[key] = value;
        expected
    };
    assert_eq!(metadata(&OperatorEvent::AiProposalApproved { proposal: proposal() }), same);
    let rejected = OperatorEvent::AiProposalRejected { proposal: proposal(), reason: "unwanted".into() };
    assert_eq!(metadata(&rejected), with("reason", json!("unwanted")));
    let applied = OperatorEvent::AiProposalApplied { proposal: proposal(), files: vec!["a.rs".into()] };
    assert_eq!(metadata(&applied), with("files", json!(["a.rs"])));
}

#[test]
fn the_others_have_none() {
    use AdminEvent as E;
    let bare = [
        E::UserCreated,
        E::UserUpdated,
        E::UserDeleted,
        E::GroupCreated,
        E::GroupUpdated,
        E::GroupDeleted,
        E::PasswordChangedSelf,
        E::PasswordResetSelfRequest,
        E::PasswordResetSelfConsume,
        E::PasswordResetByOther,
        E::AccountLocked,
        E::AccountUnlocked,
        E::MfaEnabled,
        E::MfaDisabled,
        E::MfaResetByOther,
        E::SessionsRevokedSelf,
        E::SessionsRevokedByOther,
        E::SessionLogout,
    ];
    assert!(bare.iter().all(|event| metadata(event) == Value::Null));
}
