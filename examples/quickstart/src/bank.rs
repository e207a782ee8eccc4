//! The service: what `audited` looks like in the code that it is for.

use std::time::Duration;

use audited::{
    Actor, ActorId, AuditContext, AuditEvent, AuditLayer, AuditRequest, Deny, Refusal, Sensitive, TenantId, audited,
    record,
};
use axum::extract::{Path, Request};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};

/// What a client asks for. Each text says what the record may show of it.
#[derive(Deserialize, Sensitive)]
pub(crate) struct Transfer {
    to: u64,
    cents: u64,
    #[sensitive(plain)]
    currency: String,
    #[sensitive]
    memo: String,
    #[sensitive(hash)]
    device: String,
}

#[derive(Serialize)]
pub(crate) struct Receipt {
    reference: String,
}

/// Each error says whether it is a denial, and with what reason. The client sees neither.
#[derive(Debug, Deny)]
pub(crate) enum BankError {
    #[denied("missing_scope")]
    MissingScope,
    #[denied]
    NotYourAccount,
    #[failed("ledger_unavailable")]
    Ledger,
    #[failed("audit_unavailable")]
    Audit(Refusal),
}

impl From<Refusal> for BankError {
    fn from(refusal: Refusal) -> Self {
        Self::Audit(refusal)
    }
}

impl IntoResponse for BankError {
    fn into_response(self) -> Response {
        match self {
            Self::MissingScope | Self::NotYourAccount => StatusCode::FORBIDDEN,
            Self::Audit(refusal) if !refusal.is_retryable() => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Ledger | Self::Audit(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
        .into_response()
    }
}

/// No money moves before the intent is on disk, and no receipt leaves before the record is.
#[audited(action = "account.transfer", resource("account", id), fields(body), fail_closed)]
async fn transfer(
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    Json(body): Json<Transfer>,
) -> Result<Json<Receipt>, BankError> {
    caller.may("transfer")?;
    if !caller.accounts.contains(&id) {
        return Err(BankError::NotYourAccount);
    }
    if body.cents > 1_000_000 {
        return Err(BankError::Ledger);
    }
    debug_assert!(!body.currency.is_empty() && body.memo.len() + body.device.len() < 10_000);
    Ok(Json(Receipt { reference: format!("{id}-{}-{}", body.to, body.cents) }))
}

#[audited(action = "account.statement", resource("account", id))]
async fn statement(Extension(caller): Extension<Caller>, Path(id): Path<u64>) -> Result<Json<Vec<u64>>, BankError> {
    caller.may("read")?;
    // So slow that a client may hang up.
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(Json(vec![id]))
}

#[audited(action = "account.interest", resource("account", id))]
async fn interest(Path(id): Path<u64>) -> Result<Json<u64>, BankError> {
    let days = id.checked_sub(1_000).expect("an old account number: this panic and its text are not in the record");
    Ok(Json(days))
}

/// What the service reports besides its calls.
#[derive(AuditEvent)]
#[event(prefix = "session")]
pub(crate) enum SessionEvent {
    Refused {
        #[sensitive]
        token: String,
    },
}

/// Who calls, and what they may.
#[derive(Clone)]
struct Caller {
    accounts: &'static [u64],
    scopes: &'static [&'static str],
}

impl Caller {
    fn may(&self, scope: &str) -> Result<(), BankError> {
        if self.scopes.contains(&scope) { Ok(()) } else { Err(BankError::MissingScope) }
    }
}

/// Authentication: it says who acts, which no handler can replace. The rest of the context the layer has made.
async fn authenticate(audit: AuditRequest, mut request: Request, next: Next) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|token| token.to_str().ok());
    let (email, role, caller) = match authorization.and_then(|token| token.strip_prefix("Bearer ")) {
        Some("ann-token") => {
            ("ann@example.org", "customer", Caller { accounts: &[4711], scopes: &["read", "transfer"] })
        }
        Some("bob-token") => ("bob@example.org", "auditor", Caller { accounts: &[], scopes: &["read"] }),
        _ => {
            let refused = SessionEvent::Refused { token: authorization.unwrap_or_default().to_owned() };
            let recorded = record(&refused).failed("unknown_token").await;
            return if recorded.is_ok() { StatusCode::UNAUTHORIZED } else { StatusCode::SERVICE_UNAVAILABLE }
                .into_response();
        }
    };
    request.extensions_mut().insert(caller);
    audit.identify(Actor::user(ActorId::hash(email)));
    audit.extend(AuditContext::new().role(role).tenant(TenantId::plain("first-bank")));
    next.run(request).await
}

pub(crate) fn service() -> Router {
    Router::new()
        .route("/accounts/{id}/transfers", post(transfer))
        .route("/accounts/{id}/statement", get(statement))
        .route("/accounts/{id}/interest", get(interest))
        .layer(middleware::from_fn(authenticate))
        .layer(AuditLayer::axum())
}
