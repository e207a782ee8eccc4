//! The security log: what is recorded in it, how it is asked, and how its rows look.

use std::collections::BTreeMap;

use audited::{
    Action, AuditEvent, Deny, Kind, Query, Reader, RecordBuilder, Sensitive, StoreError, StoredOutcome, StoredRecord,
    Subject, SubjectId, record_action,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What can happen. Who did it is the actor of the record; whom it is about, where that is somebody else, its subject.
#[derive(Clone, Copy, AuditEvent)]
#[event(prefix = "")]
#[allow(dead_code, reason = "the demonstration meets some of them")]
pub(crate) enum SecurityEvent {
    SignIn {
        method: Method,
    },
    SignOut,
    #[event(failed)]
    SignInFailed {
        method: Method,
    },
    SignUp,
    PasswordChange,
    PasswordReset,
    EmailChange,
    TotpEnroll,
    TotpDisable,
    TotpBackupCodesRegenerate,
    PasskeyRegister,
    PasskeyRevoke,
    ApiKeyCreate,
    ApiKeyRevoke,
    OauthLink,
    OauthUnlink,
    OrgCreate,
    OrgDelete,
    OrgInviteSend,
    OrgInviteAccept,
    OrgMemberRemove,
    OrgRoleChange,
    AccountDelete,
}

/// How somebody signs in.
#[derive(Clone, Copy, Debug, Serialize, Sensitive)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "the demonstration has passwords alone")]
pub(crate) enum Method {
    Password,
    MagicCode,
    MagicLink,
    #[serde(rename = "oauth:google")]
    OauthGoogle,
    Passkey,
    Siwe,
    Phone,
}

/// Why it failed. The client is not told.
#[derive(Clone, Copy, Debug, Deny)]
pub(crate) enum Reason {
    #[failed("WRONG_PASSWORD")]
    WrongPassword,
    #[failed("UNKNOWN_USER")]
    UnknownUser,
}

/// Texts by names that only the application knows. What is named like a secret is redacted.
#[derive(Clone, Debug, Serialize, Deserialize, Sensitive)]
pub(crate) struct Metadata {
    #[serde(flatten)]
    #[sensitive(plain)]
    pub(crate) texts: BTreeMap<String, String>,
}

/// What the application names as it likes: the name is stored as it is.
pub(crate) fn custom(name: &str, metadata: &Metadata) -> RecordBuilder<'static> {
    record_action(Action::verbatim(name)).fields(|fields| fields.flatten(metadata))
}

/// The user that an event is about.
pub(crate) fn about(user: &str) -> Subject {
    Subject::user(SubjectId::plain(user))
}

/// The newest rows, of a user where one is named: of the tenant that the reader sees, or, where it was asked for all of
/// them by a reason, of all.
pub(crate) async fn rows(reader: &Reader, user: Option<&str>, limit: usize) -> Result<Vec<Row>, StoreError> {
    let events = Query::new().kind(Kind::Event).limit(limit);
    let query = user.into_iter().fold(events, Query::user);
    Ok(reader.page(&query).await?.records.iter().map(Row::of).collect())
}

/// A row, as those know it who read the log.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    /// In seconds since 1970.
    pub(crate) created_at: i64,
    pub(crate) action: String,
    pub(crate) user_id: Option<String>,
    pub(crate) actor_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) success: bool,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Row {
    pub(crate) fn of(record: &StoredRecord) -> Self {
        let source = record.source().unwrap_or_default();
        let actor_id = record.actor().and_then(|actor| actor.id);
        let subject = record.subjects().into_iter().next().map(|subject| subject.id);
        let detail: BTreeMap<String, Value> = record.detail_as().unwrap_or_default();
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (success, reason) = match record.outcome() {
            Some(StoredOutcome::Failure { code }) => (false, Some(code.into_owned())),
            outcome => (outcome == Some(StoredOutcome::Success), None),
        };
        Self {
            id: record.id().map(|id| format!("evt_{id}")).unwrap_or_default(),
            created_at: record.occurred_at().map_or(0, |moment| moment.as_unix_micros().div_euclid(1_000_000)),
            action: record.action().into_owned(),
            user_id: subject.or_else(|| actor_id.clone()),
            actor_id,
            tenant_id: record.tenant().map(Into::into),
            ip: source.ip.map(|ip| ip.to_string()),
            user_agent: source.user_agent,
            success,
            reason,
            metadata: detail.into_iter().map(|(key, value)| (key, text(value))).collect(),
        }
    }
}
