//! Two services on the framework: billing, and a gateway before it.

use std::sync::Arc;

use audited::{Sensitive, audited};
use serde::Deserialize;
use serde_json::{Value, json};

use super::framework::decision::WireError;
use super::framework::dispatch::{Derivation, Dispatcher, ForwardPolicy, Method};
use super::framework::names::{RoleName, Scope, SessionId, UserId};
use super::framework::principal::{Account, Sessions};

#[derive(Deserialize, Sensitive)]
struct Refund {
    invoice: u64,
    cents: u64,
    #[sensitive]
    note: String,
}

/// No money moves before the intent is acknowledged.
#[audited(action = "invoice.refund", resource("invoice", body.invoice), fields(body), fail_closed)]
async fn refund(body: Refund) -> Result<Value, WireError> {
    if body.note.is_empty() { Err(WireError::Failed) } else { Ok(json!({ "refunded": body.cents })) }
}

pub(crate) fn billing() -> Dispatcher {
    let read = Method::new(async |_| Ok(json!({ "cents": 1200 })));
    let refund =
        Method::new(async |params| refund(serde_json::from_value(params).map_err(|_| WireError::Failed)?).await);
    Dispatcher::new(
        "billing",
        Sessions::default(),
        [
            ("invoice.read", read.scope("invoice:read")),
            ("invoice.refund", refund.scope("invoice:refund").critical()),
            ("invoice.purge", Method::new(async |_| Ok(Value::Null))),
        ],
    )
}

pub(crate) fn gateway() -> Dispatcher {
    let billing = Arc::new(billing());
    let forward = |name, derivation| Method::forward(billing.clone(), ForwardPolicy { name, derivation });
    let read_only = || Derivation::Narrowed(vec![Scope::new("invoice:read")]);
    let account = |user: &str, role: &str, scopes: &[&str]| Account {
        user: UserId::new(user),
        session: SessionId::new(format!("session-of-{user}")),
        tenant: "acme".into(),
        roles: vec![RoleName::new(role)],
        scopes: scopes.iter().copied().map(Scope::new).collect(),
    };
    let sessions = Sessions::new([
        ("ann-token", account("u-ann", "clerk", &["invoice:read", "invoice:refund"])),
        ("bob-token", account("u-bob", "auditor", &["invoice:read"])),
    ]);
    Dispatcher::new(
        "gateway",
        sessions,
        [
            ("invoice.read", forward("reads_only", read_only()).scope("invoice:read").calls_a_session(3)),
            ("invoice.refund", forward("as_caller", Derivation::Originator).scope("invoice:refund").critical()),
            ("invoice.purge", forward("as_caller", Derivation::Originator)),
        ],
    )
}
