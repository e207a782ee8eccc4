//! The built-in types of events, and those that an application adds.

use audited::{AuditEvent, InvalidVocabulary, Payload, Vocabulary};
use serde::Serialize;
use uuid::Uuid;

/// A built-in type, with its metadata. Further fields may stand beside these, and a type without any takes all.
#[derive(Serialize, AuditEvent)]
#[event(prefix = "", view(Debug, PartialEq))]
#[allow(dead_code, reason = "what nothing emits yet has its name")]
pub(crate) enum AuthEvent {
    Login {
        #[sensitive(plain)]
        username: String,
    },
    Logout,
    Bootstrap,
    Signup {
        #[sensitive(plain)]
        username: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        invite_id: Option<Uuid>,
    },
    PasswordChange {
        sessions_revoked: u32,
    },
    SessionRevoke {
        session_id: Uuid,
    },
    SessionRevokeAll {
        count: u32,
    },
    TokenCreate {
        #[sensitive(plain, reason = "the id of the token, by which nobody gets in")]
        token_id: Uuid,
        #[sensitive(plain)]
        name: String,
    },
    TokenRevoke {
        #[sensitive(plain, reason = "the id of the token, by which nobody gets in")]
        token_id: Uuid,
    },
    TokenRevokeAll {
        count: u32,
    },
    RoleGrantCreate {
        role_grant_id: Uuid,
        #[sensitive(plain)]
        role: String,
    },
    RoleGrantRevoke {
        role_grant_id: Uuid,
        #[sensitive(plain)]
        role: String,
        #[sensitive(plain)]
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    RoleGrantOfferCreate {
        offer_id: Uuid,
        #[sensitive(plain)]
        role: String,
    },
    RoleGrantOfferAccept {
        offer_id: Uuid,
        role_grant_id: Uuid,
    },
    RoleGrantOfferDecline {
        offer_id: Uuid,
    },
    RoleGrantOfferRetract {
        offer_id: Uuid,
    },
    RoleGrantOfferExpire {
        offer_id: Uuid,
    },
    RoleGrantOfferSupersede {
        offer_id: Uuid,
        superseded_by: Uuid,
    },
    InviteCreate {
        invite_id: Uuid,
    },
    InviteDelete {
        invite_id: Uuid,
    },
    AppSettingsUpdate {
        #[sensitive(plain)]
        setting: String,
    },
}

/// All types: the built-in ones, and those of the application, each with what is known of its metadata.
///
/// A name that is taken, or is none, fails here: when the application starts.
pub(crate) fn event_types<'a>(
    added: impl IntoIterator<Item = (&'a str, Payload)>,
) -> Result<Vocabulary, InvalidVocabulary> {
    let built_in = Vocabulary::builder().extend_checked::<AuthEvent>();
    added.into_iter().fold(built_in, |types, (name, metadata)| types.custom(name, metadata.and_others())).build()
}
