//! What the log has of a token's life: six events, each one structured field, `audit`, that holds its JSON.

use audited::{Actor, ActorId, AnyOf, AuditEvent, Deny, KeyRing, Recorder, RecorderBuilder, TracingSink};
use audited::{RecordBuilder, record};
use serde::Serialize;
use uuid::Uuid;

#[derive(Serialize, AuditEvent)]
#[event(prefix = "token")]
pub(crate) enum TokenEvent {
    Issued {
        jti: Uuid,
        #[sensitive(hash)]
        name: String,
        #[sensitive(plain)]
        backends: Vec<String>,
        #[sensitive(plain)]
        #[serde(skip_serializing_if = "Option::is_none")]
        tools: Option<Vec<String>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        rate_limit: Option<u32>,
    },
    Used {
        jti: Uuid,
    },
    #[event(denied)]
    Expired {
        jti: Uuid,
    },
    Revoked {
        jti: Uuid,
    },
    #[event(denied, severity = "warning")]
    Denied,
    #[event(denied, severity = "warning")]
    Invalid,
}

/// Why a token opens nothing. It is in the record; the client is not told.
#[derive(Clone, Copy, Debug, Deny)]
pub(crate) enum Refused {
    #[denied]
    Missing,
    #[denied]
    Unknown,
    #[denied]
    Revoked,
    #[denied]
    BackendNotAllowed,
    #[denied]
    ToolNotAllowed,
    #[denied]
    RateLimited,
}

impl Refused {
    /// Whether the token is one, but not for this.
    pub(crate) fn is_denial(self) -> bool {
        matches!(self, Self::BackendNotAllowed | Self::ToolNotAllowed | Self::RateLimited)
    }

    pub(crate) fn recorded(self) -> RecordBuilder<'static> {
        let event = if self.is_denial() { &TokenEvent::Denied } else { &TokenEvent::Invalid };
        record(event).verdict(self.deny())
    }
}

/// Who has a token. Records show a keyed hash of the address.
pub(crate) fn identity(email: &str) -> Actor {
    Actor::user(ActorId::hash(email))
}

/// What records show of an address, by the key of today and those of before: what to look for in the log.
pub(crate) fn shown(keys: &KeyRing, email: &str) -> AnyOf {
    AnyOf::hashed(keys, None, None, email)
}

pub(crate) fn recorder(keys: KeyRing) -> RecorderBuilder {
    Recorder::builder().sink(TracingSink::json()).keys(keys)
}
