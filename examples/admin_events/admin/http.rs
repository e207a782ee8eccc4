//! The HTTP entry. What it records compiles without the token of the command line, so it can only be [`AdminEvent`]s.

use std::sync::Arc;

use audited::{
    Actor, ActorId, AuditContext, CorrelationId, Deny, Source, Subject, SubjectId, Surface, Unacknowledged, record,
    with_context,
};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::accounts::{Accounts, Failed};
use super::events::{AdminEvent, LoginFailure, Via};

/// All that a client is told where something is not done.
pub(crate) enum Refused {
    Unauthorized,
    Unavailable,
}

impl From<Unacknowledged> for Refused {
    fn from(_: Unacknowledged) -> Self {
        Self::Unavailable
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
        .into_response()
    }
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize)]
pub(crate) struct Code {
    code: String,
}

#[derive(Serialize)]
pub(crate) struct Opened {
    token: String,
    mfa_pending: bool,
}

type Admin = State<Arc<Accounts>>;

async fn login(State(accounts): Admin, Json(given): Json<Credentials>) -> Result<Json<Opened>, Refused> {
    let Failed { user, reason, locks } = match accounts.login(&given.email, &given.password) {
        Ok((token, session)) => {
            let mfa_pending = session.mfa_pending;
            record(&AdminEvent::LoginSucceeded { mfa_pending }).actor(Actor::user(session.user)).await?;
            return Ok(Json(Opened { token, mfa_pending }));
        }
        Err(failed) => failed,
    };
    let subject = user.map_or_else(|| Subject::new("email", SubjectId::hash(&*given.email)), Subject::user);
    let failed = AdminEvent::LoginFailed { reason };
    record(&failed).verdict(reason.deny()).actor(Actor::anonymous()).subject(subject.clone()).await?;
    if locks {
        record(&AdminEvent::AccountLocked).actor(Actor::system()).subject(subject).await?;
    }
    Err(Refused::Unauthorized)
}

async fn mfa(State(accounts): Admin, headers: HeaderMap, Json(given): Json<Code>) -> Result<StatusCode, Refused> {
    let session = accounts.session(token(&headers)).ok_or(Refused::Unauthorized)?;
    let actor = Actor::user(session.user);
    let Some((code_id, left, completes)) = accounts.consume(token(&headers), &given.code) else {
        let reason = LoginFailure::WrongCode;
        record(&AdminEvent::LoginFailed { reason }).verdict(reason.deny()).actor(actor).await?;
        return Err(Refused::Unauthorized);
    };
    let remaining_codes = u32::try_from(left).unwrap_or(u32::MAX);
    let via = if completes { Via::Login } else { Via::Reauth };
    record(&AdminEvent::MfaCodeConsumed { code_id, remaining_codes, via }).actor(actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn logout(State(accounts): Admin, headers: HeaderMap) -> Result<StatusCode, Refused> {
    let session = accounts.logout(token(&headers)).ok_or(Refused::Unauthorized)?;
    record(&AdminEvent::SessionLogout).actor(Actor::user(session.user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The user goes; what is recorded of him stays.
async fn delete_user(State(accounts): Admin, headers: HeaderMap, Path(user): Path<u64>) -> Result<StatusCode, Refused> {
    let admin = accounts.admin(token(&headers)).ok_or(Refused::Unauthorized)?;
    if !accounts.has(user) {
        return Ok(StatusCode::NOT_FOUND);
    }
    record(&AdminEvent::UserDeleted).actor(Actor::user(ActorId::from(admin))).subject(Subject::user(user)).await?;
    accounts.delete(user);
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody's idea of a recovery over HTTP. Nobody has handed it the token, and another one is not minted.
async fn recover() -> (StatusCode, String) {
    match Surface::mint("cli") {
        Ok(_) => (StatusCode::OK, "anything goes".to_owned()),
        Err(minted) => (StatusCode::FORBIDDEN, minted.to_string()),
    }
}

/// Says of every record where it came from.
async fn surroundings(request: Request, next: Next) -> Response {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let source = Source::new().user_agent(agent);
    let context = AuditContext::new().source(source).correlation_id(CorrelationId::random());
    with_context(context, next.run(request)).await
}

fn token(headers: &HeaderMap) -> &str {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
}

pub(crate) fn service(accounts: Arc<Accounts>) -> Router {
    Router::new()
        .route("/login", post(login))
        .route("/mfa", post(mfa))
        .route("/logout", post(logout))
        .route("/users/{id}", delete(delete_user))
        .route("/recover", post(recover))
        .layer(middleware::from_fn(surroundings))
        .with_state(accounts)
}
