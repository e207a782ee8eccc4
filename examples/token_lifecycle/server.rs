//! The key server of a gateway: it gives tokens, and lets calls to the backends through that bring one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use audited::{AuditLayer, AuditRequest, RecordBuilder, Subject, SubjectId, Unacknowledged, record};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::events::{Refused, TokenEvent, identity};

/// What somebody asks for.
#[derive(Deserialize)]
struct Wanted {
    email: String,
    name: String,
    backends: Vec<String>,
    tools: Option<Vec<String>>,
    rate_limit: Option<u32>,
    ttl_ms: u64,
}

#[derive(Serialize)]
struct Given {
    jti: Uuid,
    bearer: String,
}

struct Token {
    jti: Uuid,
    wanted: Wanted,
    used: u32,
    expires: Instant,
    revoked: bool,
}

/// The tokens, by a hash of what their bearers bring: who reads this cannot use them.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Arc<Mutex<HashMap<[u8; 32], Token>>>);

impl Tokens {
    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Token>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose token a bearer has, if it is good for a tool of a backend.
    fn admit(&self, bearer: Option<&str>, backend: &str, tool: &str) -> Result<Holder, Turned> {
        let key: [u8; 32] = Sha256::digest(bearer.ok_or(Refused::Missing)?).into();
        let mut tokens = self.lock();
        let token = tokens.get_mut(&key).ok_or(Refused::Unknown)?;
        let holder = Holder { jti: token.jti, email: token.wanted.email.clone() };
        if token.revoked {
            return Err(Refused::Revoked.into());
        }
        if token.expires <= Instant::now() {
            return Err(Turned::Expired(holder));
        }
        if !token.wanted.backends.iter().any(|may| may == backend) {
            return Err(Refused::BackendNotAllowed.into());
        }
        if !token.wanted.tools.as_ref().is_none_or(|tools| tools.iter().any(|may| may == tool)) {
            return Err(Refused::ToolNotAllowed.into());
        }
        if token.wanted.rate_limit.is_some_and(|limit| token.used >= limit) {
            return Err(Refused::RateLimited.into());
        }
        token.used += 1;
        Ok(holder)
    }
}

struct Holder {
    jti: Uuid,
    email: String,
}

/// Who does not get through.
enum Turned {
    Expired(Holder),
    Away(Refused),
}

impl From<Refused> for Turned {
    fn from(refused: Refused) -> Self {
        Self::Away(refused)
    }
}

async fn issue(
    State(tokens): State<Tokens>,
    audit: AuditRequest,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Given>, Failure> {
    let (jti, bearer) = (Uuid::now_v7(), format!("gw_{}{}", Uuid::now_v7().simple(), Uuid::now_v7().simple()));
    let Wanted { name, backends, tools, rate_limit, .. } = &wanted;
    let (name, backends, tools) = (name.clone(), backends.clone(), tools.clone());
    audit.identify(identity(&wanted.email));
    record(&TokenEvent::Issued { jti, name, backends, tools, rate_limit: *rate_limit }).await?;
    let expires = Instant::now() + Duration::from_millis(wanted.ttl_ms);
    let token = Token { jti, wanted, used: 0, expires, revoked: false };
    tokens.lock().insert(Sha256::digest(&bearer).into(), token);
    Ok(Json(Given { jti, bearer }))
}

async fn call(
    State(tokens): State<Tokens>,
    audit: AuditRequest,
    Path((backend, tool)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<String, Failure> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match tokens.admit(bearer, &backend, &tool) {
        Ok(Holder { jti, email }) => {
            audit.identify(identity(&email));
            record(&TokenEvent::Used { jti }).await?;
            Ok(format!("{tool} of {backend} was called"))
        }
        Err(Turned::Expired(Holder { jti, email })) => {
            let whose = Subject::user(SubjectId::hash(email));
            record(&TokenEvent::Expired { jti }).subject(whose).await?;
            Err(Failure::Refused(StatusCode::UNAUTHORIZED))
        }
        Err(Turned::Away(refused)) => {
            refused.recorded().await?;
            Err(Failure::Refused(if refused.is_denial() { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED }))
        }
    }
}

async fn revoke(State(tokens): State<Tokens>, Path(jti): Path<Uuid>) -> Result<StatusCode, Failure> {
    let whose = tokens.lock().values().find(|token| token.jti == jti).map(|token| token.wanted.email.clone());
    let whose = whose.map(|email| Subject::user(SubjectId::hash(email)));
    whose.into_iter().fold(record(&TokenEvent::Revoked { jti }), RecordBuilder::subject).await?;
    tokens.lock().values_mut().filter(|token| token.jti == jti).for_each(|token| token.revoked = true);
    Ok(StatusCode::NO_CONTENT)
}

enum Failure {
    Refused(StatusCode),
    Unrecorded,
}

impl From<Unacknowledged> for Failure {
    fn from(_: Unacknowledged) -> Self {
        Self::Unrecorded
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(status) => status,
            Self::Unrecorded => StatusCode::SERVICE_UNAVAILABLE,
        }
        .into_response()
    }
}

pub(crate) fn service(tokens: Tokens) -> Router {
    Router::new()
        .route("/tokens", post(issue))
        .route("/tokens/{jti}", delete(revoke))
        .route("/backends/{backend}/tools/{tool}", get(call))
        .with_state(tokens)
        .layer(AuditLayer::axum().uniform_denials())
}
