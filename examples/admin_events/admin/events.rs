//! The vocabulary: each variant a name for ever, its fields what the record says.

use std::fmt;

use audited::{AuditEvent, Deny, RecordId, Sensitive};
use serde::Serialize;

/// What happens in the admin.
#[derive(AuditEvent)]
#[event(prefix = "")]
#[non_exhaustive]
#[allow(dead_code, reason = "what nothing emits yet has its name")]
pub(crate) enum AdminEvent {
    UserCreated,
    UserUpdated,
    UserDeleted,
    GroupCreated,
    GroupUpdated,
    GroupDeleted,
    PasswordChangedSelf,
    PasswordResetSelfRequest,
    PasswordResetSelfConsume,
    PasswordResetByOther,
    ForcedPasswordChangeCompleted {
        #[sensitive(plain)]
        triggered_by_audit_id: RecordId,
        invalidated_session_count: u32,
    },
    AccountLocked,
    AccountUnlocked,
    MfaEnabled,
    MfaDisabled,
    MfaResetByOther,
    MfaCodeConsumed {
        #[sensitive(plain, reason = "the number of the code, which is no secret")]
        code_id: u64,
        remaining_codes: u32,
        via: Via,
    },
    BackupCodesRegenerated {
        previous_codes_invalidated: u32,
        new_codes_count: NewCodes,
    },
    SessionsRevokedSelf,
    SessionsRevokedByOther,
    SessionLogout,
    LoginSucceeded {
        mfa_pending: bool,
    },
    LoginFailed {
        reason: LoginFailure,
    },
}

/// What the command line alone can do: whoever records one holds the token that `main` has minted.
#[derive(Serialize, AuditEvent)]
#[event(prefix = "", only_from = "cli")]
#[non_exhaustive]
pub(crate) enum OperatorEvent {
    EmergencyRecovery {
        cli_operation: CliOperation,
        os_actor: OsActor,
    },
    AiProposalApproved {
        #[serde(flatten)]
        proposal: Proposal,
    },
    AiProposalRejected {
        #[serde(flatten)]
        proposal: Proposal,
        #[sensitive(plain)]
        reason: String,
    },
    AiProposalApplied {
        #[serde(flatten)]
        proposal: Proposal,
        #[sensitive(plain)]
        files: Vec<String>,
    },
}

/// All of them, for those who read.
#[derive(AuditEvent)]
#[event(only_from = "cli")]
#[non_exhaustive]
#[allow(dead_code, reason = "its kind is what is asked for")]
pub(crate) enum AnyEvent {
    #[event(nested)]
    Admin(AdminEvent),
    #[event(nested)]
    Operator(OperatorEvent),
}

/// What older records say.
#[derive(AuditEvent)]
#[event(prefix = "")]
#[allow(dead_code, reason = "nothing emits them any more")]
pub(crate) enum LegacyEvent {
    #[event(deprecated)]
    Create,
    #[event(deprecated)]
    Update,
    #[event(deprecated)]
    Delete,
}

#[derive(Clone, Copy, Serialize, Sensitive)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Via {
    Login,
    Reauth,
}

/// Why a login failed. The client is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deny, Serialize, Sensitive)]
#[serde(rename_all = "snake_case")]
#[denied]
pub(crate) enum LoginFailure {
    WrongPassword,
    Inactive,
    Locked,
    /// Of an address that nobody has: the record has its hash as the subject.
    UnknownEmail,
    WrongCode,
}

#[derive(Clone, Copy, Serialize, Sensitive)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CliOperation {
    ResetPassword,
    Unlock,
    DisableMfa,
    Promote,
    EmergencyAccess,
}

/// There are always as many.
#[derive(Clone, Copy, Serialize, Sensitive)]
#[serde(into = "u8")]
pub(crate) struct NewCodes;

impl From<NewCodes> for u8 {
    fn from(_: NewCodes) -> Self {
        8
    }
}

/// Who sits at the machine: `user@host`.
#[derive(Clone, Serialize, Sensitive)]
#[serde(transparent)]
pub(crate) struct OsActor(#[sensitive(plain)] String);

impl OsActor {
    pub(crate) fn new(user: impl fmt::Display, host: impl fmt::Display) -> Self {
        Self(format!("{user}@{host}"))
    }
}

impl fmt::Display for OsActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What an assistant proposes to do.
#[derive(Clone, Serialize, Sensitive)]
pub(crate) struct Proposal {
    #[serde(rename = "proposal_id")]
    pub(crate) id: u64,
    #[sensitive(plain)]
    pub(crate) capability: &'static str,
    #[sensitive(plain)]
    pub(crate) title: &'static str,
    #[sensitive(plain)]
    pub(crate) ai_action: &'static str,
}
