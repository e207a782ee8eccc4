//! What is decided, what the record says of it, and what the caller is told.

use audited::{AuditEvent, Deny, Refusal};
use serde::{Deserialize, Serialize};

use super::names::Scope;

/// Why a call is denied. The record says it, the answer does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deny, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[denied]
pub(crate) enum DenyReason {
    Unauthenticated,
    InvalidSession,
    MissingScope,
    /// The method is not there, or says of nobody that he may call it.
    NotAccepted,
    TenantBoundary,
    RateLimited,
    /// Among others, the path of the method is none.
    #[serde(other)]
    Other,
}

/// What the dispatch records.
#[derive(AuditEvent)]
pub(crate) enum DispatchEvent<'a> {
    #[event(action = "scope_check")]
    ScopeCheck {
        #[sensitive(plain)]
        scope_required: Option<&'a Scope>,
        /// What came in place of a path, of which the record has the length alone: anything may stand there.
        #[sensitive(len)]
        malformed_path: Option<&'a str>,
    },
    #[event(action = "forward_policy_applied")]
    ForwardPolicyApplied {
        #[sensitive(plain)]
        policy_name: &'a str,
        #[sensitive(plain)]
        derivation: &'a str,
        #[sensitive(plain)]
        caller_ns: &'a str,
    },
}

/// The whole answer to a call that has no result: the same for every reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deny, Serialize)]
#[serde(tag = "error", rename_all = "snake_case")]
#[failed]
pub(crate) enum WireError {
    #[denied]
    Denied,
    Failed,
    /// Nothing was done; the same call can be made again.
    Unavailable,
}

impl From<Refusal> for WireError {
    fn from(refusal: Refusal) -> Self {
        if refusal.is_retryable() { Self::Unavailable } else { Self::Failed }
    }
}
